//! The core's own test guests, for what no backend of these tests can stand in for.

#![allow(dead_code, reason = "each test binary uses a part of them")]

#[path = "../../../core/tests/core/guest.rs"]
mod guest;
#[path = "../../../core/tests/core/jobs_guest.rs"]
mod jobs_guest;
#[path = "../../../core/tests/core/memory.rs"]
mod memory;

pub use guest::packed;
pub use jobs_guest::component;

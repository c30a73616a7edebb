//! The way of a call, from a checked principal to an audited result:
//!
//! `find → authorize → validate → intent → permit → sandbox → result → audit`
//!
//! Each step is one function that takes what the one before gave. The transport came before (`fleetgate-mcp`),
//! and what a capability does on the way stands in its own crate.

mod corridor;
mod heavy;
mod outcome;
mod redact;
mod result;

pub use corridor::{Answered, ToolCall, call_tool};
pub use outcome::{Refused, ToolEnd};

pub use crate::text::clean;

//! The tools, and what all of them check before anything is sent.

pub mod arguments;
pub mod jobs;
pub mod keys;
pub mod send;

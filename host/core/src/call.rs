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
mod request;
mod result;

pub use corridor::call_tool;
pub use outcome::{Answered, End, Kind, Refused};
pub use request::{CallContext, Complete, Completed, PromptGet, ResourceList, ResourceRead, ToolCall};

pub use crate::text::clean;

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
mod reference;
mod request;
mod result;

pub use corridor::call_tool;
pub(crate) use corridor::{AsJob, check, ended_at_once, run_job};
pub use outcome::{Answered, End, Kind, Refused};
pub(crate) use reference::{new_job_id, new_reference};
pub use request::{CallContext, Complete, Completed, PromptGet, ResourceList, ResourceRead, ToolCall};

pub use crate::text::clean;

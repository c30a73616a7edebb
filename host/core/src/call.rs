//! The way of a request, from a checked principal to an audited result:
//!
//! `find → authorize → validate → intent → permit → sandbox → result → audit`
//!
//! Each step is one function that takes what the one before gave ([`corridor`]). What differs from one kind of request
//! to another is its [`passage`]: [`tools`], [`lists`] and [`reads`] of resources, [`prompts`], [`completions`],
//! [`events`] that nobody asked for.
//! The transport came before (`fleetgate-mcp`), and what a capability does on the way stands in its own crate.

use std::sync::Arc;

use crate::audit::Audit;
use crate::catalog::Catalog;
use crate::domain::{Completion, Content, PromptMessage, ResourcePage};

mod completions;
mod corridor;
mod events;
mod heavy;
mod jobs;
mod ledger;
mod lists;
mod outcome;
mod passage;
mod prompts;
mod reads;
mod redact;
mod reference;
mod request;
mod result;
mod tools;

pub(crate) use events::{EventRun, handle_events};
pub(crate) use jobs::{AsJob, check, ended_at_once, run_job};
pub use outcome::{Answered, End, Kind, Refused};
pub(crate) use passage::Looked;
pub(crate) use reference::{new_event_id, new_job_id, new_reference};
pub use request::{CallContext, Complete, Completed, PromptGet, ResourceList, ResourceRead, ToolCall};

pub use crate::text::clean;

/// Runs one call of a tool over one snapshot of the catalog.
pub async fn call_tool(
    catalog: &Catalog,
    audit: &Arc<dyn Audit>,
    call: ToolCall,
) -> Result<Answered, Refused> {
    corridor::pass(catalog, audit, call).await
}

/// Takes a page of a binding's resources.
pub async fn list_resources(
    catalog: &Catalog,
    audit: &Arc<dyn Audit>,
    list: ResourceList,
) -> Result<Answered<ResourcePage>, Refused> {
    corridor::pass(catalog, audit, list).await
}

/// Reads one resource. A skill's file takes no guest.
pub async fn read_resource(
    catalog: &Catalog,
    audit: &Arc<dyn Audit>,
    read: ResourceRead,
) -> Result<Answered<Vec<Content>>, Refused> {
    corridor::pass(catalog, audit, read).await
}

/// Fills in a prompt.
pub async fn get_prompt(
    catalog: &Catalog,
    audit: &Arc<dyn Audit>,
    get: PromptGet,
) -> Result<Answered<Vec<PromptMessage>>, Refused> {
    corridor::pass(catalog, audit, get).await
}

/// Completes an argument.
pub async fn complete(
    catalog: &Catalog,
    audit: &Arc<dyn Audit>,
    complete: Complete,
) -> Result<Answered<Completion>, Refused> {
    corridor::pass(catalog, audit, complete).await
}

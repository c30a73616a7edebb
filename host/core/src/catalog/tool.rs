//! One tool of one binding, with everything that was decided when it was loaded.

use std::sync::Arc;

use crate::domain::Tool;
use crate::manifest::{Requirement, TaskMode};
use crate::sandbox::{CallLimits, CallPolicy};
use crate::validate::Schema;

/// A tool that can be called.
#[derive(Debug)]
pub struct LiveTool {
    /// Its own name, without the binding's.
    pub own_name: Arc<str>,
    /// As clients see it, but for its name on the shared endpoint: cleaned, and with the binding's label before
    /// title and description.
    pub definition: Tool,
    /// The manifest's requirement.
    pub requires: Requirement,
    /// What the operator requires as well.
    pub also_requires: Option<Requirement>,
    /// MCP's `destructiveHint`.
    pub destructive: bool,
    /// MCP's `idempotentHint`.
    pub idempotent: bool,
    /// MCP's `openWorldHint`.
    pub open_world: Option<bool>,
    /// Its ceiling; also MCP's `readOnlyHint`.
    pub policy: Arc<CallPolicy>,
    /// What one call may use up.
    pub limits: CallLimits,
    /// JSON pointers of arguments that the guest never sees.
    pub secret: Vec<String>,
    /// JSON pointers of arguments that go into the audit record.
    pub audit: Vec<String>,
    /// Results keep their control characters.
    pub verbatim: bool,
    /// Whether it may run as a task.
    pub task: TaskMode,
    /// As a task it may ask before it begins its work.
    pub asks_first: bool,
    /// The input schema, compiled.
    pub input: Schema,
    /// The output schema, compiled.
    pub output: Option<Schema>,
}

//! The corridor itself.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::{Refused, ToolEnd};
use crate::audit::Audit;
use crate::catalog::{Catalog, Scope};
use crate::domain::Answers;
use crate::principal::Principal;
use crate::sandbox::Observer;

/// One request to run a tool.
pub struct ToolCall {
    /// Who.
    pub principal: Principal,
    /// Where: which endpoint.
    pub scope: Scope,
    /// What: the tool's name in that scope.
    pub tool: String,
    /// With what: one JSON object, as it came. `{}` for none.
    pub arguments: String,
    /// When this continues after a question.
    pub answers: Option<Answers>,
    /// See [`crate::sandbox::CallInfo::session`].
    pub session: String,
    /// What the client can do, as JSON text.
    pub client_capabilities: Arc<str>,
    /// Trips when the client gives up.
    pub cancel: CancellationToken,
    /// Who listens.
    pub observer: Arc<dyn Observer>,
}


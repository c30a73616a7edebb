//! What a caller may want of a plugin. Transports fill these in; the corridor takes them.

use std::sync::Arc;

use serde_json::{Map, Value};
use tokio_util::sync::CancellationToken;

use crate::catalog::Scope;
use crate::domain::Answers;
use crate::principal::Principal;
use crate::sandbox::Observer;
use crate::secret_arguments::Arguments;

/// Who asks, where, and what they can do. The same for every kind of request.
#[derive(Clone)]
pub struct CallContext {
    /// Who.
    pub principal: Principal,
    /// Where: which endpoint.
    pub scope: Scope,
    /// See [`crate::sandbox::CallInfo::session`].
    pub session: String,
    /// What the client can do, as JSON text.
    pub client_capabilities: Arc<str>,
    /// Trips when the client gives up.
    pub cancel: CancellationToken,
    /// Who listens.
    pub observer: Arc<dyn Observer>,
}

/// One request to run a tool.
pub struct ToolCall {
    /// Who asks.
    pub context: CallContext,
    /// The tool's name in the context's scope.
    pub tool: String,
    /// With what: one JSON object, as it came. `{}` for none.
    pub arguments: Arguments,
    /// When this continues after a question.
    pub answers: Option<Answers>,
}

/// One request for a page of a binding's resources, as its caller may see them.
pub struct ResourceList {
    /// Who asks.
    pub context: CallContext,
    /// Whose. Must be one that the context's scope shows.
    pub binding: Arc<str>,
    /// The guest's cursor, from [`crate::domain::ResourcePage::next`].
    pub cursor: Option<String>,
}

/// One request to read a resource.
pub struct ResourceRead {
    /// Who asks.
    pub context: CallContext,
    /// Whose.
    pub binding: Arc<str>,
    /// In the plugin's own scheme.
    pub uri: String,
    /// When this continues after a question.
    pub answers: Option<Answers>,
}

/// One request to fill in a prompt.
pub struct PromptGet {
    /// Who asks.
    pub context: CallContext,
    /// The prompt's name in the context's scope.
    pub prompt: String,
    /// An object of strings.
    pub arguments: Map<String, Value>,
    /// When this continues after a question.
    pub answers: Option<Answers>,
}

/// One request to complete an argument.
pub struct Complete {
    /// Who asks.
    pub context: CallContext,
    /// Whose argument.
    pub of: Completed,
    /// The argument's name.
    pub argument: String,
    /// What is typed so far.
    pub value: String,
    /// The arguments that are set already: an object of strings.
    pub given: Map<String, Value>,
}

/// What has an argument to complete.
pub enum Completed {
    /// A prompt, by its name in the scope.
    Prompt(String),
    /// A template, by its URI template in the plugin's own scheme.
    Template {
        /// Whose.
        binding: Arc<str>,
        /// RFC 6570.
        uri_template: String,
    },
}

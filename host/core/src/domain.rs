//! What tools, results and faults are to the host, whatever version of the WIT a plugin was built against.
//!
//! [`crate::abi`] translates between these and the generated types of each interface version.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

/// A tool as its component declares it. What it requires stands in the manifest.
#[derive(Debug, Clone, PartialEq)]
pub struct Tool {
    /// 1 to 64 characters of `[A-Za-z0-9_.-]`.
    pub name: String,
    /// A name for people.
    pub title: Option<String>,
    /// What the tool does, for the model.
    pub description: Option<String>,
    /// JSON Schema of the arguments, verbatim.
    pub input_schema: Arc<Value>,
    /// JSON Schema of the structured result, verbatim.
    pub output_schema: Option<Arc<Value>>,
    /// MCP `_meta`.
    pub meta: Option<Value>,
    /// What later interface versions add.
    pub extra: Option<Value>,
}

/// Something that happened, as a handler of events gets it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Stable across deliveries.
    pub id: Arc<str>,
    /// The request it comes from: `events.telemetry`.
    pub source: Arc<str>,
    /// What it is about: an MQTT topic.
    pub subject: String,
    /// When it was heard, in Unix milliseconds.
    pub time_ms: u64,
    /// 1 for the first delivery.
    pub attempt: u32,
    /// The payload.
    pub data: Vec<u8>,
    /// Whatever else is known: a JSON object, as text.
    pub attributes: String,
}

/// One block of a result. `kind` is an open set: `text`, `image`, `audio`, `link`, `resource`.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Content {
    /// What the block is.
    pub kind: String,
    /// Text of `text` and of a textual `resource`; name of a `link`.
    pub text: Option<String>,
    /// Bytes of `image`, `audio` and of a binary `resource`.
    pub data: Option<Vec<u8>>,
    /// Media type.
    pub mime_type: Option<String>,
    /// URI in the plugin's own scheme.
    pub uri: Option<String>,
    /// MCP `_meta`.
    pub meta: Option<Value>,
    /// `annotations`, `title`, `description`.
    pub extra: Option<Value>,
}

impl Content {
    /// A block of text.
    pub fn text(text: impl Into<String>) -> Self {
        Self { kind: "text".into(), text: Some(text.into()), ..Self::default() }
    }
}

/// What a tool returns.
#[derive(Debug, Clone, Default)]
pub struct ToolResult {
    /// What the model reads.
    pub content: Vec<Content>,
    /// The same as data, verbatim.
    pub structured: Option<Box<RawValue>>,
    /// The tool says that it failed.
    pub is_error: bool,
    /// MCP `_meta`.
    pub meta: Option<Value>,
    /// What later interface versions add.
    pub extra: Option<Value>,
}

/// A failure with a code. The model reads `message`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
pub struct Fault {
    /// `invalid-arguments`, `unknown`, `denied`, `upstream`, `unavailable`, `timeout`, `cancelled`, `internal`,
    /// `protocol`, or the plugin's own; the host adds `limit` (see [`crate::sandbox`]).
    pub code: String,
    /// A sentence.
    pub message: String,
    /// JSON pointer to the argument meant.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub field: Option<String>,
    /// The same call may succeed later.
    #[serde(default)]
    pub retryable: bool,
    /// Milliseconds to wait before.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub retry_after_ms: Option<u32>,
    /// Facts about it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub details: Option<Value>,
}

impl Fault {
    /// A fault that will not go away by itself.
    pub fn new(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            code: code.into(),
            message: message.into(),
            field: None,
            retryable: false,
            retry_after_ms: None,
            details: None,
        }
    }

    /// The same, but worth another try.
    pub fn retryable(mut self) -> Self {
        self.retryable = true;
        self
    }

    /// The same, with the argument that is meant.
    pub fn at(mut self, pointer: impl Into<String>) -> Self {
        self.field = Some(pointer.into());
        self
    }
}

/// Something that only the client can answer.
#[derive(Debug, Clone, PartialEq)]
pub struct InputRequest {
    /// Chosen by the plugin.
    pub key: String,
    /// `elicitation-form`, `elicitation-url`, `sampling` or `roots`.
    pub kind: String,
    /// As MCP defines them.
    pub params: Value,
}

/// A pause: the call ended, and goes on when the answers are there.
#[derive(Debug, Clone, PartialEq)]
pub struct Question {
    /// At least one.
    pub requests: Vec<InputRequest>,
    /// What the plugin wants to know again, not sealed yet.
    pub state: Option<Vec<u8>>,
}

/// The answers to a question.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Answers {
    /// Key and value of each.
    pub items: Vec<(String, Value)>,
    /// The question's state, unsealed.
    pub state: Option<Vec<u8>>,
}

/// How a guest's function ends, where it may ask.
#[derive(Debug, Clone)]
pub enum Outcome<T = ToolResult> {
    /// With what was wanted.
    Done(T),
    /// With a question to the client.
    Ask(Question),
}

/// One resource in a list.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ResourceInfo {
    /// In the plugin's own scheme.
    pub uri: String,
    /// For programs.
    pub name: String,
    /// For people.
    pub title: Option<String>,
    /// For the model.
    pub description: Option<String>,
    /// Media type.
    pub mime_type: Option<String>,
    /// In bytes.
    pub size: Option<u64>,
    /// Passed on as `_meta`.
    pub meta: Option<Value>,
    /// `annotations`, `icons`.
    pub extra: Option<Value>,
}

/// One page of a plugin's resources.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ResourcePage {
    /// Those that the caller may see.
    pub resources: Vec<ResourceInfo>,
    /// The guest's cursor of the next page. Never shown to clients as it is.
    pub next: Option<String>,
}

/// A family of resources.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ResourceTemplate {
    /// RFC 6570, in the plugin's own scheme.
    pub uri_template: String,
    /// For programs.
    pub name: String,
    /// For people.
    pub title: Option<String>,
    /// For the model.
    pub description: Option<String>,
    /// Media type, where all have the same.
    pub mime_type: Option<String>,
    /// Passed on as `_meta`.
    pub meta: Option<Value>,
    /// `annotations`, `icons`.
    pub extra: Option<Value>,
}

/// One argument of a prompt.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PromptArgument {
    /// For programs.
    pub name: String,
    /// For people.
    pub title: Option<String>,
    /// For people.
    pub description: Option<String>,
    /// Must be given.
    pub required: bool,
}

/// One prompt in a list.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Prompt {
    /// Its own name.
    pub name: String,
    /// For people.
    pub title: Option<String>,
    /// For people.
    pub description: Option<String>,
    /// In the order in which to ask for them.
    pub arguments: Vec<PromptArgument>,
    /// Passed on as `_meta`.
    pub meta: Option<Value>,
    /// `icons`.
    pub extra: Option<Value>,
}

/// One message of a prompt that was filled in.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct PromptMessage {
    /// `user` or `assistant`.
    pub role: String,
    /// What it says.
    pub content: Content,
}

/// What may follow in an argument.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Completion {
    /// At most 100.
    pub values: Vec<String>,
    /// How many there are, where known.
    pub total: Option<u32>,
    /// More exist than are given.
    pub has_more: bool,
}

/// One file of a skill, as the host keeps it.
#[derive(Clone, PartialEq, Eq)]
pub struct SkillFile {
    /// `skill://<skill's path>/<file's path>`.
    pub uri: String,
    /// Media type.
    pub mime_type: String,
    /// What it holds.
    pub data: Arc<[u8]>,
    /// SHA-256 of it.
    pub digest: [u8; 32],
}

impl std::fmt::Debug for SkillFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SkillFile")
            .field("uri", &self.uri)
            .field("bytes", &self.data.len())
            .finish_non_exhaustive()
    }
}

/// One skill (SEP-2640).
#[derive(Debug, Clone, PartialEq)]
pub struct Skill {
    /// Its directory: `push-config`, `network/push-config`.
    pub path: String,
    /// The last segment of its path, and `name` of its front matter.
    pub name: String,
    /// The front matter of its `SKILL.md`, an object.
    pub frontmatter: Arc<Value>,
    /// `SKILL.md` among them, sorted by URI.
    pub files: Vec<SkillFile>,
}

/// A skill as its component lists it.
#[derive(Debug, Clone, PartialEq)]
pub struct ListedSkill {
    /// Its directory.
    pub path: String,
    /// The front matter of its `SKILL.md`.
    pub frontmatter: Value,
    /// In the guest's order.
    pub files: Vec<ListedFile>,
}

/// A file of a listed skill.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedFile {
    /// Relative to the skill's directory.
    pub path: String,
    /// Media type.
    pub mime_type: Option<String>,
    /// What it holds.
    pub data: Vec<u8>,
}

/// Prompts of one plugin.
pub const MAX_PROMPTS: usize = 256;
/// Templates of one plugin.
pub const MAX_TEMPLATES: usize = 256;
/// Skills of one plugin.
pub const MAX_SKILLS: usize = 256;
/// Files of one skill (SEP-2640).
pub const MAX_SKILL_FILES: usize = 512;
/// Resources in one page.
pub const MAX_PAGE: usize = 1_000;
/// Messages of one prompt.
pub const MAX_MESSAGES: usize = 1_000;
/// Values of one completion (MCP specification, `server/utilities/completion`).
pub const MAX_COMPLETIONS: usize = 100;

//! What a plugin's author says: what the plugin is, what it requests, what each tool requires.
//!
//! Written once as TOML (`plugin.toml` plus the `#[tool]` attributes, merged by `fleetgate pack`) and carried by
//! the component in its one top-level custom section [`SECTION`].

mod about;
mod capabilities;
mod config;
mod entries;
pub(crate) mod grammar;
mod parse;
mod roles;
pub(crate) mod schema;
mod session;
mod variables;
mod widening;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use indexmap::IndexMap;
use serde_json::Value;

use crate::capability::{Reach, Request};
use crate::uri::UriPattern;
pub(crate) use about::required_line;
pub use config::ConfigSpelling;
pub(crate) use config::value as config_value;
pub(crate) use parse::parse_source;
pub use parse::{MAX_BYTES, parse};
pub(crate) use roles::requirement;
pub use roles::{Requirement, Roles};
pub use schema::json_schema;
pub use session::SessionHeader;
pub(crate) use variables::SECRET_KEYS;
pub use widening::widening;

/// The name of the top-level custom section that holds the manifest as TOML.
pub const SECTION: &str = "fleetgate:manifest";

/// A manifest whose every part was checked.
#[derive(Debug, Clone)]
pub struct Manifest {
    /// `[plugin]`
    pub plugin: About,
    /// `[roles]`
    pub roles: Roles,
    /// `[config.<key>]`
    pub config: IndexMap<String, ConfigKey>,
    /// `[capabilities.<kind>.<name>]` by `kind.name` (`http.api`).
    pub capabilities: BTreeMap<String, CapabilityRequest>,
    /// `[limits]`
    pub limits: RequestedLimits,
    /// `[session]`
    pub session: Option<SessionHeader>,
    /// `[tools.<name>]`
    pub tools: BTreeMap<String, ToolEntry>,
    /// `[resources."<uri pattern>"]`
    pub resources: BTreeMap<UriPattern, ExposedEntry>,
    /// `[prompts.<name>]`
    pub prompts: BTreeMap<String, ExposedEntry>,
    /// The text it was read from.
    pub text: Arc<str>,
}

/// `[plugin]`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct About {
    /// `[a-z][a-z0-9-]*`, at most 32 characters; the file is `<id>.wasm`.
    pub id: String,
    /// Semantic version.
    pub version: String,
    /// Version of the WIT package, `0.1`.
    pub interface: String,
    /// A name for people.
    pub title: String,
    /// What it is, in a sentence.
    pub description: String,
    /// SPDX expression.
    pub license: Option<String>,
    /// Where to read more.
    pub homepage: Option<String>,
}

/// `[config.<key>]`: one plain setting, never a secret.
#[derive(Debug, Clone, PartialEq)]
pub struct ConfigKey {
    /// What values look like.
    pub kind: ConfigKind,
    /// Used where the operator sets nothing.
    pub default: Option<ConfigValue>,
    /// For the operator.
    pub description: String,
    /// Must be set where there is no default.
    pub required: bool,
    /// Read only by `fleetgate stdio --plugin ID` when nothing is granted. Never named like a credential where the
    /// setting is text, nor one of a capability's secrets.
    pub env: Vec<String>,
}

/// What a setting's values look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConfigKind {
    /// Text.
    String,
    /// `true` or `false`.
    Bool,
    /// A whole number.
    Integer,
    /// Any number.
    Number,
    /// `500ms`, `2s`, `5m`, `1h`.
    Duration,
    /// `64KiB`, `16MiB`.
    Size,
    /// A list of texts.
    Strings,
}

/// A setting's value: how it was written in TOML, and how the guest gets it.
#[derive(Debug, Clone, PartialEq)]
pub struct ConfigValue {
    /// As JSON.
    pub json: Value,
    /// As `config.get` returns it.
    pub text: String,
}

/// The environment variables that fill one key of a grant.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Variables {
    /// The first that is set counts.
    pub names: Vec<String>,
    /// What counts where none of them is set, and another of the plugin's variables is. Never of a secret.
    pub default: Option<String>,
}

/// `[capabilities.<kind>.<name>]`
#[derive(Debug, Clone)]
pub struct CapabilityRequest {
    /// `http`
    pub kind: String,
    /// `api`
    pub name: String,
    /// For the operator who grants it.
    pub why: String,
    /// The plugin works without it.
    pub optional: bool,
    /// Environment variables by the key of the grant that they fill (`url`, `bearer`). Read
    /// only by `fleetgate stdio --plugin ID` when nothing is granted.
    pub env: BTreeMap<String, Variables>,
    /// What is asked for, as its capability understood it.
    pub request: Arc<dyn Request>,
}

/// `[limits]`: what the plugin needs; granted up to the operator's ceilings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RequestedLimits {
    /// Memory of one call, in bytes.
    pub memory: Option<u64>,
    /// Time in guest code of one call.
    pub cpu: Option<Duration>,
    /// Calls at once.
    pub concurrency: Option<u32>,
}

/// `[tools.<name>]`
#[derive(Debug, Clone)]
pub struct ToolEntry {
    /// Who may call it.
    pub requires: Requirement,
    /// It changes nothing. Enforced.
    pub read_only: bool,
    /// What it changes may be lost.
    pub destructive: bool,
    /// Calling it twice is like calling it once.
    pub idempotent: bool,
    /// It reaches beyond a closed set of things; MCP's `openWorldHint`. None: not said.
    pub open_world: Option<bool>,
    /// Wall time it may need.
    pub timeout: Option<Duration>,
    /// JSON pointers of arguments that the guest never sees.
    pub secret: Vec<String>,
    /// JSON pointers of arguments that go into the audit record.
    pub audit: Vec<String>,
    /// This tool's part of what the plugin was granted, by `kind.name`.
    pub reach: BTreeMap<String, Arc<dyn Reach>>,
    /// Not registered unless the operator enables it.
    pub opt_in: bool,
    /// Its results are not cleaned of control characters.
    pub verbatim: bool,
    /// Whether it may run as a task.
    pub task: TaskMode,
    /// As a task it may ask before it begins its work: the first question goes to who calls, and there is no task yet.
    pub asks_first: bool,
}

/// `task = "…"`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TaskMode {
    /// Never.
    #[default]
    Never,
    /// If the client wants it so.
    Optional,
    /// Always.
    Required,
}

/// `[resources."<uri pattern>"]`, `[prompts.<name>]`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExposedEntry {
    /// Who may have it.
    pub requires: Requirement,
}

//! The catalog as MCP, over HTTP and stdio, for clients of both protocol eras.
//!
//! *Modern* clients speak 2026-07-28 or later: no handshake, every request stands alone. *Legacy* clients speak
//! 2025-11-25 or earlier: `initialize`, and a session. rmcp does the protocol; this crate decides what it says.
//!
//! Read along the way of a request:
//!
//! - [`front`]: everything before rmcp sees an HTTP request: Host and Origin, who calls, which endpoint, one JSON-RPC
//!   message, the role check that becomes a 403; and what becomes of its answer
//! - [`endpoint`]: one rmcp service per endpoint, for as long as its binding lives; [`sessions`] are what it keeps for
//!   legacy clients, [`incoming`] what they send
//! - [`server`]: what an endpoint answers, and which file does: [`list`] and [`call`] for tools, [`resource_list`] and
//!   [`resources`], [`prompts`], [`completions`], [`skills`], [`subscriptions`], [`tasks`]; [`request`] is what each
//!   begins with
//! - [`asking`]: a question of a plugin, to the client and back
//! - [`content`], [`fault`], [`meta`], [`uri`]: from the core's words to MCP's, and for URIs back
//! - [`observer`]: progress and logs of a running call; [`changes`] and [`listener`]: who is told what is new
//! - [`view`]: the host, as this crate needs it
//! - [`http`] and [`stdio`]: the two ways in; [`connections`] is what the first one listens with,
//!   [`pipe`] what the second one reads and writes

/// A directive for the log's filter. At `info` rmcp writes several lines for each request; at `debug` it writes whole
/// requests, with arguments that nobody but a device should see. So it goes after whatever else the filter says.
pub const LOG_DIRECTIVE: &str = "rmcp=warn";

mod about;
mod annotations;
mod asking;
mod call;
mod caller;
mod changes;
mod completions;
mod connections;
mod content;
mod cursor;
mod endpoint;
mod fault;
mod front;
mod http;
mod incoming;
mod keys;
mod list;
mod listener;
mod meta;
mod observer;
mod pipe;
mod prompts;
mod request;
mod resource_list;
mod resources;
mod server;
mod serving;
mod sessions;
mod skills;
mod stdio;
mod strangers;
mod subscriptions;
mod tasks;
mod uptake;
mod uri;
mod view;

pub use front::{Authenticate, Challenge, LocalCaller, requires_authentication};
pub use http::{HttpOptions, Mcp, OptionsError, Shutdown, router, router_over, serve};
pub use stdio::{StdioError, StdioOptions, serve_pipe, serve_stdio};
pub use view::{
    About, Answering, Backend, Definition, Features, Found, PromptDefinition, SkillDefinition,
    TemplateDefinition, View,
};

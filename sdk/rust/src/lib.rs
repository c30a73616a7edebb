//! Write Fleetgate plugins in Rust.
//!
//! A plugin is a crate with functions marked `#[tool]` and one line that exports them, built for `wasm32-wasip2` and
//! packed with its `plugin.toml` by `fleetgate pack`.
//!
//! ```
//! use fleetgate_sdk::prelude::*;
//!
//! /// Whom to greet.
//! #[derive(Deserialize, JsonSchema)]
//! struct Greet {
//!     /// A name.
//!     name: String,
//! }
//!
//! #[derive(Serialize, JsonSchema)]
//! struct Greeting {
//!     text: String,
//! }
//!
//! /// Greets somebody.
//! #[tool(title = "Greet", requires = "any", read_only)]
//! fn greet(args: Greet) -> Result<Greeting, Fault> {
//!     Ok(Greeting { text: format!("Hello, {}!", args.name) })
//! }
//!
//! fleetgate_sdk::export!(greet);
//! # fn main() {}
//! ```
//!
//! - Doc comments become descriptions, argument structs the input schema, returned structs the output schema.
//! - [`call`] says who calls and how long there is; [`config`] what the operator set; [`granted`] what was granted.
//! - `#[resource]`, `#[template]`, `#[prompt]`, `#[complete]` and `#[skill]` are the other things that a plugin can have.
//! - [`http`] reaches the granted upstream. The plugin sees neither its address nor its credential.
//! - [`ssh`] reaches the granted devices: commands and terminals. The plugin sees no password.
//! - [`mqtt`] publishes and listens at the granted broker; `#[events]` handles what happens when nobody calls.
//! - [`keyvalue`] is what a plugin remembers.
//! - [`Fault`] says why something failed; [`ToolResult`] is a result built by hand; [`Outcome`] may ask the client.
//! - [`jobs`] run on when the call is over.
//! - `testing` (in native builds) plays the host, so that tools are tested with `cargo test`.
//!
//! A panic ends the call: the host reports it, and other calls go on. Every call runs in a fresh sandbox, so nothing
//! that is kept in a static is there the next time.

#[cfg(test)]
extern crate self as fleetgate_sdk;

#[cfg(target_arch = "wasm32")]
#[doc(hidden)]
pub mod bindings;
pub mod call;
mod capability;
mod client;
#[doc(hidden)]
pub mod completion;
pub mod config;
mod content;
mod event;
mod fault;
mod host;
pub mod http;
pub mod jobs;
pub mod keyvalue;
pub mod log;
pub mod mqtt;
mod outcome;
#[doc(hidden)]
pub mod plugin;
#[doc(hidden)]
pub mod prompt;
mod question;
#[doc(hidden)]
pub mod resource;
mod schema;
#[doc(hidden)]
pub mod skill;
pub mod ssh;
#[cfg(not(target_arch = "wasm32"))]
pub mod testing;
mod texts;
#[doc(hidden)]
pub mod tool;
mod tool_result;

pub use client::Client;
pub use completion::{Complete, Completion, Given, IntoCompletion};
pub use content::Content;
pub use event::{Event, Events};
pub use fault::Fault;
pub use fleetgate_sdk_macros::{complete, events, export, prompt, resource, skill, template, tool};
pub use outcome::{IntoOutcome, ToolReturn};
pub use plugin::Plugin;
pub use prompt::{IntoMessages, Prompt, PromptArgument, PromptMessage, Role};
pub use question::{Answer, Answers, InputRequest, Outcome, Question, Root, Sampled, Sampling};
pub use resource::{IntoContents, IntoPage, Json, Resource, ResourceInfo, ResourcePage};
pub use schemars::JsonSchema;
pub use serde_json::Value;
pub use skill::Skill;
pub use tool::{RawSchema, Tool};
pub use tool_result::ToolResult;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

/// Whether the operator granted the manifest's request of this name (`http.api`). False while the host lists tools.
#[must_use]
pub fn granted(name: &str) -> bool {
    host::granted(name)
}

/// What most plugins use.
pub mod prelude {
    pub use crate::{
        Answer, Completion, Content, Event, Fault, Given, Json, JsonSchema, Outcome, PromptMessage, Question,
        Resource, ResourceInfo, ResourcePage, ToolResult, Value, call, config, granted, http, log,
    };
    pub use fleetgate_sdk_macros::{complete, events, prompt, resource, skill, template, tool};
    pub use serde::{Deserialize, Serialize};
    pub use serde_json::json;
}

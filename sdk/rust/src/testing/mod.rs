//! Tests without a host. Not there in a component.
//!
//! A [`Harness`] plays the host for the closure that it runs, on this thread alone: it says who calls, what is
//! configured and granted, answers HTTP, plays devices ([`Device`]) and brokers ([`Broker`]), remembers what the tool
//! keeps, and keeps what the tool did.
//!
//! ```
//! # use fleetgate_sdk::prelude::*;
//! use fleetgate_sdk::testing::{Harness, Request, Response};
//!
//! /// The state of one device.
//! #[tool(requires = "view", read_only)]
//! fn device_state(args: Device) -> Result<String, Fault> {
//!     http::upstream("api").get(["devices", &args.id]).send()?.ok()?.json()
//! }
//! # #[derive(Deserialize, JsonSchema)] struct Device { id: String }
//!
//! let host = Harness::new()
//!     .granted("http.api")
//!     .respond(|request: &Request| match request.path() {
//!         "/devices/d1" => Response::json(200, json!("online")),
//!         _ => Response::status(404),
//!     });
//! assert_eq!(host.run(|| device_state(Device { id: "d1".into() })), Ok("online".to_owned()));
//! assert_eq!(host.requests()[0].method(), "GET");
//! ```
//!
//! Without a harness a tool runs too: nobody calls, nothing is configured or granted, and every request is denied.
//!
//! [`call`] goes the whole way from JSON arguments to the result, as in a component; so do [`get`] for prompts, [`read`]
//! for resources and [`complete`] for completions. What is `read_only` may change nothing then, unless its `reach` says
//! so, as in the host. [`Harness::deliver`] brings events to the plugin's handler.

mod broker;
mod device;
mod dispatch;
mod exchange;
mod harness;
mod jobs;
pub(crate) mod listening;
mod policy;
pub(crate) mod store;
pub(crate) mod terminal;

pub use crate::http::Failure;
pub use broker::{Broker, Published, Reaction};
pub use device::{Device, Reply, Typed};
pub use dispatch::{
    ask, call, call_tool, complete, complete_argument, get, get_prompt, list_prompts, list_resources,
    list_skills, list_templates, list_tools, read, read_resource,
};
pub use exchange::{Request, Response};
pub(crate) use harness::current;
pub use harness::{Harness, Log, Progress, cancel};
pub(crate) use jobs::Jobs;
pub use jobs::Submitted;
pub use terminal::Visit;

//! HTTP to what the operator granted.
//!
//! A plugin knows neither its upstream's address nor its credential. It names the request of its manifest
//! (`[capabilities.http.api]` is `http::upstream("api")`), and the host puts in the granted URL and the credential.
//! `Authorization`, `Cookie` and `Proxy-*` that a plugin sets do not leave the host.
//!
//! Calls wait until the answer is there. They end at once with the fault `cancelled` when the client gives up.
//!
//! ```no_run
//! # use fleetgate_sdk::prelude::*;
//! # #[derive(Deserialize)] struct Device { identifier: String }
//! # fn device(org: &str, identifier: &str) -> Result<Device, Fault> {
//! http::upstream("api")
//!     .get(["api", "orgs", org, "devices"])
//!     .segment_named("/identifier", identifier)
//!     .query("include", "tags")
//!     .send()?
//!     .ok()?
//!     .json()
//! # }
//! ```
//!
//! Paths are built from segments, and no value can leave its segment: see [`Request::segment`].

mod failure;
mod method;
mod path;
mod request;
mod response;
mod retry_after;
mod upstream;
#[cfg(target_arch = "wasm32")]
pub(crate) mod wasi;

pub use failure::Failure;
pub use method::Method;
pub(crate) use request::Outgoing;
pub use request::Request;
pub(crate) use response::Incoming;
pub use response::Response;
pub use upstream::{ROOT, Upstream, upstream, url};

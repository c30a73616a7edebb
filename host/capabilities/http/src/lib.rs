//! Outgoing HTTP for guests.
//!
//! A guest uses `wasi:http/outgoing-handler`, and every request of every guest takes the same way, which is the order
//! to read this crate in: [`host`] (where it leaves the guest) → [`exchange`] (the corridor) → [`guard`] (may it be
//! sent) → [`fill`] and [`credential`] → [`pool`] and [`connect`] (where does the name lead, and may that be reached) →
//! [`answer`] (what the guest may read of what comes back).
//!
//! [`request`], [`reach`] and [`grant`] are the tables that people write, [`capability`] is what becomes of them at
//! load. Which addresses may be reached is the core's, since other kinds of reach go there as well.

mod answer;
mod body;
mod capability;
mod connect;
mod credential;
mod decode;
mod exchange;
mod failure;
mod fill;
mod from_call;
mod grant;
mod guard;
mod headers;
mod host;
mod mask;
mod method;
mod origin;
mod path;
mod pattern;
mod pool;
mod reach;
mod redirect;
mod request;
mod schema;

pub use capability::{Http, HttpOptions};
pub use connect::ConnectFailed;
pub use exchange::MOST_AT_ONCE;
pub use failure::Failure;

/// For this crate's own tests, which have no guest.
#[doc(hidden)]
pub mod testing {
    pub use crate::capability::HttpBinding;
    pub use crate::exchange::Session;
    pub use crate::origin::{Origin, Scheme};
}

pub(crate) use fleetgate_core::diagnostic::quoted;

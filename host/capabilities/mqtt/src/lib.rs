//! MQTT for guests.
//!
//! A guest uses `fleetgate:mqtt/mqtt`, and every message and every filter of every guest takes the same way, which is the
//! order to read this crate in: [`host`] (where it leaves the guest) → [`session`] (one call) → [`guard`] (may it), by
//! MQTT's own rules ([`filter`]) and what the broker makes of them ([`topics`]) → [`calls`] (the connection that all calls of a grant share) → [`connect`] (the broker,
//! behind the core's judgement of addresses) → [`wire`] (MQTT 3.1.1 and 5). What comes back goes from [`wire`] through
//! [`calls`] into an [`inbox`].
//!
//! Events have a connection of their own: [`standing`].
//!
//! [`request`], [`reach`] and [`grant`] are the tables that people write, [`capability`] is what becomes of them at load.

mod backoff;
mod broker;
mod calls;
mod capability;
mod connect;
mod copies;
mod credential;
mod failure;
mod filter;
mod grant;
mod guard;
mod host;
mod inbox;
mod message;
mod options;
mod qos;
mod rate;
mod reach;
mod request;
mod route;
mod schema;
mod session;
mod standing;
mod topics;
mod websocket;
mod wire;

pub use capability::Mqtt;
pub use failure::{Failure, GuestFailure};
pub use session::MOST_AT_ONCE;

/// For this crate's own tests, which have no guest.
#[doc(hidden)]
pub mod testing {
    pub use crate::capability::MqttBinding;
    pub use crate::inbox::{Heard, HeardMessage};
    pub use crate::session::{Session, Subscription};
}

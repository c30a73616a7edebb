//! Simulated fleet backends: HTTP servers that behave like the real ones, for tests and for the demo.
//!
//! One module per backend ([`nerveshub`], [`naas`], [`devices`], [`jettyd`]); beside them what the HTTP ones share: the
//! server that accepts connections, the [`journal`] of everything that was asked, and the [`faults`] a test can switch
//! on; and a real MQTT [`broker`].
//! Nothing here knows the clients that will be judged with it. Introspection is a library matter: a backend
//! never answers a route that the real one has not got.

pub mod broker;
pub mod devices;
pub mod faults;
pub mod jettyd;
pub mod journal;
pub mod naas;
pub mod nerveshub;
pub mod running;
mod server;

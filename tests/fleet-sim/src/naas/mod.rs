//! A simulated NAAS (Netmiko as a Service) REST API: what 2.1 serves under `/v2`.
//!
//! "The contract" in these modules is the description of that API which Fleetgate's network plugin was written
//! against too: 0 surprises, 2 submits and job results, 3 lists, 5 the life of a job, 6 HTTP errors, 7 roles and
//! contexts. The product's documents and its source do not agree everywhere; [`Behaviour`] says which of the two
//! a server follows. Nothing here is owed to the plugin.
//!
//! A request passes `auth` (who), `payload` or `fields` (what), the handler in `routes`, and comes back through
//! `shapes` or `errors`. Jobs live in `world`, which moves on as time passes ([`State::pass`]); what their devices
//! say is in `gear`.

mod auth;
mod clock;
mod errors;
mod fields;
mod gear;
mod guards;
pub mod known;
pub mod model;
mod payload;
mod routes;
mod seed;
mod shapes;
mod state;
mod token;
mod worker;
mod world;

use std::net::{Ipv4Addr, SocketAddr};

pub use seed::{Behaviour, Context, Seed};
pub use state::State;
pub use token::Claims;

use crate::server::Server;

/// What the server says it is.
pub const VERSION: &str = "2.1.0";

/// The simulated server.
#[derive(Debug)]
pub struct Naas;

impl Naas {
    /// Starts a server on a free port of 127.0.0.1, on the current runtime.
    ///
    /// # Panics
    /// If no port is free, for then no test can run.
    pub async fn start(seed: Seed) -> Running {
        let anywhere = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        Self::listen(anywhere, seed).await.expect("a free port on 127.0.0.1")
    }

    /// Starts a server on this address.
    ///
    /// # Errors
    /// If the address cannot be bound.
    pub async fn listen(address: SocketAddr, seed: Seed) -> std::io::Result<Running> {
        let state = State::new(seed);
        let tokens = state.tokens();
        let server = Server::start(address, routes::router(state.clone())).await?;
        Ok(Running::new(server, state, tokens))
    }
}

/// A server that serves.
pub type Running = crate::running::Running<State>;

//! A simulated NervesHub REST API, as `nerves_hub_web` 2.4.0 serves it under `/api`.
//!
//! "The contract" in these modules is the description of that API which Fleetgate's NervesHub plugin was written
//! against too: 1 transport, authentication and errors, 2 the shapes of objects, 3 the calls one by one (3.2
//! device filters and order, 3.3 health), 4 side effects of the writes. Where it is silent, the public source
//! of `nerves_hub_web` decides. Nothing here is owed to the plugin: any client of the real API should find the
//! same answers, surprises included.
//!
//! A request passes `endpoint` (parameters), `routes` (which handler), `targets` (who, where, what), the
//! handler, and comes back through `shapes` or `errors`.

mod auth;
mod cast;
mod dice;
mod endpoint;
mod errors;
mod filters;
mod ilike;
pub mod known;
pub mod model;
mod pagination;
mod params;
mod routes;
mod runner;
mod seed;
mod shapes;
mod sort;
mod state;
mod targets;
mod token;
mod world;

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};

pub use seed::{NoAnswer, Seed};
pub use state::State;
pub use token::well_formed;

use crate::server::Server;

/// The simulated hub.
#[derive(Debug)]
pub struct Hub;

impl Hub {
    /// Starts a hub on a free port of 127.0.0.1, on the current runtime.
    ///
    /// # Panics
    /// If no port is free, for then no test can run.
    pub async fn start(seed: Seed) -> Running {
        let anywhere = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        Self::listen(anywhere, seed).await.expect("a free port on 127.0.0.1")
    }

    /// Starts a hub on this address.
    ///
    /// # Errors
    /// If the address cannot be bound.
    pub async fn listen(address: SocketAddr, seed: Seed) -> std::io::Result<Running> {
        let state = State::new(seed);
        let tokens = tokens(&state);
        let server = Server::start(address, endpoint::router(state.clone())).await?;
        Ok(Running::new(server, state, tokens))
    }
}

/// A hub that serves.
pub type Running = crate::running::Running<State>;

fn tokens(state: &State) -> BTreeMap<String, String> {
    let world = state.lock();
    world
        .tokens
        .iter()
        .map(|(text, token)| (world.user_row(token.user).handle.clone(), text.clone()))
        .collect()
}

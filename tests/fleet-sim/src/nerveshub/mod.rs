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

use crate::faults::{Fault, Matcher};
use crate::journal::Recorded;
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
        Ok(Running { server, state, tokens })
    }
}

/// A hub that serves. Dropping it closes its port and its connections.
pub struct Running {
    server: Server,
    state: State,
    tokens: BTreeMap<String, String>,
}

impl Running {
    /// `http://127.0.0.1:PORT`, without a slash at the end and without `/api`.
    pub fn url(&self) -> String {
        format!("http://{}", self.server.address())
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// The token of the user with this handle (see [`known`]).
    ///
    /// # Panics
    /// If there is no such user.
    pub fn token(&self, handle: &str) -> &str {
        self.tokens.get(handle).unwrap_or_else(|| panic!("no user has the handle {handle:?}"))
    }

    /// All users' tokens by handle.
    pub fn tokens(&self) -> &BTreeMap<String, String> {
        &self.tokens
    }

    /// What the hub knows.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// What it was asked, oldest first, refused requests included: the last 20,000.
    pub fn requests(&self) -> Vec<Recorded> {
        self.server.journal.all()
    }

    /// Forgets what it was asked.
    pub fn forget_requests(&self) {
        self.server.journal.clear();
    }

    /// Switches a fault on. Of several that match a request the newest is played.
    pub fn fault(&self, matcher: Matcher, fault: Fault) {
        self.server.faults.add(matcher, fault);
    }

    /// Switches all faults off.
    pub fn clear_faults(&self) {
        self.server.faults.clear();
    }

    /// Closes the port and all connections, and returns once they are closed.
    pub async fn stop(mut self) {
        self.server.stop().await;
    }
}

fn tokens(state: &State) -> BTreeMap<String, String> {
    let world = state.lock();
    world
        .tokens
        .iter()
        .map(|(text, token)| (world.user_row(token.user).handle.clone(), text.clone()))
        .collect()
}

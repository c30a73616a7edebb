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

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};

pub use seed::{Behaviour, Context, Seed};
pub use state::State;
pub use token::Claims;

use crate::faults::{Fault, Matcher};
use crate::journal::Recorded;
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
        Ok(Running { server, state, tokens })
    }
}

/// A server that serves. Dropping it closes its port and its connections.
pub struct Running {
    server: Server,
    state: State,
    tokens: BTreeMap<String, String>,
}

impl Running {
    /// `http://127.0.0.1:PORT`, without a slash at the end and without `/v2`.
    pub fn url(&self) -> String {
        format!("http://{}", self.server.address())
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// The API key with this handle (see [`known`]).
    ///
    /// # Panics
    /// If there is none.
    pub fn token(&self, handle: &str) -> &str {
        self.tokens.get(handle).unwrap_or_else(|| panic!("no API key has the handle {handle:?}"))
    }

    /// The API keys by handle; [`known::EXPIRED`] and [`known::REVOKED`] are among them.
    pub fn tokens(&self) -> &BTreeMap<String, String> {
        &self.tokens
    }

    /// What the server knows.
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

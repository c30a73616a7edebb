//! A simulated HTTP backend that serves.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use crate::faults::{Fault, Matcher};
use crate::journal::Recorded;
use crate::server::Server;

/// A backend that serves, with what it knows as `S`. Dropping it closes its port and its connections.
pub struct Running<S> {
    server: Server,
    state: S,
    tokens: BTreeMap<String, String>,
}

impl<S> Running<S> {
    pub(crate) fn new(server: Server, state: S, tokens: BTreeMap<String, String>) -> Self {
        Self { server, state, tokens }
    }

    /// `http://127.0.0.1:PORT`, without a slash at the end and without the path of the API.
    pub fn url(&self) -> String {
        format!("http://{}", self.server.address())
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// The token or API key with this handle (see the backend's `known`).
    ///
    /// # Panics
    /// If there is none.
    pub fn token(&self, handle: &str) -> &str {
        self.tokens.get(handle).unwrap_or_else(|| panic!("no token has the handle {handle:?}"))
    }

    /// All tokens by handle; where there are expired and revoked ones, they are among them.
    pub fn tokens(&self) -> &BTreeMap<String, String> {
        &self.tokens
    }

    /// What the backend knows.
    pub fn state(&self) -> &S {
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

//! The platform's REST API under `/v1`: devices, shadows, telemetry, commands, configurations, alerts.
//!
//! A request passes `auth` (who, and with which scope), then the handler in `routes`, and comes back through `shapes`
//! or `errors`. Commands and configurations reach their devices as time passes (`world`); what a device does with
//! them is [`firmware`](super::firmware).

mod auth;
mod clock;
mod errors;
mod history;
mod routes;
mod seed;
mod shapes;
mod state;
mod world;

use std::net::{Ipv4Addr, SocketAddr};

pub use auth::Scope;
pub use seed::{Dialects, Lists, Order, RowTime, Seed, Shadows};
pub use state::State;
pub use world::{Alert, Command, Device, Manner, Reported, Status};

use crate::faults::Fault;
use crate::server::Server;

/// The simulated platform.
#[derive(Debug)]
pub struct Jettyd;

impl Jettyd {
    /// Starts a platform on a free port of 127.0.0.1, on the current runtime.
    ///
    /// # Panics
    /// If no port is free, for then no test can run.
    pub async fn start(seed: Seed) -> Running {
        let anywhere = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        Self::listen(anywhere, seed).await.expect("a free port on 127.0.0.1")
    }

    /// Starts a platform on this address.
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

/// The answer of this API with a status that it gives on a bad day: 400, 409, 422, 429, 500, 502, 503, ….
pub fn refusal(status: u16, error: &str, retry_after: Option<u32>) -> Fault {
    let mut headers = vec![("content-type".to_owned(), "application/json".to_owned())];
    headers.extend(retry_after.map(|seconds| ("retry-after".to_owned(), seconds.to_string())));
    let body = serde_json::json!({ "error": error }).to_string().into_bytes();
    Fault::Reply { status, headers, body }
}

/// A platform that serves.
pub type Running = crate::running::Running<State>;

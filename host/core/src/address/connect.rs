//! New connections: resolve once, judge every address, dial what was judged.
//!
//! The address that is dialled is the one that was judged, never the name again, so there is no moment in which a
//! name can change its mind (DNS rebinding). One closed address among several refuses the whole name: an attacker's
//! zone mixes them to be lucky on a retry.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::net::TcpStream;

use super::{Blocked, Host, Policy, Resolver, SystemResolver, loopback};

/// Opens TCP connections. There is one that does; tests watch what is dialled.
#[doc(hidden)]
pub trait Dialer: Send + Sync + 'static {
    /// Connects to exactly this address.
    fn dial(&self, address: SocketAddr) -> BoxFuture<'_, io::Result<TcpStream>>;
}

/// Dials.
#[derive(Debug, Clone, Copy, Default)]
#[doc(hidden)]
pub struct TcpDialer;

impl Dialer for TcpDialer {
    fn dial(&self, address: SocketAddr) -> BoxFuture<'_, io::Result<TcpStream>> {
        Box::pin(TcpStream::connect(address))
    }
}

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub enum Unreached {
    /// The name could not be looked up.
    #[error("{name} could not be resolved: {error}")]
    Resolve {
        /// The name.
        name: String,
        /// What the resolver said.
        error: io::Error,
    },
    /// The name has no address.
    #[error("{0} has no address")]
    NoAddress(String),
    /// An address may not be reached.
    #[error("{host} leads to an address that is not granted: {blocked}")]
    Blocked {
        /// The host that was granted.
        host: String,
        /// What it leads to.
        blocked: Blocked,
    },
    /// Nobody answered.
    #[error("no connection to {address}: {error}")]
    Dial {
        /// The last address that was tried.
        address: SocketAddr,
        /// What the system said.
        error: io::Error,
    },
}

/// What every connection needs. Cheap to clone.
#[derive(Clone)]
pub struct Connector {
    /// Looks names up.
    pub resolver: Arc<dyn Resolver>,
    /// Opens connections.
    pub dialer: Arc<dyn Dialer>,
}

/// By way of the operating system.
impl Default for Connector {
    fn default() -> Self {
        Self { resolver: Arc::new(SystemResolver), dialer: Arc::new(TcpDialer) }
    }
}

impl Connector {
    /// Where a host leads to: every address that it has, each judged, as they are to be dialled. At least one. The
    /// time for it is bounded by whoever waits.
    pub async fn addresses(
        &self,
        host: &Host,
        port: u16,
        policy: &Policy,
    ) -> Result<Vec<SocketAddr>, Unreached> {
        let found: Vec<IpAddr> = match host {
            Host::Address(address) => vec![*address],
            host if host.is_localhost() => loopback().to_vec(),
            Host::Name(name) => self
                .resolver
                .resolve(name)
                .await
                .map_err(|error| Unreached::Resolve { name: name.clone(), error })?,
        };
        let mut checked = Vec::with_capacity(found.len());
        for address in found {
            let address = policy
                .check(SocketAddr::new(address, port))
                .map_err(|blocked| Unreached::Blocked { host: host.to_string(), blocked })?;
            if !checked.contains(&address) {
                checked.push(address);
            }
        }
        if checked.is_empty() {
            return Err(Unreached::NoAddress(host.to_string()));
        }
        Ok(checked)
    }

    /// Dials judged addresses in their order. Each has an equal share of `time`, so that a dead first one leaves
    /// some for the next.
    pub async fn dial(&self, addresses: &[SocketAddr], time: Duration) -> Result<TcpStream, Unreached> {
        let share = time / u32::try_from(addresses.len()).unwrap_or(u32::MAX).max(1);
        let mut failed = Unreached::NoAddress("the host".into());
        for address in addresses.iter().copied() {
            let dialled = match tokio::time::timeout(share, self.dialer.dial(address)).await {
                Ok(dialled) => dialled,
                Err(_) => Err(io::ErrorKind::TimedOut.into()),
            };
            match dialled {
                Ok(stream) => {
                    // What is sent is small and answers are waited for; a failure here costs time only.
                    let _ = stream.set_nodelay(true);
                    return Ok(stream);
                }
                Err(error) => failed = Unreached::Dial { address, error },
            }
        }
        Err(failed)
    }
}

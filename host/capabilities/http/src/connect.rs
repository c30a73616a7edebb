//! New connections: resolve once, judge every address, dial what was judged.
//!
//! The address that is dialled is the one that was judged, never the name again, so there is no moment in which a
//! name can change its mind (DNS rebinding). One closed address among several refuses the whole name: an attacker's
//! zone mixes them to be lucky on a retry.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::future::BoxFuture;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::address::{Blocked, Class, Policy, classify};
use crate::origin::{Host, Origin, Scheme, loopback};
use crate::resolve::Resolver;

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

/// One place that connections go to, made ready at load.
pub(crate) struct Endpoint {
    pub(crate) origin: Origin,
    /// What its addresses may be.
    pub(crate) policy: Policy,
    /// For `https`.
    pub(crate) tls: Option<(Arc<ClientConfig>, ServerName<'static>)>,
    /// A credential goes here, so a public address may only be reached encrypted.
    pub(crate) secret: bool,
}

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub enum ConnectFailed {
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
    /// A credential would cross the internet in the clear.
    #[error("{host} leads to {address}, a public address, and a credential is not sent there without TLS")]
    Plaintext {
        /// The host that was granted.
        host: String,
        /// What it leads to.
        address: SocketAddr,
    },
    /// Nobody answered.
    #[error("no connection to {address}: {error}")]
    Dial {
        /// The last address that was tried.
        address: SocketAddr,
        /// What the system said.
        error: io::Error,
    },
    /// TLS did not come to an agreement.
    #[error("no TLS with {host}: {error}")]
    Tls {
        /// The host.
        host: String,
        /// What was wrong.
        error: io::Error,
    },
    /// HTTP/2 did not come to an agreement.
    #[error("no HTTP/2 with {host}: {error}")]
    Handshake {
        /// The host.
        host: String,
        /// What was wrong.
        error: hyper::Error,
    },
    /// It took too long, or all connections that the grant allows were in use for so long.
    #[error("no connection to {0} in time")]
    Timeout(String),
}

/// What every connection needs.
pub(crate) struct Connector {
    pub(crate) resolver: Arc<dyn Resolver>,
    pub(crate) dialer: Arc<dyn Dialer>,
}

impl Connector {
    /// A new connection. The time for it is bounded by whoever waits; each address has an equal share of `time`,
    /// so that a dead first one leaves some for the next.
    pub(crate) async fn connect(&self, to: &Endpoint, time: Duration) -> Result<Transport, ConnectFailed> {
        let addresses = self.checked_addresses(to).await?;
        let share = time / u32::try_from(addresses.len()).unwrap_or(u32::MAX).max(1);
        let mut failed = ConnectFailed::NoAddress(to.origin.host.to_string());
        for address in addresses {
            let dialled = match tokio::time::timeout(share, self.dialer.dial(address)).await {
                Ok(dialled) => dialled,
                Err(_) => Err(io::ErrorKind::TimedOut.into()),
            };
            match dialled {
                Ok(stream) => return encrypt(to, stream).await,
                Err(error) => failed = ConnectFailed::Dial { address, error },
            }
        }
        Err(failed)
    }

    async fn checked_addresses(&self, to: &Endpoint) -> Result<Vec<SocketAddr>, ConnectFailed> {
        let host = &to.origin.host;
        let found: Vec<IpAddr> = match host {
            Host::Address(address) => vec![*address],
            host if host.is_localhost() => loopback().to_vec(),
            Host::Name(name) => self
                .resolver
                .resolve(name)
                .await
                .map_err(|error| ConnectFailed::Resolve { name: name.clone(), error })?,
        };
        if found.is_empty() {
            return Err(ConnectFailed::NoAddress(host.to_string()));
        }
        let mut checked = Vec::with_capacity(found.len());
        for address in found {
            let address = to
                .policy
                .check(SocketAddr::new(address, to.origin.port))
                .map_err(|blocked| ConnectFailed::Blocked { host: host.to_string(), blocked })?;
            if to.secret && to.origin.scheme == Scheme::Http && classify(address.ip()) == Class::Public {
                return Err(ConnectFailed::Plaintext { host: host.to_string(), address });
            }
            if !checked.contains(&address) {
                checked.push(address);
            }
        }
        Ok(checked)
    }
}

async fn encrypt(to: &Endpoint, stream: TcpStream) -> Result<Transport, ConnectFailed> {
    // Requests are small and answers are waited for; a failure here costs time only.
    let _ = stream.set_nodelay(true);
    let Some((config, name)) = &to.tls else { return Ok(Transport::Plain(stream)) };
    match TlsConnector::from(Arc::clone(config)).connect(name.clone(), stream).await {
        Ok(stream) => Ok(Transport::Tls(Box::new(stream))),
        Err(error) => Err(ConnectFailed::Tls { host: to.origin.host.to_string(), error }),
    }
}

/// A connection, encrypted or not.
pub(crate) enum Transport {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

impl Transport {
    /// Whether both sides agreed on HTTP/2 (RFC 9113, 3.2).
    pub(crate) fn is_http2(&self) -> bool {
        matches!(self, Self::Tls(stream) if stream.get_ref().1.alpn_protocol() == Some(b"h2"))
    }
}

impl AsyncRead for Transport {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_read(cx, buffer),
            Self::Tls(stream) => Pin::new(stream).poll_read(cx, buffer),
        }
    }
}

impl AsyncWrite for Transport {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write(cx, bytes),
            Self::Tls(stream) => Pin::new(stream).poll_write(cx, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Self::Tls(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Tls(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write_vectored(cx, bytes),
            Self::Tls(stream) => Pin::new(stream).poll_write_vectored(cx, bytes),
        }
    }

    fn is_write_vectored(&self) -> bool {
        match self {
            Self::Plain(stream) => stream.is_write_vectored(),
            Self::Tls(stream) => stream.is_write_vectored(),
        }
    }
}

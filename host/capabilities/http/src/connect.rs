//! New connections: to an address that was judged, and encrypted where the origin says so.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use fleetgate_core::address::{Class, Connector, Policy, Unreached, classify};
use fleetgate_core::tls::NoTls;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::origin::{Origin, Scheme};

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
    /// No address could be reached, or may be.
    #[error(transparent)]
    Unreached(#[from] Unreached),
    /// A credential would cross the internet in the clear.
    #[error("{host} leads to {address}, a public address, and a credential is not sent there without TLS")]
    Plaintext {
        /// The host that was granted.
        host: String,
        /// What it leads to.
        address: SocketAddr,
    },
    /// TLS did not come to an agreement.
    #[error("no TLS with {host}: {error}")]
    Tls {
        /// The host.
        host: String,
        /// What was wrong.
        error: NoTls,
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

/// A new connection. The time for it is bounded by whoever waits.
pub(crate) async fn connect(
    connector: &Connector,
    to: &Endpoint,
    time: Duration,
) -> Result<Transport, ConnectFailed> {
    let Origin { scheme, host, port } = &to.origin;
    let addresses = connector.addresses(host, *port, &to.policy).await?;
    let public = |address: &&SocketAddr| classify(address.ip()) == Class::Public;
    if to.secret
        && *scheme == Scheme::Http
        && let Some(address) = addresses.iter().find(public)
    {
        return Err(ConnectFailed::Plaintext { host: host.to_string(), address: *address });
    }
    encrypt(to, connector.dial(&addresses, time).await?).await
}

async fn encrypt(to: &Endpoint, stream: TcpStream) -> Result<Transport, ConnectFailed> {
    let Some((config, name)) = &to.tls else { return Ok(Transport::Plain(stream)) };
    match TlsConnector::from(Arc::clone(config)).connect(name.clone(), stream).await {
        Ok(stream) => Ok(Transport::Tls(Box::new(stream))),
        Err(error) => Err(ConnectFailed::Tls { host: to.origin.host.to_string(), error: error.into() }),
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

//! New connections: to an address that was judged, encrypted and within a WebSocket where the URL says so, and MQTT's
//! own hello.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use fleetgate_core::address::{Class, Connector, Policy, Unreached, classify};
use fleetgate_core::mask::Mask;
use fleetgate_core::settings::Secrets;
use fleetgate_core::tls::NoTls;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::broker::{Broker, Version};
use crate::credential::Credential;
use crate::websocket::{NoWebSocket, WebSocket};
use crate::wire::{self, Broke, Connected, Duplex, Hello, Session};

/// Everything that connections to one broker need, made ready at load.
pub(crate) struct Dialling {
    pub(crate) connector: Connector,
    pub(crate) broker: Broker,
    pub(crate) version: Version,
    /// What the broker's addresses may be.
    pub(crate) policy: Policy,
    pub(crate) tls: Option<(Arc<ClientConfig>, ServerName<'static>)>,
    pub(crate) credential: Option<Credential>,
    pub(crate) secrets: Secrets,
    /// From the name to the broker's hello.
    pub(crate) time: Duration,
    pub(crate) keep_alive: Duration,
    /// The largest packet that is taken.
    pub(crate) incoming: u64,
    /// The largest payload that is published.
    pub(crate) outgoing: u64,
}

/// Why there is no connection. For the operator; a guest learns the kind alone.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConnectFailed {
    #[error(transparent)]
    Unreached(#[from] Unreached),
    #[error("{host} leads to {address}, a public address, and a credential is not sent there without TLS")]
    Plaintext { host: String, address: SocketAddr },
    #[error("no TLS with {host}: {error}")]
    Tls { host: String, error: NoTls },
    #[error("no WebSocket with {host}: {error}")]
    WebSocket { host: String, error: NoWebSocket },
    #[error("{0}")]
    Credential(String),
    #[error("{host}: {broke}")]
    Mqtt { host: String, broke: Broke },
    #[error("{0} does not answer in time")]
    Timeout(String),
}

/// A connection, and what must not be read of what comes over it.
pub(crate) struct Dialled {
    pub(crate) connected: Connected,
    pub(crate) mask: Option<Arc<Mask>>,
}

impl Dialling {
    /// A new connection under this name.
    pub(crate) async fn connect(
        &self,
        client_id: String,
        session: Session,
    ) -> Result<Dialled, ConnectFailed> {
        let host = self.broker.host.to_string();
        let end = Instant::now() + self.time;
        let (stream, login) = tokio::time::timeout(self.time, async {
            // Read at each connection, so that a rotated one is used by the next.
            let login = self.credential.as_ref().map(|credential| credential.current(&self.secrets));
            let login = login.transpose().map_err(ConnectFailed::Credential)?;
            Ok::<_, ConnectFailed>((self.stream().await?, login))
        })
        .await
        .unwrap_or_else(|_| Err(ConnectFailed::Timeout(host.clone())))?;
        let mask = login.as_ref().and_then(|login| login.mask.clone());
        let hello = Hello {
            version: self.version,
            client_id,
            login: login.map(|login| (login.user, login.password)),
            session,
            keep_alive: self.keep_alive,
            incoming: self.incoming,
            outgoing: self.outgoing,
            time: end.saturating_duration_since(Instant::now()).max(Duration::from_secs(1)),
        };
        match wire::connect(stream, hello).await {
            Ok(connected) => Ok(Dialled { connected, mask }),
            Err(Broke::Silent) => Err(ConnectFailed::Timeout(host)),
            Err(broke) => Err(ConnectFailed::Mqtt { host, broke }),
        }
    }

    async fn stream(&self) -> Result<Box<dyn Duplex>, ConnectFailed> {
        let Broker { scheme, host, port, path } = &self.broker;
        let addresses = self.connector.addresses(host, *port, &self.policy).await?;
        let public = |address: &&SocketAddr| classify(address.ip()) == Class::Public;
        if self.credential.is_some()
            && !scheme.is_encrypted()
            && let Some(address) = addresses.iter().find(public)
        {
            return Err(ConnectFailed::Plaintext { host: host.to_string(), address: *address });
        }
        let stream = self.connector.dial(&addresses, self.time).await?;
        let stream = self.encrypted(stream).await?;
        if !scheme.is_websocket() {
            return Ok(stream);
        }
        // Brokers put several packets into a frame.
        let largest = usize::try_from(self.incoming).unwrap_or(usize::MAX).saturating_mul(2).max(1 << 20);
        match WebSocket::open(stream, &self.broker.authority(), path, largest).await {
            Ok(stream) => Ok(Box::new(stream)),
            Err(error) => Err(ConnectFailed::WebSocket { host: host.to_string(), error }),
        }
    }

    async fn encrypted(&self, stream: TcpStream) -> Result<Box<dyn Duplex>, ConnectFailed> {
        let Some((config, name)) = &self.tls else { return Ok(Box::new(stream)) };
        match TlsConnector::from(Arc::clone(config)).connect(name.clone(), stream).await {
            Ok(stream) => Ok(Box::new(stream)),
            Err(error) => Err(ConnectFailed::Tls { host: self.broker.host.to_string(), error: error.into() }),
        }
    }
}

/// A client's name that nobody else has: this and 22 random letters and digits, which every broker takes (MQTT 3.1.1,
/// section 3.1.3.1).
pub(crate) fn random_client_id(prefix: Option<&str>) -> String {
    const LETTERS: &[u8; 62] = b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    let mut random = [0; 22];
    getrandom::fill(&mut random).expect("the system gives random bytes");
    let letters = random.map(|byte| char::from(LETTERS[usize::from(byte) % LETTERS.len()]));
    prefix.unwrap_or_default().chars().chain(letters).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_s_name_is_taken_by_every_broker_and_never_the_same() {
        let (one, other) = (random_client_id(None), random_client_id(None));
        assert!(one.len() == 22 && one.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{one}");
        assert_ne!(one, other);
        assert!(random_client_id(Some("fleet-")).starts_with("fleet-"));
    }
}

//! A new connection: the way there, the key exchange, who the device is, the login.
//!
//! The address that is dialled is one that was judged ([`fleetgate_core::address`]). By way of a jump host, the name
//! is looked up and judged here as well, and the jump host is told the address; only where the grant says that the
//! jump host looks names up, it is told the name.

use std::sync::Arc;
use std::time::Duration;

use fleetgate_core::address::{Connector, Host, Policy, Unreached};
use russh::client::{Config, connect_stream};
use russh::{AlgorithmKind, ChannelOpenFailure, Error, SshId};
use tokio::time::{Instant, timeout_at};

use crate::client::{Client, Gone, Seen};
use crate::connection::{Connection, OpenFailed};
use crate::credential::{Keeper, Login};
use crate::host_lines::{self, Known, Verdict};
use crate::known_hosts::{self, HostKeys};
use crate::legacy::{Legacy, addable};
use crate::login::{LoginFailed, log_in};
use crate::wire::{Stream, Wire};

/// How this host introduces itself.
const NAME: &str = concat!("SSH-2.0-fleetgate_", env!("CARGO_PKG_VERSION"));
/// After so long without a word, the other side is asked whether it is there.
const KEEPALIVE: Duration = Duration::from_secs(15);
/// And given up after so many questions without an answer.
const KEEPALIVES: usize = 3;
/// Ends what keepalives cannot: a side that neither reads nor writes, before or after the login.
const SILENCE: Duration = Duration::from_secs(90);
/// Messages of one channel that wait to be taken. Each has up to 32 KiB.
const WAITING: usize = 32;
/// Channels of one connection to a jump host, each of which carries another connection.
const FORWARDED: usize = 256;

/// What every connection of a grant needs.
#[derive(Clone)]
pub(crate) struct Dialling {
    pub(crate) connector: Connector,
    /// For name, connection and key exchange, and once more for the login.
    pub(crate) time: Duration,
}

/// Where to, and who is expected there.
pub(crate) struct Device<'a> {
    pub(crate) host: &'a Host,
    pub(crate) port: u16,
    pub(crate) openings: &'a Policy,
    pub(crate) host_keys: &'a HostKeys,
    pub(crate) legacy: &'a Legacy,
    pub(crate) jump: Option<&'a Arc<JumpHost>>,
}

/// A host on the way. Its connection is shared by all that go through it.
pub(crate) struct JumpHost {
    pub(crate) host: Host,
    pub(crate) port: u16,
    pub(crate) openings: Policy,
    pub(crate) credential: Keeper,
    pub(crate) host_keys: HostKeys,
    pub(crate) legacy: Legacy,
    pub(crate) resolves: bool,
    pub(crate) before: Option<Arc<JumpHost>>,
    /// Lives as long as something goes through it.
    pub(crate) shared: tokio::sync::Mutex<std::sync::Weak<Connection>>,
}

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub enum ConnectFailed {
    /// No address could be reached, or may be.
    #[error(transparent)]
    Unreached(#[from] Unreached),
    /// No connection came about in time.
    #[error("no connection in time")]
    DialTimeout,
    /// Nobody introduced himself in time.
    #[error("connected, but no SSH server introduced itself in time")]
    BannerTimeout,
    /// The key exchange or the login took too long.
    #[error("{0} took too long")]
    Timeout(&'static str),
    /// Somebody else listens there.
    #[error("what listens there is not an SSH server")]
    NotSsh,
    /// Nothing in common.
    #[error("no {kind} in common: the device offers {}", .offered.join(", "))]
    Kex {
        /// `key exchange`, `cipher`
        kind: &'static str,
        /// The device's.
        offered: Vec<String>,
        /// An entry of `legacy` that would help.
        add: Option<&'static str>,
    },
    /// Nobody vouches for the device.
    #[error("the host key is not known: {kind} {fingerprint}")]
    HostKeyUnknown {
        /// `ssh-ed25519`
        kind: String,
        /// `SHA256:…`
        fingerprint: String,
        /// For the file.
        line: String,
    },
    /// It is another key than before.
    #[error("the host key has changed: it is {kind} {fingerprint} now, and another stands in {place}")]
    HostKeyChanged {
        /// `ssh-ed25519`
        kind: String,
        /// `SHA256:…`
        fingerprint: String,
        /// File and line.
        place: String,
    },
    /// Somebody vouches for the device in a way that is not understood.
    #[error(
        "the host key is not known: {kind} {fingerprint}; what stands in {place} about the device cannot be used"
    )]
    HostKeyUnusable {
        /// `ssh-ed25519`
        kind: String,
        /// `SHA256:…`
        fingerprint: String,
        /// File and line.
        place: String,
        /// For the file.
        line: String,
    },
    /// It must not be trusted any more.
    #[error("the host key is revoked: {kind} {fingerprint}")]
    HostKeyRevoked {
        /// `ssh-ed25519`
        kind: String,
        /// `SHA256:…`
        fingerprint: String,
    },
    /// The known keys cannot be read or written.
    #[error("host keys cannot be checked: {0}")]
    HostKeys(String),
    /// No login.
    #[error(transparent)]
    Login(#[from] LoginFailed),
    /// The credential of a jump host cannot be had.
    #[error("{0}")]
    Credential(String),
    /// The connection broke before it was made.
    #[error("the connection broke: {0}")]
    Broke(String),
    /// The other side does not speak SSH as it should.
    #[error("the other side does not keep to the protocol: {0}")]
    Protocol(String),
    /// The jump host does not get there.
    #[error("the jump host {jump} opens no connection to the device: {why}")]
    Forward {
        /// Which.
        jump: String,
        /// In its words.
        why: String,
        /// Nobody listens, or no answer: it may another time.
        passing: bool,
    },
    /// Something is wrong with the jump host itself.
    #[error("by way of {jump}: {error}")]
    Jump {
        /// Which.
        jump: String,
        /// What.
        error: Box<ConnectFailed>,
    },
}

impl ConnectFailed {
    /// What is wrong, and whether it is a jump host with which it is wrong.
    pub(crate) fn root(&self) -> (&Self, bool) {
        match self {
            Self::Jump { error, .. } => (error.root().0, true),
            other => (other, false),
        }
    }
}

/// Makes a connection and logs in. Ends at the latest after twice the time that connections have.
pub(crate) async fn connect(
    dialling: &Dialling,
    device: Device<'_>,
    login: &Login,
    channels: usize,
) -> Result<Connection, ConnectFailed> {
    let end = Instant::now() + dialling.time;
    let host_keys = device.host_keys.clone();
    let (host, port) = (device.host.clone(), device.port);
    let known = tokio::task::spawn_blocking(move || host_keys.of(&host, port));
    let known: Arc<Known> =
        Arc::new(known.await.unwrap_or_else(|e| Err(e.to_string())).map_err(ConnectFailed::HostKeys)?);

    let (stream, via) = match timeout_at(end, stream(dialling, &device)).await {
        Ok(reached) => reached?,
        Err(_) => return Err(ConnectFailed::DialTimeout),
    };
    let (wire, life) = Wire::new(stream);
    let seen = Arc::new(Seen::new(login.mask.clone()));
    let client = Client {
        seen: Arc::clone(&seen),
        host: device.host.clone(),
        port: device.port,
        host_keys: device.host_keys.clone(),
        known: Arc::clone(&known),
    };
    let config = Config {
        client_id: SshId::Standard(NAME.into()),
        preferred: device.legacy.offer(&known.keys()),
        keepalive_interval: Some(KEEPALIVE),
        keepalive_max: KEEPALIVES,
        inactivity_timeout: Some(SILENCE),
        channel_buffer_size: WAITING,
        ..Config::default()
    };
    let mut handle = match timeout_at(end, connect_stream(Arc::new(config), wire, client)).await {
        Ok(Ok(handle)) => handle,
        Ok(Err(error)) => return Err(explain(&device, &seen, error)),
        Err(_) if !life.greeted() => return Err(ConnectFailed::BannerTimeout),
        Err(_) => return Err(ConnectFailed::Timeout("the key exchange")),
    };
    let logging_in = log_in(&mut handle, login, &seen, device.legacy.rsa_sha1());
    match tokio::time::timeout(dialling.time, logging_in).await {
        Ok(logged_in) => logged_in?,
        Err(_) => return Err(ConnectFailed::Timeout("the login")),
    }
    Ok(Connection::new(handle, life, seen, login.digest, channels, via))
}

/// Bytes to the device and back, and what carries them.
async fn stream(
    dialling: &Dialling,
    device: &Device<'_>,
) -> Result<(Box<dyn Stream>, Option<Arc<Connection>>), ConnectFailed> {
    let connector = &dialling.connector;
    let Some(jump) = device.jump else {
        let addresses = connector.addresses(device.host, device.port, device.openings).await?;
        return Ok((Box::new(connector.dial(&addresses, dialling.time).await?), None));
    };
    let to = match device.host {
        Host::Name(name) if jump.resolves => name.clone(),
        host => {
            let addresses = connector.addresses(host, device.port, device.openings).await?;
            // Which of them answer, only the jump host could try; it is told the first.
            addresses[0].ip().to_string()
        }
    };
    let (stream, via) = jump.forward(dialling, &to, device.port).await?;
    Ok((stream, Some(via)))
}

impl JumpHost {
    fn name(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }

    /// A connection of its own through this host.
    async fn forward(
        self: &Arc<Self>,
        dialling: &Dialling,
        to: &str,
        port: u16,
    ) -> Result<(Box<dyn Stream>, Arc<Connection>), ConnectFailed> {
        let forward_failed =
            |why: &str, passing| ConnectFailed::Forward { jump: self.name(), why: why.to_owned(), passing };
        loop {
            let (connection, kept) = self.connection(dialling).await?;
            match connection.forward(to, port).await {
                Ok(stream) => return Ok((Box::new(stream), connection)),
                // What was kept may have ended unnoticed, and nothing was sent yet.
                Err(OpenFailed::Broke(_)) if kept => connection.retire(),
                Err(OpenFailed::Broke(why)) => return Err(ConnectFailed::Broke(why)),
                Err(OpenFailed::Refused(why)) => {
                    return Err(match why {
                        ChannelOpenFailure::ConnectFailed => forward_failed("nobody answers there", true),
                        ChannelOpenFailure::AdministrativelyProhibited => {
                            forward_failed("it does not forward connections", false)
                        }
                        other => forward_failed(other.description(), true),
                    });
                }
            }
        }
    }

    /// The connection that all share, and whether it was there before.
    async fn connection(
        self: &Arc<Self>,
        dialling: &Dialling,
    ) -> Result<(Arc<Connection>, bool), ConnectFailed> {
        let mut shared = self.shared.lock().await;
        let login = self.credential.current().map_err(ConnectFailed::Credential)?;
        if let Some(connection) = shared.upgrade()
            && connection.is_usable()
            && connection.made_with(&login)
        {
            return Ok((connection, true));
        }
        let device = Device {
            host: &self.host,
            port: self.port,
            openings: &self.openings,
            host_keys: &self.host_keys,
            legacy: &self.legacy,
            jump: self.before.as_ref(),
        };
        // Connections through jump hosts through jump hosts: a future that holds itself needs a box.
        let connected = Box::pin(connect(dialling, device, &login, FORWARDED)).await;
        let connection = Arc::new(
            connected.map_err(|error| ConnectFailed::Jump { jump: self.name(), error: Box::new(error) })?,
        );
        *shared = Arc::downgrade(&connection);
        Ok((connection, false))
    }
}

/// What an error of the key exchange means.
fn explain(device: &Device<'_>, seen: &Seen, error: Error) -> ConnectFailed {
    if let Some((key, verdict)) = seen.key() {
        let (kind, fingerprint) = (key.algorithm().to_string(), known_hosts::fingerprint(&key));
        match verdict {
            Ok(Verdict::Known) => {}
            Ok(verdict @ (Verdict::Unknown | Verdict::Unusable { .. })) => {
                let name = host_lines::name(device.host, device.port);
                let line = format!("{name} {}", key.to_openssh().unwrap_or_default());
                return match verdict {
                    Verdict::Unusable { place } => {
                        ConnectFailed::HostKeyUnusable { kind, fingerprint, place, line }
                    }
                    _ => ConnectFailed::HostKeyUnknown { kind, fingerprint, line },
                };
            }
            Ok(Verdict::Changed { place }) => {
                return ConnectFailed::HostKeyChanged { kind, fingerprint, place };
            }
            Ok(Verdict::Revoked) => return ConnectFailed::HostKeyRevoked { kind, fingerprint },
            Err(why) => return ConnectFailed::HostKeys(why),
        }
    }
    let broke = |why: String| match seen.gone() {
        Some(Gone::Said(words)) => ConnectFailed::Broke(format!("the device says {words:?}")),
        Some(Gone::Broke(why)) => ConnectFailed::Broke(why),
        Some(Gone::NoMethod) | None => ConnectFailed::Broke(why),
    };
    match error {
        Error::NoCommonAlgo { kind, theirs, .. } => {
            let kind = match kind {
                AlgorithmKind::Kex => "key exchange",
                AlgorithmKind::Key => "kind of host key",
                AlgorithmKind::Cipher => "cipher",
                AlgorithmKind::Mac => "MAC",
                AlgorithmKind::Compression => "compression",
            };
            let add = addable(&theirs);
            ConnectFailed::Kex { kind, offered: offered(theirs, seen), add }
        }
        Error::Version => ConnectFailed::NotSsh,
        Error::Disconnect | Error::HUP => broke("the other side closed it".into()),
        Error::IO(error) => broke(error.to_string()),
        other => ConnectFailed::Protocol(seen.words(&other.to_string())),
    }
}

/// A device's list, short and without tricks.
fn offered(names: Vec<String>, seen: &Seen) -> Vec<String> {
    let printable = |name: &String| name.len() <= 64 && name.bytes().all(|byte| byte.is_ascii_graphic());
    names.into_iter().filter(printable).take(32).map(|name| seen.words(&name)).collect()
}

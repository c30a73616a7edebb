//! A connection that speaks MQTT, whichever version: what the two client libraries have in common.
//!
//! One of these is one connection to the broker and ends with it. The libraries would connect again by themselves and
//! send again what was not acknowledged; here the whole client is dropped instead, with all that waits in it, so that
//! what a caller was told to have failed is never sent later.

mod oversize;
mod v4;
mod v5;

use std::sync::Arc;
use std::time::Duration;

use fleetgate_core::settings::Secret;
use futures_util::future::BoxFuture;
use rumqttc::QoS;
use tokio::io::{AsyncRead, AsyncWrite};

use crate::broker::Version;
use crate::message::{Arrived, Publication};
use crate::qos::Qos;

/// Publications that wait for their acknowledgement at once.
pub(crate) const INFLIGHT: u16 = 64;
/// Packets that are taken off the connection before they are looked at.
const READ_AT_ONCE: usize = 16;
/// For the goodbye.
const GOODBYE: Duration = Duration::from_secs(1);
/// What a packet has beside its payload: a topic and properties.
pub(crate) const OVERHEAD: usize = 16 << 10;

/// Bytes both ways.
pub(crate) trait Duplex: AsyncRead + AsyncWrite + Send + Sync + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Sync + Unpin> Duplex for T {}

/// How to begin.
pub(crate) struct Hello {
    pub(crate) version: Version,
    pub(crate) client_id: String,
    pub(crate) login: Option<(String, Secret)>,
    pub(crate) session: Session,
    pub(crate) keep_alive: Duration,
    /// The largest packet that is taken, in bytes.
    pub(crate) incoming: u64,
    /// The largest payload that will be published, in bytes.
    pub(crate) outgoing: u64,
    /// For the broker's acknowledgement, and for each write.
    pub(crate) time: Duration,
}

/// What the broker remembers of a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Session {
    /// Nothing.
    Clean,
    /// Subscriptions, and what they hear while nobody is connected. Messages are acknowledged by [`Client::acknowledge`]
    /// alone. MQTT 5: for so long, and with so many messages on their way at once.
    Kept { expiry: Duration, inflight: u16 },
}

/// A broker that said hello.
pub(crate) struct Connected {
    pub(crate) client: Arc<dyn Client>,
    pub(crate) driver: Box<dyn Driver>,
    /// The broker remembers a session.
    pub(crate) resumed: bool,
    pub(crate) offers: Offers,
}

/// What a broker can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Offers {
    /// The most.
    pub(crate) qos: Qos,
    pub(crate) retain: bool,
    /// The largest packet, in bytes. None: any.
    pub(crate) packet: Option<u32>,
    /// Publications that wait for their acknowledgement at once.
    pub(crate) inflight: u16,
    /// It says with each message which subscriptions it is for.
    pub(crate) numbers: bool,
}

/// The side that asks. Everything is queued in the order in which it is asked for, and before the function returns.
pub(crate) trait Client: Send + Sync {
    /// Ends when the broker has it: with QoS 0 when it was written.
    fn publish(&self, publication: Publication) -> Asked;
    /// Ends when the broker acknowledged it, with the most QoS that it grants. `number`: a number of this connection's, for [`Arrived::subscriptions`].
    fn subscribe(&self, filter: &str, qos: Qos, number: u32) -> Asked<Qos>;
    /// The same for its end.
    fn unsubscribe(&self, filter: &str) -> Asked;
    /// Acknowledges a message that came with QoS 1 or 2, where the session is kept.
    fn acknowledge(&self, message: &Arrived);
    /// Says goodbye; the driver ends soon.
    fn disconnect(&self);
    /// So many bytes has the packet of this publication.
    fn size(&self, publication: &Publication) -> usize;
}

/// An answer that comes later.
pub(crate) type Asked<T = ()> = BoxFuture<'static, Result<T, NotDone>>;

/// Why the broker did not do something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum NotDone {
    /// It said no, with this code.
    Refused(u8),
    /// It took it, and said afterwards that something was wrong with it, with this code.
    Unsure(u8),
    /// The connection ended before it said anything.
    Gone,
}

/// The side that works: nothing happens unless it is asked for the next message. Not to be dropped while it works,
/// unless everything is.
pub(crate) trait Driver: Send {
    /// The next message, or the end.
    fn next(&mut self) -> BoxFuture<'_, Result<Arrived, Broke>>;
}

/// Why a connection ended, or did not come about.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Broke {
    /// The broker does not take this client (the code of its CONNACK).
    #[error("the broker refuses the connection: {}", connack(.0))]
    Refused(Connack),
    /// The broker ended it with this code.
    #[error("the broker ended the connection (reason {0:#04x})")]
    Said(u8),
    /// It is gone.
    #[error("the connection was lost: {0}")]
    Lost(String),
    /// What came is not MQTT.
    #[error("the broker does not speak MQTT as it should: {0}")]
    Protocol(String),
    /// A packet is larger than the grant takes: with MQTT 5, where the broker was told, or it is no message.
    #[error("the broker sent a packet that is larger than {0} bytes (message in the grant takes more)")]
    TooLarge(u64),
    /// The broker did not answer.
    #[error("the broker does not answer")]
    Silent,
    /// We ended it.
    #[error("the connection was closed")]
    Closed,
}

/// What a broker says to a client that it does not take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Connack {
    pub(crate) why: Unwanted,
    /// As it stands in the packet.
    pub(crate) code: u8,
}

/// Kinds of refusals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unwanted {
    /// User, password, certificate, or what they may do.
    Credential,
    /// Not now.
    Busy,
    /// It names another server, which nobody granted.
    Elsewhere,
    /// The client's name is not one that it takes.
    Name,
    /// It does not speak this version, or does not like something.
    Protocol,
}

fn connack(connack: &Connack) -> String {
    let why = match connack.why {
        Unwanted::Credential => "it does not take the credential",
        Unwanted::Busy => "it takes nobody now",
        Unwanted::Elsewhere => "it names another server, and only the granted one is used",
        Unwanted::Name => {
            "it does not take the client's name (client_id in the grant says what it begins with)"
        }
        Unwanted::Protocol => "it does not take what is said to it, perhaps not this version of MQTT",
    };
    format!("{why} (code {:#04x})", connack.code)
}

/// Says hello over a new connection.
pub(crate) async fn connect(stream: Box<dyn Duplex>, hello: Hello) -> Result<Connected, Broke> {
    let time = hello.time;
    let connecting = async {
        match hello.version {
            Version::V311 => v4::connect(stream, hello).await,
            Version::V5 => v5::connect(stream, hello).await,
        }
    };
    tokio::time::timeout(time, connecting).await.unwrap_or(Err(Broke::Silent))
}

/// Ends a connection: the broker hears it as far as it still listens.
pub(crate) async fn goodbye(client: &dyn Client, driver: &mut dyn Driver) {
    client.disconnect();
    let _ = tokio::time::timeout(GOODBYE, async { while driver.next().await.is_ok() {} }).await;
}

/// The libraries for both versions have the same.
impl From<Qos> for QoS {
    fn from(qos: Qos) -> Self {
        match qos {
            Qos::AtMostOnce => Self::AtMostOnce,
            Qos::AtLeastOnce => Self::AtLeastOnce,
            Qos::ExactlyOnce => Self::ExactlyOnce,
        }
    }
}

impl From<QoS> for Qos {
    fn from(qos: QoS) -> Self {
        match qos {
            QoS::AtMostOnce => Self::AtMostOnce,
            QoS::AtLeastOnce => Self::AtLeastOnce,
            QoS::ExactlyOnce => Self::ExactlyOnce,
        }
    }
}

/// A topic as it came. Nothing that is none goes any further.
fn topic(bytes: &[u8]) -> Result<String, Broke> {
    match std::str::from_utf8(bytes) {
        Ok(topic) if !topic.is_empty() && !topic.contains(['+', '#', '\0']) => Ok(topic.to_owned()),
        _ => Err(Broke::Protocol("a message without a topic".into())),
    }
}

/// So many whole seconds, at least one.
fn seconds(time: Duration) -> u64 {
    time.as_secs().max(1)
}

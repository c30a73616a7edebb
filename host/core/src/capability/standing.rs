//! What is listened to when nobody calls: the seam between a capability that hears something (a broker's topics) and
//! the events of a binding, which keep it until the plugin has handled it ([`crate::events`]).
//!
//! The capability says what it heard and waits until that is durable; only then does it acknowledge upstream. What it
//! says again because its acknowledgement got lost is known again by its [`Origin`].

use std::sync::Arc;
use std::time::SystemTime;

use futures_util::future::BoxFuture;
use serde_json::Value;

use super::Reach;

/// What a capability is to listen to, and where it says what it heard.
pub struct Standing {
    /// The request of this capability's kind that is listened through: `broker`.
    pub name: String,
    /// The event that it is for: `telemetry`.
    pub event: String,
    /// What the manifest asks for, as [`super::Capability::parse_reach`] read it.
    pub reach: Arc<dyn Reach>,
    /// What the operator narrowed it to. It counts beside the manifest's: only what both cover is listened to.
    pub narrowed: Option<Arc<dyn Reach>>,
    /// Under which name to listen: the same for all events of one request of one binding, also after a restart, and
    /// of no other host. 22 letters and digits, so that every broker takes it as a client id.
    pub client: String,
    /// Who keeps what is heard.
    pub sink: Arc<dyn Sink>,
}

/// Something that listens. Dropped, it stops, and what the source keeps for it stays there until it listens again
/// under the same name: between two versions of a plugin nothing is lost.
pub trait Listening: Send + Sync + 'static {
    /// Why nothing is heard at this moment, in a sentence for the operator and without a secret. None: all is well.
    fn trouble(&self) -> Option<String> {
        None
    }

    /// Stops for good: nobody will listen to this any more, and the source need not keep anything for it. Returns at
    /// once. By default the same as dropping it.
    fn give_up(self: Box<Self>) {}
}

/// Keeps what is heard.
pub trait Sink: Send + Sync + 'static {
    /// Keeps these, in this order, and answers once they are durable: only then may they be acknowledged upstream.
    /// Waits while there is no room, so whoever waits for the answer before it reads on hears no faster than the
    /// plugin handles. Several may be kept at once without waiting for each other, up to some
    /// MiB; their order is that of the calls. What nobody waits for any more may not be kept.
    fn keep(&self, heard: Vec<Heard>) -> BoxFuture<'static, Result<(), SinkClosed>>;
}

/// One thing that was heard.
#[derive(Debug, Clone, PartialEq)]
pub struct Heard {
    /// What it is about, for the plugin: an MQTT topic.
    pub subject: String,
    /// What is handled in order: of equal ones, one after the other. The device, as far as the source knows it.
    pub order: String,
    /// The payload.
    pub data: Vec<u8>,
    /// The source did not read the payload, since it is larger than granted: so many bytes. It is set aside without it.
    pub left_out: Option<u64>,
    /// Whatever else is known, as a JSON object of at most 16 KiB: `qos`, `retained`.
    pub attributes: Value,
    /// When, by the host's clock.
    pub heard: SystemTime,
    /// None: its source never says anything twice.
    pub origin: Option<Origin>,
}

/// Which delivery of its source something is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// Names this delivery among those that are not acknowledged yet: a packet id with a digest of the message. The
    /// last [`MAX_UNACKNOWLEDGED`] of an event are remembered.
    pub key: String,
    /// The source says that it may have said this before. If it was kept then, it is not kept again; without this,
    /// equal keys are two events.
    pub again: bool,
}

/// How many deliveries may wait for their acknowledgement: a redelivery of one that was kept is known again as long as
/// no more than these came after it.
pub const MAX_UNACKNOWLEDGED: usize = 1_024;

/// Nobody keeps this any more: it is not to be acknowledged, and what listens is about to be dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("nobody keeps these events any more")]
pub struct SinkClosed;

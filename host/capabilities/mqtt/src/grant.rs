//! What the operator gives: `[plugins.<binding>.grant.mqtt.<name>]`.
//!
//! Everything is read once, here, into what the guard and the connections use. A grant narrows the request: a filter
//! that the plugin does not ask for is an error, since it can only be a misunderstanding. Nothing is given that is not
//! named: many plugins ask for the topics of every tenant, and an operator has one.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use fleetgate_core::address::{Class, Host, Opening, classify};
use fleetgate_core::capability::Grant;
use fleetgate_core::diagnostic::{Document, Spanned, TableReader};
use fleetgate_core::settings::Secrets;
use fleetgate_core::tls::{self, Identity};
use fleetgate_core::units::{format_duration, format_size};
use rustls::pki_types::CertificateDer;

use crate::broker::{Broker, Version};
use crate::credential::Credential;
use crate::filter::Filters;
use crate::qos::Qos;
use crate::rate::Rate;
use crate::request::MqttRequest;
use crate::topics::Topics;

/// With its default, its least and its most.
const SUBSCRIPTIONS: (i64, i64, i64) = (64, 1, 1024);
const PAYLOAD: u64 = 64 << 10;
const MESSAGE: u64 = 256 << 10;
/// Publications and messages that are larger are files.
const LARGEST: u64 = 16 << 20;
const BUFFER: u64 = 32 << 20;
const MOST_BUFFER: u64 = 1 << 30;
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
const IDLE: Duration = Duration::from_secs(60);
const KEEP_ALIVE: Duration = Duration::from_secs(30);
const SESSION: Duration = Duration::from_secs(24 * 3600);
const LONGEST_CLIENT_ID: usize = 64;

/// A parsed grant.
#[derive(Debug, Clone)]
pub(crate) struct MqttGrant {
    /// Where it stands, for messages: `plugins.jettyd.grant.mqtt.broker`.
    pub(crate) key: String,
    pub(crate) place: (Arc<Document>, Range<usize>),
    pub(crate) broker: Broker,
    pub(crate) version: Version,
    pub(crate) networks: Vec<Opening>,
    pub(crate) authorities: Vec<CertificateDer<'static>>,
    pub(crate) identity: Option<Identity>,
    pub(crate) credential: Option<Credential>,
    /// What the connections' names begin with.
    pub(crate) client_id: Option<String>,
    pub(crate) publish: Filters,
    pub(crate) subscribe: Filters,
    pub(crate) limits: MqttLimits,
}

/// What a grant may use, and use up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct MqttLimits {
    /// Which topics the broker takes for what they are.
    pub(crate) topics: Topics,
    /// The most.
    pub(crate) qos: Qos,
    /// Publications that the broker keeps.
    pub(crate) retain: bool,
    /// The largest publication, in bytes of its payload.
    pub(crate) payload: u64,
    /// The largest packet that is taken from the broker, in bytes.
    pub(crate) message: u64,
    /// Publications.
    pub(crate) rate: Rate,
    /// Subscriptions of calls at once.
    pub(crate) subscriptions: usize,
    /// What waits to be read by all of them together, in bytes.
    pub(crate) buffer: u64,
    /// From the name to the broker's acknowledgement.
    pub(crate) connect_timeout: Duration,
    /// How long the connection for calls is kept unused.
    pub(crate) idle: Duration,
    pub(crate) keep_alive: Duration,
    /// How long an MQTT 5 broker keeps what standing subscriptions hear while nobody is connected.
    pub(crate) session: Duration,
}

impl MqttGrant {
    pub(crate) fn read(
        table: &mut TableReader<'_>,
        request: &MqttRequest,
        secrets: &Secrets,
    ) -> Option<Self> {
        let broker = Broker::read(table);
        let version = Version::read(table).unwrap_or_default();
        let networks = Opening::read_networks(table);
        let authorities = tls::read_authorities(table, secrets);
        let identity = Identity::read(table, secrets);
        let credential = Credential::read(table, secrets);
        if let Some(broker) = &broker {
            check_encryption(table, broker);
        }
        let client_id = read_client_id(table);
        let topics = Topics::read(table).unwrap_or_default();
        let mut filters = |key: &str, asked: &Filters| {
            let filters = Filters::read_narrower(table, key, asked, Filters::MOST, topics);
            if filters.as_ref().is_some_and(Filters::is_empty) {
                table.error_at(key, "no filter is named", "name at least one, or leave the key out");
            }
            filters.unwrap_or_default()
        };
        let publish = filters("publish", &request.publish);
        let subscribe = filters("subscribe", &request.subscribe);
        if publish.is_empty() && subscribe.is_empty() && !table.failed() {
            table.error("nothing is granted", format!("say what, or less: {}", request.lines().join(", ")));
        }
        let limits = read_limits(table, topics);
        if table.failed() {
            return None;
        }
        Some(Self {
            key: table.key_path().to_owned(),
            place: (Arc::clone(table.document()), table.span()),
            broker: broker?,
            version,
            networks,
            authorities,
            identity,
            credential,
            client_id,
            publish,
            subscribe,
            limits,
        })
    }
}

impl Grant for MqttGrant {
    fn describe(&self) -> Vec<String> {
        let MqttLimits { topics, qos, retain, payload, rate, .. } = self.limits;
        let mut lines = vec![format!("MQTT {} at {}", self.version, self.broker)];
        if !self.publish.is_empty() {
            let kept = if retain { ", retained where it likes" } else { "" };
            lines.push(format!(
                "publishing to {} (QoS {qos} at most, {} each, {rate}{kept})",
                self.publish,
                format_size(payload)
            ));
        }
        if !self.subscribe.is_empty() {
            lines.push(format!("listening to {}", self.subscribe));
        }
        if topics == Topics::Amqp {
            lines.push("no topic with a . or a *, which this broker takes for / and +".to_owned());
        }
        if let Some(credential) = &self.credential {
            lines.push(format!("with {}", credential.describe()));
        }
        if let Some(identity) = &self.identity {
            lines.push(format!("with a client certificate, its key from the secret {}", identity.key));
        }
        if !self.networks.is_empty() {
            let networks: Vec<_> = self.networks.iter().map(Opening::to_string).collect();
            lines.push(format!("its name may lead to {} beside public addresses", networks.join(", ")));
        }
        if !self.authorities.is_empty() {
            lines.push(format!("{} certificate authorities of its own", self.authorities.len()));
        }
        lines
    }
}

/// What only TLS has, and what is not sent in the clear where anybody listens.
fn check_encryption(table: &TableReader<'_>, broker: &Broker) {
    if broker.scheme.is_encrypted() {
        return;
    }
    for key in ["ca", "client_cert", "client_key"] {
        if table.has(key) {
            table.error_at(key, format!("{key} belongs to TLS"), "write mqtts:// or wss:// in url");
        }
    }
    // Where a name leads to is known at each connection, and a public address is refused there.
    if let Host::Address(address) = &broker.host
        && classify(*address) == Class::Public
        && table.has("credential")
    {
        table.error_at(
            "credential",
            "a credential is not sent to a public address without TLS",
            "write mqtts:// or wss:// in url, or leave credential out",
        );
    }
}

fn read_client_id(table: &mut TableReader<'_>) -> Option<String> {
    let id = table.spanned_string("client_id")?;
    let fine = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b':');
    if !(1..=LONGEST_CLIENT_ID).contains(&id.get_ref().len()) || !id.get_ref().bytes().all(fine) {
        table.error_at(
            &id,
            "not the beginning of a client's name",
            format!("write 1 to {LONGEST_CLIENT_ID} letters, digits and - _ . :"),
        );
    }
    Some(id.into_inner())
}

fn read_limits(table: &mut TableReader<'_>, topics: Topics) -> MqttLimits {
    let qos = Qos::read(table).unwrap_or_default();
    let retain = table.bool("retain").unwrap_or(false);
    let (default, least, most) = SUBSCRIPTIONS;
    let subscriptions = table.integer_within("subscriptions", least, most).unwrap_or(default);
    let rate = Rate::read(table).unwrap_or(Rate::DEFAULT);
    let mut size = |key: &str, default: u64, least: u64, most: u64| {
        let size = table.spanned_size(key);
        if let Some(size) = size.as_ref().filter(|size| !(least..=most).contains(size.get_ref())) {
            let help = format!("write {:?} to {:?}", format_size(least), format_size(most));
            table.error_at(size, "not a size that is used here", help);
        }
        size.map_or(default, Spanned::into_inner)
    };
    let payload = size("payload", PAYLOAD, 0, LARGEST);
    let message = size("message", MESSAGE, 1 << 10, LARGEST);
    let buffer = size("buffer", BUFFER, 64 << 10, MOST_BUFFER);
    let mut duration = |key: &str, default: Duration, least: Duration, most: Duration| {
        let duration = table.spanned_duration(key);
        if let Some(duration) = duration.as_ref().filter(|time| !(least..=most).contains(time.get_ref())) {
            let help = format!("write {:?} to {:?}", format_duration(least), format_duration(most));
            table.error_at(duration, "not a time that is used here", help);
        }
        duration.map_or(default, Spanned::into_inner)
    };
    let second = Duration::from_secs(1);
    MqttLimits {
        topics,
        qos,
        retain,
        payload,
        message,
        rate,
        subscriptions: usize::try_from(subscriptions).unwrap_or(1),
        buffer,
        connect_timeout: duration("connect_timeout", CONNECT_TIMEOUT, second / 10, 120 * second),
        idle: duration("idle", IDLE, Duration::ZERO, 3600 * second),
        keep_alive: duration("keep_alive", KEEP_ALIVE, 5 * second, 3600 * second),
        session: duration("session", SESSION, 60 * second, 90 * 24 * 3600 * second),
    }
}

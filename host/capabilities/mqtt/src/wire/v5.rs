//! MQTT 5.
//!
//! Topic aliases are not offered, another server that a broker names is not looked at, and reason strings are not read:
//! the codes say as much, and are no text of a stranger's.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use rumqttc_v5 as mqtt;
use rumqttc_v5::mqttbytes::v5::{
    ConnAck, ConnectReturnCode, Packet, PubAckReason, PubCompReason, PubRecReason, Publish,
    PublishProperties, SubscribeProperties, SubscribeReasonCode, UnsubAckReason,
};
use rumqttc_v5::{
    AckMode, AsyncClient, ClientError, ConnectionError, Event, EventLoop, MqttOptions, PersistedAckMode,
    PersistedSession, PublishOptions, PublishResult, SessionStore, SessionStoreKey, StateError,
};

use super::{
    Asked, Broke, Client, Connack, Connected, Driver, Duplex, Hello, INFLIGHT, NotDone, Offers, READ_AT_ONCE,
    Session, Unwanted, seconds, topic,
};
use crate::message::{Arrived, Properties, Publication};
use crate::qos::Qos;

pub(super) async fn connect(stream: Box<dyn Duplex>, hello: Hello) -> Result<Connected, Broke> {
    let Hello { client_id, login, session, keep_alive, incoming, time, .. } = hello;
    let mut options = MqttOptions::new(client_id, "broker");
    options
        .set_keep_alive(u16::try_from(seconds(keep_alive)).unwrap_or(u16::MAX))
        .set_max_packet_size(Some(u32::try_from(incoming).unwrap_or(u32::MAX)))
        .set_read_batch_size(READ_AT_ONCE)
        .set_max_request_batch(READ_AT_ONCE)
        .set_outgoing_inflight_upper_limit(INFLIGHT)
        .set_connect_timeout(time);
    match session {
        Session::Clean => {
            options.set_clean_start(true);
        }
        Session::Kept { expiry, inflight } => {
            options
                .set_clean_start(false)
                .set_session_expiry_interval(Some(u32::try_from(expiry.as_secs()).unwrap_or(u32::MAX)))
                .set_receive_maximum(Some(inflight))
                .set_ack_mode(AckMode::Manual)
                .set_session_store(NothingSent);
        }
    }
    if let Some((user, password)) = login {
        options.set_credentials(user, Bytes::copy_from_slice(password.expose().as_bytes()));
    }
    let stream = Arc::new(Mutex::new(Some(stream)));
    options.set_socket_connector(move |_, _| {
        let stream = stream.lock().ok().and_then(|mut stream| stream.take());
        async move { stream.ok_or_else(|| std::io::ErrorKind::NotConnected.into()) }
    });
    let (client, mut events) = AsyncClient::builder(options).unbounded().build();
    let connack = match events.poll().await {
        Ok(Event::Incoming(Packet::ConnAck(connack))) => connack,
        Ok(_) => return Err(Broke::Protocol("it does not begin with CONNACK".into())),
        Err(error) => return Err(broke(error, incoming)),
    };
    Ok(Connected {
        client: Arc::new(Speaker(client)),
        driver: Box::new(Listener { events, incoming }),
        resumed: connack.session_present,
        offers: offers(&connack),
    })
}

/// MQTT 5, section 3.2.2.3: what is not said is there.
fn offers(connack: &ConnAck) -> Offers {
    let said = connack.properties.as_ref();
    let there = |flag: Option<u8>| flag != Some(0);
    Offers {
        qos: said
            .and_then(|said| said.max_qos)
            .and_then(|qos| Qos::new(qos.into()))
            .unwrap_or(Qos::ExactlyOnce),
        retain: there(said.and_then(|said| said.retain_available)),
        packet: said.and_then(|said| said.max_packet_size),
        inflight: said.and_then(|said| said.receive_max).map_or(INFLIGHT, |most| most.clamp(1, INFLIGHT)),
        numbers: there(said.and_then(|said| said.subscription_identifiers_available)),
    }
}

/// What the library keeps for a session that the broker remembers: nothing is on its way to the broker, since a client
/// with such a session only listens.
#[derive(Debug)]
struct NothingSent;

type Stored<'a, T> =
    std::pin::Pin<Box<dyn Future<Output = Result<T, Box<dyn std::error::Error + Send + Sync>>> + Send + 'a>>;

impl SessionStore for NothingSent {
    fn load<'a>(&'a self, key: &'a SessionStoreKey) -> Stored<'a, Option<PersistedSession>> {
        let session = PersistedSession {
            format_version: 1,
            client_id: key.client_id().to_owned(),
            clean_start: false,
            session_expiry_interval: None,
            outgoing_inflight_upper_limit: Some(INFLIGHT),
            ack_mode: PersistedAckMode::Manual,
            last_pkid: 0,
            last_puback: 0,
            replay: Vec::new(),
            incoming_qos2: Vec::new(),
        };
        Box::pin(async move { Ok(Some(session)) })
    }

    fn save<'a>(&'a self, _: &'a SessionStoreKey, _: &'a PersistedSession) -> Stored<'a, ()> {
        Box::pin(async { Ok(()) })
    }

    fn clear<'a>(&'a self, _: &'a SessionStoreKey) -> Stored<'a, ()> {
        Box::pin(async { Ok(()) })
    }
}

struct Speaker(AsyncClient);

struct Listener {
    events: EventLoop,
    incoming: u64,
}

/// What was queued, or why not: the driver is gone. The library looks at topics too, by rules that are not stricter.
fn queued<T>(asked: Result<T, ClientError>) -> Result<T, NotDone> {
    asked.map_err(|_| NotDone::Gone)
}

impl Client for Speaker {
    fn publish(&self, publication: Publication) -> Asked {
        let Publication { topic, payload, qos, retain, properties } = publication;
        let mut options = PublishOptions::new(qos.into()).retain(retain);
        if let Some(properties) = outgoing(properties) {
            options = options.properties(properties);
        }
        let asked = queued(self.0.try_publish_tracked(topic, payload, options));
        async move { acknowledged(asked?.wait_async().await.map_err(|_| NotDone::Gone)?) }.boxed()
    }

    fn subscribe(&self, filter: &str, qos: Qos, number: u32) -> Asked<Qos> {
        let id = usize::try_from(number).ok().filter(|number| *number > 0);
        let properties = SubscribeProperties { id, user_properties: Vec::new() };
        let asked = match id {
            Some(_) => {
                self.0.try_subscribe_with_properties_tracked(filter.to_owned(), qos.into(), properties)
            }
            None => self.0.try_subscribe_tracked(filter.to_owned(), qos.into()),
        };
        let asked = queued(asked);
        async move {
            let answer = asked?.wait_async().await.map_err(|_| NotDone::Gone)?;
            match answer.return_codes[..] {
                [SubscribeReasonCode::Success(qos)] => Ok(qos.into()),
                [code] => Err(NotDone::Refused(suback(code))),
                _ => Err(NotDone::Refused(0x80)),
            }
        }
        .boxed()
    }

    fn unsubscribe(&self, filter: &str) -> Asked {
        let asked = queued(self.0.try_unsubscribe_tracked(filter.to_owned()));
        async move {
            let answer = asked?.wait_async().await.map_err(|_| NotDone::Gone)?;
            let refused = answer.reasons.into_iter().find(|reason| {
                !matches!(reason, UnsubAckReason::Success | UnsubAckReason::NoSubscriptionExisted)
            });
            refused.map_or(Ok(()), |reason| Err(NotDone::Refused(reason as u8)))
        }
        .boxed()
    }

    fn acknowledge(&self, message: &Arrived) {
        let mut packet = Publish::new("t", message.qos.into(), Bytes::new(), None);
        packet.pkid = message.packet;
        // Where the driver is gone, nothing is acknowledged any more, and the broker sends it again.
        let _ = self.0.try_ack(&packet);
    }

    fn disconnect(&self) {
        let _ = self.0.try_disconnect_now();
    }

    fn size(&self, publication: &Publication) -> usize {
        let properties = outgoing(publication.properties.clone());
        let qos = publication.qos.into();
        Publish::new(publication.topic.as_str(), qos, publication.payload.clone(), properties).size() + 2
    }
}

impl Driver for Listener {
    fn next(&mut self) -> BoxFuture<'_, Result<Arrived, Broke>> {
        async {
            loop {
                match self.events.poll().await {
                    Ok(Event::Incoming(Packet::Publish(message))) => return arrived(message),
                    Ok(_) => {}
                    Err(error) => return Err(broke(error, self.incoming)),
                }
            }
        }
        .boxed()
    }
}

fn arrived(message: Publish) -> Result<Arrived, Broke> {
    let properties = message.properties.unwrap_or_default();
    let subscriptions = properties.subscription_identifiers.iter();
    Ok(Arrived {
        topic: topic(&message.topic)?,
        payload: message.payload,
        left_out: None,
        qos: message.qos.into(),
        retained: message.retain,
        again: message.dup,
        packet: message.pkid,
        subscriptions: subscriptions.filter_map(|number| u32::try_from(*number).ok()).collect(),
        properties: Properties {
            content_type: properties.content_type,
            response_topic: properties.response_topic,
            correlation_data: properties.correlation_data,
            user: properties.user_properties,
            expiry: properties.message_expiry_interval,
        },
    })
}

fn outgoing(properties: Properties) -> Option<PublishProperties> {
    let Properties { content_type, response_topic, correlation_data, user, expiry } = properties;
    let properties = PublishProperties {
        message_expiry_interval: expiry,
        response_topic,
        correlation_data,
        user_properties: user,
        content_type,
        ..PublishProperties::default()
    };
    (properties != PublishProperties::default()).then_some(properties)
}

fn acknowledged(result: PublishResult) -> Result<(), NotDone> {
    match result {
        PublishResult::Qos0Flushed => Ok(()),
        PublishResult::Qos1(ack) => match ack.reason {
            PubAckReason::Success | PubAckReason::NoMatchingSubscribers => Ok(()),
            reason => Err(NotDone::Refused(reason as u8)),
        },
        PublishResult::Qos2Completed(done) => match done.reason {
            PubCompReason::Success => Ok(()),
            // It has the message since its PUBREC.
            reason => Err(NotDone::Unsure(reason as u8)),
        },
        PublishResult::Qos2PubRecRejected(rec) => match rec.reason {
            PubRecReason::Success | PubRecReason::NoMatchingSubscribers => Err(NotDone::Refused(0x80)),
            reason => Err(NotDone::Refused(reason as u8)),
        },
    }
}

/// MQTT 5, section 3.9.3.
fn suback(code: SubscribeReasonCode) -> u8 {
    match code {
        SubscribeReasonCode::Success(qos) => qos as u8,
        SubscribeReasonCode::Failure | SubscribeReasonCode::Unspecified => 0x80,
        SubscribeReasonCode::ImplementationSpecific => 0x83,
        SubscribeReasonCode::NotAuthorized => 0x87,
        SubscribeReasonCode::TopicFilterInvalid => 0x8f,
        SubscribeReasonCode::PkidInUse => 0x91,
        SubscribeReasonCode::QuotaExceeded => 0x97,
        SubscribeReasonCode::SharedSubscriptionsNotSupported => 0x9e,
        SubscribeReasonCode::SubscriptionIdNotSupported => 0xa1,
        SubscribeReasonCode::WildcardSubscriptionsNotSupported => 0xa2,
    }
}

fn broke(error: ConnectionError, incoming: u64) -> Broke {
    let protocol = |why: &str| Broke::Protocol(why.to_owned());
    match error {
        ConnectionError::ConnectionRefused(code) => Broke::Refused(refused(code)),
        ConnectionError::Io(error) => Broke::Lost(error.to_string()),
        ConnectionError::Timeout(_) | ConnectionError::DisconnectTimeout => Broke::Silent,
        ConnectionError::RequestsDone => Broke::Closed,
        ConnectionError::SessionStateMismatch { .. } => {
            protocol("it resumes a session that was not asked for")
        }
        ConnectionError::NotConnAck(_) => protocol("it does not begin with CONNACK"),
        ConnectionError::AuthProcessingError => protocol("it asks for another way to authenticate"),
        ConnectionError::MqttState(error) => match error {
            StateError::Io(error) | StateError::Deserialization(mqtt::mqttbytes::Error::Io(error)) => {
                Broke::Lost(error.to_string())
            }
            StateError::ConnectionAborted => Broke::Lost("the broker closed it".into()),
            StateError::AwaitPingResp | StateError::CollisionTimeout => Broke::Silent,
            StateError::IncomingPacketTooLarge { .. }
            | StateError::Deserialization(mqtt::mqttbytes::Error::PayloadSizeLimitExceeded { .. }) => {
                Broke::TooLarge(incoming)
            }
            StateError::ServerDisconnect { reason_code, .. } => Broke::Said(reason_code as u8),
            StateError::ConnFail { reason } => Broke::Refused(refused(reason)),
            StateError::AuthError(_) | StateError::AuthenticatorNotSet => {
                protocol("it asks for another way to authenticate")
            }
            other => protocol(&other.to_string()),
        },
        _ => protocol("the connection is in a state that it cannot be in"),
    }
}

/// MQTT 5, section 3.2.2.2; the first five are 3.1.1's, which a broker of that version answers with.
fn refused(code: ConnectReturnCode) -> Connack {
    use ConnectReturnCode as Code;
    let (why, code) = match code {
        Code::Success => (Unwanted::Protocol, 0),
        Code::RefusedProtocolVersion => (Unwanted::Protocol, 1),
        Code::BadClientId => (Unwanted::Name, 2),
        Code::ServiceUnavailable => (Unwanted::Busy, 3),
        Code::UnspecifiedError => (Unwanted::Protocol, 0x80),
        Code::MalformedPacket => (Unwanted::Protocol, 0x81),
        Code::ProtocolError => (Unwanted::Protocol, 0x82),
        Code::ImplementationSpecificError => (Unwanted::Protocol, 0x83),
        Code::UnsupportedProtocolVersion => (Unwanted::Protocol, 0x84),
        Code::ClientIdentifierNotValid => (Unwanted::Name, 0x85),
        Code::BadUserNamePassword => (Unwanted::Credential, 0x86),
        Code::NotAuthorized => (Unwanted::Credential, 0x87),
        Code::ServerUnavailable => (Unwanted::Busy, 0x88),
        Code::ServerBusy => (Unwanted::Busy, 0x89),
        Code::Banned => (Unwanted::Credential, 0x8a),
        Code::BadAuthenticationMethod => (Unwanted::Credential, 0x8c),
        Code::TopicNameInvalid => (Unwanted::Protocol, 0x90),
        Code::PacketTooLarge => (Unwanted::Protocol, 0x95),
        Code::QuotaExceeded => (Unwanted::Busy, 0x97),
        Code::PayloadFormatInvalid => (Unwanted::Protocol, 0x99),
        Code::RetainNotSupported => (Unwanted::Protocol, 0x9a),
        Code::QoSNotSupported => (Unwanted::Protocol, 0x9b),
        Code::UseAnotherServer => (Unwanted::Elsewhere, 0x9c),
        Code::ServerMoved => (Unwanted::Elsewhere, 0x9d),
        Code::ConnectionRateExceeded => (Unwanted::Busy, 0x9f),
    };
    Connack { why, code }
}

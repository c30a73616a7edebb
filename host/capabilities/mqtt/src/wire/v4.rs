//! MQTT 3.1.1.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use rumqttc as mqtt;
use rumqttc::{
    AckMode, AsyncClient, ClientError, ConnectReturnCode, ConnectionError, Event, EventLoop, MqttOptions,
    Packet, PublishOptions, StateError, SubscribeReasonCode,
};

use super::oversize::{self, LeftOut, Oversize};
use super::{
    Asked, Broke, Client, Connack, Connected, Driver, Duplex, Hello, INFLIGHT, NotDone, OVERHEAD, Offers,
    READ_AT_ONCE, Session, Unwanted, seconds, topic,
};
use crate::message::{Arrived, Properties, Publication};
use crate::qos::Qos;

pub(super) async fn connect(stream: Box<dyn Duplex>, hello: Hello) -> Result<Connected, Broke> {
    let Hello { client_id, login, session, keep_alive, incoming, outgoing, time, .. } = hello;
    let mut options = MqttOptions::new(client_id, "broker");
    options
        .set_keep_alive(u16::try_from(seconds(keep_alive)).unwrap_or(u16::MAX))
        .set_max_packet_size(
            // Messages that are larger than granted do not come as far as this.
            usize::try_from(incoming).unwrap_or(usize::MAX).max(oversize::LONGEST),
            usize::try_from(outgoing).unwrap_or(usize::MAX).saturating_add(OVERHEAD),
        )
        .set_inflight(INFLIGHT)
        .set_read_batch_size(READ_AT_ONCE)
        .set_max_request_batch(READ_AT_ONCE);
    options.set_clean_session(session == Session::Clean);
    if matches!(session, Session::Kept { .. }) {
        options.set_ack_mode(AckMode::Manual);
    }
    if let Some((user, password)) = login {
        options.set_credentials(user, Bytes::copy_from_slice(password.expose().as_bytes()));
    }
    let (stream, left_out) = Oversize::new(stream, incoming);
    let stream = Arc::new(Mutex::new(Some(Box::new(stream))));
    options.set_socket_connector(move |_, _| {
        let stream = stream.lock().ok().and_then(|mut stream| stream.take());
        async move { stream.ok_or_else(|| std::io::ErrorKind::NotConnected.into()) }
    });
    let (client, mut events) = AsyncClient::builder(options).unbounded().build();
    events.network_options.set_connection_timeout(seconds(time));
    let resumed = match events.poll().await {
        Ok(Event::Incoming(Packet::ConnAck(connack))) => connack.session_present,
        Ok(_) => return Err(Broke::Protocol("it does not begin with CONNACK".into())),
        Err(error) => return Err(broke(error, incoming)),
    };
    Ok(Connected {
        client: Arc::new(Speaker(client)),
        driver: Box::new(Listener { events, incoming, left_out }),
        resumed,
        offers: Offers {
            qos: Qos::ExactlyOnce,
            retain: true,
            packet: None,
            inflight: INFLIGHT,
            numbers: false,
        },
    })
}

struct Speaker(AsyncClient);

struct Listener {
    events: EventLoop,
    incoming: u64,
    left_out: LeftOut,
}

/// What was queued, or why not: the driver is gone. The library looks at topics too, by rules that are not stricter.
fn queued<T>(asked: Result<T, ClientError>) -> Result<T, NotDone> {
    asked.map_err(|_| NotDone::Gone)
}

impl Client for Speaker {
    fn publish(&self, publication: Publication) -> Asked {
        let Publication { topic, payload, qos, retain, .. } = publication;
        let options = PublishOptions::new(qos.into()).retain(retain);
        let asked = queued(self.0.try_publish_tracked(topic, payload, options));
        async move { asked?.wait_completion_async().await.map_err(|_| NotDone::Gone) }.boxed()
    }

    fn subscribe(&self, filter: &str, qos: Qos, _: u32) -> Asked<Qos> {
        let asked = queued(self.0.try_subscribe_tracked(filter.to_owned(), qos.into()));
        async move {
            let answer = asked?.wait_async().await.map_err(|_| NotDone::Gone)?;
            match answer.return_codes[..] {
                [SubscribeReasonCode::Success(qos)] => Ok(qos.into()),
                _ => Err(NotDone::Refused(0x80)),
            }
        }
        .boxed()
    }

    fn unsubscribe(&self, filter: &str) -> Asked {
        let asked = queued(self.0.try_unsubscribe_tracked(filter.to_owned()));
        async move { asked?.wait_async().await.map(drop).map_err(|_| NotDone::Gone) }.boxed()
    }

    fn acknowledge(&self, message: &Arrived) {
        let mut packet = mqtt::Publish::from_bytes("t", message.qos.into(), Bytes::new());
        packet.pkid = message.packet;
        // Where the driver is gone, nothing is acknowledged any more, and the broker sends it again.
        let _ = self.0.try_ack(&packet);
    }

    fn disconnect(&self) {
        let _ = self.0.try_disconnect_now();
    }

    fn size(&self, publication: &Publication) -> usize {
        mqtt::Publish::from_bytes(
            publication.topic.as_str(),
            publication.qos.into(),
            publication.payload.clone(),
        )
        .size()
            + 2
    }
}

impl Driver for Listener {
    fn next(&mut self) -> BoxFuture<'_, Result<Arrived, Broke>> {
        async {
            loop {
                match self.events.poll().await {
                    Ok(Event::Incoming(Packet::Publish(message))) => {
                        let left_out = self.left_out.of(&message.payload);
                        return Ok(Arrived {
                            topic: topic(&message.topic)?,
                            payload: if left_out.is_some() { Bytes::new() } else { message.payload },
                            left_out,
                            qos: message.qos.into(),
                            retained: message.retain,
                            again: message.dup,
                            packet: message.pkid,
                            properties: Properties::default(),
                            subscriptions: Vec::new(),
                        });
                    }
                    Ok(_) => {}
                    Err(error) => return Err(broke(error, self.incoming)),
                }
            }
        }
        .boxed()
    }
}

fn broke(error: ConnectionError, incoming: u64) -> Broke {
    let protocol = |why: &str| Broke::Protocol(why.to_owned());
    match error {
        ConnectionError::ConnectionRefused(code) => Broke::Refused(refused(code)),
        ConnectionError::Io(error) => Broke::Lost(error.to_string()),
        ConnectionError::NetworkTimeout
        | ConnectionError::FlushTimeout
        | ConnectionError::DisconnectTimeout => Broke::Silent,
        ConnectionError::RequestsDone => Broke::Closed,
        ConnectionError::SessionStateMismatch { .. } => {
            protocol("it resumes a session that was not asked for")
        }
        ConnectionError::NotConnAck(_) => protocol("it does not begin with CONNACK"),
        ConnectionError::MqttState(error) => match error {
            StateError::Io(error) | StateError::Deserialization(mqtt::Error::Io(error)) => {
                Broke::Lost(error.to_string())
            }
            StateError::ConnectionAborted => Broke::Lost("the broker closed it".into()),
            StateError::AwaitPingResp | StateError::CollisionTimeout => Broke::Silent,
            StateError::Deserialization(mqtt::Error::PayloadSizeLimitExceeded(_)) => {
                Broke::TooLarge(incoming)
            }
            other => protocol(&other.to_string()),
        },
        _ => protocol("the connection is in a state that it cannot be in"),
    }
}

/// MQTT 3.1.1, section 3.2.2.3.
fn refused(code: ConnectReturnCode) -> Connack {
    let why = match code {
        ConnectReturnCode::BadUserNamePassword | ConnectReturnCode::NotAuthorized => Unwanted::Credential,
        ConnectReturnCode::ServiceUnavailable => Unwanted::Busy,
        ConnectReturnCode::BadClientId => Unwanted::Name,
        ConnectReturnCode::Success | ConnectReturnCode::RefusedProtocolVersion => Unwanted::Protocol,
    };
    Connack { why, code: code as u8 }
}

//! A device's connection: MQTT 3.1.1, a clean session, its id as client id and user, no last will.

use std::sync::{Arc, Weak};
use std::time::Duration;

use futures_util::future::BoxFuture;
use jiff::Timestamp;
use rumqttc::{
    AsyncClient, Event, EventLoop, MqttOptions, Packet, Publish, PublishOptions, QoS, SubscribeFilterInput,
};
use serde_json::Value;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

use super::super::firmware::Complaint;
use super::HEARS;
use super::device::{Device, Received, Shared};
use super::manner::{Acks, Manner};

/// How long the broker may take for an acknowledgement; a device that waits longer is a test that hangs.
const PATIENCE: Duration = Duration::from_secs(60);

/// How long a device waits before it connects again.
const BACKOFF: Duration = Duration::from_millis(250);

/// A device that is switched on. Dropping it breaks the connection without a word.
#[derive(Debug)]
pub(super) struct Session {
    pub(super) client: AsyncClient,
    tasks: [JoinHandle<()>; 2],
}

impl Drop for Session {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

/// What the connection tells the device.
enum Said {
    Connected,
    Heard(Publish),
    /// Once only: the broker wants nothing of it.
    Refused(String),
}

impl Session {
    /// Connects, and returns once the device has said that it is online.
    pub(super) async fn start(shared: &Arc<Shared>) -> Result<Self, String> {
        let id = &shared.profile.id;
        let mut options =
            MqttOptions::new(id.clone(), (shared.broker.ip().to_string(), shared.broker.port()));
        options.set_credentials(id.clone(), shared.profile.key.clone());
        options.set_keep_alive(60);
        let (client, eventloop) = AsyncClient::builder(options).capacity(64).build();
        let (tell, told) = mpsc::channel(1_024);
        let (online, is_online) = oneshot::channel();
        let living = live(Arc::downgrade(shared), client.clone(), told, online);
        let session = Self { client, tasks: [tokio::spawn(drive(eventloop, tell)), tokio::spawn(living)] };
        match tokio::time::timeout(PATIENCE, is_online).await {
            Ok(Ok(Ok(()))) => Ok(session),
            Ok(Ok(Err(error))) => Err(format!("{id}: {error}")),
            Ok(Err(_)) | Err(_) => Err(format!("{id}: the broker does not answer")),
        }
    }
}

/// Publishes with QoS 1, and waits until the broker has it.
pub(super) async fn publish(client: &AsyncClient, topic: &str, payload: Vec<u8>) -> Result<(), String> {
    let published = async {
        let options = PublishOptions::new(QoS::AtLeastOnce);
        let notice =
            client.publish_tracked(topic, payload, options).await.map_err(|error| error.to_string())?;
        notice.wait_async().await.map(drop).map_err(|error| error.to_string())
    };
    let published = tokio::time::timeout(PATIENCE, published).await;
    published.unwrap_or_else(|_| Err("the broker does not acknowledge".into()))
}

/// Keeps the connection up.
async fn drive(mut eventloop: EventLoop, tell: mpsc::Sender<Said>) {
    loop {
        let event = match eventloop.poll().await {
            Ok(Event::Incoming(Packet::ConnAck(_))) => Said::Connected,
            Ok(Event::Incoming(Packet::Publish(message))) => Said::Heard(message),
            Ok(_) => continue,
            Err(error @ rumqttc::ConnectionError::ConnectionRefused(_)) => Said::Refused(error.to_string()),
            Err(_) => {
                tokio::time::sleep(BACKOFF).await;
                continue;
            }
        };
        let refused = matches!(event, Said::Refused(_));
        if tell.send(event).await.is_err() || refused {
            return;
        }
    }
}

/// One thing after the other, as the firmware's only handler does.
async fn live(
    shared: Weak<Shared>,
    client: AsyncClient,
    mut told: mpsc::Receiver<Said>,
    online: oneshot::Sender<Result<(), String>>,
) {
    let mut online = Some(online);
    while let Some(event) = told.recv().await {
        let Some(shared) = shared.upgrade() else { return };
        match event {
            Said::Connected => {
                let done = greet(&shared, &client, online.is_some()).await;
                online.take().map(|online| online.send(done));
            }
            Said::Refused(error) => {
                online.take().map(|online| online.send(Err(error)));
            }
            Said::Heard(message) => heard(&shared, &client, &message).await,
        }
    }
}

/// A boot publishes the shadow, subscribes, and says that it is online; a reconnect only subscribes.
async fn greet(shared: &Shared, client: &AsyncClient, boot: bool) -> Result<(), String> {
    if boot {
        shared.publish(client, "shadow/report", shared.shadow()).await?;
    }
    let topics = HEARS
        .map(|suffix| SubscribeFilterInput::new(format!("{}/{suffix}", shared.prefix), QoS::AtLeastOnce));
    let notice = client.subscribe_many_tracked(topics).await.map_err(|error| error.to_string())?;
    notice.wait_async().await.map_err(|error| error.to_string())?;
    if boot {
        shared.publish(client, "status", shared.status("online")).await?;
    }
    Ok(())
}

async fn heard(shared: &Arc<Shared>, client: &AsyncClient, message: &Publish) {
    let topic = String::from_utf8_lossy(&message.topic);
    let Some(suffix) = topic.strip_prefix(&format!("{}/", shared.prefix)) else { return };
    shared.received(Received {
        suffix: suffix.to_owned(),
        payload: message.payload.to_vec(),
        qos: message.qos as u8,
        retained: message.retain,
    });
    // A connection that breaks meanwhile takes the answer along, as it does with a real device.
    let _ = match suffix {
        "command" => command(shared, client, &message.payload).await,
        "config" => config(shared, client, &message.payload).await,
        "shadow/desired" => desired(shared, client, &message.payload).await,
        _ => Ok(()),
    };
}

/// What is no JSON is not answered.
async fn command(shared: &Arc<Shared>, client: &AsyncClient, payload: &[u8]) -> Result<(), String> {
    let Ok(command) = serde_json::from_slice::<Value>(payload) else { return Ok(()) };
    let (manner, answer) = {
        let mut inner = shared.lock();
        let manner = inner.manner.clone();
        let mut unit = inner.unit.clone();
        let answer = unit.obey(&command, shared.profile.dialect, Timestamp::now());
        if manner.obeys() {
            inner.unit = unit;
        }
        (manner, answer)
    };
    let answers = manner.answers(&answer);
    if let Manner::Late(late) = manner {
        let (shared, client) = (shared.clone(), client.clone());
        tokio::spawn(async move {
            tokio::time::sleep(late).await;
            say(&shared, &client, answers).await
        });
        return Ok(());
    }
    say(shared, client, answers).await?;
    let device = Device::from(shared.clone());
    if manner == Manner::Vanishes {
        tokio::spawn(async move { device.disconnect() });
    } else if answer.reboots && manner.obeys() {
        tokio::spawn(reboot(device));
    }
    Ok(())
}

/// Boxed, since a device that boots is one that can be told to reboot.
fn reboot(device: Device) -> BoxFuture<'static, Result<(), String>> {
    Box::pin(async move {
        device.disconnect();
        device.connect().await
    })
}

async fn say(shared: &Shared, client: &AsyncClient, answers: Vec<String>) -> Result<(), String> {
    for answer in answers {
        shared.publish(client, "command/response", answer).await?;
    }
    Ok(())
}

async fn config(shared: &Shared, client: &AsyncClient, payload: &[u8]) -> Result<(), String> {
    let configured = shared.lock().unit.configure(payload);
    let (suffix, payload) = match configured {
        Ok(accepted) => match shared.profile.acks {
            Acks::CommandResponse => ("command/response", accepted.to_json()),
            Acks::ConfigAck => ("config/ack", accepted.to_json()),
        },
        Err(complaints) => ("alert", Complaint::to_json(&complaints)),
    };
    shared.publish(client, suffix, payload.to_string()).await
}

async fn desired(shared: &Shared, client: &AsyncClient, payload: &[u8]) -> Result<(), String> {
    let Ok(Value::Object(desired)) = serde_json::from_slice(payload) else { return Ok(()) };
    shared.lock().unit.desire(&desired, Timestamp::now());
    shared.publish(client, "shadow/report", shared.shadow()).await
}

//! A binding with its grants and secrets, and what is published and heard through it.

use std::sync::Arc;
use std::time::Duration;

use fleetgate_core::address::Connector;
use fleetgate_core::capability::BindingParts;
use fleetgate_core::diagnostic::Diagnostics;
use fleetgate_core::sandbox::CallInfo;
use fleetgate_lab::Subject;
pub use fleetgate_lab::{Answers, Watched, until};
use fleetgate_mqtt::testing::{Heard, HeardMessage, MqttBinding, Session, Subscription};
use fleetgate_mqtt::{Failure, GuestFailure, Mqtt};

use crate::mosquitto::Mosquitto;

pub const BROKER: &str = "mqtt.broker";
/// The password of the strict broker.
pub const PASSWORD: &str = "s3cr3t-p4ssword";

/// `mqtt.broker`, with every topic asked for.
pub struct Broker;

pub type World = fleetgate_lab::World<Broker>;
pub type Binding = fleetgate_lab::Binding<Broker>;
pub type Call = fleetgate_lab::Call<Broker>;

impl Subject for Broker {
    const CAPABILITY: &'static str = BROKER;
    const REQUEST: &'static str = "publish = [\"#\"]\nsubscribe = [\"#\"]";

    type Kind = Mqtt;
    type Options = Connector;
    type Bound = MqttBinding;
    type Caller = Caller;

    fn capability(connector: Connector) -> Mqtt {
        Mqtt::new(connector)
    }

    fn bind(mqtt: &Mqtt, parts: BindingParts<'_>) -> Result<MqttBinding, Diagnostics> {
        mqtt.bind_mqtt(parts)
    }

    fn caller(binding: &Binding, call: Arc<CallInfo>) -> Caller {
        Caller { session: binding.binding.session(&call), call }
    }
}

/// A call that may do all that is granted.
pub fn call() -> Call {
    Call::default()
}

impl Mosquitto {
    /// A world with everything at this broker granted.
    pub fn world(&self) -> World {
        self.world_with("")
    }

    /// The same with more lines in the grant.
    pub fn world_with(&self, lines: &str) -> World {
        World::new(&format!("{}\n{lines}", self.grant()))
    }

    pub fn grant(&self) -> String {
        granting(&format!("mqtt://{}", self.address))
    }
}

/// A grant of every topic at a broker.
pub fn granting(url: &str) -> String {
    format!("url = \"{url}\"\npublish = [\"#\"]\nsubscribe = [\"#\"]")
}

/// The grant's lines for the strict broker's only user.
pub const AS_FLEET: &str = "credential = { user = \"fleet\", password = \"password\" }";

/// A call that is going on.
#[derive(Clone)]
pub struct Caller {
    pub session: Session,
    pub call: Arc<CallInfo>,
}

impl Caller {
    pub async fn publish(&self, topic: &str, payload: &str) -> Result<(), Failure> {
        self.publish_with(topic, payload, "{}").await
    }

    pub async fn publish_with(&self, topic: &str, payload: &str, options: &str) -> Result<(), Failure> {
        self.session.publish(BROKER, topic, payload.as_bytes().to_vec(), Some(options)).await
    }

    pub async fn open(&self, filters: &[&str]) -> Result<Subscription, Failure> {
        self.open_with(filters, "{}").await
    }

    pub async fn open_with(&self, filters: &[&str], options: &str) -> Result<Subscription, Failure> {
        let filters: Vec<_> = filters.iter().map(|filter| (*filter).to_owned()).collect();
        self.session.open(BROKER, &filters, Some(options)).await
    }

    pub async fn listening(&self, filters: &[&str]) -> Listening {
        Listening(self.open(filters).await.unwrap_or_else(|failure| panic!("{filters:?}: {failure}")))
    }

    /// What the guest gets of a publication that fails.
    pub async fn fails(&self, topic: &str) -> GuestFailure {
        self.publish(topic, "x").await.expect_err(topic).guest()
    }

    /// What the guest gets of a subscription that fails.
    pub async fn cannot_hear(&self, filter: &str) -> GuestFailure {
        match self.open(&[filter]).await {
            Ok(_) => panic!("{filter} is heard"),
            Err(failure) => failure.guest(),
        }
    }

    /// What the operator reads of what was refused last.
    pub fn refused(&self) -> String {
        self.call.used.refused().last().cloned().unwrap_or_default()
    }

    pub fn used(&self) -> Vec<String> {
        self.call.used.used()
    }
}

/// A subscription, as a guest uses it.
pub struct Listening(pub Subscription);

impl Listening {
    pub async fn next(&self) -> Heard {
        self.0.read(Duration::from_secs(60)).await.unwrap()
    }

    pub async fn message(&self) -> HeardMessage {
        match self.next().await {
            Heard::Message(message) => message,
            other => panic!("{other:?}"),
        }
    }

    /// Topic and payload of the next message.
    pub async fn hears(&self) -> (String, String) {
        let message = self.message().await;
        (message.topic, String::from_utf8(message.payload).unwrap())
    }

    /// The next payload.
    pub async fn payload(&self) -> String {
        self.hears().await.1
    }

    /// Nothing waits, and nothing comes for a moment.
    pub async fn hears_nothing(&self) {
        assert_eq!(self.0.read(Duration::from_millis(300)).await.unwrap(), Heard::TimedOut);
    }
}

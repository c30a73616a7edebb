//! Standing subscriptions: what is heard when nobody calls, at a real broker.

mod durable;
mod many;
mod oversize;
mod session;
mod trouble;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use fleetgate_core::capability::{Bound, Heard, Listening, Sink, SinkClosed, Standing};
use futures_util::future::BoxFuture;
use tokio::sync::Semaphore;

use crate::mosquitto::Mosquitto;
use crate::world::{Binding, World, until};

const CLIENT: &str = "abcdefghijklmnopqrstuv";

/// Keeps what it hears, when it may.
pub struct Kept {
    heard: Mutex<Vec<Heard>>,
    /// A permit is needed for each batch.
    pub may: Semaphore,
    closed: AtomicBool,
}

impl Kept {
    pub fn new() -> Arc<Self> {
        Arc::new(Self {
            heard: Mutex::default(),
            may: Semaphore::new(Semaphore::MAX_PERMITS),
            closed: AtomicBool::new(false),
        })
    }

    /// One that keeps nothing before it is told to.
    pub fn shut() -> Arc<Self> {
        Arc::new(Self { heard: Mutex::default(), may: Semaphore::new(0), closed: AtomicBool::new(false) })
    }

    pub fn payloads(&self) -> Vec<String> {
        let heard = self.heard.lock().unwrap();
        heard.iter().map(|heard| String::from_utf8(heard.data.clone()).unwrap()).collect()
    }

    pub fn count(&self) -> usize {
        self.heard.lock().unwrap().len()
    }

    /// As the core does: what was kept is not kept again.
    fn events(&self) -> usize {
        let heard = self.heard.lock().unwrap();
        let mut keys = std::collections::HashSet::new();
        let is_new = |heard: &&Heard| match &heard.origin {
            Some(origin) => keys.insert(origin.key.clone()) || !origin.again,
            None => true,
        };
        heard.iter().filter(is_new).count()
    }
}

struct Handle(Arc<Kept>);

impl Sink for Handle {
    fn keep(&self, heard: Vec<Heard>) -> BoxFuture<'static, Result<(), SinkClosed>> {
        let kept = Arc::clone(&self.0);
        Box::pin(async move {
            if kept.closed.load(Ordering::SeqCst) {
                return Err(SinkClosed);
            }
            kept.may.acquire().await.unwrap().forget();
            kept.heard.lock().unwrap().extend(heard);
            Ok(())
        })
    }
}

/// An event that listens as its author asks.
fn listen(world: &World, binding: &Binding, reach: &str, kept: &Arc<Kept>) -> Box<dyn Listening> {
    try_listen(world, binding, reach, None, kept).unwrap()
}

pub fn try_listen(
    world: &World,
    binding: &Binding,
    reach: &str,
    narrowed: Option<&str>,
    kept: &Arc<Kept>,
) -> Result<Box<dyn Listening>, String> {
    listen_as(CLIENT, world, binding, reach, narrowed, kept)
}

/// Under a name of its own.
pub fn listen_as(
    client: &str,
    world: &World,
    binding: &Binding,
    reach: &str,
    narrowed: Option<&str>,
    kept: &Arc<Kept>,
) -> Result<Box<dyn Listening>, String> {
    binding.binding.listen(Standing {
        name: "broker".into(),
        event: "telemetry".into(),
        reach: world.reach(reach),
        narrowed: narrowed.map(|reach| world.reach(reach)),
        client: client.into(),
        sink: Arc::new(Handle(Arc::clone(kept))),
    })
}

/// Waits until a session that was given up is forgotten, by the host and by the broker.
async fn forgotten(broker: &Mosquitto, world: &World) {
    tokio::time::sleep(Duration::from_millis(600)).await;
    until("it is forgotten", || async { world.bind().binding.left_over().is_empty() }).await;
    broker.left(CLIENT).await;
}

pub async fn well(listening: &dyn Listening) {
    for _ in 0..6000 {
        if listening.trouble().is_none() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("it does not listen: {:?}", listening.trouble());
}

#[tokio::test]
async fn what_devices_say_is_kept_with_its_device_its_time_and_its_origin() {
    let broker = Mosquitto::start().await;
    for version in ["3.1.1", "5"] {
        let world = broker.world_with(&format!("version = \"{version}\""));
        let binding = world.bind();
        let kept = Kept::new();
        let reach = "subscribe = [\"site/+/+/state\", \"site/+/+/alarm\"]";
        let listening = listen(&world, &binding, reach, &kept);
        well(&*listening).await;
        let device = broker.device().await;
        device.publish("site/acme/d1/state", "1").await;
        device.publish("site/acme/d1/alarm", "2").await;
        device.publish("site/acme/d2/other", "no").await;
        until("both", || async { kept.count() == 2 }).await;
        let heard = kept.heard.lock().unwrap().clone();
        assert_eq!(heard[0].subject, "site/acme/d1/state");
        assert_eq!((heard[0].order.as_str(), heard[1].order.as_str()), ("acme/d1", "acme/d1"), "one device");
        assert_eq!(heard[0].attributes, serde_json::json!({ "qos": 1, "retained": false }));
        let origin = heard[0].origin.clone().unwrap();
        assert!(!origin.again && origin.key != heard[1].origin.clone().unwrap().key);
        listening.give_up();
        forgotten(&broker, &world).await;
    }
}

#[tokio::test]
async fn several_events_share_one_connection_and_each_hears_its_own() {
    let broker = Mosquitto::start().await;
    let world = broker.world();
    let binding = world.bind();
    let (first, second) = (Kept::new(), Kept::new());
    let one = listen(&world, &binding, "subscribe = [\"site/+/state\"]", &first);
    let two = listen(&world, &binding, "subscribe = [\"site/7/#\"]", &second);
    well(&*one).await;
    well(&*two).await;
    let device = broker.device().await;
    device.publish("site/7/state", "both").await;
    device.publish("site/8/state", "first").await;
    device.publish("site/7/other", "second").await;
    until("all", || async { first.count() == 2 && second.count() == 2 }).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(first.payloads(), ["both", "first"]);
    assert_eq!(second.payloads(), ["both", "second"]);
    let connects = broker.said().matches(&format!("as {CLIENT}")).count();
    assert_eq!(connects, 1, "{}", broker.said());
    drop((one, two));
}

#[tokio::test]
async fn an_event_that_nothing_is_granted_of_does_not_listen() {
    let broker = Mosquitto::start().await;
    let world =
        broker.world().granting(&format!("url = \"mqtt://{}\"\nsubscribe = [\"site/7/#\"]", broker.address));
    let binding = world.bind();
    let kept = Kept::new();
    let failed = try_listen(&world, &binding, "subscribe = [\"other/+\"]", None, &kept);
    let why = failed.map(drop).unwrap_err();
    assert!(why.contains("nothing of what the event telemetry listens to is granted"), "{why}");
    let reach = "subscribe = [\"site/+/state\"]";
    let narrowed = Some("subscribe = [\"site/8/state\"]");
    assert!(try_listen(&world, &binding, reach, narrowed, &kept).is_err(), "narrowed to nothing");
    let ungranted = broker.world().ungranted();
    let why = try_listen(&ungranted, &ungranted.bind(), reach, None, &kept).map(drop).unwrap_err();
    assert_eq!(why, "mqtt.broker is not granted");
}

#[tokio::test]
async fn narrowing_counts_beside_the_manifest() {
    let broker = Mosquitto::start().await;
    let world = broker.world();
    let binding = world.bind();
    let kept = Kept::new();
    let reach = "subscribe = [\"site/+/state\"]";
    let listening = try_listen(&world, &binding, reach, Some("subscribe = [\"site/7/#\"]"), &kept).unwrap();
    well(&*listening).await;
    let device = broker.device().await;
    for topic in ["site/8/state", "site/7/other", "site/7/state"] {
        device.publish(topic, topic).await;
    }
    until("one", || async { kept.count() == 1 }).await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(kept.payloads(), ["site/7/state"]);
    assert_eq!(kept.heard.lock().unwrap()[0].order, "7", "by the author's wildcard");
}

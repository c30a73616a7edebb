//! Standing subscriptions: what is heard when nobody calls, at a real broker.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use fleetgate_core::capability::{Bound, Heard, Listening, Sink, SinkClosed, Standing};
use futures_util::future::BoxFuture;
use tokio::sync::Semaphore;

use crate::mosquitto::Mosquitto;
use crate::rogue::Rogue;
use crate::trouble::resident;
use crate::world::{AS_FLEET, Binding, PASSWORD, World, granting, until};

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

fn try_listen(
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

pub async fn well(listening: &dyn Listening) {
    for _ in 0..2000 {
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
        tokio::time::sleep(Duration::from_millis(600)).await;
    }
}

#[tokio::test]
async fn what_is_published_while_nobody_is_connected_is_heard_later_under_the_same_name() {
    let broker = Mosquitto::start().await;
    for version in ["3.1.1", "5"] {
        let world = broker.world_with(&format!("version = \"{version}\""));
        let device = broker.device().await;
        let kept = Kept::new();
        {
            let binding = world.bind();
            let listening = listen(&world, &binding, "subscribe = [\"away/+\"]", &kept);
            well(&*listening).await;
            device.publish("away/1", "here").await;
            until("the first", || async { kept.count() == 1 }).await;
        }
        tokio::time::sleep(Duration::from_millis(800)).await;
        for number in 0..50 {
            device.publish("away/1", number.to_string()).await;
        }
        let binding = world.bind();
        let listening = listen(&world, &binding, "subscribe = [\"away/+\"]", &kept);
        until("all", || async { kept.count() == 51 }).await;
        let expected: Vec<_> =
            std::iter::once("here".to_owned()).chain((0..50).map(|number| number.to_string())).collect();
        assert_eq!(kept.payloads(), expected, "{version}");
        listening.give_up();
        tokio::time::sleep(Duration::from_millis(600)).await;
    }
}

#[tokio::test]
async fn nothing_is_acknowledged_before_it_is_durable_and_what_was_not_comes_again() {
    let broker = Mosquitto::start().await;
    for version in ["3.1.1", "5"] {
        let world = broker.world_with(&format!("version = \"{version}\""));
        let device = broker.device().await;
        let shut = Kept::shut();
        {
            let binding = world.bind();
            let listening = listen(&world, &binding, "subscribe = [\"late/+\"]", &shut);
            well(&*listening).await;
            for number in 0..10 {
                device.publish("late/1", number.to_string()).await;
            }
            tokio::time::sleep(Duration::from_millis(500)).await;
            assert_eq!(shut.count(), 0);
        }
        tokio::time::sleep(Duration::from_millis(800)).await;
        let kept = Kept::new();
        let binding = world.bind();
        let listening = listen(&world, &binding, "subscribe = [\"late/+\"]", &kept);
        until("all again", || async { kept.count() >= 10 }).await;
        let expected: Vec<_> = (0..10).map(|number| number.to_string()).collect();
        assert_eq!(kept.payloads(), expected, "{version}");
        let heard = kept.heard.lock().unwrap().clone();
        assert!(heard[0].origin.as_ref().unwrap().again, "{version}: it says that it came before");
        listening.give_up();
        tokio::time::sleep(Duration::from_millis(600)).await;
    }
}

#[tokio::test]
async fn a_broker_that_is_killed_and_started_again_is_listened_to_again() {
    let mut broker = Mosquitto::start().await;
    for version in ["3.1.1", "5"] {
        let world = broker.world_with(&format!("version = \"{version}\""));
        let binding = world.bind();
        let kept = Kept::new();
        let listening = listen(&world, &binding, "subscribe = [\"again/+\"]", &kept);
        well(&*listening).await;
        broker.kill();
        until("it says so", || async { listening.trouble().is_some() }).await;
        broker.again().await;
        well(&*listening).await;
        let device = broker.device().await;
        until("it is heard", || async {
            device.publish("again/1", "x").await;
            kept.count() > 0
        })
        .await;
        listening.give_up();
        tokio::time::sleep(Duration::from_millis(600)).await;
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
async fn what_is_granted_no_more_is_unsubscribed_from_the_session_that_remembers_it() {
    let broker = Mosquitto::start().await;
    let world = broker.world();
    let kept = Kept::new();
    {
        let binding = world.bind();
        let listening = listen(&world, &binding, "subscribe = [\"old/+\", \"stays/+\"]", &kept);
        well(&*listening).await;
    }
    tokio::time::sleep(Duration::from_millis(800)).await;
    let world = world.granting(&format!("url = \"mqtt://{}\"\nsubscribe = [\"stays/1\"]", broker.address));
    let binding = world.bind();
    let listening = listen(&world, &binding, "subscribe = [\"old/+\", \"stays/+\"]", &kept);
    well(&*listening).await;
    let device = broker.device().await;
    for topic in ["old/1", "stays/2", "stays/1"] {
        device.publish(topic, topic).await;
    }
    until("what stays", || async { kept.count() == 1 }).await;
    assert_eq!(kept.payloads(), ["stays/1"]);
    let said = broker.said();
    assert!(said.contains(&format!("Received UNSUBSCRIBE from {CLIENT}")), "{said}");
}

#[tokio::test]
async fn events_that_are_given_up_leave_no_session_behind() {
    let broker = Mosquitto::start().await;
    for version in ["3.1.1", "5"] {
        let world = broker.world_with(&format!("version = \"{version}\""));
        let binding = world.bind();
        let kept = Kept::new();
        let listening = listen(&world, &binding, "subscribe = [\"gone/+\"]", &kept);
        well(&*listening).await;
        listening.give_up();
        tokio::time::sleep(Duration::from_millis(900)).await;
        broker.device().await.publish("gone/1", "x").await;
        let listening = listen(&world, &binding, "subscribe = [\"other/+\"]", &kept);
        well(&*listening).await;
        broker.device().await.publish("other/1", "y").await;
        until("the other", || async { kept.count() == 1 }).await;
        assert_eq!(kept.payloads(), ["y"], "{version}");
        listening.give_up();
        tokio::time::sleep(Duration::from_millis(900)).await;
    }
}

#[tokio::test]
async fn a_session_whose_events_were_taken_away_while_no_host_ran_is_forgotten_by_the_next_one() {
    let broker = Mosquitto::start().await;
    for version in ["3.1.1", "5"] {
        let world = broker.world_with(&format!("version = \"{version}\""));
        let kept = Kept::new();
        {
            let binding = world.bind();
            let listening = listen(&world, &binding, "subscribe = [\"gone/+\"]", &kept);
            well(&*listening).await;
            assert!(binding.binding.left_over().is_empty(), "it is listened to");
        }
        tokio::time::sleep(Duration::from_millis(800)).await;
        let device = broker.device().await;
        device.publish("gone/1", "x").await;
        let binding = world.bind();
        assert_eq!(binding.binding.left_over(), ["broker"], "{version}");
        binding.binding.forget("broker");
        until("it is forgotten", || async { world.bind().binding.left_over().is_empty() }).await;
        assert!(binding.binding.left_over().is_empty());
        let listening = listen(&world, &binding, "subscribe = [\"other/+\"]", &kept);
        well(&*listening).await;
        device.publish("other/1", "y").await;
        until("the other", || async { kept.count() > 0 }).await;
        assert_eq!(kept.payloads(), ["y"], "{version}: nothing was kept of the old session");
        listening.give_up();
        tokio::time::sleep(Duration::from_millis(900)).await;
    }
}

/// What cannot be forgotten now is left to the next host.
#[tokio::test]
async fn a_broker_that_is_away_is_told_later_that_a_session_is_not_wanted() {
    let mut broker = Mosquitto::start().await;
    let world = broker.world();
    let kept = Kept::new();
    {
        let binding = world.bind();
        let listening = listen(&world, &binding, "subscribe = [\"gone/+\"]", &kept);
        well(&*listening).await;
    }
    tokio::time::sleep(Duration::from_millis(800)).await;
    broker.kill();
    let binding = world.bind();
    binding.binding.forget("broker");
    tokio::time::sleep(Duration::from_millis(300)).await;
    broker.again().await;
    let binding = world.bind();
    assert_eq!(binding.binding.left_over(), ["broker"]);
    binding.binding.forget("broker");
    until("it is forgotten", || async { world.bind().binding.left_over().is_empty() }).await;
}

#[tokio::test]
async fn the_next_version_of_a_plugin_takes_over_without_a_loss() {
    let broker = Mosquitto::start().await;
    let world = broker.world();
    let kept = Kept::new();
    let device = Arc::new(broker.device().await);
    let mut current = {
        let binding = world.bind();
        let listening = listen(&world, &binding, "subscribe = [\"reload/+\"]", &kept);
        well(&*listening).await;
        (binding, listening)
    };
    let publishing = {
        let device = Arc::clone(&device);
        tokio::spawn(async move {
            for number in 0..200 {
                device.publish("reload/1", number.to_string()).await;
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        })
    };
    for _ in 0..3 {
        tokio::time::sleep(Duration::from_millis(500)).await;
        // The new one listens before the old one is gone.
        let binding = world.bind();
        let listening = listen(&world, &binding, "subscribe = [\"reload/+\"]", &kept);
        current = (binding, listening);
    }
    publishing.await.unwrap();
    until("all", || async { kept.events() == 200 }).await;
    let mut told = kept.payloads();
    told.dedup();
    told.sort_by_key(|payload| payload.parse::<u32>().unwrap());
    told.dedup();
    assert_eq!(told.len(), 200, "nothing is missing");
    drop(current);
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

#[tokio::test]
async fn trouble_is_told_without_a_credential() {
    let broker = Mosquitto::strict("user fleet\ntopic readwrite #\n").await;
    let world = broker.world_with(AS_FLEET).secret("password", "wr0ng-p4ssword");
    let binding = world.bind();
    let kept = Kept::new();
    let listening = listen(&world, &binding, "subscribe = [\"a\"]", &kept);
    until("it says so", || async {
        listening.trouble().is_some_and(|why| why.contains("it does not take the credential"))
    })
    .await;
    assert!(!listening.trouble().unwrap().contains("p4ssword"));
    world.write("password", PASSWORD);
    well(&*listening).await;
}

#[tokio::test]
async fn a_subscription_that_the_broker_refuses_is_trouble() {
    let rogue = Rogue::start(|mut peer| async move {
        peer.welcome().await;
        peer.serve(0x80).await;
    })
    .await;
    let world = World::new(&granting(&rogue.url()));
    let binding = world.bind();
    let kept = Kept::new();
    let listening = listen(&world, &binding, "subscribe = [\"a/+\"]", &kept);
    until("it says so", || async {
        listening
            .trouble()
            .is_some_and(|why| why.contains("the broker refuses the subscription to a/+ (reason 0x80)"))
    })
    .await;
}

#[tokio::test]
async fn who_keeps_nothing_any_more_has_nothing_acknowledged() {
    let broker = Mosquitto::start().await;
    let world = broker.world();
    let binding = world.bind();
    let closed = Kept::new();
    let listening = listen(&world, &binding, "subscribe = [\"end/+\"]", &closed);
    well(&*listening).await;
    closed.closed.store(true, Ordering::SeqCst);
    broker.device().await.publish("end/1", "x").await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    drop(listening);
    tokio::time::sleep(Duration::from_millis(800)).await;
    let kept = Kept::new();
    let listening = listen(&world, &binding, "subscribe = [\"end/+\"]", &kept);
    until("it comes again", || async { kept.count() == 1 }).await;
    drop(listening);
}

#[tokio::test]
async fn a_thousand_messages_at_once_are_kept_in_order_and_once() {
    let broker = Mosquitto::with("allow_anonymous true\nmax_queued_messages 100000").await;
    for version in ["3.1.1", "5"] {
        let world = broker.world_with(&format!("version = \"{version}\""));
        let binding = world.bind();
        let kept = Kept::new();
        let listening = listen(&world, &binding, "subscribe = [\"many/+\", \"many/#\"]", &kept);
        well(&*listening).await;
        let device = broker.device().await;
        let sending = (0..1000).map(|number| device.publish("many/1", number.to_string()));
        futures_util::future::join_all(sending).await;
        until("all", || async { kept.count() >= 1000 }).await;
        let expected: Vec<_> = (0..1000).map(|number: u32| number.to_string()).collect();
        assert_eq!(kept.payloads(), expected, "{version}");
        listening.give_up();
        tokio::time::sleep(Duration::from_millis(900)).await;
    }
}

#[tokio::test]
async fn a_flood_that_nobody_keeps_up_with_leaves_memory_flat_and_the_connection_standing() {
    let rogue = Rogue::start(|mut peer| async move {
        peer.welcome().await;
        if let Some(packet) = peer.packet().await {
            peer.answers(packet, 1).await;
        }
        let message = crate::rogue::publish("flood/1", &[b'x'; 8 << 10]).repeat(16);
        for _ in 0..2_000 {
            peer.say(&message).await;
        }
        peer.say(&crate::rogue::publish("flood/end", b"end")).await;
        peer.serve(1).await;
    })
    .await;
    let world = World::new(&granting(&rogue.url()));
    let binding = world.bind();
    let shut = Kept::shut();
    let before = resident();
    let listening = listen(&world, &binding, "subscribe = [\"flood/#\"]", &shut);
    well(&*listening).await;
    // 256 MiB came, with QoS 0, and nothing of it was kept yet.
    tokio::time::sleep(Duration::from_secs(3)).await;
    let more = resident().saturating_sub(before);
    assert!(more < 64 << 20, "{} MiB more", more >> 20);
    shut.may.add_permits(1000);
    until("what waited", || async { shut.count() > 500 }).await;
    assert!(listening.trouble().is_none());
    assert_eq!(rogue.connections.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn messages_that_must_arrive_wait_at_the_broker_while_nobody_keeps_them() {
    let broker = Mosquitto::with("allow_anonymous true\nmax_queued_messages 100000").await;
    let world = broker.world_with("keep_alive = \"5s\"");
    let binding = world.bind();
    let slow = Kept::shut();
    let listening = listen(&world, &binding, "subscribe = [\"wait/+\"]", &slow);
    well(&*listening).await;
    let device = broker.device().await;
    for number in 0..300 {
        device.publish("wait/1", number.to_string()).await;
    }
    // Longer than the keep-alive: the connection stands meanwhile.
    tokio::time::sleep(Duration::from_secs(9)).await;
    assert_eq!((slow.count(), listening.trouble()), (0, None));
    slow.may.add_permits(1000);
    until("all", || async { slow.count() == 300 }).await;
    let expected: Vec<_> = (0..300).map(|number: u32| number.to_string()).collect();
    assert_eq!(slow.payloads(), expected);
}

#[tokio::test]
async fn a_subscription_with_less_qos_than_was_asked_for_is_trouble() {
    let rogue = Rogue::start(|mut peer| async move {
        peer.welcome().await;
        peer.serve(0).await;
    })
    .await;
    let world = World::new(&granting(&rogue.url()));
    let binding = world.bind();
    let kept = Kept::new();
    let listening = listen(&world, &binding, "subscribe = [\"a/+\"]", &kept);
    until("it says so", || async {
        listening.trouble().is_some_and(|why| why.contains("the broker grants a/+ with QoS 0 alone"))
    })
    .await;
}

#[tokio::test]
async fn what_a_broker_sends_again_before_it_is_acknowledged_is_one_message() {
    let acknowledged = Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let count = Arc::clone(&acknowledged);
    let rogue = Rogue::start(move |mut peer| {
        let acknowledged = Arc::clone(&count);
        async move {
            peer.welcome().await;
            while let Some(packet) = peer.packet().await {
                if matches!(packet, rumqttc::Packet::PubAck(_)) {
                    acknowledged.fetch_add(1, Ordering::SeqCst);
                }
                let subscribed = matches!(packet, rumqttc::Packet::Subscribe(_));
                peer.answers(packet, 1).await;
                if subscribed {
                    // The last one does not say that it came before.
                    for again in [false, true, true, false] {
                        peer.say(&crate::rogue::publish_surely("a/1", b"x", 7, again)).await;
                    }
                }
            }
        }
    })
    .await;
    let world = World::new(&granting(&rogue.url()));
    let binding = world.bind();
    let slow = Kept::shut();
    let listening = listen(&world, &binding, "subscribe = [\"a/+\"]", &slow);
    well(&*listening).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    slow.may.add_permits(1000);
    until("acknowledged", || async { acknowledged.load(Ordering::SeqCst) > 0 }).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!((slow.count(), acknowledged.load(Ordering::SeqCst)), (1, 1));
    assert_eq!((rogue.connections.load(Ordering::SeqCst), listening.trouble()), (1, None));
}

/// Only one of the two could be acknowledged.
#[tokio::test]
async fn a_number_that_is_used_for_another_message_before_it_is_acknowledged_ends_the_connection() {
    let rogue = Rogue::start(|mut peer| async move {
        peer.welcome().await;
        while let Some(packet) = peer.packet().await {
            let subscribed = matches!(packet, rumqttc::Packet::Subscribe(_));
            peer.answers(packet, 1).await;
            if subscribed {
                for payload in [b"x", b"y"] {
                    peer.say(&crate::rogue::publish_surely("a/1", payload, 7, false)).await;
                }
            }
        }
    })
    .await;
    let world = World::new(&granting(&rogue.url()));
    let binding = world.bind();
    let shut = Kept::shut();
    let listening = listen(&world, &binding, "subscribe = [\"a/+\"]", &shut);
    until("it says so", || async {
        listening.trouble().is_some_and(|why| why.contains("a message with the number of another one"))
    })
    .await;
}

/// Some brokers have no other answer to a subscription that they do not allow.
#[tokio::test]
async fn a_connection_that_ends_when_something_is_subscribed_is_told_with_what_that_was() {
    let rogue = Rogue::start(|mut peer| async move {
        peer.welcome().await;
        let _ = peer.packet().await;
    })
    .await;
    let world = World::new(&granting(&rogue.url()));
    let binding = world.bind();
    let listening = listen(&world, &binding, "subscribe = [\"a/+\"]", &Kept::new());
    until("it says so", || async {
        listening.trouble().is_some_and(|why| why.contains("when it was asked for a/+; perhaps it does not"))
    })
    .await;
}

#[tokio::test]
async fn who_gives_up_does_not_end_the_next_one_under_the_same_name() {
    let broker = Mosquitto::start().await;
    let world = broker.world();
    let (first, second) = (world.bind(), world.bind());
    let kept = Kept::new();
    let old = listen(&world, &first, "subscribe = [\"next/+\"]", &kept);
    well(&*old).await;
    let new = listen(&world, &second, "subscribe = [\"next/+\"]", &kept);
    old.give_up();
    well(&*new).await;
    let device = broker.device().await;
    for number in 0..20 {
        device.publish("next/1", number.to_string()).await;
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    until("all", || async { kept.count() == 20 }).await;
}

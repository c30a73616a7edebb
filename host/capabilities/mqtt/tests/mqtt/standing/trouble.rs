//! What is said when nothing can be heard.

use super::{Kept, forgotten, listen, well};
use crate::mosquitto::Mosquitto;
use crate::rogue::Rogue;
use crate::world::{AS_FLEET, PASSWORD, World, granting, until};

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
        forgotten(&broker, &world).await;
    }
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
    is_told_when_answered(0x80, "the broker refuses the subscription to a/+ (reason 0x80)").await;
}

#[tokio::test]
async fn a_subscription_with_less_qos_than_was_asked_for_is_trouble() {
    is_told_when_answered(0, "the broker grants a/+ with QoS 0 alone").await;
}

/// A broker gives this answer to a subscription to `a/+`, and the event's trouble says so.
async fn is_told_when_answered(code: u8, told: &str) {
    let rogue = Rogue::start(move |mut peer| async move {
        peer.welcome().await;
        peer.serve(code).await;
    })
    .await;
    let world = World::new(&granting(&rogue.url()));
    let binding = world.bind();
    let kept = Kept::new();
    let listening = listen(&world, &binding, "subscribe = [\"a/+\"]", &kept);
    until("it says so", || async { listening.trouble().is_some_and(|why| why.contains(told)) }).await;
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

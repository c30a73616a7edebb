//! The session that a broker keeps under a name: who takes it over, and what is left of it.

use std::sync::Arc;
use std::time::Duration;

use fleetgate_core::capability::Bound;

use super::{CLIENT, Kept, forgotten, listen, well};
use crate::mosquitto::Mosquitto;
use crate::world::until;

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
    broker.left(CLIENT).await;
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
        forgotten(&broker, &world).await;
        broker.device().await.publish("gone/1", "x").await;
        let listening = listen(&world, &binding, "subscribe = [\"other/+\"]", &kept);
        well(&*listening).await;
        broker.device().await.publish("other/1", "y").await;
        until("the other", || async { kept.count() == 1 }).await;
        assert_eq!(kept.payloads(), ["y"], "{version}");
        listening.give_up();
        forgotten(&broker, &world).await;
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
        broker.left(CLIENT).await;
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
        forgotten(&broker, &world).await;
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
    broker.left(CLIENT).await;
    broker.kill();
    {
        let binding = world.bind();
        binding.binding.forget("broker");
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
    broker.again().await;
    let binding = world.bind();
    assert_eq!(binding.binding.left_over(), ["broker"]);
    binding.binding.forget("broker");
    until("it is forgotten", || async { world.bind().binding.left_over().is_empty() }).await;
}

//! The host is killed, and the broker.

use std::collections::BTreeSet;
use std::time::Duration;

use fleetgate_e2e::Server;
use serde_json::json;

use super::{Attacked, WORLD};

#[tokio::test(flavor = "multi_thread")]
async fn every_event_is_handled_at_least_once_however_often_the_host_is_killed() {
    let mut attacked = Attacked::hearing("", "").await;
    let mut published = 0;
    let mut random = 0x9e37_79b9_7f4a_7c15_u64;
    for _ in 0..12 {
        for _ in 0..20 {
            attacked.publish("granted/kept", &json!({ "do": "", "number": published })).await;
            published += 1;
        }
        // At another moment each time: xorshift.
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        tokio::time::sleep(Duration::from_millis(random % 300)).await;
        // SIGKILL. What is published meanwhile waits at the broker, for the session is kept there.
        drop(attacked.server.take());
        for _ in 0..5 {
            attacked.publish("granted/kept", &json!({ "do": "", "number": published })).await;
            published += 1;
        }
        attacked.server = Some(Server::start(&attacked.installation));
    }
    // What was published, with the id that it got.
    let kept = async || -> (usize, BTreeSet<(String, String)>) {
        let lines = attacked.lines().await;
        let of = lines.iter().filter(|line| line["subject"] == "granted/kept");
        let pairs: Vec<_> = of.map(|line| (line["data"].to_string(), line["id"].to_string())).collect();
        (pairs.len(), pairs.into_iter().collect())
    };
    let numbers = |pairs: &BTreeSet<(String, String)>| {
        pairs.iter().map(|(data, _)| data.clone()).collect::<BTreeSet<_>>().len()
    };
    attacked.until("all of them were handled", async || numbers(&kept().await.1) == published).await;
    let (handled, pairs) = kept().await;
    assert_eq!(pairs.len(), published, "one event has one id, however often it is handled: {pairs:?}");
    println!("{published} published, handled {handled} times");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_is_restarted_is_listened_to_again() {
    let mut attacked = Attacked::hearing("", "").await;
    attacked.broker.kill();
    attacked.until("the operator sees it", async || attacked.status("heard")["trouble"].is_string()).await;
    attacked.broker.restart().expect("it starts again");
    attacked
        .until("it hears again", async || {
            let arguments = json!({ "topic": "granted/back", "payload": "{\"do\":\"\"}" });
            attacked.world.client_of(WORLD).call("publish", arguments).await;
            attacked.lines().await.iter().any(|line| line["subject"] == "granted/back")
        })
        .await;
    attacked.until("all is well", async || attacked.status("heard")["trouble"].is_null()).await;
}

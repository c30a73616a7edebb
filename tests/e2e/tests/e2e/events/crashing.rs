//! A handler that fails in every way there is.

use serde_json::{Value, json};

use super::{Attacked, BINDING};
use crate::state::memory;

const MIB: u64 = 1 << 20;

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_the_handler_cannot_take_is_set_aside_and_the_others_are_handled() {
    // One that sleeps is ended soon. It takes as many runs as it takes to find it in its batch.
    let soon = format!("[plugins.{BINDING}.limits]\ntimeout = \"5s\"\n");
    let attacked = Attacked::hearing("attempts = 2", &soon).await;
    let before = memory(attacked.server());
    let orders = ["loop", "trap", "memory", "fewer", "more", "sleep"];
    for (number, order) in orders.into_iter().enumerate() {
        attacked.publish(&format!("granted/{order}"), &json!({ "do": order })).await;
        attacked.publish(&format!("granted/good-{number}"), &json!({ "do": "" })).await;
    }
    for number in 0..orders.len() {
        attacked.told(&format!("granted/good-{number}"), 1).await;
    }
    attacked
        .until("all of them were set aside", async || attacked.status("heard")["dead"] == json!(orders.len()))
        .await;
    let dead = attacked.dead(orders.len()).await;
    for order in orders {
        let topic = format!("granted/{order}");
        let found = dead.iter().find(|one| one["subject"] == json!(topic));
        let found = found.unwrap_or_else(|| panic!("{order} is not among them: {dead:?}"));
        assert_eq!((&found["binding"], &found["event"]), (&json!(BINDING), &json!("heard")), "{found}");
    }
    let after = memory(attacked.server());
    assert!(after < before + 256 * MIB, "from {} MiB to {} MiB", before / MIB, after / MIB);
    // Nothing is stuck: calls and events go on.
    attacked.publish("granted/afterwards", &json!({ "do": "" })).await;
    attacked.told("granted/afterwards", 1).await;
    attacked.until("nothing waits", async || attacked.status("heard")["waiting"] == json!(0)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_are_answered_while_a_handler_burns_its_time() {
    let attacked = Attacked::hearing("attempts = 3", "").await;
    for number in 0..8 {
        attacked.publish(&format!("granted/burns-{number}"), &json!({ "do": "loop" })).await;
    }
    // Whatever the handler does, each of these has an answer of its own.
    for _ in 0..50 {
        let answer = attacked.client().call("log", json!({ "prefix": "line/", "limit": 1 })).await;
        assert!(answer.succeeded(), "{answer:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_event_comes_again_with_the_same_id_and_a_hopeless_one_does_not() {
    let attacked = Attacked::hearing("attempts = 5", "").await;
    attacked.publish("granted/fails", &json!({ "do": "fail", "times": 2 })).await;
    let lines = attacked.told("granted/fails", 3).await;
    let attempts: Vec<_> = lines.iter().map(|line| line["attempt"].as_u64().expect("a number")).collect();
    assert_eq!(attempts, [1, 2, 3], "{lines:?}");
    assert!(lines.iter().all(|line| line["id"] == lines[0]["id"]), "{lines:?}");
    attacked.publish("granted/hopeless", &json!({ "do": "fatal" })).await;
    attacked.until("it was set aside", async || attacked.status("heard")["dead"] == json!(1)).await;
    assert_eq!(attacked.told("granted/hopeless", 1).await.len(), 1);
    let dead = attacked.dead(1).await;
    assert!(dead[0].to_string().contains("Told to fail for good."), "{dead:?}");

    // The operator has it tried again, or drops it.
    attacked.installation.run_well(&["events", "retry", BINDING, "heard", "--all"]);
    let lines = attacked.told("granted/hopeless", 2).await;
    assert_eq!(lines[0]["id"], lines[1]["id"]);
    // That one is set aside says nothing: it may be the one of before.
    attacked
        .until("it was set aside again", async || attacked.status("heard")["set_aside"] == json!(2))
        .await;
    attacked.installation.run_well(&["events", "drop", BINDING, "heard", "--all", "--yes"]);
    attacked.until("it is gone", async || attacked.status("heard")["dead"] == json!(0)).await;
}

/// The number that was published.
fn number(line: &Value) -> u64 {
    let data: Value = serde_json::from_str(line["data"].as_str().expect("text")).expect("JSON");
    data["number"].as_u64().expect("a number")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_is_handled_in_order_each_event_once_and_memory_stays() {
    let attacked = Attacked::hearing("queue = 500", "").await;
    let before = memory(attacked.server());
    let padding = "x".repeat(4_000);
    for number in 0..1_500 {
        let order = json!({ "do": "", "number": number, "padding": padding });
        attacked.publish(&format!("granted/flood-{}", number % 5), &order).await;
    }
    for device in 0..5 {
        let lines = attacked.told(&format!("granted/flood-{device}"), 300).await;
        let numbers: Vec<_> = lines.iter().map(number).collect();
        let expected: Vec<_> = (0..300).map(|n| n * 5 + device).collect();
        assert_eq!(numbers, expected, "in their order, each once");
    }
    let after = memory(attacked.server());
    assert!(after < before + 128 * MIB, "from {} MiB to {} MiB", before / MIB, after / MIB);
}

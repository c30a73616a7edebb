//! As much as one can get.

use futures_util::future::join_all;
use serde_json::json;

use super::{Attacked, GRANTED, code, to, until};
use crate::state::memory;

const MIB: u64 = 1 << 20;

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_publications_is_held_to_the_granted_rate() {
    let attacked = Attacked::new(&format!("{GRANTED}\nrate = \"1/s\""));
    let flood = json!({ "topic": "granted/7/get", "count": 500, "size": 100, "qos": 1 });
    let answer = attacked.client().call("flood", flood).await;
    let told = answer.structured();
    let published = told["published"].as_u64().expect("a number");
    assert!((1..400).contains(&published), "{told}");
    assert_eq!((code(told), &told["error"]["retryable"]), (Some("too-much"), &json!(true)), "{told}");
    let arrived = attacked.broker.log().matches("Received PUBLISH").count() as u64;
    assert_eq!(arrived, published, "what was refused did not arrive");
}

#[tokio::test(flavor = "multi_thread")]
async fn thousands_of_subscriptions_are_refused_and_those_of_one_call_end_with_it() {
    let attacked = Attacked::new(GRANTED);
    let client = attacked.client();
    for (filters, forget) in [(1, false), (16, false), (1, true)] {
        let hoard =
            json!({ "filter": "granted/7/{n}", "filters": filters, "count": 3_000, "forget": forget });
        let answer = client.call("hoard", hoard).await;
        let told = answer.structured();
        assert!(told["opened"].as_u64().is_some_and(|opened| (1..=64).contains(&opened)), "{told}");
        assert_eq!(code(told), Some("too-much"), "{told}");
    }
    // All of a grant together: the calls that hold too many get fewer, and when they have ended there is room again.
    let hold = json!({ "filter": "granted/7/{n}", "count": 16, "hold": 15_000 });
    let answers = join_all((0..8).map(|_| client.call("hoard", hold.clone()))).await;
    let opened = answers.iter().filter(|answer| answer.succeeded());
    let opened: u64 = opened.map(|answer| answer.structured()["opened"].as_u64().unwrap_or(0)).sum();
    assert!((16..=64).contains(&opened), "{opened} at once");
    let again = client.call("hoard", json!({ "filter": "granted/7/{n}", "count": 16 })).await;
    assert_eq!(again.structured()["opened"], json!(16), "{again:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_does_not_read_makes_the_host_keep_no_more_than_its_bounds() {
    let attacked = Attacked::new(&format!("{GRANTED}\nbuffer = \"8MiB\""));
    let (client, world) = (attacked.client(), attacked.world());
    world.call("publish", to("granted/7/state", "warm")).await;
    client.call("listen", json!({ "filters": ["granted/7/warm"] })).await;
    let before = memory(&attacked.server);
    let hoarding = {
        let client = client.clone();
        tokio::spawn(async move {
            let hold = json!({ "filter": "granted/7/state", "count": 16, "hold": 50_000 });
            client.call("hoard", hold).await
        })
    };
    until("somebody listens", || attacked.broker.log().contains("granted/7/state (QoS")).await;
    // 200 MiB go by.
    let flood = json!({ "topic": "granted/7/state", "count": 1_000, "size": 50_000, "qos": 0 });
    for _ in 0..4 {
        let told = world.call("flood", flood.clone()).await;
        assert!(told.structured()["published"].as_u64().is_some_and(|sent| sent > 0), "{told:?}");
    }
    let after = memory(&attacked.server);
    assert!(after < before + 128 * MIB, "from {} MiB to {} MiB", before / MIB, after / MIB);
    // Others are served meanwhile, and hear what is said now.
    let mut meanwhile = to("granted/7/get", "meanwhile");
    // The acknowledgement comes behind what the broker still has to say.
    meanwhile["options"] = json!({ "timeoutMs": 15_000 });
    let other = client.call("publish", meanwhile).await;
    assert_eq!(other.structured()["published"], true, "{other:?}");
    hoarding.abort();
    println!("{} MiB before, {} MiB after", before / MIB, after / MIB);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_message_of_a_flood_is_heard_or_counted_as_missed() {
    let attacked = Attacked::new(GRANTED);
    let (client, world) = (attacked.client(), attacked.world());
    let listening = {
        let client = client.clone();
        tokio::spawn(async move {
            let listen = json!({ "filters": ["granted/7/state"], "count": 5_000, "wait": 15_000 });
            client.call("listen", listen).await
        })
    };
    until("somebody listens", || attacked.broker.log().contains("granted/7/state (QoS")).await;
    let flood = json!({ "topic": "granted/7/state", "count": 1_500, "size": 10, "qos": 1 });
    let published = world.call("flood", flood).await.structured()["published"].as_u64().expect("a number");
    let answer = listening.await.expect("it ends");
    let heard = answer.structured()["heard"].as_array().expect("messages").clone();
    let missed: u64 = heard.iter().filter_map(|one| one["missed"].as_u64()).sum();
    let messages = heard.iter().filter(|one| one["topic"].is_string()).count() as u64;
    assert_eq!(messages + missed, published, "each is heard or counted as missed");
}

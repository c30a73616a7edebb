//! Leaving in the middle of something.

use serde_json::json;

use super::{Attacked, GRANTED, to, until};

#[tokio::test(flavor = "multi_thread")]
async fn a_guest_that_is_gone_listens_no_more_however_it_went() {
    let attacked = Attacked::new(&format!("{GRANTED}\nidle = \"60s\""));
    let client = attacked.client();
    for (number, how) in ["panic", "read", "spin", "forget"].into_iter().enumerate() {
        let filter = format!("granted/7/{how}");
        let answer = client.call("leave", json!({ "filter": filter, "how": how })).await;
        assert_eq!(answer.succeeded(), how == "forget", "{how}: {answer:?}");
        until("the broker was told", || {
            attacked.broker.log().matches("Received UNSUBSCRIBE").count() == number + 1
        })
        .await;
        assert!(attacked.broker.log().contains(&format!("{filter} (QoS")), "{how}");
    }
    // The connection stands, and others hear.
    assert_eq!(client.call("publish", to("granted/7/get", "fine")).await.structured()["published"], true);
    let connected = attacked.broker.log().matches("New client connected").count();
    assert_eq!(connected, 1, "{}", attacked.broker.log());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_dies_fails_what_waits_and_is_found_again() {
    let mut attacked = Attacked::new(GRANTED);
    let client = attacked.client();
    assert_eq!(client.call("publish", to("granted/7/get", "x")).await.structured()["published"], true);
    let waiting = {
        let client = client.clone();
        tokio::spawn(async move {
            let listen = json!({ "filters": ["granted/7/state"], "count": 3, "wait": 50_000 });
            client.call("listen", listen).await
        })
    };
    until("somebody listens", || attacked.broker.log().contains("granted/7/state (QoS")).await;
    attacked.broker.kill();
    let gone = client.call("publish", to("granted/7/get", "y")).await;
    let told = gone.structured();
    assert!(told["error"]["code"].is_string(), "nobody is there: {told}");
    assert!(!gone.message.to_string().contains("127.0.0.1"), "the broker's address is told: {gone:?}");
    attacked.broker.restart().expect("it starts again");
    let world = attacked.world();
    let begin = std::time::Instant::now();
    loop {
        let again = client.call("publish", to("granted/7/get", "z")).await;
        if again.structured()["published"] == true {
            break;
        }
        assert!(begin.elapsed() < super::Duration::from_secs(60), "{again:?}");
        tokio::time::sleep(super::Duration::from_millis(200)).await;
    }
    // Who listened from before either hears again, or was told that it does not.
    let mut speaks = tokio::time::interval(super::Duration::from_millis(200));
    let answer = loop {
        speaks.tick().await;
        if waiting.is_finished() {
            break waiting.await.expect("it ends");
        }
        world.call("publish", to("granted/7/state", "back")).await;
        assert!(begin.elapsed() < super::Duration::from_secs(90), "it waits for ever");
    };
    let heard = answer.structured()["heard"].as_array().expect("what came").clone();
    assert!(!heard.is_empty(), "{answer:?}");
}

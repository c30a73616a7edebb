//! Running support scripts.

use std::time::Duration;

use fleet_sim::nerveshub::model::EventKind;
use fleet_sim::nerveshub::{Hub, Seed, known};
use serde_json::json;

use crate::client::{Answer, Api, device, hub, segment};

const NO_ANSWER: &str = "device not available or responding";
const HIDDEN: &str = "Resource Not Found or Authorization Insufficient";
const FAULT: &str = "Sorry, an unexpected error occurred. The masters of the web have been notified.";

fn script(identifier: &str, name: &str) -> String {
    format!("{}/scripts/{}", device(known::KIOSK, identifier), segment(name))
}

#[track_caller]
fn printed(answer: &Answer) -> &str {
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.headers["content-type"], "text/plain; charset=utf-8");
    &answer.text
}

#[tokio::test]
async fn the_output_comes_as_plain_text_and_view_is_enough() {
    let hub = hub().await;
    let view = Api::of(&hub, known::VIEW);
    let uptime = "sn-0001 up 12 days, 4:31, firmware 2.0.3\n:ok";
    assert_eq!(printed(&view.post(&script(known::CONNECTED, known::QUICK_SCRIPT)).await), uptime);
    let short = format!("/api/devices/{}/scripts/{}", known::CONNECTED, known::QUICK_SCRIPT);
    assert_eq!(printed(&view.post(&short).await), uptime);
    assert_eq!(hub.state().events()[0].kind, EventKind::RunScript { script: known::QUICK_SCRIPT.to_owned() });
    assert!(hub.state().audit().is_empty());
    let odd = view.post(&script(known::CONNECTED, known::ODD_SCRIPT)).await;
    assert!(printed(&odd).starts_with("Filesystem 100%"));
}

#[tokio::test]
async fn a_name_wins_over_a_number() {
    let hub = hub().await;
    let view = Api::of(&hub, known::VIEW);
    let numeric = view.post(&script(known::CONNECTED, known::NUMERIC_SCRIPT)).await;
    assert_eq!(printed(&numeric), "twelve, by name\n:ok");
    assert!(printed(&view.post(&script(known::CONNECTED, "11")).await).contains("Removed 3 files"));
}

#[tokio::test]
async fn a_script_of_another_product_and_an_unknown_one_are_404() {
    let hub = hub().await;
    let view = Api::of(&hub, known::VIEW);
    for name in ["Modem status", "50", "999", "No such script", "-1"] {
        view.post(&script(known::CONNECTED, name)).await.refused(404, HIDDEN);
    }
    let bad_timeout_too = format!("{}?timeout=soon", script(known::CONNECTED, "999"));
    view.post(&bad_timeout_too).await.refused(404, HIDDEN);
}

#[tokio::test]
async fn a_long_output_comes_whole() {
    let hub = hub().await;
    let answer = Api::of(&hub, known::VIEW).post(&script(known::CONNECTED, known::LONG_SCRIPT)).await;
    assert_eq!(printed(&answer).lines().count(), 4000);
    assert!(answer.text.len() > 200_000);
}

#[tokio::test]
async fn a_device_that_is_away_or_hung_is_403() {
    let hub = hub().await;
    let view = Api::of(&hub, known::VIEW);
    for identifier in [known::OFFLINE, known::CONNECTING, known::NEVER_SEEN, known::HUNG] {
        view.post(&script(identifier, known::QUICK_SCRIPT)).await.refused(403, NO_ANSWER);
    }
}

#[tokio::test]
async fn a_script_slower_than_the_limit_is_403_whatever_the_timeout() {
    let hub = hub().await;
    let view = Api::of(&hub, known::VIEW);
    for name in [known::SLOW_SCRIPT, known::HALF_SECOND_SCRIPT] {
        let path = format!("{}?timeout=600000", script(known::CONNECTED, name));
        view.post(&path).await.refused(403, NO_ANSWER);
    }
}

#[tokio::test]
async fn by_default_the_limit_is_fifteen_seconds_and_a_refusal_takes_the_whole_timeout() {
    let hub = Hub::start(Seed::default()).await;
    assert_eq!(Seed::default().script_limit, Duration::from_secs(15));
    let view = Api::of(&hub, known::VIEW);
    let path = script(known::CONNECTED, known::HALF_SECOND_SCRIPT);
    assert!(printed(&view.post(&path).await).contains("DNS ok"));
    let began = std::time::Instant::now();
    view.post(&format!("{}?timeout=300", script(known::OFFLINE, known::QUICK_SCRIPT)))
        .await
        .refused(403, NO_ANSWER);
    assert!(began.elapsed() >= Duration::from_millis(300));
    view.post(&format!("{path}?timeout=20")).await.refused(403, NO_ANSWER);
}

#[tokio::test]
async fn timeout_is_an_integer_or_its_text_in_query_or_body() {
    let hub = hub().await;
    let view = Api::of(&hub, known::VIEW);
    let path = script(known::CONNECTED, known::QUICK_SCRIPT);
    for body in [json!({}), json!({"timeout": 5000}), json!({"timeout": "5000"})] {
        printed(&view.post_json(&path, body).await);
    }
    printed(&view.post(&format!("{path}?timeout=5000")).await);
    view.post_json(&path, json!({"timeout": 0})).await.refused(403, NO_ANSWER);
    for body in [
        json!({"timeout": "soon"}),
        json!({"timeout": "1.5"}),
        json!({"timeout": 1.5}),
        json!({"timeout": -1}),
    ] {
        view.post_json(&path, body).await.refused(500, FAULT);
    }
}

//! The same again: idempotency keys and deduplication.

use std::time::Duration;

use fleet_sim::naas::{Running, known};
use reqwest::Method;
use serde_json::{Value, json};

use crate::client::{Answer, Api, server, show, with};

async fn keyed(api: &Api<'_>, key: &str, body: &Value) -> Answer {
    let request = api.request(Method::POST, "/v2/send-command").header("x-idempotency-key", key);
    api.send(request.json(body)).await
}

fn over(server: &Running) {
    server.state().pass(Duration::from_secs(5));
}

#[tokio::test]
async fn an_idempotency_key_names_its_job_for_a_day_even_after_its_end() {
    let server = server().await;
    let api = Api::of(&server, known::OPERATOR);
    let job = keyed(&api, "once", &show(known::IOS, "show clock")).await.job();
    over(&server);
    let again = keyed(&api, "once", &show(known::IOS, "show version")).await;
    assert_eq!(again.job(), job);
    assert_eq!((&again.json()["idempotent"], &again.json()["deduplicated"]), (&json!(true), &json!(false)));
    assert_ne!(keyed(&api, "twice", &show(known::IOS, "show clock")).await.job(), job);
    server.state().pass(Duration::from_secs(24 * 60 * 60));
    assert_ne!(keyed(&api, "once", &show(known::IOS, "show clock")).await.job(), job);
}

#[tokio::test]
async fn in_flight_neither_endpoint_nor_port_nor_flags_nor_order_make_another_job() {
    let server = server().await;
    let api = Api::of(&server, known::OPERATOR);
    let body = with(show(known::IOS, ""), json!({"commands": ["show clock", "show version"]}));
    let job = api.command(&body).await.job();
    for (path, more) in [
        ("send-command", json!({})),
        ("send-command-structured", json!({})),
        ("send-config", json!({"commit": true})),
        ("send-command", json!({"port": 2222})),
        ("send-command", json!({"commands": ["show version", "show clock"]})),
        ("send-command", json!({"password": "another one"})),
        ("send-command", json!({"context": known::LAB})),
    ] {
        let answer = api.post(&format!("/v2/{path}"), &with(body.clone(), more.clone())).await;
        assert_eq!(answer.job(), job, "{path} {more}");
        assert_eq!(answer.json()["deduplicated"], true);
    }
    for more in [
        json!({"host": known::IOS_ADDRESS}),
        json!({"platform": "cisco_xe"}),
        json!({"commands": ["show clock"]}),
        json!({"username": "other"}),
    ] {
        let answer = api.command(&with(body.clone(), more.clone())).await;
        assert_ne!(answer.job(), job, "{more}");
        assert_eq!(answer.json()["deduplicated"], false);
    }
}

#[tokio::test]
async fn after_its_end_the_same_is_a_new_job() {
    let server = server().await;
    let api = Api::of(&server, known::OPERATOR);
    let job = api.command(&show(known::IOS, "show clock")).await.job();
    over(&server);
    let again = api.command(&show(known::IOS, "show clock")).await;
    assert_ne!(again.job(), job);
    assert_eq!(again.json()["deduplicated"], false);
}

#[tokio::test]
async fn after_a_crash_the_dead_job_is_handed_out_until_its_key_is_too_old() {
    let server = server().await;
    let api = Api::of(&server, known::OPERATOR);
    let job = api.command(&show(known::CRASHES, "show clock")).await.job();
    over(&server);
    let again = api.post("/v2/send-command-structured", &show(known::CRASHES, "show clock")).await;
    assert_eq!((again.job(), &again.json()["deduplicated"]), (job.clone(), &json!(true)));
    assert_eq!(api.result(&job).await.of(200)["status"], "failed");
    server.state().pass(Duration::from_secs(180));
    assert_ne!(api.command(&show(known::CRASHES, "show clock")).await.job(), job);
}

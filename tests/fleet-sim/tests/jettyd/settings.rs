//! Configurations, which replace everything, and desired states, which add to what is desired.

use std::time::Duration;

use fleet_sim::jettyd::api::Seed;
use fleet_sim::jettyd::known;
use serde_json::{Value, json};

use crate::client::{Api, platform, seeded};

fn config(id: &str) -> String {
    format!("/devices/{id}/config")
}

fn shadow(id: &str) -> String {
    format!("/devices/{id}/shadow")
}

fn too_hot() -> Value {
    let when = json!({"type": "threshold", "sensor": "air.temperature", "op": ">", "value": 30});
    json!({"id": "r1", "when": when, "then": [{"action": "alert", "params": {"message": "hot"}}]})
}

#[tokio::test]
async fn a_configuration_is_accepted_at_once_and_replaces_everything_on_the_device() {
    let platform = platform().await;
    let api = Api::of(&platform, known::ALL);
    let id = known::GREENHOUSE;
    let rules = json!({"rules": [too_hot()], "heartbeats": [{"id": "h1", "every": 10, "metrics": []}]});
    assert_eq!(api.put(&config(id), &rules).await.of(202), json!({"device_id": id, "status": "pending"}));
    assert_eq!(platform.state().device(id).unwrap().unit.unwrap().config, None);
    platform.state().pass(Duration::from_secs(1));
    let unit = platform.state().device(id).unwrap().unit.unwrap();
    // The npm package leaves the version out, and the device insists on it.
    assert_eq!(unit.config.as_ref().unwrap()["version"], 1);
    assert_eq!(unit.heartbeat(), 10);
    let reported = &api.get(&shadow(id)).await.of(200)["reported"];
    assert_eq!((&reported["vm.rules_loaded"], &reported["vm.heartbeats_loaded"]), (&json!(1), &json!(1)));

    let only = json!({"version": 1, "heartbeats": [{"id": "h1", "every": 60}]});
    api.put(&config(id), &only).await.of(202);
    platform.state().pass(Duration::from_secs(1));
    let unit = platform.state().device(id).unwrap().unit.unwrap();
    assert_eq!(unit.config, Some(json!({"version": 1, "heartbeats": [{"id": "h1", "every": 60}]})));
}

#[tokio::test]
async fn a_device_that_is_away_is_configured_when_it_is_back_and_may_refuse() {
    let platform = platform().await;
    let api = Api::of(&platform, known::ALL);
    let mut unknown = too_hot();
    unknown["when"]["sensor"] = json!("soil.ph");
    api.put(&config(known::OFFLINE), &json!({"rules": [unknown]})).await.of(202);
    platform.state().pass(Duration::from_secs(60));
    assert!(platform.state().device(known::OFFLINE).unwrap().complaints.is_empty());
    platform.state().set_online(known::OFFLINE, true);
    let device = platform.state().device(known::OFFLINE).unwrap();
    assert_eq!(device.complaints[0].error, "Unknown sensor: soil.ph");
    assert_eq!(device.unit.unwrap().config, None);
}

#[tokio::test]
async fn what_is_no_configuration_is_refused() {
    let platform = platform().await;
    let api = Api::of(&platform, known::ALL);
    let long = json!({"rules": [{"id": "x".repeat(4_100)}]});
    let cases = [
        (json!({"config": {"rules": []}}), "rules or heartbeats are required"),
        (json!({"version": 2, "rules": []}), "version must be 1"),
        (json!({"rules": {}}), "rules must be an array"),
        (json!({"rules": vec![json!({}); 17]}), "at most 16 rules"),
        (json!({"heartbeats": vec![json!({}); 9]}), "at most 8 heartbeats"),
        (json!({"rules": [], "telemetry_interval_s": 60}), "unknown field telemetry_interval_s"),
        (long, "config exceeds 4 KB"),
    ];
    for (body, error) in cases {
        api.put(&config(known::GREENHOUSE), &body).await.refused(422, error);
    }
    let reader = Api::of(&platform, known::READER);
    let refused = reader.put(&config(known::GREENHOUSE), &json!({"rules": []})).await;
    assert_eq!(refused.of(403)["scope"], "devices:write");
}

#[tokio::test]
async fn the_device_does_what_it_knows_of_a_desired_state_and_the_rest_stands() {
    let platform = platform().await;
    let api = Api::of(&platform, known::ALL);
    let id = known::GREENHOUSE;
    let desired = json!({"desired": {"valve.state": true, "telemetry_interval_s": 60, "tags": ["a"]}});
    let answer = api.patch(&shadow(id), &desired).await.of(200);
    assert_eq!(answer["desired"], json!({"telemetry_interval_s": 60, "tags": ["a"]}));
    platform.state().pass(Duration::from_secs(60));
    let shadow_now = api.get(&shadow(id)).await.of(200);
    assert_eq!(shadow_now["reported"]["valve.state"], true);
    let taken_back = json!({"desired": {"tags": null, "telemetry_interval_s": 30}});
    let answer = api.patch(&shadow(id), &taken_back).await.of(200);
    assert_eq!(answer["desired"], json!({"telemetry_interval_s": 30}));

    let away = api.patch(&shadow(known::OFFLINE), &json!({"desired": {"valve.state": true}})).await.of(200);
    assert_eq!(away["desired"], json!({"valve.state": true}));
    api.patch(&shadow(id), &json!({"reported": {}})).await.refused(422, "desired is required");
    let more = json!({"desired": {}, "reported": {}});
    api.patch(&shadow(id), &more).await.refused(422, "only desired can be changed");
}

#[tokio::test]
async fn a_platform_may_answer_writes_without_a_body() {
    let platform = seeded(Seed { empty_answers: true, ..Seed::default() }).await;
    let api = Api::of(&platform, known::ALL);
    let put = api.put(&config(known::GREENHOUSE), &json!({"rules": []})).await;
    assert_eq!((put.status.as_u16(), put.text.as_str()), (202, ""));
    let patch = api.patch(&shadow(known::GREENHOUSE), &json!({"desired": {}})).await;
    assert_eq!((patch.status.as_u16(), patch.text.as_str()), (204, ""));
}

//! The life of a command, and how it must be written.

use std::time::Duration;

use fleet_sim::jettyd::api::{Dialects, Manner, Running, Seed};
use fleet_sim::jettyd::known;
use serde_json::{Value, json};

use crate::client::{Api, platform, seeded};

async fn send(platform: &Running, id: &str, body: Value) -> String {
    let sent = Api::of(platform, known::ALL).post(&format!("/devices/{id}/commands"), &body).await.of(201);
    assert_eq!(sent["status"], "pending");
    sent["id"].as_str().expect("an id").to_owned()
}

/// The row of the only or newest command.
async fn newest(platform: &Running, id: &str) -> Value {
    Api::of(platform, known::ALL).get(&format!("/devices/{id}/commands")).await.of(200)[0].clone()
}

#[tokio::test]
async fn a_command_is_pending_then_sent_then_acked_and_done() {
    let platform = platform().await;
    let id = known::GREENHOUSE;
    let command = send(&platform, id, json!({"action": "valve.on", "params": {"duration": 300}})).await;
    let status = async || newest(&platform, id).await["status"].clone();
    assert_eq!(status().await, "pending");
    platform.state().pass(Duration::from_millis(150));
    assert_eq!(status().await, "sent");
    platform.state().pass(Duration::from_millis(200));
    let row = newest(&platform, id).await;
    assert_eq!(
        (&row["id"], &row["status"], &row["action"]),
        (&json!(command), &json!("acked"), &json!("valve.on"))
    );
    assert_eq!(row["result"], json!({"valve.state": true, "will_auto_off_at": 1_779_278_707}));

    platform.state().pass(Duration::from_secs(60));
    let shadow = async || {
        let api = Api::of(&platform, known::ALL);
        api.get(&format!("/devices/{id}/shadow")).await.of(200)["reported"]["valve.state"].clone()
    };
    assert_eq!(shadow().await, true);
    platform.state().pass(Duration::from_secs(300));
    assert_eq!(shadow().await, false, "it goes off by itself");
}

#[tokio::test]
async fn a_device_may_reject_fail_or_say_nothing() {
    let platform = platform().await;
    let unknown = json!({"action": "set_relay", "params": {"channel": 1, "state": "on"}});
    send(&platform, known::GREENHOUSE, unknown).await;
    send(&platform, known::BROKEN, json!({"action": "valve.on"})).await;
    send(&platform, known::SILENT, json!({"action": "ping"})).await;
    let stuck = Manner::Fails("Valve stuck".into());
    platform.state().change_device(known::RELAYS, |device| device.manner = stuck);
    send(&platform, known::RELAYS, json!({"action": "ch1.on"})).await;
    platform.state().pass(Duration::from_secs(5));
    let said = async |id: &str| {
        let row = newest(&platform, id).await;
        (row["status"].as_str().unwrap().to_owned(), row["result"].clone())
    };
    let rejected = json!({"error": "Unknown system command"});
    assert_eq!(said(known::GREENHOUSE).await, ("rejected".to_owned(), rejected));
    assert_eq!(said(known::BROKEN).await, ("rejected".to_owned(), json!({})));
    assert_eq!(said(known::SILENT).await, ("sent".to_owned(), json!(null)));
    assert_eq!(said(known::RELAYS).await, ("failed".to_owned(), json!({"error": "Valve stuck"})));
}

#[tokio::test]
async fn what_is_away_gets_its_command_when_it_is_back() {
    let platform = platform().await;
    send(&platform, known::OFFLINE, json!({"action": "ping"})).await;
    platform.state().pass(Duration::from_secs(86_400));
    assert_eq!(newest(&platform, known::OFFLINE).await["status"], "pending");
    platform.state().set_online(known::OFFLINE, true);
    assert_eq!(newest(&platform, known::OFFLINE).await["result"], json!({"message": "pong"}));
    let new = format!("/devices/{}/commands", known::PROVISIONING);
    let refused = Api::of(&platform, known::ALL).post(&new, &json!({"action": "ping"})).await;
    refused.refused(409, "device is not provisioned");
}

#[tokio::test]
async fn a_platform_speaks_one_dialect_or_either_and_never_both_at_once() {
    let older = json!({"action": "ping", "params": {}});
    let newer = json!({"command_type": "ping", "payload": {}});
    let both = json!({"action": "ping", "params": {}, "command_type": "ping", "payload": {}});
    let cases = [
        (Dialects::Action, [201, 422, 422]),
        (Dialects::CommandType, [422, 201, 422]),
        (Dialects::Either, [201, 201, 422]),
    ];
    for (dialect, expected) in cases {
        let platform = seeded(Seed { dialect, ..Seed::default() }).await;
        let api = Api::of(&platform, known::ALL);
        let path = format!("/devices/{}/commands", known::GREENHOUSE);
        for (body, expected) in [&older, &newer, &both].into_iter().zip(expected) {
            assert_eq!(api.post(&path, body).await.status, expected, "{dialect:?} {body}");
        }
    }
    let platform = seeded(Seed { dialect: Dialects::CommandType, ..Seed::default() }).await;
    send(&platform, known::GREENHOUSE, newer).await;
    let row = newest(&platform, known::GREENHOUSE).await;
    assert_eq!(
        (&row["command_type"], &row["payload"], row.get("action")),
        (&json!("ping"), &json!({}), None)
    );
}

#[tokio::test]
async fn what_is_no_command_is_refused_and_none_is_made() {
    let platform = platform().await;
    let api = Api::of(&platform, known::ALL);
    let path = format!("/devices/{}/commands", known::GREENHOUSE);
    api.post_text(&path, "{").await.refused(400, "request body is not valid JSON");
    api.post(&path, &json!([])).await.refused(422, "body must be an object");
    api.post(&path, &json!({"params": {}})).await.refused(422, "action is required");
    api.post(&path, &json!({"action": "ping", "params": 7})).await.refused(422, "params must be an object");
    api.post("/devices/nobody/commands", &json!({"action": "ping"})).await.refused(404, "device not found");
    let reader = Api::of(&platform, known::NO_COMMANDS).post(&path, &json!({"action": "ping"})).await;
    reader.refused(403, "insufficient_scope");
    assert!(platform.state().commands().is_empty());
    let bodies = platform.requests();
    assert_eq!(bodies[0].body, b"{", "the log holds what was sent, to the byte");
}

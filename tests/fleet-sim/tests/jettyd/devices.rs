//! Devices, shadows, and who may see them.

use std::time::Duration;

use fleet_sim::faults::Matcher;
use fleet_sim::jettyd::api::{Lists, Seed, Shadows, refusal};
use fleet_sim::jettyd::known;
use serde_json::{Value, json};

use crate::client::{Api, platform, seeded};

#[tokio::test]
async fn a_list_is_a_bare_array_or_what_the_switch_says() {
    for (lists, pointer) in [(Lists::Bare, ""), (Lists::Data, "/data"), (Lists::Named, "/devices")] {
        let platform = seeded(Seed { lists, ..Seed::default() }).await;
        let list = Api::of(&platform, known::READER).get("/devices").await.of(200);
        let devices = list.pointer(pointer).and_then(Value::as_array).expect("a list");
        assert_eq!(devices.len(), 42);
        assert_eq!(
            devices[0],
            json!({
                "id": known::GREENHOUSE, "name": "greenhouse-1", "status": "online",
                "last_seen_at": "2026-05-20T12:00:00Z", "firmware_version": "1.2.0",
                "device_type_id": "soil-moisture-v1", "tags": ["greenhouse"],
            })
        );
    }
}

#[tokio::test]
async fn a_device_is_online_offline_or_has_never_been_there() {
    let platform = platform().await;
    let api = Api::of(&platform, known::DEVICES);
    let device = |id: &'static str| {
        let api = &api;
        async move { api.get(&format!("/devices/{id}")).await.of(200) }
    };
    let offline = device(known::OFFLINE).await;
    assert_eq!(
        (&offline["status"], &offline["last_seen_at"]),
        (&json!("offline"), &json!("2026-05-20T07:00:00Z"))
    );
    let new = device(known::PROVISIONING).await;
    assert_eq!((&new["status"], &new["last_seen_at"]), (&json!("provisioning"), &json!(null)));
    assert_eq!(device(known::AHEAD).await["last_seen_at"], "2026-05-20T13:00:00Z");
    api.get("/devices/nobody").await.refused(404, "device not found");
    assert_eq!(device("pump%207%20%C3%A9%3F").await["id"], known::ODD_ID);

    platform.state().set_online(known::GREENHOUSE, false);
    platform.state().pass(Duration::from_secs(600));
    let gone = device(known::GREENHOUSE).await;
    assert_eq!((&gone["status"], &gone["last_seen_at"]), (&json!("offline"), &json!("2026-05-20T12:00:00Z")));
}

#[tokio::test]
async fn a_shadow_is_whole_or_bare_and_holds_what_the_device_reported() {
    let path = format!("/devices/{}/shadow", known::GREENHOUSE);
    let platform = platform().await;
    let whole = Api::of(&platform, known::TELEMETRY).get(&path).await.of(200);
    let reported = &whole["reported"];
    assert!(reported["air.temperature"].is_number(), "{reported}");
    assert_eq!((&reported["valve.state"], &reported["vm.rules_loaded"]), (&json!(false), &json!(0)));
    assert_eq!(reported["system.firmware_version"], "1.2.0");
    assert!(reported.get("mac_address").is_some() && reported.get("_revision").is_some());
    assert_eq!(
        (&whole["desired"], &whole["metadata"]),
        (&json!(null), &json!({"last_report": 1_779_278_400}))
    );
    let never = format!("/devices/{}/shadow", known::PROVISIONING);
    Api::of(&platform, known::DEVICES).get(&never).await.refused(404, "shadow not found");

    let platform = seeded(Seed { shadows: Shadows::Bare, ..Seed::default() }).await;
    let bare = Api::of(&platform, known::DEVICES).get(&path).await.of(200);
    assert_eq!(&bare, reported);
}

#[tokio::test]
async fn a_token_must_be_there_count_and_have_the_scope() {
    let platform = platform().await;
    let none = Api::with(&platform, None).get("/devices").await;
    none.refused(401, "unauthorized");
    assert_eq!(none.headers["www-authenticate"], "Bearer");
    for token in [platform.token(known::EXPIRED), platform.token(known::REVOKED), "tk_made_up"] {
        Api::with(&platform, Some(token)).get("/devices").await.refused(401, "invalid_token");
    }
    let temperature = format!("/devices/{}/telemetry", known::GREENHOUSE);
    let narrow = Api::of(&platform, known::DEVICES).get(&temperature).await;
    let refused = narrow.of(403);
    assert_eq!(
        (&refused["error"], &refused["scope"]),
        (&json!("insufficient_scope"), &json!("telemetry:read"))
    );
    assert_eq!(
        narrow.headers["www-authenticate"],
        r#"Bearer error="insufficient_scope", scope="telemetry:read""#
    );
    let legacy = format!("/devices?access_token={}", platform.token(known::READER));
    assert_eq!(Api::with(&platform, None).get(&legacy).await.status, 200);

    platform.state().revoke(platform.token(known::READER));
    Api::of(&platform, known::READER).get("/devices").await.refused(401, "invalid_token");
}

#[tokio::test]
async fn a_bad_day_is_played_on_demand() {
    let platform = platform().await;
    let api = Api::of(&platform, known::ALL);
    platform.fault(Matcher::path("/v1/devices").once(), refusal(429, "rate limit exceeded", Some(7)));
    let slow_down = api.get("/devices").await;
    slow_down.refused(429, "rate limit exceeded");
    assert_eq!(slow_down.headers["retry-after"], "7");
    assert_eq!(api.get("/devices").await.status, 200);
    let asked: Vec<_> = platform.requests().iter().map(|request| request.path.clone()).collect();
    assert_eq!(asked, ["/v1/devices", "/v1/devices"]);
}

#[tokio::test]
async fn what_the_platform_has_not_got_is_not_found() {
    let platform = platform().await;
    let api = Api::of(&platform, known::ALL);
    api.get("/rules").await.refused(404, "route not found");
    api.post("/devices", &json!({})).await.refused(405, "method not allowed");
}

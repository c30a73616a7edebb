//! Alerts, where the platform has them.

use fleet_sim::jettyd::api::{Lists, Seed};
use fleet_sim::jettyd::known;
use serde_json::{Value, json};

use crate::client::{Api, platform, seeded};

fn ids(list: &Value) -> Vec<&str> {
    list.as_array().expect("a list").iter().map(|row| row["id"].as_str().expect("an id")).collect()
}

#[tokio::test]
async fn alerts_are_listed_with_their_triggers_and_filtered() {
    let platform = platform().await;
    let api = Api::of(&platform, known::READER);
    let all = api.get("/alerts").await.of(200);
    assert_eq!(ids(&all), ["rule_1", "rule_2", "rule_3", "rule_4"]);
    assert_eq!(
        all[0],
        json!({
            "id": "rule_1", "name": "greenhouse too hot", "device_id": known::GREENHOUSE,
            "trigger": {"sensor": "air.temperature", "op": ">", "value": 30.0},
            "channels": ["email", "webhook"], "severity": "critical", "state": "fired",
            "last_fired_at": "2026-05-20T11:48:07Z",
        })
    );
    assert_eq!(ids(&api.get("/alerts?state=resolved").await.of(200)), ["rule_3"]);
    let both = format!("/alerts?state=fired&device_id={}", known::GREENHOUSE);
    assert_eq!(ids(&api.get(&both).await.of(200)), ["rule_1", "rule_2"]);
    api.get("/alerts?state=maybe").await.refused(422, "state must be fired or resolved");
    Api::of(&platform, known::DEVICES).get("/alerts").await.refused(403, "insufficient_scope");
}

#[tokio::test]
async fn a_platform_may_ignore_the_filters_or_have_no_alerts_at_all() {
    let seed = Seed { honours_alert_filters: false, lists: Lists::Named, ..Seed::default() };
    let platform = seeded(seed).await;
    let list = Api::of(&platform, known::ALL).get("/alerts?state=resolved").await.of(200);
    assert_eq!(list["alerts"].as_array().unwrap().len(), 4);
    let platform = seeded(Seed { alerts: false, ..Seed::default() }).await;
    Api::of(&platform, known::ALL).get("/alerts").await.refused(404, "route not found");
}

//! Every tool of the jettyd plugin does what it promises through the platform's API, whichever of its shapes that has.

use std::time::Duration;

use fleet_sim::jettyd::api::{Dialects, Lists, Order, RowTime, Seed, Shadows};
use fleet_sim::jettyd::known;
use fleetgate_e2e::Platform;
use fleetgate_e2e::platform::SCOPES;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

/// The platform as the npm package knows it, and as it may be as well.
fn shapes() -> [Seed; 3] {
    let other = Seed {
        dialect: Dialects::CommandType,
        lists: Lists::Data,
        row_time: RowTime::Timestamp,
        order: Order::NewestFirst,
        ..Seed::default()
    };
    let strange = Seed {
        lists: Lists::Named,
        shadows: Shadows::Bare,
        row_time: RowTime::TsSeconds,
        order: Order::OldestFirst,
        texts: true,
        whole_rows: true,
        honours_to: false,
        honours_alert_filters: false,
        ..Seed::default()
    };
    [Seed::default(), other, strange]
}

/// The setting for this platform's commands.
fn dialect(seed: &Seed) -> &'static str {
    match seed.dialect {
        Dialects::CommandType => "command_dialect = \"command_type\"",
        Dialects::Action | Dialects::Either => "",
    }
}

async fn platforms() -> Vec<Platform> {
    let mut platforms = Vec::new();
    for seed in shapes() {
        let (roles, dialect) = (fleetgate_e2e::platform::every_role("jettyd"), dialect(&seed));
        platforms.push(Platform::grown(seed, known::ALL, &roles, dialect).await);
    }
    platforms
}

#[tokio::test]
async fn the_tools_of_the_product_page_are_listed() {
    let platform = Platform::of(Seed::default()).await;
    let mut tools = platform.server.client_of("jettyd").tool_names().await;
    tools.sort();
    assert_eq!(
        tools,
        [
            "configure_device",
            "get_device",
            "get_fleet_status",
            "get_history",
            "list_alerts",
            "list_devices",
            "read_sensor",
            "send_command",
        ]
    );
}

#[tokio::test]
async fn each_scope_is_a_role_that_lists_and_opens_its_own_tools() {
    let opened: [&[&str]; 6] = [
        &["get_device", "get_fleet_status", "list_devices"],
        &["configure_device"],
        &["get_history", "read_sensor"],
        &["send_command"],
        &["list_alerts"],
        &[],
    ];
    for (scope, tools) in SCOPES.into_iter().zip(opened) {
        let roles = format!("[\"jettyd:{scope}\"]");
        let platform = Platform::grown(Seed::default(), known::ALL, &roles, "").await;
        let client = platform.server.client_of("jettyd");
        let mut listed = client.tool_names().await;
        listed.sort();
        assert_eq!(listed, tools, "{scope}");
        if scope != "commands:write" {
            let order = json!({"device_id": known::GREENHOUSE, "command": "valve.on"});
            assert!(!client.call("send_command", order).await.succeeded(), "{scope}");
            assert!(platform.jettyd.state().commands().is_empty(), "{scope}");
        }
    }
}

#[tokio::test]
async fn devices_are_listed_shown_and_counted() {
    for platform in platforms().await {
        let answer = platform.call("list_devices", json!({})).await;
        let list = answer.structured();
        assert_eq!(list["count"], 42);
        assert_eq!(list["devices"][0]["id"], known::GREENHOUSE);
        assert_eq!(list["devices"][0]["tags"], json!(["greenhouse"]));

        for asked in [known::GREENHOUSE, "HOUSE-1"] {
            let answer = platform.call("get_device", json!({"device_id": asked})).await;
            let device = answer.structured();
            assert_eq!((&device["id"], &device["name"]), (&json!(known::GREENHOUSE), &json!("greenhouse-1")));
            assert_eq!(device["connection"]["status"], "online");
            let reported = &device["shadow"]["reported"];
            assert!(
                !reported["air.temperature"].is_null() && reported.get("mac_address").is_none(),
                "{device}"
            );
            assert!(reported.get("_revision").is_none(), "{device}");
        }
        let new = platform.call("get_device", json!({"device_id": known::PROVISIONING})).await;
        assert_eq!(
            (&new.structured()["status"], &new.structured()["shadow"]),
            (&json!("provisioning"), &Value::Null)
        );
        let odd = platform.call("get_device", json!({"device_id": known::ODD_ID})).await;
        assert_eq!(odd.structured()["name"], "pump-7");

        let answer = platform.call("get_fleet_status", json!({})).await;
        let status = answer.structured();
        assert_eq!(
            [
                &status["total_devices"],
                &status["online_count"],
                &status["offline_count"],
                &status["provisioning_count"]
            ],
            [&json!(42), &json!(37), &json!(4), &json!(1)]
        );
        assert_eq!(status["devices_with_active_alerts"], 2);
        assert!(status["last_update"].is_string());
    }
}

#[tokio::test]
async fn a_sensor_is_read_by_its_key_or_the_end_of_it_with_unit_and_time() {
    for (platform, seed) in platforms().await.into_iter().zip(shapes()) {
        for key in ["air.temperature", "temperature"] {
            let arguments = json!({"device_id": known::GREENHOUSE, "sensor_key": key});
            let answer = platform.call("read_sensor", arguments).await;
            let value = answer.structured();
            assert_eq!((&value["sensor_key"], &value["unit"]), (&json!("air.temperature"), &json!("C")));
            let degrees = value["value"].as_f64().unwrap_or_else(|| panic!("a number: {value}"));
            assert!((10.0..35.0).contains(&degrees), "{value}");
        }
        // Not in the shadow, which has no signal strength; in the telemetry.
        let arguments = json!({"device_id": known::GREENHOUSE, "sensor_key": "system.rssi"});
        let answer = platform.call("read_sensor", arguments).await;
        assert_eq!(answer.structured()["unit"], "dBm");
        let at: Timestamp =
            answer.structured()["timestamp"].as_str().expect("a time").parse().expect("RFC 3339");
        let fresh = Timestamp::now().duration_since(at) < SignedDuration::from_mins(5);
        assert!(fresh, "{:?}: {answer:?}", seed.order);
        let switch = json!({"device_id": known::GREENHOUSE, "sensor_key": "valve.state"});
        assert_eq!(platform.call("read_sensor", switch).await.structured()["value"], false);
    }
}

#[tokio::test]
async fn a_keys_that_is_ambiguous_or_unknown_is_refused_with_those_that_exist() {
    for platform in platforms().await {
        let of = |key: &str| json!({"device_id": known::TWO_TEMPERATURES, "sensor_key": key});
        let ambiguous = platform.call("read_sensor", of("temperature")).await;
        assert_eq!(ambiguous.fault()["code"], "invalid-arguments");
        let said = ambiguous.text();
        assert!(said.contains("air.temperature") && said.contains("ground.temperature"), "{said}");
        let unknown = platform.call("read_sensor", of("air.pressure")).await;
        assert_eq!(
            (&unknown.fault()["code"], &unknown.fault()["field"]),
            (&json!("unknown"), &json!("/sensor_key"))
        );
        assert!(unknown.text().contains("air.humidity"), "{}", unknown.text());
    }
}

#[tokio::test]
async fn history_is_raw_or_in_buckets_whatever_the_server_makes_of_it() {
    let hours = |resolution: &str| {
        let to = Timestamp::now();
        let from = to - SignedDuration::from_hours(3);
        json!({
            "device_id": known::GREENHOUSE, "sensor_key": "temperature", "from": from.to_string(),
            "to": to.to_string(), "resolution": resolution,
        })
    };
    let mut seeds = shapes().to_vec();
    seeds.push(Seed { honours_resolution: true, ..Seed::default() });
    for seed in seeds {
        let described = format!("{seed:?}");
        let platform = Platform::of(seed).await;
        let answer = platform.call("get_history", hours("raw")).await;
        let raw = answer.structured();
        let points = raw["points"].as_array().expect("points");
        assert!((179..=181).contains(&points.len()), "{}: {described}", points.len());
        let times: Vec<_> = points.iter().map(|point| point["timestamp"].as_str().expect("a time")).collect();
        assert!(times.is_sorted(), "{described}");
        assert_eq!((&raw["sensor_key"], &raw["unit"]), (&json!("air.temperature"), &json!("C")));

        let answer = platform.call("get_history", hours("1h")).await;
        let buckets = answer.structured()["points"].as_array().expect("points").clone();
        assert!((3..=4).contains(&buckets.len()), "{buckets:?} {described}");
        assert!(
            buckets.iter().all(|point| point["timestamp"].as_str().is_some_and(|at| at.contains(":00:00")))
        );
        assert!(
            buckets
                .iter()
                .all(|point| point["value"].as_f64().is_some_and(|mean| (10.0..35.0).contains(&mean)))
        );
    }
}

#[tokio::test]
async fn a_history_longer_than_a_page_is_whole() {
    for order in [Order::NewestOldestFirst, Order::NewestFirst, Order::OldestFirst] {
        let platform = Platform::of(Seed { order, ..Seed::default() }).await;
        let to = Timestamp::now();
        let from = to - SignedDuration::from_hours(50);
        let arguments = json!({
            "device_id": known::GREENHOUSE, "sensor_key": "air.temperature", "from": from.to_string(),
            "to": to.to_string(),
        });
        let answer = platform.call("get_history", arguments).await;
        let points = answer.structured()["points"].as_array().expect("points").len();
        assert!((2_999..=3_001).contains(&points), "{points} {order:?}");
    }
}

#[tokio::test]
async fn a_command_is_waited_for_until_the_device_has_done_it() {
    for (platform, seed) in platforms().await.into_iter().zip(shapes()) {
        let arguments =
            json!({"device_id": known::GREENHOUSE, "command": "valve.on", "params": {"duration": 300}});
        let answer = platform.call("send_command", arguments).await;
        let command = answer.structured();
        assert_eq!((&command["status"], &command["command"]), (&json!("acked"), &json!("valve.on")));
        assert_eq!(command["result"]["valve.state"], true);
        let known = platform.jettyd.state().commands();
        assert_eq!((known.len(), json!(known[0].id)), (1, command["command_id"].clone()));
        // One dialect, never both: what was sent, to the byte.
        let sent = platform.jettyd.requests().into_iter().find(|request| request.method == "POST");
        let body = sent.and_then(|request| request.json()).expect("a body");
        let expected = match seed.dialect {
            Dialects::CommandType => json!({"command_type": "valve.on", "payload": {"duration": 300}}),
            Dialects::Action | Dialects::Either => json!({"action": "valve.on", "params": {"duration": 300}}),
        };
        assert_eq!(body, expected);
    }
}

#[tokio::test]
async fn a_configuration_goes_its_way_and_reaches_the_device() {
    for platform in platforms().await {
        let wishes = json!({"telemetry_interval_s": 60, "tags": ["a"], "thresholds": {"air.temperature": {"max": 30}}});
        let answer = platform
            .call("configure_device", json!({"device_id": known::GREENHOUSE, "config": wishes}))
            .await;
        assert_eq!(answer.structured()["config"], wishes);
        let device = platform.jettyd.state().device(known::GREENHOUSE).expect("a device");
        assert_eq!(Value::Object(device.desired), wishes);

        let script = json!({"heartbeats": [{"id": "h1", "every": 30, "metrics": ["soil.moisture"]}]});
        let answer = platform
            .call("configure_device", json!({"device_id": known::GREENHOUSE, "config": script}))
            .await;
        assert_eq!(answer.structured()["status"], "pending");
        platform.jettyd.state().pass(Duration::from_secs(5));
        let unit = platform.jettyd.state().device(known::GREENHOUSE).and_then(|device| device.unit);
        assert_eq!(unit.expect("a unit").heartbeat(), 30);
    }
}

#[tokio::test]
async fn alerts_are_listed_by_state_and_device_and_a_platform_without_them_is_survived() {
    for platform in platforms().await {
        let ids = async |arguments: Value| {
            let answer = platform.call("list_alerts", arguments).await;
            let alerts = answer.structured()["alerts"].as_array().expect("alerts").clone();
            alerts.iter().map(|alert| alert["id"].as_str().expect("an id").to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(ids(json!({})).await, ["rule_1", "rule_2", "rule_3", "rule_4"]);
        assert_eq!(ids(json!({"state": "resolved"})).await, ["rule_3"]);
        let both = json!({"state": "fired", "device_id": known::GREENHOUSE});
        assert_eq!(ids(both).await, ["rule_1", "rule_2"]);
    }
    let platform = Platform::of(Seed { alerts: false, ..Seed::default() }).await;
    let answer = platform.call("list_alerts", json!({})).await;
    assert_eq!(answer.structured()["alerts"], json!([]));
    assert!(answer.structured()["note"].is_string(), "{answer:?}");
    let answer = platform.call("get_fleet_status", json!({})).await;
    assert_eq!(answer.structured()["devices_with_active_alerts"], Value::Null);
}

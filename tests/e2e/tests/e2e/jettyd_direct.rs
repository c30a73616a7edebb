//! The jettyd plugin straight through a broker: what devices say when nobody calls is there when somebody does.

use fleet_sim::jettyd::fleet::Setup;
use fleet_sim::jettyd::known;
use fleetgate_e2e::{Direct, Server};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};

fn readings(key: &str, value: f64) -> Map<String, Value> {
    Map::from_iter([(key.to_owned(), json!(value))])
}

#[tokio::test]
async fn devices_are_those_that_were_heard_with_what_they_said() {
    let direct = Direct::of(Setup::known()).await;
    let answer = direct.call("list_devices", json!({})).await;
    let list = answer.structured();
    let find =
        |id: &str| list["devices"].as_array().expect("a list").iter().find(|device| device["id"] == id);
    let greenhouse = find(known::GREENHOUSE).expect("it was heard");
    assert_eq!(greenhouse["status"], "online");
    assert!(greenhouse["last_seen_at"].is_string(), "{greenhouse}");
    assert_eq!(find(known::OFFLINE), None, "nobody has heard of it");

    let shown = direct
        .until("get_device", json!({"device_id": known::GREENHOUSE}), |device| {
            device["firmware_version"] == "1.2.0"
        })
        .await;
    let reported = &shown["shadow"]["reported"];
    assert!(reported["air.temperature"].is_number() && reported["valve.state"] == false, "{shown}");

    direct.device(known::GREENHOUSE).say("sleep").await.expect("said");
    direct
        .until("get_device", json!({"device_id": known::GREENHOUSE}), |device| device["status"] == "sleep")
        .await;
    let answer = direct.call("get_fleet_status", json!({})).await;
    let status = answer.structured();
    assert_eq!(
        (&status["total_devices"], &status["devices_with_active_alerts"]),
        (&list["count"], &json!(0))
    );
    let unknown = direct.call("get_device", json!({"device_id": known::OFFLINE})).await;
    assert_eq!(
        (&unknown.fault()["code"], &unknown.fault()["field"]),
        (&json!("unknown"), &json!("/device_id"))
    );
}

#[tokio::test]
async fn a_sensor_is_its_last_value_with_unit_and_time() {
    let direct = Direct::of(Setup::known()).await;
    let device = direct.device(known::GREENHOUSE);
    // Later than what it said when it booted; a clock may be a little ahead.
    let at = Timestamp::now().as_second() + 30;
    device.report_of(Some(at), readings("air.temperature", 21.5)).await.expect("said");
    let read = |key: &str| json!({"device_id": known::GREENHOUSE, "sensor_key": key});
    let value = direct.until("read_sensor", read("air.temperature"), |value| value["value"] == 21.5).await;
    assert_eq!((&value["unit"], &value["device_id"]), (&json!("C"), &json!(known::GREENHOUSE)));
    let said: Timestamp = value["timestamp"].as_str().expect("a time").parse().expect("RFC 3339");
    assert_eq!(said.as_second(), at);
    // An older one that comes later does not take its place.
    device.report_of(Some(at - 60), readings("air.temperature", 3.0)).await.expect("said");
    device.report_of(Some(at - 60), readings("air.marker", 1.0)).await.expect("said");
    direct.until("read_sensor", read("air.marker"), |value| value["value"] == 1.0).await;
    let again = direct.call("read_sensor", read("temperature")).await;
    assert_eq!(again.structured()["value"], 21.5, "{again:?}");

    direct.fleet.report().await.expect("said");
    let two = |key: &str| json!({"device_id": known::TWO_TEMPERATURES, "sensor_key": key});
    direct.until("read_sensor", two("ground.temperature"), |value| value["value"].is_number()).await;
    let ambiguous = direct.call("read_sensor", two("temperature")).await;
    assert_eq!(ambiguous.fault()["code"], "invalid-arguments");
    assert!(ambiguous.text().contains("ground.temperature"), "{}", ambiguous.text());
    let unknown = direct.call("read_sensor", two("soil.ph")).await;
    assert_eq!(unknown.fault()["code"], "unknown");
    assert!(unknown.text().contains("soil.moisture"), "{}", unknown.text());
}

#[tokio::test]
async fn history_is_what_was_measured_raw_and_in_buckets() {
    let direct = Direct::of(Setup::known()).await;
    let device = direct.device(known::GREENHOUSE);
    // Three whole hours with a value each ten minutes, long ago enough to be over.
    let hour = Timestamp::now().as_second() / 3_600 * 3_600 - 4 * 3_600;
    for number in 0..18 {
        let value = f64::from(number);
        device
            .report_of(Some(hour + i64::from(number) * 600), readings("soil.moisture", value))
            .await
            .expect("said");
    }
    let of = |resolution: &str| {
        let time = |seconds: i64| Timestamp::from_second(seconds).expect("a time").to_string();
        json!({
            "device_id": known::GREENHOUSE, "sensor_key": "moisture", "from": time(hour), "to": time(hour + 10_799),
            "resolution": resolution,
        })
    };
    let all = |history: &Value| history["points"].as_array().is_some_and(|points| points.len() == 18);
    let raw = direct.until("get_history", of("raw"), all).await;
    assert_eq!((&raw["sensor_key"], &raw["unit"]), (&json!("soil.moisture"), &json!("%")));
    let values: Vec<_> =
        raw["points"].as_array().expect("points").iter().map(|point| point["value"].as_f64()).collect();
    assert_eq!(values, (0..18).map(|number| Some(f64::from(number))).collect::<Vec<_>>());

    let answer = direct.call("get_history", of("1h")).await;
    let buckets = answer.structured()["points"].as_array().expect("points").clone();
    let means: Vec<_> = buckets.iter().map(|bucket| bucket["value"].as_f64().expect("a mean")).collect();
    assert_eq!(means, [2.5, 8.5, 14.5]);
    assert_eq!(
        (&buckets[0]["min"], &buckets[0]["max"], &buckets[0]["count"]),
        (&json!(0.0), &json!(5.0), &json!(6))
    );
}

#[tokio::test]
async fn alerts_are_as_they_were_heard_fired_and_resolved() {
    let direct = Direct::of(Setup::known()).await;
    let device = direct.device(known::GREENHOUSE);
    device.alert("Soil is dry", "warning").await.expect("said");
    let fired = |list: &Value| list["alerts"].as_array().is_some_and(|alerts| alerts.len() == 1);
    let list = direct.until("list_alerts", json!({"state": "fired"}), fired).await;
    let alert = &list["alerts"][0];
    assert_eq!(
        [&alert["device_id"], &alert["severity"], &alert["state"]],
        [&json!(known::GREENHOUSE), &json!("warning"), &json!("fired")]
    );
    assert!(alert.to_string().contains("Soil is dry") && alert["last_fired_at"].is_string(), "{alert}");
    let answer = direct.call("get_fleet_status", json!({})).await;
    assert_eq!(answer.structured()["devices_with_active_alerts"], 1);
    let over = json!({"message": "Soil is dry", "severity": "warning", "state": "resolved"}).to_string();
    device.publish("alert", over).await.expect("said");
    direct.until("list_alerts", json!({"state": "resolved"}), fired).await;
    let other = json!({"device_id": known::RELAYS});
    assert_eq!(direct.call("list_alerts", other).await.structured()["alerts"], json!([]));
}

#[tokio::test]
async fn what_is_malformed_costs_itself_and_a_wrong_clock_is_put_right() {
    let direct = Direct::of(Setup::known()).await;
    let device = direct.device(known::GREENHOUSE);
    for garbage in ["", "no json", "[]", r#"{"ts":"soon","readings":7}"#, "\u{0}\u{1}", &"x".repeat(8_000)] {
        device.publish("telemetry", garbage.to_owned()).await.expect("said");
        device.publish("status", garbage.to_owned()).await.expect("said");
        device.publish("alert", garbage.to_owned()).await.expect("said");
    }
    device.report_of(None, readings("air.temperature", 20.5)).await.expect("said");
    let read = |id: &str, key: &str| json!({"device_id": id, "sensor_key": key});
    let after = read(known::GREENHOUSE, "air.temperature");
    direct.until("read_sensor", after, |value| value["value"] == 20.5).await;
    assert_eq!(
        direct.call("get_device", json!({"device_id": known::GREENHOUSE})).await.structured()["status"],
        "online"
    );

    for id in [known::AHEAD, known::UNSET_CLOCK, known::NO_CLOCK, known::NAN] {
        direct.device(id).report().await.expect("said");
        // One broken sensor costs its own reading.
        let value =
            direct.until("read_sensor", read(id, "system.rssi"), |value| value["value"].is_number()).await;
        let at: Timestamp = value["timestamp"].as_str().expect("a time").parse().expect("RFC 3339");
        let now = Timestamp::now();
        assert!(at <= now && now.duration_since(at) < SignedDuration::from_mins(5), "{id}: {value}");
    }
    let broken = direct.call("read_sensor", read(known::NAN, "air.humidity")).await;
    assert!(broken.structured()["value"].is_number());
}

#[tokio::test]
async fn what_was_heard_survives_the_host() {
    let mut direct = Direct::of(Setup::known()).await;
    let device = direct.device(known::GREENHOUSE).clone();
    let at = Timestamp::now().as_second() - 3_000;
    for number in 0..10 {
        device.report_of(Some(at + number), readings("soil.moisture", 40.0)).await.expect("said");
    }
    let history = json!({
        "device_id": known::GREENHOUSE, "sensor_key": "soil.moisture",
        "from": Timestamp::from_second(at - 1).expect("a time").to_string(),
    });
    let count = |history: &Value| history["points"].as_array().map_or(0, Vec::len);
    direct.until("get_history", history.clone(), |history| count(history) == 10).await;
    // Killed, not stopped. What is said meanwhile the broker keeps for the session of the one that comes next.
    direct.server.kill();
    for number in 10..20 {
        device.report_of(Some(at + number), readings("soil.moisture", 40.0)).await.expect("said");
    }
    direct.server = Server::start(&direct.installation);
    direct.until("get_history", history, |history| count(history) == 20).await;
}

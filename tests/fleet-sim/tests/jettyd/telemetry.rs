//! Telemetry: which rows, in which order, written how.

use fleet_sim::jettyd::api::{Lists, Order, RowTime, Running, Seed};
use fleet_sim::jettyd::known;
use serde_json::{Map, Value, json};

use crate::client::{Api, noon, platform, seeded};

async fn rows(platform: &Running, query: &str) -> Vec<Value> {
    let path = format!("/devices/{}/telemetry?{query}", known::GREENHOUSE);
    let list = Api::of(platform, known::TELEMETRY).get(&path).await.of(200);
    list.as_array().expect("rows").clone()
}

fn times(rows: &[Value]) -> Vec<&str> {
    rows.iter().map(|row| row["ts"].as_str().expect("a time")).collect()
}

const QUARTER: &str = "metric=air.temperature&from=2026-05-20T11:57:30Z";

#[tokio::test]
async fn a_row_is_a_heartbeat_with_the_metric_that_was_asked_for() {
    let platform = platform().await;
    let rows = rows(&platform, QUARTER).await;
    assert_eq!(times(&rows), ["2026-05-20T11:58:00Z", "2026-05-20T11:59:00Z", "2026-05-20T12:00:00Z"]);
    assert_eq!(rows[0]["readings"].as_object().unwrap().keys().collect::<Vec<_>>(), ["air.temperature"]);
    assert!(rows[0]["readings"]["air.temperature"].is_number());

    let whole = seeded(Seed { whole_rows: true, ..Seed::default() }).await;
    let rows = self::rows(&whole, QUARTER).await;
    assert!(
        rows[0]["readings"]["soil.moisture"].is_number() && rows[0]["readings"]["system.rssi"].is_number()
    );
    assert!(self::rows(&whole, "metric=air.pressure").await.is_empty());
}

#[tokio::test]
async fn rows_come_in_the_order_of_the_switch_and_the_limit_cuts_the_other_end() {
    let cases = [
        (Order::NewestOldestFirst, ["2026-05-20T11:59:00Z", "2026-05-20T12:00:00Z"]),
        (Order::NewestFirst, ["2026-05-20T12:00:00Z", "2026-05-20T11:59:00Z"]),
        (Order::OldestFirst, ["2026-05-20T11:58:00Z", "2026-05-20T11:59:00Z"]),
    ];
    for (order, expected) in cases {
        let platform = seeded(Seed { order, ..Seed::default() }).await;
        assert_eq!(times(&rows(&platform, &format!("{QUARTER}&limit=2")).await), expected, "{order:?}");
    }
    let platform = seeded(Seed { most_rows: 1, ..Seed::default() }).await;
    assert_eq!(rows(&platform, &format!("{QUARTER}&limit=1000")).await.len(), 1);
}

#[tokio::test]
async fn a_server_may_not_know_to_and_resolution() {
    let query = format!("{QUARTER}&to=2026-05-20T11:58:30Z");
    let platform = platform().await;
    assert_eq!(rows(&platform, &query).await.len(), 1);
    let hours = "metric=air.temperature&from=2026-05-20T10:00:00Z&resolution=1h&limit=1000";
    assert_eq!(rows(&platform, hours).await.len(), 121);

    let other = seeded(Seed { honours_to: false, honours_resolution: true, ..Seed::default() }).await;
    assert_eq!(rows(&other, &query).await.len(), 3);
    let rows = rows(&other, hours).await;
    assert_eq!(times(&rows), ["2026-05-20T10:00:00Z", "2026-05-20T11:00:00Z", "2026-05-20T12:00:00Z"]);
}

#[tokio::test]
async fn a_row_says_its_time_and_its_values_as_the_switches_want() {
    let seed = Seed { row_time: RowTime::TsSeconds, texts: true, ..Seed::default() };
    let seconds = rows(&seeded(seed).await, QUARTER).await;
    assert_eq!(seconds[0]["ts"], 1_779_278_280);
    let text = seconds[0]["readings"]["air.temperature"].as_str().expect("a text");
    assert!(text.parse::<f64>().is_ok(), "{text}");
    let seed = Seed { row_time: RowTime::Timestamp, lists: Lists::Data, ..Seed::default() };
    let platform = seeded(seed).await;
    let path = format!("/devices/{}/telemetry?{QUARTER}", known::GREENHOUSE);
    let list = Api::of(&platform, known::TELEMETRY).get(&path).await.of(200);
    assert_eq!(list["data"][0]["timestamp"], "2026-05-20T11:58:00Z");
}

#[tokio::test]
async fn what_a_test_records_is_among_the_rows() {
    let platform = platform().await;
    let readings = Map::from_iter([("air.temperature".to_owned(), json!(null))]);
    let at = noon() - jiff::SignedDuration::from_secs(20);
    assert!(platform.state().record(known::GREENHOUSE, at, readings));
    let rows = rows(&platform, "metric=air.temperature&from=2026-05-20T11:59:30Z").await;
    assert_eq!(rows[0], json!({"ts": "2026-05-20T11:59:47Z", "readings": {"air.temperature": null}}));
}

#[tokio::test]
async fn a_question_that_makes_no_sense_is_422_and_an_unknown_device_404() {
    let platform = platform().await;
    let api = Api::of(&platform, known::TELEMETRY);
    let of = |query: &str| format!("/devices/{}/telemetry?{query}", known::GREENHOUSE);
    api.get(&of("from=yesterday")).await.refused(422, "from must be an ISO 8601 time");
    api.get(&of("limit=0")).await.refused(422, "limit must be a positive number");
    api.get(&of("resolution=7m")).await.refused(422, "resolution must be 1m, 5m, 15m, 1h or 1d");
    api.get("/devices/nobody/telemetry").await.refused(404, "device not found");
}

#[tokio::test]
async fn who_is_away_reports_nothing_and_a_clock_ahead_is_in_the_future() {
    let platform = platform().await;
    let api = Api::of(&platform, known::TELEMETRY);
    let last = async |id: &str| {
        let list = api.get(&format!("/devices/{id}/telemetry?metric=air.temperature&limit=1")).await.of(200);
        list[0]["ts"].as_str().map(str::to_owned)
    };
    assert_eq!(last(known::OFFLINE).await.as_deref(), Some("2026-05-20T07:00:00Z"));
    assert_eq!(last(known::AHEAD).await.as_deref(), Some("2026-05-20T13:00:00Z"));
    assert_eq!(last(known::PROVISIONING).await, None);
}

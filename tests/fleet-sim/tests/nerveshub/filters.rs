//! The device and script filters, each against what the hub knows.

use fleet_sim::nerveshub::model::Device;
use fleet_sim::nerveshub::{Running, known};
use jiff::{SignedDuration, Timestamp};

use crate::client::{Api, hub, product, segment};

const KIOSK: (&str, &str) = known::KIOSK;

/// The identifiers that a query finds.
async fn found(hub: &Running, query: &str) -> Vec<String> {
    let path = format!("{}/devices?pagination[page_size]=1000&{query}", product(KIOSK));
    Api::of(hub, known::VIEW).get(&path).await.identifiers()
}

/// The filter finds what the predicate says, and that is neither nobody nor everybody.
#[track_caller]
fn agree(hub: &Running, query: &str, found: &[String], predicate: impl Fn(&Device) -> bool) {
    let living = hub.state().devices_of(KIOSK.0, KIOSK.1).into_iter().filter(|d| d.deleted_at.is_none());
    let living: Vec<_> = living.collect();
    let mut expected: Vec<_> =
        living.iter().filter(|device| predicate(device)).map(|device| device.identifier.clone()).collect();
    expected.sort();
    assert_eq!(found, expected, "{query}");
    assert!(!expected.is_empty() && expected.len() < living.len(), "{query} tells devices apart");
}

fn interface(device: &Device) -> Option<&str> {
    device.connection.as_ref()?.interface.as_deref()
}

fn firmware<'a>(device: &'a Device, key: &str) -> Option<&'a str> {
    device.firmware.as_ref()?.get(key)
}

fn mood(device: &Device) -> Option<&str> {
    device.health.as_ref().map(|health| health.status.as_str())
}

fn metric(device: &Device, key: &str) -> Option<f64> {
    device.health.as_ref()?.metrics.get(key).copied()
}

fn quiet_for(device: &Device, days: i64) -> bool {
    let long_ago = Timestamp::now() - SignedDuration::from_hours(24 * days);
    let connection = device.connection.as_ref();
    device.connection_status() == "disconnected" && connection.is_some_and(|c| c.last_seen_at < long_ago)
}

#[tokio::test]
async fn each_filter_finds_what_it_says() {
    let hub = hub().await;
    type Case = (&'static str, fn(&Device) -> bool);
    let cases: [Case; 27] = [
        ("filters[connection]=connected", |d| d.connection_status() == "connected"),
        ("filters[connection]=connecting", |d| d.connection_status() == "connecting"),
        ("filters[connection]=disconnected", |d| d.connection_status() == "disconnected"),
        ("filters[connection]=not_seen", |d| d.status == "registered"),
        ("filters[connection]=not_seen_in_seven_days", |d| quiet_for(d, 7)),
        ("filters[connection]=not_seen_in_fourteen_days", |d| quiet_for(d, 14)),
        ("filters[connection_type]=wifi", |d| interface(d) == Some("wifi")),
        ("filters[connection_type]=unknown", |d| matches!(interface(d), None | Some("unknown"))),
        ("filters[firmware_version]=2.0.3", |d| firmware(d, "version") == Some("2.0.3")),
        ("filters[platform]=rpi4", |d| firmware(d, "platform") == Some("rpi4")),
        ("filters[platform]=Unknown", |d| firmware(d, "platform").is_none()),
        ("filters[health_status]=healthy", |d| mood(d) == Some("healthy")),
        ("filters[health_status]=warning", |d| mood(d) == Some("warning")),
        ("filters[health_status]=unhealthy", |d| mood(d) == Some("unhealthy")),
        ("filters[health_status]=unknown", |d| matches!(mood(d), None | Some("unknown"))),
        ("filters[updates]=enabled", |d| d.updates_enabled),
        ("filters[updates]=disabled", |d| !d.updates_enabled),
        ("filters[updates]=penalty-box", |d| d.updates_blocked_until.is_some()),
        ("filters[alarm_status]=with", |d| d.health.as_ref().is_some_and(|h| !h.alarms.is_empty())),
        ("filters[alarm_status]=without", |d| d.health.as_ref().is_none_or(|h| h.alarms.is_empty())),
        ("filters[alarm]=SWAPPING", |d| mood(d) == Some("unhealthy")),
        ("filters[deployment_id]=1", |d| d.deployment == Some(1)),
        ("filters[has_no_tags]=true", |d| d.tags.is_none()),
        ("filters[has_no_tags]=false", |d| d.tags.is_none()),
        ("filters[metrics_key]=cpu_temp&filters[metrics_operator]=gt&filters[metrics_value]=60", |d| {
            metric(d, "cpu_temp").is_some_and(|value| value > 60.0)
        }),
        ("filters[metrics_key]=cpu_temp&filters[metrics_operator]=lt&filters[metrics_value]=60", |d| {
            metric(d, "cpu_temp").is_some_and(|value| value < 60.0)
        }),
        ("filters[connection]=connected&filters[updates]=disabled", |d| {
            d.connection_status() == "connected" && !d.updates_enabled
        }),
    ];
    for (query, predicate) in cases {
        agree(&hub, query, &found(&hub, query).await, predicate);
    }
}

#[tokio::test]
async fn an_identifier_is_a_substring_without_case_so_lookalikes_come_along() {
    let hub = hub().await;
    let both = found(&hub, &format!("filters[identifier]={}", known::CONNECTED.to_uppercase())).await;
    assert_eq!(both, [known::CONNECTED, known::CONNECTED_LOOKALIKE]);
    assert_eq!(found(&hub, "filters[identifier]=sn_0001").await.len(), 3, "_ stands for any character");
    let odd = found(&hub, &format!("filters%5Bidentifier%5D={}", segment(known::RESERVED))).await;
    assert_eq!(odd, [known::RESERVED]);
}

#[tokio::test]
async fn search_looks_at_identifier_version_platform_and_tags() {
    let hub = hub().await;
    for word in ["sn-01", "2.0.", "X86", "osaka"] {
        let query = format!("filters[search]={word}");
        let word = word.to_lowercase();
        agree(&hub, &query, &found(&hub, &query).await, |device| {
            let tags = device.tags.clone().unwrap_or_default().join(" ");
            let version = firmware(device, "version").unwrap_or_default();
            let platform = firmware(device, "platform").unwrap_or_default();
            [&device.identifier, &tags, version, platform]
                .iter()
                .any(|text| text.to_lowercase().contains(&word))
        });
    }
}

#[tokio::test]
async fn all_tags_have_to_match_and_each_as_a_substring() {
    let hub = hub().await;
    let query = "filters[tags]=prod,%20berlin";
    agree(&hub, query, &found(&hub, query).await, |device| {
        let tags = device.tags.clone().unwrap_or_default().join(" ");
        tags.contains("prod") && tags.contains("berlin")
    });
    let query = "filters[tags]=beta";
    agree(&hub, query, &found(&hub, query).await, |device| {
        device.tags.clone().unwrap_or_default().iter().any(|tag| tag == "beta" || tag == "beta-edge")
    });
}

#[tokio::test]
async fn empty_values_dead_filters_and_known_words_change_nothing() {
    let hub = hub().await;
    let all = found(&hub, "").await;
    for query in [
        "filters[connection]=&filters[has_no_tags]=&filters[identifier]=",
        "filters[only_updating]=true",
        "filters[display_deleted]=only",
        "filters[description]=Lobby",
        "filters[alarm_status]=maybe",
        "filters[metrics_key]=cpu_temp",
        "filters[tags]=two%20words",
        "pagination=5",
    ] {
        let found = found(&hub, query).await;
        assert_eq!(found.len(), if query == "pagination=5" { 10 } else { all.len() }, "{query}");
    }
    assert!(!all.contains(&known::DELETED.to_owned()));
}

#[tokio::test]
async fn a_device_whose_connection_is_forgotten_is_not_seen_but_the_filter_does_not_say_so() {
    let hub = hub().await;
    assert!(!found(&hub, "filters[connection]=not_seen").await.contains(&known::FORGOTTEN.to_owned()));
    assert!(found(&hub, "filters[connection]=not_seen").await.contains(&known::NEVER_SEEN.to_owned()));
}

#[tokio::test]
async fn scripts_are_filtered_by_name_tags_and_both() {
    let hub = hub().await;
    let view = Api::of(&hub, known::VIEW);
    for (query, names) in [
        ("filters[name]=disk", vec!["Clean Disk", known::ODD_SCRIPT]),
        ("filters[tags]=diag,logs", vec![known::LONG_SCRIPT]),
        ("filters[search]=CLEAN", vec!["Clean Disk"]),
        ("filters[search]=factory&filters[name]=", vec![known::SLOW_SCRIPT]),
        ("filters[name]=nothing-like-it", vec![]),
    ] {
        let answer = view.get(&format!("{}/scripts?{query}", product(KIOSK))).await;
        assert_eq!(answer.names(), names, "{query}");
        assert_eq!(answer.json()["pagination"]["total_entries"], names.len());
    }
    let unknown = view.get(&format!("{}/scripts?filters[no_such_filter]=x", product(KIOSK))).await;
    assert_eq!(unknown.status, 500);
}

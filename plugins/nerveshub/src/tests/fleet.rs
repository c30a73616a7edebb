//! list_devices.

use fleetgate_sdk::prelude::*;
use fleetgate_sdk::testing::Response;

use super::{PRODUCT, Played, device, fault_of, ok};

fn list(extra: Value) -> Value {
    let mut arguments = json!({ "org": "acme", "product": "kiosk" });
    for (key, value) in extra.as_object().expect("arguments") {
        arguments[key] = value.clone();
    }
    arguments
}

fn one_device() -> Played {
    Played::new(|_| {
        let pagination = json!({ "page_number": 2, "page_size": 10, "total_entries": 20, "total_pages": 2 });
        Response::json(200, json!({ "data": [device(json!({}))], "pagination": pagination }))
    })
}

/// What one request asked for.
fn asked(server: &Played, key: &str) -> Option<String> {
    server.requests()[0].query(key)
}

#[test]
fn a_page_of_devices_comes_with_its_place_in_the_whole() {
    let server = one_device();
    let answer = server.call("list_devices", list(json!({ "page": 2, "page_size": 10 }))).unwrap();
    assert_eq!(server.asked(), [format!("GET {PRODUCT}/devices")]);
    assert_eq!(asked(&server, "pagination[page]").as_deref(), Some("2"));
    assert_eq!(asked(&server, "pagination[page_size]").as_deref(), Some("10"));
    let expected =
        json!({ "page": 2, "page_size": 10, "total_entries": 20, "total_pages": 2, "has_more": false });
    assert_eq!(answer["pagination"], expected);
    assert_eq!(answer["devices"][0]["identifier"], "sn-1");
    assert_eq!(answer["devices"][0]["platform"], "rpi4");
    assert_eq!(answer["devices"][0]["deployment_group"], "production");
}

#[test]
fn without_wishes_the_first_25_by_identifier_are_asked_for() {
    let server = one_device();
    server.call("list_devices", list(json!({}))).unwrap();
    let expected = "sort=identifier&sort_direction=asc&pagination%5Bpage%5D=1&pagination%5Bpage_size%5D=25";
    assert_eq!(server.requests()[0].query_string(), expected);
}

#[test]
fn an_empty_page_is_an_empty_list() {
    let server = Played::new(|_| ok(json!([])));
    let answer = server.call("list_devices", list(json!({ "page": 9 }))).unwrap();
    assert_eq!(answer["devices"], json!([]));
    assert_eq!(answer["pagination"]["has_more"], false);
}

#[test]
fn every_filter_is_sent_under_its_own_name() {
    let server = one_device();
    let filters = json!({
        "identifier": "sn", "search": "rpi", "connection": "not_seen_in_seven_days", "connection_type": "cellular",
        "firmware_version": "1.2.3", "platform": "Unknown", "health_status": "warning", "updates": "penalty-box",
        "tags": ["a", "b"], "has_no_tags": false, "alarm": "hot", "alarm_status": "without",
        "metric": { "key": "cpu_temp", "operator": "gt", "value": 80.5 }
    });
    server.call("list_devices", list(json!({ "filters": filters }))).unwrap();
    let expected = [
        ("identifier", "sn"),
        ("search", "rpi"),
        ("connection", "not_seen_in_seven_days"),
        ("connection_type", "cellular"),
        ("firmware_version", "1.2.3"),
        ("platform", "Unknown"),
        ("health_status", "warning"),
        ("updates", "penalty-box"),
        ("tags", "a,b"),
        ("alarm", "hot"),
        ("alarm_status", "without"),
        ("metrics_key", "cpu_temp"),
        ("metrics_operator", "gt"),
        ("metrics_value", "80.5"),
    ];
    for (key, value) in expected {
        assert_eq!(asked(&server, &format!("filters[{key}]")).as_deref(), Some(value), "{key}");
    }
    assert_eq!(asked(&server, "filters[has_no_tags]"), None, "any value would switch it on");
}

#[test]
fn has_no_tags_is_sent_only_when_it_is_wanted() {
    let server = one_device();
    server.call("list_devices", list(json!({ "filters": { "has_no_tags": true } }))).unwrap();
    assert_eq!(asked(&server, "filters[has_no_tags]").as_deref(), Some("true"));
}

#[test]
fn ascending_means_oldest_first_for_connection_times_too() {
    let turned = [("connection_last_seen_at", "asc", "desc"), ("connection_established_at", "desc", "asc")];
    let plain =
        [("identifier", "desc", "desc"), ("inserted_at", "asc", "asc"), ("updates_enabled", "desc", "desc")];
    for (sort, wanted, sent) in turned.into_iter().chain(plain) {
        let server = one_device();
        server.call("list_devices", list(json!({ "sort": sort, "sort_direction": wanted }))).unwrap();
        assert_eq!(asked(&server, "sort").as_deref(), Some(sort));
        assert_eq!(asked(&server, "sort_direction").as_deref(), Some(sent), "{sort} {wanted}");
    }
}

#[test]
fn what_nerveshub_would_fail_on_or_ignore_is_refused_and_nothing_is_sent() {
    let long = "x".repeat(256);
    let wrong = [
        (json!({ "page": 0 }), "/page"),
        (json!({ "page": 1_000_001 }), "/page"),
        (json!({ "page": "1" }), "/page"),
        (json!({ "page": -1 }), "/page"),
        (json!({ "page_size": 0 }), "/page_size"),
        (json!({ "page_size": 101 }), "/page_size"),
        (json!({ "page_size": 2.5 }), "/page_size"),
        (json!({ "sort": "name" }), "/sort"),
        (json!({ "sort_direction": "up" }), "/sort_direction"),
        (json!({ "filters": { "colour": "red" } }), "/filters/colour"),
        (json!({ "filters": { "deployment_id": 7 } }), "/filters/deployment_id"),
        (json!({ "filters": { "connection": "online" } }), "/filters/connection"),
        (json!({ "filters": { "connection_type": "lora" } }), "/filters/connection_type"),
        (json!({ "filters": { "health_status": "ill" } }), "/filters/health_status"),
        (json!({ "filters": { "updates": "penalty_box" } }), "/filters/updates"),
        (json!({ "filters": { "alarm_status": "maybe" } }), "/filters/alarm_status"),
        (json!({ "filters": { "identifier": "" } }), "/filters/identifier"),
        (json!({ "filters": { "search": " " } }), "/filters/search"),
        (json!({ "filters": { "platform": long } }), "/filters/platform"),
        (json!({ "filters": { "alarm": "a\u{0}b" } }), "/filters/alarm"),
        (json!({ "filters": { "tags": [] } }), "/filters/tags"),
        (json!({ "filters": { "tags": ["a", "b c"] } }), "/filters/tags/1"),
        (json!({ "filters": { "tags": ["a,b"] } }), "/filters/tags/0"),
        (json!({ "filters": { "tags": [""] } }), "/filters/tags/0"),
        (json!({ "filters": { "tags": "a" } }), "/filters/tags"),
        (json!({ "filters": { "tags": ["a"], "has_no_tags": true } }), "/filters/has_no_tags"),
        (
            json!({ "filters": { "metric": { "key": "", "operator": "gt", "value": 1 } } }),
            "/filters/metric/key",
        ),
        (
            json!({ "filters": { "metric": { "key": "t", "operator": "eq", "value": 1 } } }),
            "/filters/metric/operator",
        ),
        (
            json!({ "filters": { "metric": { "key": "t", "operator": "gt", "value": "1" } } }),
            "/filters/metric/value",
        ),
    ];
    for (arguments, field) in wrong {
        let server = Played::new(|_| panic!("something was sent"));
        let fault = fault_of(server.call("list_devices", list(arguments.clone())));
        assert_eq!(
            (fault.code.as_str(), fault.field.as_deref()),
            ("invalid-arguments", Some(field)),
            "{arguments}"
        );
        assert!(server.requests().is_empty());
    }
}

//! get_device_health: the overall state is found in the filtered lists.

use fleetgate_sdk::prelude::*;
use fleetgate_sdk::testing::Response;

use super::{DEVICE, PRODUCT, Played, device, error, fault_of, ok};

fn at() -> Value {
    json!({ "org": "acme", "product": "kiosk", "identifier": "sn-1" })
}

/// A server whose list for one health state holds these identifiers; the other lists are empty.
fn listed_as(state: &'static str, identifiers: &'static [&'static str]) -> Played {
    Played::new(move |request| {
        if request.path() == DEVICE {
            return ok(device(json!({})));
        }
        assert_eq!(request.path(), format!("{PRODUCT}/devices"));
        assert_eq!(request.query("filters[identifier]").as_deref(), Some("sn-1"));
        let here = request.query("filters[health_status]").as_deref() == Some(state);
        let devices: Vec<Value> =
            identifiers.iter().filter(|_| here).map(|id| device(json!({ "identifier": id }))).collect();
        let total = devices.len();
        let pagination =
            json!({ "page_number": 1, "page_size": 100, "total_entries": total, "total_pages": 1 });
        Response::json(200, json!({ "data": devices, "pagination": pagination }))
    })
}

#[test]
fn the_state_is_that_of_the_list_in_which_the_device_stands() {
    for state in ["healthy", "warning", "unhealthy"] {
        let answer = listed_as(state, &["sn-1"]).call("get_device_health", at()).unwrap();
        assert_eq!(answer["health_status"], state);
    }
}

#[test]
fn only_the_very_identifier_counts_because_the_filter_matches_parts() {
    let answer = listed_as("unhealthy", &["sn-10", "xsn-1"]).call("get_device_health", at()).unwrap();
    assert_eq!(answer["health_status"], "unknown");
    let answer = listed_as("unhealthy", &["sn-10", "sn-1"]).call("get_device_health", at()).unwrap();
    assert_eq!(answer["health_status"], "unhealthy");
}

#[test]
fn report_and_metrics_are_null_with_a_reason() {
    let answer = listed_as("healthy", &["sn-1"]).call("get_device_health", at()).unwrap();
    assert_eq!((&answer["report"], &answer["metrics"]), (&Value::Null, &Value::Null));
    let missing: Vec<&str> =
        answer["missing"].as_array().unwrap().iter().map(|entry| entry["field"].as_str().unwrap()).collect();
    assert_eq!(missing, ["/report", "/metrics"]);
    assert!(answer["missing"][0]["reason"].as_str().unwrap().contains("web interface"));
    assert_eq!(answer["connection_status"], "connected");
}

#[test]
fn a_server_without_the_health_filter_costs_the_state_and_not_the_answer() {
    for status in [400, 422, 500] {
        let server =
            Played::new(
                move |request| {
                    if request.path() == DEVICE { ok(device(json!({}))) } else { error(status) }
                },
            );
        let answer = server.call("get_device_health", at()).unwrap();
        assert_eq!(answer["health_status"], Value::Null, "{status}");
        assert_eq!(answer["missing"][0]["field"], "/health_status", "{status}");
    }
}

#[test]
fn every_other_failure_of_the_probe_is_one() {
    for (status, code) in [(401, "denied"), (404, "unknown"), (502, "upstream")] {
        let server = Played::new(move |request| match request.path() {
            DEVICE => ok(device(json!({}))),
            "/api/users/me" => ok(json!({ "email": "ann@example.com" })),
            _ => error(status),
        });
        assert_eq!(fault_of(server.call("get_device_health", at())).code, code, "{status}");
    }
}

#[test]
fn lists_that_are_too_long_are_given_up_and_said_so() {
    let server = Played::new(|request| {
        if request.path() == DEVICE {
            return ok(device(json!({})));
        }
        let page: u64 = request.query("pagination[page]").unwrap().parse().unwrap();
        let others: Vec<Value> =
            (0..100).map(|n| device(json!({ "identifier": format!("sn-1{page}{n}") }))).collect();
        let pagination =
            json!({ "page_number": page, "page_size": 100, "total_entries": 9000, "total_pages": 90 });
        Response::json(200, json!({ "data": others, "pagination": pagination }))
    });
    let answer = server.call("get_device_health", at()).unwrap();
    assert_eq!(answer["health_status"], Value::Null);
    assert!(answer["missing"][0]["reason"].as_str().unwrap().contains("not read to their end"));
    assert_eq!(server.requests().len(), 1 + 3 * 5);
}

#[test]
fn a_deleted_device_is_in_no_list_so_none_is_asked_for() {
    let server = Played::table([("GET", DEVICE, ok(device(json!({ "deleted": true }))))]);
    let answer = server.call("get_device_health", at()).unwrap();
    assert_eq!(answer["health_status"], Value::Null);
    assert_eq!(server.requests().len(), 1);
}

//! What becomes of the API's refusals.

use std::time::Duration;

use fleetgate_sdk::prelude::*;
use fleetgate_sdk::testing::{Failure, Harness, Request, Response};

use super::played::Played;

fn refused(response: Response) -> Fault {
    Played::new(move |_: &Request| response.clone()).fault("list_devices", json!({}))
}

#[test]
fn every_status_has_its_code() {
    for (status, code, retryable) in [
        (301, "upstream", false),
        (400, "invalid-arguments", false),
        (401, "denied", false),
        (403, "denied", false),
        (404, "unknown", false),
        (409, "conflict", false),
        (422, "invalid-arguments", false),
        (429, "unavailable", true),
        (500, "upstream", true),
        (502, "unavailable", true),
        (503, "unavailable", true),
        (504, "unavailable", true),
        (408, "upstream", true),
        (418, "upstream", false),
        (522, "upstream", true),
    ] {
        let fault = refused(Response::json(status, json!({ "error": "because" })));
        assert_eq!((fault.code.as_str(), fault.retryable), (code, retryable), "{status}");
        let expected = format!("jettyd API error {status}: {{\"error\":\"because\"}}");
        assert!(fault.message.starts_with(&expected), "{}", fault.message);
        assert_eq!(fault.details.expect("details")["status"], status);
    }
}

#[test]
fn the_server_says_how_long_to_wait() {
    let fault = refused(Response::status(429).header("retry-after", "12"));
    assert_eq!(fault.retry_after, Some(Duration::from_secs(12)));
}

#[test]
fn a_refused_credential_names_the_grant() {
    assert!(refused(Response::status(401)).message.contains("[plugins.jettyd.grant.http.api]"));
}

#[test]
fn a_long_or_hostile_answer_is_cut_and_cleaned() {
    let fault = refused(Response::text(500, format!("\u{1b}[31m{}", "é".repeat(5000))));
    assert!(fault.message.len() < 600 && !fault.message.contains('\u{1b}'), "{}", fault.message.len());
}

#[test]
fn a_server_that_is_not_there_is_unavailable_and_one_that_is_slow_a_timeout() {
    assert!(
        refused(Response::fails(Failure::Unreachable("the connection was refused".into()))).is("unavailable")
    );
    assert!(refused(Response::fails(Failure::Timeout)).is("timeout"));
    assert!(refused(Response::fails(Failure::Denied)).is("denied"));
}

#[test]
fn without_any_way_to_a_device_every_tool_tells_the_operator_what_to_grant() {
    for (tool, arguments) in [
        ("list_devices", json!({})),
        ("get_device", json!({ "device_id": "d" })),
        ("get_fleet_status", json!({})),
        ("read_sensor", json!({ "device_id": "d", "sensor_key": "t" })),
        ("get_history", json!({ "device_id": "d", "sensor_key": "t", "from": "2025-05-19T00:00:00Z" })),
        ("send_command", json!({ "device_id": "d", "command": "ping" })),
        ("configure_device", json!({ "device_id": "d", "config": { "x": 1 } })),
        ("list_alerts", json!({})),
    ] {
        let played = Played { host: Harness::new().binding("lab") };
        let fault = played.fault(tool, arguments);
        assert!(
            fault.is("denied") && fault.message.contains("[plugins.lab.grant.http.api]"),
            "{tool}: {fault}"
        );
        assert!(played.asked().is_empty());
    }
}

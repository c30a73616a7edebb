//! How a job ends.

use fleetgate_sdk::prelude::*;
use fleetgate_sdk::testing::Response;

use super::played::{ID, Played, admin, finished, look, show};

const UNREACHED: &str = "TCP connection to device failed.\n\nCommon causes of this problem are:\n\nDevice settings: \
                         cisco_ios 127.0.0.1:16999\n\n";

#[test]
fn a_device_that_refuses_is_an_error_with_its_code() {
    for (code, retryable, error) in [
        ("CONNECTION_TIMEOUT", true, UNREACHED),
        ("AUTH_FAILURE", false, "Authentication to device failed."),
        (
            "SSH_ERROR",
            true,
            "Unknown SSH error connecting to device 127.0.0.1: Failed to enter configuration mode.",
        ),
        ("CONFIG_REJECTED", false, "Invalid input detected at command: bogus, matched error: % Invalid"),
        ("CIRCUIT_OPEN", true, "Circuit breaker open for device X - too many recent failures"),
        ("AUTODETECT_FAILED", false, "Platform autodetect failed: no match"),
    ] {
        let facts = json!({ "error": error, "error_code": code, "error_retryable": retryable });
        let server = Played::jobs(admin(), [look("finished", facts)]);
        for tool in ["send_command", "send_command_structured", "send_config"] {
            let (text, job) = server.failure(tool, show());
            assert!(text.starts_with(error.trim_end()), "{text}");
            assert!(text.contains(&format!("error_code: {code}")), "{text}");
            assert!(text.contains(&format!("error_retryable: {retryable}")), "{text}");
            assert_eq!((&job["error_code"], &job["error_retryable"]), (&json!(code), &json!(retryable)));
            assert_eq!(
                (&job["job_id"], &job["status"], &job["results"]),
                (&json!(ID), &json!("finished"), &Value::Null)
            );
        }
    }
}

#[test]
fn a_server_without_error_codes_is_understood() {
    let server = Played::jobs(admin(), [look("finished", json!({ "error": UNREACHED }))]);
    let (text, job) = server.failure("send_command", show());
    assert!(text.starts_with("TCP connection to device failed."), "{text}");
    assert_eq!(job["error_code"], Value::Null);
}

#[test]
fn a_worker_that_crashed_is_unknown_and_not_retryable() {
    let traceback =
        "Traceback (most recent call last):\n  File \"worker.py\"\nReadTimeout: Pattern not detected";
    for facts in [
        json!({ "error": traceback, "error_code": "UNKNOWN", "error_retryable": false }),
        json!({ "error": traceback }),
    ] {
        let server = Played::jobs(admin(), [look("failed", facts)]);
        let (text, job) = server.failure("send_command", show());
        assert!(text.contains("ReadTimeout"), "{text}");
        assert_eq!(
            (&job["status"], &job["error_code"], &job["error_retryable"]),
            (&json!("failed"), &json!("UNKNOWN"), &json!(false))
        );
    }
}

#[test]
fn every_end_is_one_and_none_is_waited_for_again() {
    for status in ["failed", "canceled", "cancelled", "stopped", "not_found"] {
        let server = Played::jobs(admin(), [look(status, json!({}))]);
        let (text, job) = server.failure("send_command", show());
        assert!(text.contains(ID), "{text}");
        assert_eq!(job["status"], status);
        assert_eq!(server.requests().len(), 2, "{status}");
    }
}

#[test]
fn what_is_no_end_is_waited_for() {
    let looks = ["queued", "deferred", "scheduled", "started", "something_new"].map(|s| look(s, json!({})));
    let server = Played::jobs(admin(), looks.into_iter().chain([finished(json!({}))]));
    assert_eq!(server.data("send_command", show())["status"], "finished");
}

#[test]
fn the_detected_platform_and_the_tags_are_told() {
    let facts =
        json!({ "results": {}, "detected_platform": "arista_eos", "tags": { "env": "lab", "odd": 7 } });
    let server = Played::jobs(admin(), [look("finished", facts)]);
    let job = server.data("send_command", show());
    assert_eq!((&job["detected_platform"], &job["tags"]), (&json!("arista_eos"), &json!({ "env": "lab" })));
}

#[test]
fn a_look_that_makes_no_sense_is_the_servers_fault() {
    for body in ["", "<html>", "[]", "null", "{}", r#"{"status":null}"#, r#"{"status":{"x":1}}"#] {
        let server = Played::jobs(admin(), [Response::status(200).body(body)]);
        let fault = server.fault("send_command", show());
        assert_eq!((fault.code.as_str(), fault.retryable), ("upstream", false), "{body:?}");
        assert_eq!(fault.details.expect("details")["job_id"], ID, "{body:?}");
    }
}

#[test]
fn a_result_may_be_asked_for_in_any_state_and_none_is_an_error() {
    let facts = json!({ "error": UNREACHED, "error_code": "CONNECTION_TIMEOUT", "error_retryable": true });
    for (status, facts) in [
        ("queued", json!({})),
        ("started", json!({})),
        ("finished", json!({ "results": { "show clock": "12:00" } })),
        ("finished", facts),
        ("failed", json!({ "error": "Traceback" })),
        ("canceled", json!({})),
    ] {
        let server = Played::jobs(admin(), [look(status, facts.clone())]);
        let job = server.data("get_job_result", json!({ "job_id": ID }));
        assert_eq!(job["status"], status);
        assert_eq!(job["error"], facts.get("error").cloned().unwrap_or_default());
        assert_eq!(server.asked(), [format!("GET /v2/send-command/{ID}")]);
        assert!(server.host.slept().is_zero());
    }
}

#[test]
fn a_job_is_cancelled_in_the_servers_words() {
    let server = Played::new(admin(), |_| Response::status(204));
    assert_eq!(server.text("cancel_job", json!({ "job_id": ID })), format!("Job {ID} cancelled."));
    assert_eq!(server.asked(), [format!("DELETE /v2/jobs/{ID}")]);
}

#[test]
fn a_job_that_has_ended_is_not_cancelled() {
    let server = Played::new(admin(), |_| {
        Response::json(409, json!({ "message": format!("Job {ID} already finished"), "app": "naas" }))
    });
    let fault = server.fault("cancel_job", json!({ "job_id": ID }));
    assert_eq!((fault.code.as_str(), fault.retryable), ("conflict", false));
    assert_eq!(fault.message, format!("NAAS HTTP 409: Job {ID} already finished"));
}

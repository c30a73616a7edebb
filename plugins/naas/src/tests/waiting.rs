//! Between the job that was taken and its end.

use std::time::Duration;

use fleetgate_sdk::prelude::*;
use fleetgate_sdk::testing::{self, Failure, Response};

use super::played::{ID, Played, admin, finished, look, show, taken};

fn going() -> Response {
    look("started", json!({}))
}

#[test]
fn the_first_look_is_at_once_and_the_others_follow_the_interval() {
    let server = Played::jobs(admin(), [look("queued", json!({})), going(), going(), finished(json!({}))]);
    server.data("send_command", show());
    assert_eq!(server.requests().len(), 5);
    assert_eq!(server.host.slept(), Duration::from_secs(6), "three pauses of two seconds");
    let server = Played::jobs(admin(), [finished(json!({}))]);
    server.data("send_command", show());
    assert_eq!(server.host.slept(), Duration::ZERO);
}

#[test]
fn the_interval_is_a_setting_and_never_nothing() {
    for (set, pause) in [("500ms", 500), ("0s", 50)] {
        let server = Played::jobs(admin().config("poll_interval", set), [going(), finished(json!({}))]);
        server.data("send_command", show());
        assert_eq!(server.host.slept(), Duration::from_millis(pause));
    }
}

#[test]
fn each_look_is_a_report_of_progress() {
    let server = Played::jobs(admin(), [look("queued", json!({})), going(), finished(json!({}))]);
    server.data("send_command", show());
    let reports = server.host.progress();
    let done: Vec<_> = reports.iter().map(|report| report.done).collect();
    assert_eq!(done, [1.0, 2.0, 3.0]);
    let said: Vec<_> = reports.into_iter().filter_map(|report| report.message).collect();
    assert_eq!(said[0], format!("Job {ID}: queued (0 s)"));
    assert_eq!(said[1], format!("Job {ID}: started (2 s)"));
}

#[test]
fn a_job_that_takes_too_long_is_named_and_goes_on() {
    let server = Played::jobs(admin().config("job_timeout", "10s"), [going()]);
    let fault = server.fault("send_command", show());
    assert_eq!((fault.code.as_str(), fault.retryable), ("timeout", false));
    assert!(fault.message.starts_with(&format!("Job {ID} did not complete within 10s")), "{fault}");
    assert_eq!(fault.details.expect("details")["job_id"], ID);
    assert_eq!(server.host.slept(), Duration::from_secs(10));
    assert!(!server.asked().iter().any(|asked| asked.starts_with("DELETE")), "it is not cancelled");
}

#[test]
fn a_call_with_less_time_than_was_set_says_so_while_it_can() {
    let server = Played::jobs(admin().deadline(Duration::from_secs(60)), [going()]);
    let fault = server.fault("send_command", show());
    assert!(fault.message.starts_with(&format!("Job {ID} did not complete within 55s")), "{fault}");
}

#[test]
fn looks_that_fail_for_a_moment_are_made_again() {
    let down = || Response::json(503, json!({ "error": "Queue backend unavailable", "status": 503 }));
    let looks = [
        down().header("retry-after", "10"),
        Response::fails(Failure::Timeout),
        Response::status(502),
        Response::json(429, json!({ "error": "Rate limit exceeded", "retry_after": 60 })),
        finished(json!({ "show clock": "12:00" })),
    ];
    let server = Played::jobs(admin(), looks);
    assert_eq!(server.data("send_command", show())["status"], "finished");
    assert_eq!(server.host.slept(), Duration::from_secs(10 + 2 + 2 + 60));
}

#[test]
fn a_server_that_stays_away_is_given_up_with_the_id() {
    let server = Played::jobs(admin(), [Response::status(503)]);
    let fault = server.fault("send_command", show());
    assert!(fault.message.starts_with("NAAS HTTP 503"), "{fault}");
    assert!(!fault.retryable, "the job was taken: another one must not be made");
    assert_eq!(fault.details.expect("details")["job_id"], ID);
    assert_eq!(server.requests().len(), 6);
}

#[test]
fn a_job_that_vanished_ends_the_waiting() {
    let gone = json!({ "job_id": ID, "status": "not_found", "app": "naas", "version": "2.1.0" });
    let server = Played::jobs(admin(), [going(), Response::json(404, gone)]);
    let fault = server.fault("send_command", show());
    assert_eq!(fault.code, "unknown");
    assert!(fault.message.contains("NAAS HTTP 404") && fault.message.contains(ID), "{fault}");
}

#[test]
fn a_client_that_gives_up_ends_the_waiting() {
    let server = Played::new(admin(), |request| {
        if request.method() == "GET" {
            testing::cancel();
        }
        if request.method() == "POST" { taken(ID) } else { going() }
    });
    let fault = server.fault("send_command", show());
    assert_eq!(fault.code, "cancelled");
    assert_eq!(fault.details.expect("details")["job_id"], ID);
}

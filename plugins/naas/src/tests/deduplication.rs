//! A job that is like one under way: the server compares neither the kind of job nor port and flags.

use fleetgate_sdk::prelude::*;
use fleetgate_sdk::testing::Response;

use super::played::{ID, PASSWORD, Played, admin, counter, finished, look, operator, show, show_with, taken};

fn deduplicated(results: Value) -> Played {
    Played::new(admin(), move |request| match request.method() {
        "POST" => Response::json(202, json!({ "job_id": ID, "deduplicated": true, "idempotent": false })),
        _ => look("finished", json!({ "results": results })),
    })
}

fn warnings(job: &Value) -> String {
    job["warnings"][0].as_str().expect("a warning").to_owned()
}

#[test]
fn the_result_of_a_job_under_way_is_given_and_said_to_be_that() {
    let server = deduplicated(json!({ "show clock": "12:00" }));
    let job = server.data("send_command", show());
    assert_eq!(job["results"]["show clock"], "12:00");
    assert!(warnings(&job).contains(ID), "{job}");
}

#[test]
fn text_instead_of_tables_is_reported() {
    let server = deduplicated(json!({ "show clock": "12:00" }));
    let job = server.data("send_command_structured", show());
    assert!(warnings(&job).contains("tables are missing"), "{job}");
}

#[test]
fn tables_instead_of_text_are_reported() {
    let server = deduplicated(json!({ "show clock": [{ "time": "12:00" }] }));
    let job = server.data("send_command", show());
    assert!(warnings(&job).contains("text is missing"), "{job}");
    let job = server.data("send_command_structured", show());
    assert!(!warnings(&job).contains("missing"), "{job}");
}

#[test]
fn configuration_that_was_not_pushed_is_never_a_success() {
    let fault = deduplicated(json!({ "show clock": "12:00" })).fault("send_config", show());
    assert_eq!((fault.code.as_str(), fault.retryable), ("conflict", true));
    assert!(fault.message.starts_with("Nothing was configured"), "{fault}");
    assert_eq!(fault.details.expect("details")["deduplicated"], true);
}

#[test]
fn a_transcript_is_no_output_of_commands() {
    let server = deduplicated(json!({ "config_set_output": "conf t" }));
    assert_eq!(server.fault("send_command", show()).code, "conflict");
    let job = server.data("send_config", show());
    assert!(warnings(&job).contains("save_config"), "{job}");
}

#[test]
fn what_was_not_deduplicated_has_no_warnings() {
    let server = Played::jobs(admin(), [look("finished", json!({ "results": { "show clock": "x" } }))]);
    assert_eq!(server.data("send_command_structured", show()).get("warnings"), None);
}

#[test]
fn output_of_other_commands_is_not_given() {
    let fault = deduplicated(json!({ "show users": "ann" })).fault("send_command", show());
    assert_eq!((fault.code.as_str(), fault.retryable), ("conflict", true));
    let both = json!({ "commands": ["show clock", "show users"] });
    assert_eq!(
        deduplicated(json!({ "show clock": "x" })).fault("send_command", show_with(both.clone())).code,
        "conflict"
    );
    // The server does not compare their order.
    let server = deduplicated(json!({ "show users": "ann", "show clock": "12:00" }));
    assert_eq!(server.data("send_command", show_with(both))["results"]["show users"], "ann");
}

#[test]
fn a_job_under_way_that_fails_without_any_result_is_told_as_what_it_is() {
    for tool in ["send_command", "send_command_structured", "send_config"] {
        let server = Played::new(admin(), |request| match request.method() {
            "POST" => Response::json(202, json!({ "job_id": ID, "deduplicated": true, "idempotent": false })),
            _ => look(
                "finished",
                json!({ "results": {}, "error": "no route", "error_code": "CONNECTION_TIMEOUT" }),
            ),
        });
        let (text, job) = server.failure(tool, show());
        assert!(text.contains("no route"), "{tool}: {text}");
        assert_eq!(job["error_code"], "CONNECTION_TIMEOUT", "{tool}");
    }
}

/// A server that hands out somebody else's job, to a caller who sees only the own ones.
fn anothers(answer: impl Fn(&fleetgate_sdk::testing::Request) -> Response + 'static) -> Played {
    Played::new(operator(), move |request| match request.method() {
        "POST" => Response::json(202, json!({ "job_id": ID, "deduplicated": true, "idempotent": false })),
        "DELETE" => Response::status(204),
        _ => answer(request),
    })
}

fn tagged() -> Response {
    look("finished", json!({ "results": { "show clock": "12:00" }, "tags": { "ticket": "4711" } }))
}

#[test]
fn a_job_of_somebody_elses_is_neither_read_nor_cancelled_by_who_asked_for_the_same() {
    let server = anothers(|_| tagged());
    let job = server.data("send_command", show());
    assert_eq!((&job["results"]["show clock"], &job["tags"]), (&json!("12:00"), &Value::Null));
    assert!(warnings(&job).contains("somebody else's"), "{job}");
    assert!(server.host.submitted().is_empty(), "nothing is noted");
    let before = server.requests().len();
    for tool in ["get_job_result", "cancel_job"] {
        assert_eq!(server.fault(tool, json!({ "job_id": ID })).code, "unknown");
    }
    assert_eq!(server.data("list_jobs", json!({}))["jobs"], json!([]));
    assert_eq!(server.requests().len(), before, "the server is not asked");
}

#[test]
fn the_own_job_that_was_under_way_stays_the_callers() {
    let submits = counter();
    let server = Played::new(operator(), move |request| match request.method() {
        "POST" if submits.replace(1) == 0 => taken(ID),
        "POST" => Response::json(202, json!({ "job_id": ID, "deduplicated": true })),
        "DELETE" => Response::status(204),
        _ => tagged(),
    });
    server.data("send_command", show());
    let job = server.data("send_command", show());
    assert_eq!(job["tags"]["ticket"], "4711");
    assert!(!warnings(&job).contains("somebody else's"), "{job}");
    assert_eq!(server.data("get_job_result", json!({ "job_id": ID }))["status"], "finished");
    assert_eq!(server.host.submitted().len(), 1, "one note is enough");
}

fn with_login() -> Value {
    show_with(json!({ "username": "netops", "password": PASSWORD }))
}

#[test]
fn the_output_is_not_given_for_a_password_that_is_not_the_makers() {
    let server = anothers(|request| match request.header("fleetgate-basic") {
        Some(_) => Response::json(403, json!({ "error": "You are not currently allowed" })),
        None => tagged(),
    });
    let fault = server.fault("send_command", with_login());
    assert_eq!((fault.code.as_str(), fault.retryable), ("conflict", true));
    assert!(fault.message.contains("another password"), "{fault}");
    assert_eq!(server.requests().len(), 2, "what the job is at is not looked at");
}

#[test]
fn the_output_is_given_for_the_makers_password_and_where_passwords_cannot_be_compared() {
    for status in [200, 401] {
        let server = anothers(move |request| match request.header("fleetgate-basic") {
            Some(_) if status == 401 => Response::status(401),
            _ => tagged(),
        });
        assert_eq!(server.data("send_command", with_login())["results"]["show clock"], "12:00");
    }
}

#[test]
fn who_waits_too_long_for_somebody_elses_job_is_not_told_to_ask_for_it() {
    for answer in [look("started", json!({})), Response::status(503)] {
        let server = anothers(move |_| answer.clone());
        let fault = server.fault("send_command", show());
        assert!(fault.retryable && !fault.message.contains("get_job_result"), "{fault}");
    }
}

#[test]
fn a_host_that_keeps_no_notes_knows_no_job_as_the_callers() {
    let host = operator().refuse_jobs(Fault::unavailable("This host keeps no jobs."));
    let server = Played::new(host, |request| match request.method() {
        "POST" => Response::json(202, json!({ "job_id": ID, "deduplicated": true })),
        _ => finished(json!({ "show clock": "12:00" })),
    });
    assert!(warnings(&server.data("send_command", show())).contains("somebody else's"));
}

//! A job that is like one under way: the server compares neither the kind of job nor port and flags.

use fleetgate_sdk::prelude::*;
use fleetgate_sdk::testing::Response;

use super::played::{ID, Played, admin, look, show};

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

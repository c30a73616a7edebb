//! What reaches the server.

use std::time::Duration;

use fleetgate_sdk::prelude::*;
use fleetgate_sdk::testing::{Failure, Response};

use super::played::{ID, PASSWORD, Played, admin, counter, finished, show, show_with, taken};

fn body_of(tool: &str, arguments: Value) -> Value {
    let server = Played::jobs(admin(), [finished(json!({ "show clock": "12:00" }))]);
    server.data(tool, arguments);
    server.requests()[0].json()
}

#[test]
fn only_what_was_given_is_sent() {
    assert_eq!(body_of("send_command", show()), show());
    assert_eq!(body_of("send_command_structured", show()), show());
    assert_eq!(body_of("send_config", show()), show());
}

#[test]
fn everything_that_was_given_is_sent() {
    let with = json!({
        "username": "netops", "password": PASSWORD, "enable": PASSWORD, "port": 2222, "tags": { "env": "lab" }
    });
    assert_eq!(body_of("send_command", show_with(with.clone())), show_with(with));
    let with = json!({ "commit": true, "save_config": true });
    assert_eq!(body_of("send_config", show_with(with.clone())), show_with(with));
}

#[test]
fn flags_that_are_false_the_usual_port_and_no_tags_are_left_out() {
    let with = json!({ "commit": false, "save_config": false, "port": 22, "tags": {} });
    assert_eq!(body_of("send_config", show_with(with)), show());
}

#[test]
fn each_tool_submits_and_looks_where_it_belongs() {
    for (tool, submits, looks) in [
        ("send_command", "send-command", "send-command"),
        ("send_command_structured", "send-command-structured", "send-command"),
        ("send_config", "send-config", "send-config"),
    ] {
        let server = Played::jobs(admin(), [finished(json!({ "show clock": "12:00" }))]);
        server.data(tool, show());
        assert_eq!(server.asked(), [format!("POST /v2/{submits}"), format!("GET /v2/{looks}/{ID}")]);
    }
}

#[test]
fn the_settings_for_devices_go_with_the_job() {
    let host = admin()
        .config("context", "lab")
        .config("read_timeout", "90s")
        .config("conn_timeout", "500ms")
        .config("expect_string", "#");
    let server = Played::jobs(host, [finished(json!({}))]);
    server.data("send_command", show());
    let with = json!({ "context": "lab", "read_timeout": 90.0, "conn_timeout": 1.0, "expect_string": "#" });
    assert_eq!(server.requests()[0].json::<Value>(), show_with(with));
    server.data("send_config", show());
    let with = json!({ "context": "lab", "read_timeout": 90.0, "conn_timeout": 1.0 });
    assert_eq!(server.requests()[2].json::<Value>(), show_with(with));
}

#[test]
fn the_result_is_the_servers_without_its_name_and_version() {
    let results = json!({ "show clock": "*11:54:03.018 UTC Sat Apr 16 2022" });
    let server = Played::jobs(admin(), [finished(results.clone())]);
    assert_eq!(
        server.data("send_command", show()),
        json!({
            "job_id": ID, "status": "finished", "results": results, "error": null, "error_code": null,
            "error_retryable": null, "detected_platform": null, "tags": null
        })
    );
}

#[test]
fn tables_come_back_as_they_are() {
    let results = json!({ "show clock": [{ "time": "11:54:03", "days": ["Sat"] }], "show x": "raw" });
    let server = Played::jobs(admin(), [finished(results.clone())]);
    assert_eq!(server.data("send_command_structured", show())["results"], results);
}

#[test]
fn a_job_that_did_not_reach_the_server_is_sent_again_under_the_same_key() {
    let refused = counter();
    let count = refused.clone();
    let server = Played::new(admin(), move |request| match request.method() {
        "POST" if count.get() < 2 => {
            count.set(count.get() + 1);
            Response::fails(Failure::Unreachable("connection refused".into()))
        }
        "POST" => taken(ID),
        _ => finished(json!({})),
    });
    server.data("send_config", show());
    let keys: Vec<_> = server.requests()[..3]
        .iter()
        .map(|request| request.header("x-idempotency-key").expect("a key").to_owned())
        .collect();
    assert_eq!(keys[0].len(), 36);
    assert!(keys.iter().all(|key| *key == keys[0]), "{keys:?}");
    server.data("send_config", show());
    assert_ne!(server.requests()[4].header("x-idempotency-key"), Some(keys[0].as_str()), "another job");
}

#[test]
fn a_server_that_is_not_there_is_given_up_after_three_repeats() {
    let server = Played::new(admin(), |_| Response::fails(Failure::Unreachable("connection refused".into())));
    let fault = server.fault("send_command", show());
    assert_eq!((fault.code.as_str(), fault.retryable), ("unavailable", true));
    assert_eq!(server.requests().len(), 4);
}

#[test]
fn a_job_without_an_answer_is_not_sent_again() {
    let server = Played::new(admin(), |_| Response::fails(Failure::Timeout));
    let fault = server.fault("send_config", show());
    assert_eq!((fault.code.as_str(), fault.retryable), ("timeout", false));
    assert!(fault.message.contains("list_jobs"), "{fault}");
    assert_eq!(server.requests().len(), 1);
    let fault = server.fault("send_command", show());
    assert_eq!((fault.code.as_str(), fault.retryable), ("timeout", true));
}

#[test]
fn each_request_has_the_time_that_was_set() {
    let server = Played::jobs(admin().config("timeout", "7s"), [finished(json!({}))]);
    server.data("send_command", show());
    assert!(server.requests().iter().all(|request| request.timeout() == Some(Duration::from_secs(7))));
    let server = Played::jobs(admin(), [finished(json!({}))]);
    server.data("send_command", show());
    assert_eq!(server.requests()[0].timeout(), Some(Duration::from_secs(30)));
}

#[test]
fn an_answer_without_an_id_is_the_servers_fault() {
    let server = Played::new(admin(), |_| Response::json(202, json!({ "message": "Job enqueued" })));
    assert_eq!(server.fault("send_command", show()).code, "upstream");
    // It also stands in a header.
    let server = Played::new(admin(), |request| match request.method() {
        "POST" => Response::json(202, json!({})).header("x-request-id", ID),
        _ => finished(json!({})),
    });
    assert_eq!(server.data("send_command", show())["job_id"], ID);
}

//! What the server's statuses mean.

use std::time::Duration;

use fleetgate_sdk::prelude::*;
use fleetgate_sdk::testing::{Failure, Response};

use super::played::{ID, Played, admin, show};

fn refused(status: u16, body: Value) -> Fault {
    Played::new(admin(), move |_| Response::json(status, &body)).fault("send_command", show())
}

#[test]
fn every_status_is_told_with_the_servers_own_sentence() {
    let error = |text: &str| json!({ "status": 400, "error": text, "app": "naas", "version": "2.1.0" });
    for (status, body, code, said) in [
        (400, error("Unknown context. See GET /v1/contexts"), "invalid-arguments", "Unknown context"),
        (401, error("You must authenticate"), "denied", "You must authenticate"),
        (403, error("You are currently locked out for excessive login failures"), "denied", "locked out"),
        (404, json!({ "message": "The requested URL was not found on the server." }), "unknown", "not found"),
        (404, json!({ "job_id": ID, "status": "not_found" }), "unknown", "not_found"),
        (500, error("The server encountered an internal error"), "upstream", "internal error"),
        (503, error("No workers available for the requested context"), "unavailable", "No workers"),
        (418, json!({}), "upstream", "refused, without an explanation"),
    ] {
        let fault = refused(status, body);
        assert_eq!(fault.code, code, "{status}");
        assert!(fault.message.starts_with(&format!("NAAS HTTP {status}: ")), "{fault}");
        assert!(fault.message.contains(said), "{fault}");
        let details = fault.details.expect("details");
        assert_eq!(details["http_status"], status);
        assert!(details["error"].as_str().is_some_and(|error| error.contains(said)), "{details:?}");
        assert_eq!(details["retryable"], fault.retryable);
    }
}

#[test]
fn only_what_may_pass_by_itself_is_retryable() {
    for status in [400, 401, 403, 404, 409, 422, 500, 501] {
        assert!(!refused(status, json!({})).retryable, "{status}");
    }
    for status in [429, 502, 503, 504] {
        assert!(refused(status, json!({})).retryable, "{status}");
    }
}

#[test]
fn the_wait_that_the_server_asks_for_is_passed_on() {
    let fault = refused(429, json!({ "error": "Rate limit exceeded", "retry_after": 60 }));
    assert_eq!(fault.retry_after, Some(Duration::from_secs(60)));
    assert_eq!(fault.message, "NAAS HTTP 429: Rate limit exceeded");
    let server = Played::new(admin(), |_| {
        Response::json(503, json!({ "error": "Queue backend unavailable" })).header("retry-after", "10")
    });
    assert_eq!(server.fault("send_command", show()).retry_after, Some(Duration::from_secs(10)));
    assert_eq!(server.requests().len(), 1, "a refusal is not answered with the same request again");
}

#[test]
fn a_list_of_problems_names_the_first_and_its_argument() {
    let body = json!([
        { "loc": ["port"], "msg": "Input should be a valid integer", "type": "int_type", "input": "22", "url": "x" },
        { "loc": ["host"], "msg": "second", "type": "x" }
    ]);
    let fault = refused(422, body);
    assert_eq!(fault.message, "NAAS HTTP 422: Input should be a valid integer (/port)");
    assert_eq!((fault.code.as_str(), fault.field.as_deref()), ("invalid-arguments", Some("/port")));
    let fault = refused(422, json!([{ "loc": ["commands", 0], "msg": "blank" }]));
    assert_eq!(fault.field.as_deref(), Some("/commands/0"));
    let fault = refused(
        422,
        json!({ "message": "'ip' field is not accepted", "status": 422, "error": "Invalid type" }),
    );
    assert_eq!(fault.message, "NAAS HTTP 422: Invalid type ('ip' field is not accepted)");
    for odd in [json!([]), json!([7]), json!([{}]), json!([{ "loc": "x" }]), json!("x"), json!(null)] {
        assert!(refused(422, odd.clone()).message.starts_with("NAAS HTTP 422: "), "{odd}");
    }
}

#[test]
fn where_the_servers_second_sentence_says_nothing_more_it_is_left_out() {
    let body = json!({ "message": "The server could not verify that you are authorized.", "error": "You must log in" });
    assert!(!refused(401, body.clone()).message.contains("could not verify"));
    assert!(
        refused(400, body).message.starts_with("NAAS HTTP 400: You must log in (The server could not verify")
    );
}

#[test]
fn a_missing_login_is_explained() {
    let fault = refused(422, json!([{ "loc": ["username"], "msg": "Field required", "type": "missing" }]));
    assert!(fault.message.contains("arguments of the call"), "{fault}");
}

#[test]
fn pages_of_html_and_novels_are_cut() {
    let server = Played::new(admin(), |_| Response::text(502, "<html>".repeat(100_000)));
    let fault = server.fault("send_command", show());
    assert!(fault.message.len() < 600, "{}", fault.message.len());
    let fault = refused(400, json!({ "error": "x".repeat(100_000) }));
    assert!(fault.message.len() < 600, "{}", fault.message.len());
}

#[test]
fn a_redirect_is_a_wrong_url_in_the_grant() {
    let server = Played::new(admin(), |_| Response::status(301).header("location", "https://elsewhere/"));
    let fault = server.fault("send_command", show());
    assert!(fault.message.contains("grant.http.api"), "{fault}");
}

#[test]
fn what_the_host_refuses_stays_denied() {
    let server = Played::new(admin(), |_| Response::fails(Failure::Denied));
    assert_eq!(server.fault("send_command", show()).code, "denied");
    assert_eq!(server.fault("list_jobs", json!({})).code, "denied");
}

#[test]
fn every_tool_tells_the_same_refusal_in_the_same_words() {
    let server =
        Played::new(admin().granted("http.admin"), |_| Response::json(429, json!({ "error": "Slow down" })));
    for (tool, arguments) in [
        ("send_command", show()),
        ("send_command_structured", show()),
        ("send_config", show()),
        ("get_job_result", json!({ "job_id": ID })),
        ("cancel_job", json!({ "job_id": ID })),
        ("list_jobs", json!({})),
        ("create_api_key", json!({})),
        ("revoke_api_key", json!({ "key_id": "k-1" })),
    ] {
        let fault = server.fault(tool, arguments);
        assert_eq!((fault.message.as_str(), fault.retryable), ("NAAS HTTP 429: Slow down", true), "{tool}");
    }
}

#[test]
fn without_any_grant_the_operator_is_told_what_to_grant() {
    let server =
        Played::new(fleetgate_sdk::testing::Harness::new().binding("naas-lab"), |_| Response::status(500));
    for (tool, arguments) in
        [("send_command", show()), ("list_jobs", json!({})), ("get_job_result", json!({ "job_id": ID }))]
    {
        let fault = server.fault(tool, arguments);
        assert_eq!(fault.code, "denied", "{tool}");
        assert!(fault.message.contains("[plugins.naas-lab.grant.http.api]"), "{fault}");
        assert!(fault.message.contains("[plugins.naas-lab.grant.ssh.devices]"), "{fault}");
    }
    assert!(server.requests().is_empty());
}

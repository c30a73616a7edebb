//! Servers that let a Bearer token submit jobs and not read them.

use fleetgate_sdk::prelude::*;
use fleetgate_sdk::testing::{Failure, Request, Response};

use super::played::{ID, PASSWORD, Played, admin, finished, look, show, show_with, taken};

const BASIC: &str = "fleetgate-basic";

fn with_login() -> Value {
    show_with(json!({ "username": "netops", "password": PASSWORD }))
}

fn forbidden() -> Response {
    Response::json(
        403,
        json!({ "error": "You are not currently allowed to access this resource", "status": 403 }),
    )
}

/// Reads only with the device's own login.
fn strict(request: &Request) -> Response {
    match (request.method(), request.header(BASIC)) {
        ("POST", _) => taken(ID),
        (_, Some(_)) => finished(json!({ "show clock": "12:00" })),
        (_, None) => forbidden(),
    }
}

#[test]
fn a_look_that_is_forbidden_is_made_with_the_login_of_the_device() {
    let server = Played::new(admin(), strict);
    assert_eq!(server.data("send_command", with_login())["status"], "finished");
    let requests = server.requests();
    assert_eq!(requests.len(), 3);
    assert_eq!(requests[0].header(BASIC), None, "the job is submitted with the granted credential");
    assert_eq!(requests[2].header(BASIC), Some(format!("netops:{PASSWORD}").as_str()));
}

#[test]
fn the_login_that_was_let_in_is_used_from_then_on() {
    let looks = super::played::counter();
    let server = Played::new(admin(), move |request| match (request.method(), request.header(BASIC)) {
        ("POST", _) => taken(ID),
        (_, None) => forbidden(),
        (_, Some(_)) => {
            looks.set(looks.get() + 1);
            if looks.get() < 3 { look("started", json!({})) } else { finished(json!({})) }
        }
    });
    server.data("send_command", with_login());
    let forbidden =
        server.requests().iter().filter(|r| r.method() == "GET" && r.header(BASIC).is_none()).count();
    assert_eq!(forbidden, 1);
}

#[test]
fn a_server_that_lets_the_token_read_never_sees_the_login_again() {
    let server = Played::jobs(admin(), [look("started", json!({})), finished(json!({}))]);
    server.data("send_command", with_login());
    assert!(server.requests().iter().all(|request| request.header(BASIC).is_none()));
}

#[test]
fn where_no_login_is_let_in_the_refusal_of_the_granted_one_is_told() {
    let server =
        Played::new(admin(), |request| if request.method() == "POST" { taken(ID) } else { forbidden() });
    let fault = server.fault("send_command", with_login());
    assert_eq!(fault.code, "denied");
    assert!(fault.message.starts_with("NAAS HTTP 403: You are not currently allowed"), "{fault}");
    assert!(fault.message.contains("grant.http.reads"), "{fault}");
    assert_eq!(fault.details.expect("details")["job_id"], ID);
    assert_eq!(server.requests().len(), 3);
}

#[test]
fn a_grant_that_keeps_the_calls_login_to_itself_is_no_error_of_its_own() {
    let server = Played::new(admin(), |request| match (request.method(), request.header(BASIC)) {
        ("POST", _) => taken(ID),
        (_, Some(_)) => Response::fails(Failure::Denied),
        (_, None) => forbidden(),
    });
    assert!(server.fault("send_command", with_login()).message.starts_with("NAAS HTTP 403"));
}

#[test]
fn the_login_for_reading_is_used_where_it_is_granted() {
    let server =
        Played::new(admin().granted("http.reads"), |request| match (request.method(), request.upstream()) {
            ("POST", _) => taken(ID),
            ("DELETE", Some("reads")) => Response::status(204),
            (_, Some("reads")) => finished(json!({ "show clock": "12:00" })),
            _ => forbidden(),
        });
    assert_eq!(server.data("send_command", show())["status"], "finished");
    assert_eq!(server.data("get_job_result", json!({ "job_id": ID }))["status"], "finished");
    assert!(server.text("cancel_job", json!({ "job_id": ID })).ends_with(" cancelled."));
}

#[test]
fn without_one_a_result_cannot_be_read_and_why_is_said() {
    let server = Played::new(admin(), |_| forbidden());
    for tool in ["get_job_result", "cancel_job"] {
        let fault = server.fault(tool, json!({ "job_id": ID }));
        assert_eq!(fault.code, "denied");
        assert!(
            fault.message.contains("NAAS HTTP 403") && fault.message.contains("grant.http.reads"),
            "{fault}"
        );
    }
}

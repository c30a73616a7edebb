//! What NervesHub refuses, on every tool: each documented status, no answer, and answers that are not what they
//! should be.

use std::time::Duration;

use fleetgate_sdk::prelude::*;
use fleetgate_sdk::testing::{self, Failure, Response};

use super::{DEVICE, Played, device, error, fault_of, ok};

const LIST: &str = "/api/orgs/acme/products/kiosk/devices";

const UUID: &str = "d9f8c63a-1234-5678-abcd-ef0123456789";

fn at() -> Value {
    json!({ "org": "acme", "product": "kiosk", "identifier": "sn-1" })
}

fn with(key: &str, value: Value) -> Value {
    let mut arguments = at();
    arguments[key] = value;
    arguments
}

/// Tools that look, and whose first request is about something that needs a role.
fn looks() -> Vec<(&'static str, Value)> {
    let product = json!({ "org": "acme", "product": "kiosk" });
    vec![
        ("list_products", json!({ "org": "acme" })),
        ("get_product_summary", product.clone()),
        ("list_devices", product.clone()),
        ("get_device", at()),
        ("get_device_health", at()),
        ("get_device_activity", at()),
        ("get_device_logs", at()),
        ("list_firmware", product.clone()),
        ("list_deployment_groups", product.clone()),
        ("list_scripts", product),
    ]
}

/// Tools that change something: arguments, the changing call's method, its path, and whether it may be repeated.
fn changes() -> Vec<(&'static str, Value, &'static str, String, bool)> {
    let below = |word: &str| format!("{DEVICE}/{word}");
    vec![
        ("set_device_tags", with("tags", json!(["a"])), "PUT", DEVICE.to_owned(), true),
        ("clear_penalty_box", at(), "DELETE", below("penalty"), true),
        ("reboot_device", at(), "POST", below("reboot"), false),
        ("reconnect_device", at(), "POST", below("reconnect"), false),
        ("upgrade_device", with("firmware_uuid", json!(UUID)), "POST", below("upgrade"), false),
        ("run_script", with("script", json!(12)), "POST", below("scripts/12"), false),
    ]
}

/// A server on which everything before the changing call goes well, and that call gets `answer`.
fn failing_at(method: &'static str, path: String, answer: Response) -> Played {
    Played::new(move |request| {
        if request.method() == method && request.path() == path {
            return answer.clone();
        }
        match request.path() {
            DEVICE => ok(device(json!({}))),
            LIST => ok(json!([device(json!({}))])),
            "/api/users/me" => ok(json!({ "name": "Ann", "email": "ann@example.com" })),
            path if path.contains("/firmwares/") => {
                ok(json!({ "uuid": UUID, "architecture": "arm", "platform": "rpi4", "product": "kiosk" }))
            }
            _ => error(404),
        }
    })
}

#[test]
fn a_401_with_a_valid_token_is_a_role_that_is_too_low() {
    let me = || ok(json!({ "name": "Ann", "email": "ann@example.com" }));
    for (tool, arguments) in looks() {
        let server =
            Played::new(move |request| if request.path() == "/api/users/me" { me() } else { error(401) });
        let fault = fault_of(server.call(tool, arguments));
        assert_eq!((fault.code.as_str(), fault.retryable), ("denied", false), "{tool}");
        assert!(
            fault.message.contains("view role is required upstream in organization `acme`"),
            "{tool}: {fault}"
        );
        assert_eq!(server.asked().last().unwrap(), "GET /api/users/me", "{tool}");
        assert_eq!(server.requests().len(), 2, "{tool}");
    }
    for (tool, arguments, method, path, _) in changes() {
        let server = failing_at(method, path, error(401));
        let fault = fault_of(server.call(tool, arguments));
        assert_eq!((fault.code.as_str(), fault.retryable), ("denied", false), "{tool}");
        assert!(fault.message.contains("manage role is required upstream"), "{tool}: {fault}");
        assert_eq!(fault.details.unwrap()["status"], 401, "{tool}");
    }
}

#[test]
fn a_401_with_a_bad_token_is_for_the_operator() {
    for (tool, arguments) in
        looks().into_iter().chain(changes().into_iter().map(|(tool, args, ..)| (tool, args)))
    {
        let server = Played::new(|_| error(401));
        let fault = fault_of(server.call(tool, arguments));
        assert_eq!((fault.code.as_str(), fault.retryable), ("upstream", false), "{tool}");
        assert!(fault.message.contains("operator must replace the token"), "{tool}: {fault}");
    }
}

#[test]
fn a_401_that_cannot_be_told_apart_names_both_reasons() {
    let server = Played::new(|request| {
        if request.path() == "/api/users/me" { Response::fails(Failure::Denied) } else { error(401) }
    });
    let fault = fault_of(server.call("reboot_device", at()));
    assert_eq!(fault.code, "denied");
    assert!(
        fault.message.contains("manage role required upstream in organization `acme`, or bad token"),
        "{fault}"
    );
}

#[test]
fn a_404_is_unknown_and_names_the_argument() {
    for (tool, arguments) in looks() {
        let field = match arguments.as_object().unwrap().len() {
            1 => "/org",
            2 => "/product",
            _ => "/identifier",
        };
        let fault = fault_of(Played::new(|_| error(404)).call(tool, arguments));
        assert_eq!((fault.code.as_str(), fault.retryable), ("unknown", false), "{tool}");
        assert_eq!(fault.field.as_deref(), Some(field), "{tool}");
        assert!(fault.message.contains("not a member of the organization"), "{tool}: {fault}");
        assert_eq!(fault.details.unwrap()["status"], 404, "{tool}");
    }
    for (tool, arguments, ..) in changes() {
        let server = Played::new(|_| error(404));
        let fault = fault_of(server.call(tool, arguments));
        let (field, looked_at) =
            if tool == "clear_penalty_box" { ("/product", LIST) } else { ("/identifier", DEVICE) };
        assert_eq!((fault.code.as_str(), fault.field.as_deref()), ("unknown", Some(field)), "{tool}");
        assert_eq!(server.asked(), [format!("GET {looked_at}")], "{tool} changed something");
    }
}

#[test]
fn a_look_at_a_failing_server_may_be_repeated() {
    for (tool, arguments) in looks() {
        for status in [500, 502, 503, 429] {
            let fault = fault_of(Played::new(move |_| error(status)).call(tool, arguments.clone()));
            assert_eq!((fault.code.as_str(), fault.retryable), ("upstream", true), "{tool} {status}");
            assert_eq!(fault.details.unwrap()["status"], status, "{tool}");
        }
    }
}

#[test]
fn a_change_that_failed_is_retryable_only_if_doing_it_twice_is_harmless() {
    for (tool, arguments, method, path, repeatable) in changes() {
        for status in [502, 503] {
            let fault =
                fault_of(failing_at(method, path.clone(), error(status)).call(tool, arguments.clone()));
            assert_eq!((fault.code.as_str(), fault.retryable), ("upstream", repeatable), "{tool} {status}");
            assert_eq!(fault.message.contains("not known whether"), !repeatable, "{tool}: {fault}");
        }
        let answer = error(429).header("retry-after", "7");
        let fault = fault_of(failing_at(method, path, answer).call(tool, arguments));
        assert!(fault.retryable, "{tool}: 429 was not acted upon");
        assert_eq!(fault.retry_after, Some(Duration::from_secs(7)), "{tool}");
    }
}

#[test]
fn no_answer_to_a_change_is_retryable_only_if_doing_it_twice_is_harmless() {
    for (tool, arguments, method, path, repeatable) in changes() {
        let failures = [
            (Failure::Timeout, "timeout"),
            (Failure::Unreachable("connection reset".to_owned()), "unavailable"),
        ];
        for (failure, code) in failures {
            let fault = fault_of(
                failing_at(method, path.clone(), Response::fails(failure)).call(tool, arguments.clone()),
            );
            assert_eq!((fault.code.as_str(), fault.retryable), (code, repeatable), "{tool}");
            assert_eq!(fault.message.contains("not known whether"), !repeatable, "{tool}: {fault}");
        }
    }
}

#[test]
fn an_unreachable_server_is_unavailable_and_a_slow_one_a_timeout() {
    for (tool, arguments) in looks() {
        let down = Played::new(|_| Response::fails(Failure::Unreachable("connection refused".to_owned())));
        let fault = fault_of(down.call(tool, arguments.clone()));
        assert_eq!((fault.code.as_str(), fault.retryable), ("unavailable", true), "{tool}");
        let slow = Played::new(|_| Response::fails(Failure::Timeout));
        let fault = fault_of(slow.call(tool, arguments));
        assert_eq!((fault.code.as_str(), fault.retryable), ("timeout", true), "{tool}");
    }
}

#[test]
fn what_the_host_refuses_stays_denied_and_a_cancelled_call_stays_cancelled() {
    let server = Played::new(|_| Response::fails(Failure::Denied));
    assert_eq!(fault_of(server.call("get_device", at())).code, "denied");
    let server = Played::new(|_| {
        testing::cancel();
        Response::fails(Failure::Timeout)
    });
    assert_eq!(fault_of(server.call("get_device", at())).code, "cancelled");
}

#[test]
fn a_redirect_is_a_wrong_url_in_the_grant() {
    let server = Played::new(|_| Response::status(301).header("location", "https://elsewhere.example.com/"));
    let fault = fault_of(server.call("get_device", at()));
    assert_eq!((fault.code.as_str(), fault.retryable), ("upstream", false));
    assert!(fault.message.contains("granted URL"), "{fault}");
}

#[test]
fn a_400_and_a_403_say_what_nerveshub_said() {
    let fault = fault_of(Played::new(|_| error(400)).call("get_device", at()));
    assert_eq!((fault.code.as_str(), fault.retryable), ("upstream", false));
    assert!(fault.message.contains("Invalid request"), "{fault}");
    let fault = fault_of(Played::new(|_| error(403)).call("get_device", at()));
    assert_eq!(fault.code, "denied");
}

#[test]
fn the_tags_that_nerveshub_refuses_are_an_invalid_argument() {
    let answer = Response::json(422, json!({ "errors": { "tags": ["tags cannot contain spaces"] } }));
    let server = failing_at("PUT", DEVICE.to_owned(), answer);
    let fault = fault_of(server.call("set_device_tags", with("tags", json!(["a"]))));
    assert_eq!((fault.code.as_str(), fault.field.as_deref()), ("invalid-arguments", Some("/tags")));
    assert!(fault.message.contains("tags cannot contain spaces"), "{fault}");
}

#[test]
fn another_422_is_the_servers_refusal_with_its_fields() {
    let answer =
        Response::json(422, json!({ "errors": { "deleted_at": ["cannot update while marked as deleted"] } }));
    let server = failing_at("PUT", DEVICE.to_owned(), answer);
    let fault = fault_of(server.call("set_device_tags", with("tags", json!(["a"]))));
    assert_eq!((fault.code.as_str(), fault.field.as_deref()), ("upstream", None));
    assert!(fault.message.contains("deleted_at cannot update while marked as deleted"), "{fault}");
}

#[test]
fn an_answer_that_is_not_json_or_not_as_promised_is_the_upstreams_fault() {
    let bodies =
        ["", "<html>", "{", "[]", "null", "{}", r#"{"data":null}"#, r#"{"data":"x"}"#, r#"{"data":7}"#];
    for (tool, arguments) in looks().into_iter().chain([("whoami", json!({})), ("list_orgs", json!({}))]) {
        for body in bodies {
            let server = Played::new(move |_| Response::status(200).body(body));
            let fault = fault_of(server.call(tool, arguments.clone()));
            assert_eq!((fault.code.as_str(), fault.retryable), ("upstream", false), "{tool} {body:?}");
        }
    }
}

#[test]
fn a_huge_error_page_is_cut() {
    let server = Played::new(|_| Response::text(502, "x".repeat(1_000_000)));
    let fault = fault_of(server.call("get_device", at()));
    assert_eq!(fault.details.as_ref().unwrap()["body"].as_str().unwrap().len(), 1024);
    assert!(fault.message.len() < 2_000);
    let long = "y".repeat(100_000);
    let server = Played::new(move |_| Response::json(400, json!({ "errors": { "detail": long } })));
    assert!(fault_of(server.call("get_device", at())).message.len() < 2_000);
}

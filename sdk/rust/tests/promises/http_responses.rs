//! What comes back.

use std::time::{Duration, SystemTime};

use fleetgate_sdk::prelude::*;
use fleetgate_sdk::testing::{Harness, Request, Response};

/// The answer that the plugin gets.
#[track_caller]
fn answer(response: Response) -> http::Response {
    let host = Harness::new().granted("http.api").respond(move |_: &Request| response.clone());
    host.run(|| http::upstream("api").get(["devices", "d 1"]).send()).expect("there is an answer")
}

/// The fault that an unsuccessful answer is.
#[track_caller]
fn fault(response: Response) -> Fault {
    answer(response).ok().expect_err("it is no success")
}

fn detail(fault: &Fault, key: &str) -> Value {
    fault.details.as_ref().and_then(|details| details.get(key)).cloned().unwrap_or_default()
}

#[test]
fn an_answer_has_a_status_headers_and_a_body() {
    let response = answer(Response::text(200, "hello").header("X-Total", "3"));
    assert_eq!((response.status(), response.is_ok()), (200, true));
    assert_eq!(response.header("x-total"), Some("3"));
    assert_eq!(response.header("x-none"), None);
    assert_eq!(response.text(), "hello");
    assert_eq!(response.bytes(), b"hello");
    assert_eq!(response.into_bytes(), b"hello");
}

#[test]
fn json_is_parsed_into_the_expected_type() {
    #[derive(Deserialize)]
    struct Device {
        tags: Vec<String>,
    }
    let device: Device = answer(json!({ "tags": ["a"], "other": 1 }).into()).json().expect("it fits");
    assert_eq!(device.tags, ["a"]);
}

#[test]
fn json_of_another_shape_is_an_upstream_fault_that_says_where() {
    #[derive(Deserialize, Debug)]
    #[allow(dead_code)]
    struct Page {
        data: Vec<Item>,
    }
    #[derive(Deserialize, Debug)]
    #[allow(dead_code)]
    struct Item {
        id: u32,
    }
    let fault = answer(json!({ "data": [{ "id": 1 }, { "id": "x" }] }).into())
        .json::<Page>()
        .expect_err("it differs");
    assert!(fault.is("upstream"), "{fault}");
    assert!(fault.message.contains("data[1].id"), "{fault}");
    assert!(fault.message.contains("GET /devices/d%201"), "{fault}");
    assert_eq!(detail(&fault, "status"), 200);
}

#[test]
fn a_body_that_is_no_json_is_an_upstream_fault() {
    for body in ["", "<html>", "{} x"] {
        let fault = answer(Response::text(200, body)).json::<Value>().expect_err(body);
        assert!(fault.is("upstream"), "{body}: {fault}");
    }
}

#[test]
fn success_passes_and_everything_else_is_a_fault() {
    for status in [200, 201, 204, 299] {
        assert!(answer(Response::status(status)).ok().is_ok(), "{status}");
    }
    for status in [199, 300, 302, 400, 401, 403, 404, 422, 500] {
        let fault = fault(Response::status(status));
        assert!(fault.is("upstream"), "{status}");
        assert_eq!(detail(&fault, "status"), status);
    }
}

#[test]
fn the_message_says_who_answered_what_to_what() {
    let fault = fault(Response::json(404, json!({ "error": "not found" })));
    assert_eq!(fault.message, "`api` answered 404 to GET /devices/d%201: {\"error\":\"not found\"}");
}

#[test]
fn a_page_of_html_is_kept_out_of_the_message() {
    let fault =
        fault(Response::status(502).header("content-type", "text/html").body("<html>Bad gateway</html>"));
    assert_eq!(fault.message, "`api` answered 502 to GET /devices/d%201.");
    assert_eq!(detail(&fault, "body"), "<html>Bad gateway</html>");
}

#[test]
fn at_most_one_kib_of_the_body_is_kept() {
    // Three bytes each: the limit falls into the middle of a character.
    let fault = fault(Response::text(500, "€".repeat(1_000)));
    let body = detail(&fault, "body");
    let body = body.as_str().expect("it is text");
    assert!(body.len() <= 1024 && body.starts_with("€€"), "{} bytes", body.len());
    assert!(fault.message.len() < 500, "{}", fault.message);

    let binary = answer(Response::status(500).body(vec![0xff; 5_000])).fault();
    assert!(detail(&binary, "body").as_str().expect("it is text").len() <= 1024);
}

#[test]
fn only_what_may_pass_by_itself_is_retryable() {
    for status in [408, 425, 429, 500, 502, 503, 504, 599] {
        assert!(fault(Response::status(status)).retryable, "{status}");
    }
    for status in [301, 400, 401, 403, 404, 409, 410, 422] {
        let fault = fault(Response::status(status).header("retry-after", "5"));
        assert!(!fault.retryable, "{status}");
        assert_eq!(fault.retry_after, None, "{status}");
    }
}

#[test]
fn retry_after_is_seconds_or_a_date() {
    let wait = |value: &str| fault(Response::status(429).header("Retry-After", value)).retry_after;
    assert_eq!(wait("7"), Some(Duration::from_secs(7)));
    assert_eq!(wait(" 0 "), Some(Duration::ZERO));
    let date = httpdate::fmt_http_date(SystemTime::now() + Duration::from_secs(3_600));
    let until_then = wait(&date).expect("it is a date");
    assert!(
        (Duration::from_secs(3_000)..=Duration::from_secs(3_600)).contains(&until_then),
        "{until_then:?}"
    );
    assert_eq!(wait("Thu, 01 Jan 1970 00:00:00 GMT"), Some(Duration::ZERO), "it has passed");
    for nonsense in ["", "soon", "-1", "1.5", "99999999999999999999"] {
        assert_eq!(wait(nonsense), None, "{nonsense:?}");
        assert!(fault(Response::status(429).header("retry-after", nonsense)).retryable);
    }
}

#[test]
fn a_refusal_has_the_plugins_words_and_the_code_of_its_status() {
    let cases = [
        (301, "upstream", false),
        (400, "invalid-arguments", false),
        (401, "denied", false),
        (403, "denied", false),
        (404, "unknown", false),
        (408, "upstream", false),
        (409, "conflict", false),
        (418, "upstream", false),
        (422, "invalid-arguments", false),
        (429, "unavailable", true),
        (500, "upstream", false),
        (502, "unavailable", true),
        (503, "unavailable", true),
        (504, "unavailable", true),
    ];
    for (status, code, retryable) in cases {
        let response = answer(Response::status(status).header("Retry-After", "7"));
        let fault = response.refusal("The hub said no.");
        assert_eq!((fault.code.as_str(), fault.retryable), (code, retryable), "{status}");
        assert_eq!(fault.retry_after, retryable.then_some(Duration::from_secs(7)), "{status}");
        assert_eq!((fault.message.as_str(), fault.field, fault.details), ("The hub said no.", None, None));
        assert_eq!(response.retry_after(), Some(Duration::from_secs(7)), "{status}");
    }
    let silent = answer(Response::status(429));
    assert_eq!((silent.retry_after(), silent.refusal("").retryable), (None, true));
}

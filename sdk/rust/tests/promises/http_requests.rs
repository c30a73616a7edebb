//! What leaves the plugin.

use std::time::Duration;

use fleetgate_sdk::prelude::*;
use fleetgate_sdk::testing::{Harness, Request, Response};

fn host() -> Harness {
    Harness::new().granted("http.api").respond(|_: &Request| Response::status(200))
}

/// The request that this sends.
#[track_caller]
fn sent(request: http::Request) -> Request {
    let host = host();
    host.run(|| request.send()).expect("it is sent");
    host.requests().remove(0)
}

/// Why it is not sent.
#[track_caller]
fn refused(request: http::Request) -> Fault {
    let host = host();
    let fault = host.run(|| request.send()).expect_err("it is refused");
    assert!(host.requests().is_empty());
    fault
}

#[test]
fn every_method_is_sent_to_the_upstreams_name() {
    let api = http::upstream("api");
    let requests = [
        api.get(["a"]),
        api.head(["a"]),
        api.post(["a"]),
        api.put(["a"]),
        api.patch(["a"]),
        api.delete(["a"]),
    ];
    let sent: Vec<_> = requests.into_iter().map(sent).collect();
    let methods: Vec<_> = sent.iter().map(Request::method).collect();
    assert_eq!(methods, ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]);
    assert!(sent.iter().all(|request| request.url() == "http://api.upstream/a"));
    assert_eq!(sent[0].upstream(), Some("api"));
}

#[test]
fn a_query_cannot_be_left_and_may_repeat_a_key() {
    let request = sent(
        http::upstream("api")
            .get(["a"])
            .query("filter[tag]", "a&b=c#d e+f")
            .query("page", 2)
            .query("page", 3)
            .query_opt("none", None::<u8>)
            .query_opt("some", Some(true)),
    );
    assert_eq!(request.query_string(), "filter%5Btag%5D=a%26b%3Dc%23d%20e%2Bf&page=2&page=3&some=true");
    assert_eq!(request.query("filter[tag]").as_deref(), Some("a&b=c#d e+f"));
    assert_eq!(request.query("none"), None);
}

#[test]
fn a_body_in_json_says_that_it_is_json() {
    let request = sent(http::upstream("api").post(["a"]).json(&json!({ "tags": ["x"] })));
    assert_eq!(request.header("Content-Type"), Some("application/json"));
    assert_eq!(request.json::<Value>(), json!({ "tags": ["x"] }));
}

#[test]
fn any_body_goes_with_its_media_type() {
    let request = sent(http::upstream("api").put(["a"]).body([0, 255], "application/octet-stream"));
    assert_eq!(request.header("content-type"), Some("application/octet-stream"));
    assert_eq!(request.body(), [0, 255]);
}

#[test]
fn a_body_that_cannot_be_json_is_an_internal_fault() {
    let unwritable: std::collections::HashMap<(u8, u8), u8> = [((1, 2), 3)].into();
    assert!(refused(http::upstream("api").post(["a"]).json(&unwritable)).is("internal"));
}

#[test]
fn a_header_replaces_one_of_its_name() {
    let request =
        sent(http::upstream("api").get(["a"]).header("Accept", "text/plain").header("accept", "text/html"));
    assert_eq!(request.header("ACCEPT"), Some("text/html"));
    assert_eq!(request.header("other"), None);
}

#[test]
fn basic_from_a_call_is_a_field_for_the_host() {
    let request = sent(http::upstream("api").get(["a"]).basic_from_call("netops", "fleetgate-secret-x"));
    assert_eq!(request.header("fleetgate-basic"), Some("netops:fleetgate-secret-x"));
    assert!(refused(http::upstream("api").get(["a"]).basic_from_call("a:b", "x")).is("invalid-arguments"));
}

#[test]
fn a_header_cannot_smuggle_another() {
    let fault = refused(http::upstream("api").get(["a"]).header("x", "1\r\nHost: evil"));
    assert!(fault.is("invalid-arguments"), "{fault}");
    for name in ["", "a b", "a:b", "a\r\nb", "ä"] {
        assert!(refused(http::upstream("api").get(["a"]).header(name, "1")).is("internal"), "{name:?}");
    }
}

#[test]
fn a_timeout_goes_along() {
    let request = sent(http::upstream("api").get(["a"]).timeout(Duration::from_secs(15)));
    assert_eq!(request.timeout(), Some(Duration::from_secs(15)));
}

#[test]
fn an_upstream_that_is_not_granted_is_denied() {
    let host = host();
    let fault = host.run(|| http::upstream("other").get(["a"]).send()).expect_err("it is denied");
    assert!(fault.is("denied"), "{fault}");
    assert!(fault.message.contains("GET /a at `other`"), "{fault}");
    assert_eq!(host.requests().len(), 1, "the attempt is recorded");
}

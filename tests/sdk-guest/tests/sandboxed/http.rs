//! HTTP through `wasi:http`.

use serde_json::{Value, json};

use crate::host::{Fault, Host};
use crate::upstream::Upstream;

async fn start() -> (Host, Upstream) {
    let upstream = Upstream::default();
    let address = upstream.start().await;
    (Host { upstream: Some(address), ..Host::default() }, upstream)
}

/// What `fetch` returned.
async fn fetch(host: &Host, arguments: Value) -> Result<Value, Fault> {
    let result = host.call("fetch", arguments).await?;
    Ok(serde_json::from_str(&result.structured.expect("a struct is structured")).expect("it is JSON"))
}

/// What the server saw of it.
async fn echoed(host: &Host, arguments: Value) -> Value {
    let fetched = fetch(host, arguments).await.expect("there is an answer");
    assert_eq!((&fetched["status"], &fetched["kind"]), (&json!(200), &json!("application/json")));
    serde_json::from_str(fetched["start"].as_str().expect("it is text")).expect("it is JSON")
}

#[tokio::test]
async fn a_get_arrives_with_its_path_query_and_headers_and_without_a_body() {
    let (host, _) = start().await;
    let seen = echoed(&host, json!({ "method": "GET", "path": ["echo", "a b", "ä:1"] })).await;
    assert_eq!(seen["method"], "GET");
    assert_eq!(seen["path"], "/echo/a%20b/%C3%A4%3A1");
    assert_eq!(seen["query"], "q=a%20b");
    assert_eq!(seen["host"], "api.upstream");
    assert_eq!(seen["x-guest"], "1");
    for absent in ["content-length", "transfer-encoding", "content-type"] {
        assert_eq!(seen[absent], Value::Null, "{absent}");
    }
}

#[tokio::test]
async fn a_body_arrives_whole_with_its_length() {
    let (host, _) = start().await;
    let seen = echoed(&host, json!({ "method": "POST", "path": ["echo", "x"], "body": "hello" })).await;
    assert_eq!(
        (&seen["body"], &seen["content-length"], &seen["transfer-encoding"]),
        (&json!("hello"), &json!("5"), &Value::Null)
    );
    assert_eq!(seen["content-type"], "text/plain");

    // Many times what the host takes at once.
    let seen = echoed(&host, json!({ "method": "POST", "path": ["echo", "x"], "bytes": 5_000_000 })).await;
    assert_eq!((&seen["bytes"], &seen["content-length"]), (&json!(5_000_000), &json!("5000000")));
}

#[tokio::test]
async fn an_empty_body_and_no_body_are_both_sent() {
    let (host, _) = start().await;
    let seen = echoed(&host, json!({ "method": "POST", "path": ["echo", "x"], "body": "" })).await;
    assert_eq!((&seen["bytes"], &seen["content-length"]), (&json!(0), &json!("0")));
    let seen = echoed(&host, json!({ "method": "POST", "path": ["echo", "x"] })).await;
    assert_eq!((&seen["bytes"], &seen["transfer-encoding"]), (&json!(0), &Value::Null));
}

#[tokio::test]
async fn a_large_answer_arrives_whole() {
    let (host, _) = start().await;
    let fetched =
        fetch(&host, json!({ "method": "GET", "path": ["big", "5000000"] })).await.expect("it arrives");
    assert_eq!(fetched["length"], 5_000_000);
    let fetched = fetch(&host, json!({ "method": "GET", "path": ["big", "0"] })).await.expect("it arrives");
    assert_eq!(fetched["length"], 0);
}

#[tokio::test]
async fn an_answer_that_comes_before_the_body_was_read_counts() {
    let (host, _) = start().await;
    let fault = fetch(&host, json!({ "method": "POST", "path": ["early"], "bytes": 20_000_000 })).await;
    let fault = fault.expect_err("it is no success");
    assert_eq!(fault.code, "upstream", "{}", fault.message);
    assert!(fault.details.expect("there are details").contains("413"), "{}", fault.message);
}

#[tokio::test]
async fn an_unsuccessful_answer_is_a_fault_with_its_status_body_and_wait() {
    let (host, _) = start().await;
    let fault =
        fetch(&host, json!({ "method": "GET", "path": ["status", "503"] })).await.expect_err("it fails");
    assert_eq!((fault.code.as_str(), fault.retryable, fault.retry_after_ms), ("upstream", true, Some(7_000)));
    assert_eq!(fault.message, "`api` answered 503 to GET /status/503: said so");
    let details: Value =
        serde_json::from_str(&fault.details.expect("there are some")).expect("they are JSON");
    assert_eq!(details, json!({ "status": 503, "body": "said so" }));
}

#[tokio::test]
async fn failures_of_the_connection_have_their_codes() {
    let (host, _) = start().await;
    let cases = [
        ("ungranted", "denied", false),
        ("closed", "unavailable", true),
        ("unknown", "unavailable", true),
        ("odd", "unavailable", true),
        ("late", "timeout", true),
        ("huge", "upstream", false),
        ("broken", "upstream", false),
    ];
    for (upstream, code, retryable) in cases {
        let fault = fetch(&host, json!({ "method": "GET", "upstream": upstream, "path": ["x"] })).await;
        let fault = fault.expect_err(upstream);
        assert_eq!(
            (fault.code.as_str(), fault.retryable),
            (code, retryable),
            "{upstream}: {}",
            fault.message
        );
        assert!(fault.message.contains(upstream), "{}", fault.message);
    }
}

#[tokio::test]
async fn a_timeout_ends_waiting_for_an_answer_and_for_the_rest_of_a_body() {
    let (host, _) = start().await;
    for path in ["never", "drip"] {
        let fault = fetch(&host, json!({ "method": "GET", "path": [path], "timeout_ms": 200 })).await;
        let fault = fault.expect_err(path);
        assert_eq!((fault.code.as_str(), fault.retryable), ("timeout", true), "{path}: {}", fault.message);
    }
}

#[tokio::test]
async fn a_timeout_that_is_not_reached_changes_nothing() {
    let (host, _) = start().await;
    let arguments = json!({ "method": "POST", "path": ["echo", "x"], "body": "hello", "timeout_ms": 60_000 });
    assert_eq!(echoed(&host, arguments).await["body"], "hello");
}

#[tokio::test]
async fn cancelling_ends_the_wait_and_the_guest_can_still_clean_up() {
    let (host, upstream) = start().await;
    let cancel = host.cancel.clone();
    let asked = upstream.asked.clone();
    tokio::spawn(async move {
        asked.cancelled().await;
        cancel.cancel();
    });
    let fault = host.call("tidy", json!({})).await.expect_err("it was cancelled");
    assert_eq!(fault.code, "cancelled", "{}", fault.message);
    assert_eq!(*upstream.echoed.lock().expect("no test panics here"), ["DELETE /echo/lock"]);
}

#[tokio::test]
async fn no_argument_leaves_its_segment() {
    let (host, upstream) = start().await;
    for value in ["..", "a/b", "%2e%2e", "a;b", "a\\b", ""] {
        let fault = fetch(&host, json!({ "method": "GET", "path": ["echo", value] })).await.expect_err(value);
        assert_eq!(fault.code, "invalid-arguments", "{value}: {}", fault.message);
    }
    assert!(upstream.echoed.lock().expect("no test panics here").is_empty());
}

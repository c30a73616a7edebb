//! What is read of a request before anything else, and how it is refused.

use serde_json::{Value, json};

use crate::backend::{Does, Fake, binding, tool};
use crate::running::{Served, last, served};

async fn lab() -> Served {
    served(&Fake::new([binding("lab", [tool("echo", Does::Echo)])])).await
}

const LIST: &str = r#"{"jsonrpc":"2.0","id":"x","method":"tools/list"}"#;

#[tokio::test]
async fn what_is_not_json_is_a_parse_error_that_is_nobodys_answer() {
    let lab = lab().await;
    let bodies: [&[u8]; 9] = [
        b"",
        b"{",
        b"[1,",
        b"[}",
        b"{\"id\":1}}",
        b"nonsense",
        b"{\"id\":1,\"method\":\"\x07\"}",
        b"{\xff}",
        b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"\xff\"}",
    ];
    // JSON-RPC 2.0 wants the id to be null; MCP's own schema leaves it out since 2025-11-25.
    for (version, id) in [
        (None, Some(Value::Null)),
        (Some("2025-06-18"), Some(Value::Null)),
        (Some("2025-11-25"), None),
        (Some("2026-07-28"), None),
    ] {
        for body in bodies {
            let mut request = lab.post("/mcp", "ann", body.to_vec());
            if let Some(version) = version {
                request = request.header("mcp-protocol-version", version);
            }
            let response = request.send().await.unwrap();
            assert_eq!(response.status(), 400, "{body:?}");
            assert_eq!(response.headers()["content-type"], "application/json");
            let answer: Value = response.json().await.unwrap();
            assert_eq!(
                (answer.get("id"), &answer["error"]["code"]),
                (id.as_ref(), &json!(-32700)),
                "{body:?}"
            );
        }
    }
}

#[tokio::test]
async fn what_is_json_and_no_message_is_an_invalid_request() {
    let lab = lab().await;
    let deep = format!(
        r#"{{"jsonrpc":"2.0","id":"x","method":"m","params":{}1{}}}"#,
        "[".repeat(300),
        "]".repeat(300)
    );
    // The id is there where it can be read.
    let none = Value::Null;
    for (body, id) in [
        ("1", &none),
        ("\"x\"", &none),
        ("null", &none),
        ("{}", &none),
        (r#"{"id":"x","method":"tools/list"}"#, &json!("x")),
        (r#"{"jsonrpc":"1.0","id":"x","method":"tools/list"}"#, &json!("x")),
        (r#"{"jsonrpc":"2.0","id":"x"}"#, &json!("x")),
        (r#"{"jsonrpc":"2.0","id":"x","method":5}"#, &json!("x")),
        (r#"{"jsonrpc":"2.0","id":"x","method":"tools/list","method":"tools/call"}"#, &json!("x")),
        (r#"{"jsonrpc":"2.0","id":1,"id":2,"method":"tools/list"}"#, &none),
        (r#"{"jsonrpc":"2.0","id":null,"method":"tools/list"}"#, &none),
        (r#"{"jsonrpc":"2.0","id":1,"method":"tools/list","result":{}}"#, &json!(1)),
        (&deep, &json!("x")),
    ] {
        for version in [None, Some("2025-06-18"), Some("2025-11-25")] {
            let mut request = lab.post("/mcp", "ann", body.to_owned());
            if let Some(version) = version {
                request = request.header("mcp-protocol-version", version);
            }
            let response = request.send().await.unwrap();
            assert_eq!(response.status(), 400, "{body}");
            let answer: Value = response.json().await.unwrap();
            assert_eq!(answer["error"]["code"], -32600, "{body}: {answer}");
            // MCP's own schema leaves null out since 2025-11-25.
            let expected = Some(id).filter(|id| !id.is_null() || version != Some("2025-11-25"));
            assert_eq!(answer.get("id"), expected, "{body}");
        }
    }
}

#[tokio::test]
async fn json_is_json_however_its_header_is_written() {
    let lab = lab().await;
    for kind in ["application/json; charset=utf-8", "Application/JSON", "application/json ;charset=utf-8"] {
        let mut request = lab.modern("/mcp", "ann", "tools/list", json!({})).build().unwrap();
        request.headers_mut().insert("content-type", kind.parse().unwrap());
        assert_eq!(lab.http.execute(request).await.unwrap().status(), 200, "{kind}");
    }
}

#[tokio::test]
async fn a_notification_is_taken_without_an_answer_in_both_eras() {
    let lab = lab().await;
    let session = lab.legacy("/mcp", "ann", "2025-06-18").await;
    let cancel = json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 1}});
    let modern = lab
        .post("/mcp", "ann", cancel.to_string())
        .header("mcp-protocol-version", "2026-07-28")
        .header("mcp-method", "notifications/cancelled");
    for request in [session.post(cancel), modern] {
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 202);
        assert_eq!(response.bytes().await.unwrap(), "");
    }
}

#[tokio::test]
async fn methods_of_http_that_mean_nothing_here_are_405() {
    let lab = lab().await;
    for (method, version) in [
        (reqwest::Method::GET, Some("2026-07-28")),
        (reqwest::Method::DELETE, Some("2026-07-28")),
        (reqwest::Method::PUT, None),
        (reqwest::Method::PATCH, None),
    ] {
        let mut request = lab
            .http
            .request(method.clone(), lab.url("/mcp"))
            .bearer_auth("ann")
            .header("accept", "text/event-stream");
        if let Some(version) = version {
            request = request.header("mcp-protocol-version", version).header("mcp-session-id", "x");
        }
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 405, "{method}");
        assert!(response.headers()["allow"].to_str().unwrap().contains("POST"), "{method}");
    }
}

#[tokio::test]
async fn a_get_that_opens_nothing_says_so() {
    let lab = lab().await;
    let get = || lab.http.get(lab.url("/mcp")).bearer_auth("ann");
    for (request, status) in [
        // Whoever would take anything is no client of 2024-11-05.
        (get(), 400),
        (get().header("accept", "*/*"), 400),
        (get().header("accept", "text/html"), 406),
        (get().header("accept", "text/event-stream").header("mcp-protocol-version", "2025-11-25"), 400),
        (get().header("accept", "text/event-stream").header("last-event-id", "x"), 400),
        (get().header("accept", "text/event-stream").header("mcp-session-id", "x"), 404),
    ] {
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), status);
        assert_eq!(response.json::<Value>().await.unwrap()["error"]["code"], -32600);
    }
}

#[tokio::test]
async fn an_unknown_method_is_an_error_of_its_request() {
    let lab = lab().await;
    let session = lab.legacy("/mcp", "ann", "2025-11-25").await;
    let legacy = session.request(7, "no/such", json!({})).send().await.unwrap();
    assert_eq!(legacy.status(), 200);
    let modern = lab.modern("/mcp", "ann", "no/such", json!({})).send().await.unwrap();
    assert_eq!(modern.status(), 404);
    for response in [legacy, modern] {
        let answer = last(response).await;
        assert_eq!((&answer["id"], &answer["error"]["code"]), (&json!(7), &json!(-32601)));
    }
}

#[tokio::test]
async fn a_credential_is_asked_for_before_a_body_is_read() {
    let lab = lab().await;
    for body in ["nonsense", "[", LIST] {
        let request = lab.http.post(lab.url("/mcp")).header("content-type", "application/json").body(body);
        assert_eq!(request.send().await.unwrap().status(), 401, "{body}");
    }
}

//! What is refused before any protocol, and what is made to fit.

use std::sync::Arc;
use std::time::Duration;

use fleetgate_mcp::{HttpOptions, LocalCaller, router_over};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::backend::{Does, Fake, binding, principal, tool};
use crate::running::{Served, client, in_time, last, served, served_with};

async fn lab() -> Served {
    served(&Fake::new([binding("lab", [tool("echo", Does::Echo)])])).await
}

const LIST: &str = r#"{"jsonrpc":"2.0","id":"x","method":"tools/list"}"#;

#[tokio::test]
async fn a_foreign_host_or_origin_is_refused_in_both_eras() {
    let lab = lab().await;
    for (name, value) in [
        ("host", "evil.example"),
        ("origin", "https://evil.example"),
        ("origin", "null"),
        ("host", "localhost.evil"),
    ] {
        for request in [
            lab.modern("/mcp", "ann", "tools/list", json!({})),
            lab.post("/mcp", "ann", LIST),
            lab.http.get(lab.url("/mcp")).bearer_auth("ann").header("accept", "text/event-stream"),
            lab.http.delete(lab.url("/mcp")).bearer_auth("ann"),
        ] {
            let response = request.header(name, value).send().await.unwrap();
            assert_eq!(response.status(), 403, "{name}: {value}");
            let body: Value = response.json().await.unwrap();
            assert_eq!(body["error"]["code"], -32600);
            assert_eq!(body.get("id"), None, "whose request it is was not looked at");
        }
    }
    let response =
        lab.modern("/mcp", "ann", "tools/list", json!({})).header("origin", "http://localhost:6274");
    assert_eq!(response.send().await.unwrap().status(), 200);
}

/// What comes on one connection that says this, until the server closes it.
async fn conversation(lab: &Served, requests: &[String]) -> String {
    let mut stream = TcpStream::connect(lab.address).await.unwrap();
    stream.write_all(requests.concat().as_bytes()).await.unwrap();
    let mut heard = Vec::new();
    // Closed with something unread is a reset, which is a close, too.
    let _ = in_time(stream.read_to_end(&mut heard)).await;
    String::from_utf8(heard).unwrap()
}

#[tokio::test]
async fn a_connection_whose_caller_is_not_known_ends_with_its_answer() {
    let lab = lab().await;
    let head = |line: &str, more: &str| format!("{line} HTTP/1.1\r\nhost: {}\r\n{more}\r\n", lab.address);
    let list = |caller: &str, more: &str| {
        let more = format!(
            "{caller}{more}content-type: application/json\r\naccept: application/json\r\ncontent-length: {}\r\n",
            LIST.len()
        );
        head("POST /mcp", &more) + LIST
    };
    let ann = "authorization: Bearer ann\r\n";
    for (request, status) in [
        (head("GET /healthz", ""), "200"),
        (head("GET /elsewhere", ""), "404"),
        (list("", ""), "401"),
        (list("", "origin: https://evil.example\r\n"), "403"),
    ] {
        let heard = conversation(&lab, &[request, list(ann, "")]).await;
        assert!(heard.starts_with(&format!("HTTP/1.1 {status} ")), "{heard}");
        assert_eq!(heard.matches("HTTP/1.1 ").count(), 1, "{heard}");
    }
    let requests =
        [list(ann, ""), head("GET /healthz", ""), list("", ""), list(ann, "connection: close\r\n")];
    let heard = conversation(&lab, &requests).await;
    assert_eq!(heard.matches("HTTP/1.1 ").count(), 4, "who was known once stays: {heard}");
}

#[tokio::test]
async fn the_public_url_is_a_name_of_the_server() {
    let fake = Fake::new([binding("lab", [tool("echo", Does::Echo)])]);
    let lab =
        served_with(&fake, |options| options.with_public_url("https://fleet.example.com").unwrap()).await;
    let with = |origin| {
        lab.modern("/mcp", "ann", "tools/list", json!({}))
            .header("host", "fleet.example.com")
            .header("origin", origin)
    };
    assert_eq!(with("https://fleet.example.com").send().await.unwrap().status(), 200);
    assert_eq!(with("https://other.example.com").send().await.unwrap().status(), 403);
}

#[tokio::test]
async fn a_caller_without_a_credential_is_challenged() {
    let lab = lab().await;
    let response = lab.http.post(lab.url("/mcp")).header("content-type", "application/json").body(LIST);
    let response = response.send().await.unwrap();
    assert_eq!(response.status(), 401);
    assert_eq!(response.headers()["www-authenticate"], "Bearer realm=\"test\"");
    assert_eq!(response.json::<Value>().await.unwrap()["error"]["message"], "say who you are");
    // Whether a binding exists is for those who may know.
    let response = lab.http.post(lab.url("/mcp/nothing")).body(LIST).send().await.unwrap();
    assert_eq!(response.status(), 401);
}

#[tokio::test]
async fn a_local_caller_is_served_directly_and_not_through_a_proxy() {
    let fake = Fake::new([binding("lab", [tool("echo", Does::Echo)])]);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let options = HttpOptions::new(address, Arc::new(LocalCaller(principal("local", &["lab:*"]))));
    let mcp = router_over(fake.clone(), options);
    let shutdown = mcp.shutdown.clone();
    tokio::spawn(fleetgate_mcp::serve(listener, mcp, std::future::pending(), Duration::from_secs(1)));
    let lab = Served { address, http: client(), shutdown };
    let called = lab.ask("/mcp/lab", "ignored", "tools/call", json!({"name": "echo"})).await;
    assert_eq!(called["result"]["isError"], false, "{called}");
    assert_eq!(fake.seen()[0].principal, "local");
    let proxied =
        lab.modern("/mcp/lab", "x", "tools/list", json!({})).header("x-forwarded-for", "203.0.113.9");
    assert_eq!(proxied.send().await.unwrap().status(), 401);
}

#[tokio::test]
async fn a_message_of_very_many_values_is_refused_and_long_text_is_not() {
    let lab = lab().await;
    let many = json!(vec![0; 250_000]);
    let text = json!(",[{".repeat(250_000));
    for (argument, status) in [(many, 413), (text, 200)] {
        let params = json!({"name": "echo", "arguments": {"it": argument}});
        let response = lab.modern("/mcp/lab", "ann", "tools/call", params).send().await.unwrap();
        assert_eq!(response.status(), status);
        let answer = last(response).await;
        assert_eq!(answer["id"], 7);
        if status == 413 {
            let error = json!({"code": -32600, "message": "a message may have at most 250000 values"});
            assert_eq!(answer["error"], error);
        }
    }
}

#[tokio::test]
async fn a_body_that_is_too_large_or_of_another_type_is_refused() {
    let fake = Fake::new([binding("lab", [tool("echo", Does::Echo)])]);
    let lab = served_with(&fake, |mut options| {
        options.max_body = 1000;
        options
    })
    .await;
    let large = format!(
        r#"{{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{{"x":"{}"}}}}"#,
        "x".repeat(1000)
    );
    let response = lab.post("/mcp", "ann", large).send().await.unwrap();
    assert_eq!(response.status(), 413);
    assert_eq!(response.json::<Value>().await.unwrap()["error"]["code"], -32600);
    for kind in ["text/plain", "application/x-www-form-urlencoded", "application/json-seq"] {
        let request =
            lab.http.post(lab.url("/mcp")).bearer_auth("ann").header("content-type", kind).body(LIST);
        assert_eq!(request.send().await.unwrap().status(), 415, "{kind}");
    }
}

#[tokio::test]
async fn whatever_a_client_accepts_it_is_served_that() {
    let lab = lab().await;
    let modern = |accept: Option<&str>| {
        let request = lab.modern("/mcp", "ann", "tools/list", json!({})).build().unwrap();
        let mut request = request;
        match accept {
            Some(accept) => request.headers_mut().insert("accept", accept.parse().unwrap()),
            None => request.headers_mut().remove("accept"),
        };
        lab.http.execute(request)
    };
    for (accept, kind) in [
        (Some("*/*"), "application/json"),
        (None, "application/json"),
        (Some("application/json"), "application/json"),
        (Some("text/event-stream"), "text/event-stream"),
    ] {
        let response = modern(accept).await.unwrap();
        assert_eq!(response.status(), 200, "{accept:?}");
        assert_eq!(response.headers()["content-type"], kind, "{accept:?}");
        assert_eq!(last(response).await["result"]["tools"][0]["name"], "lab_echo");
    }
    let response = modern(Some("image/png")).await.unwrap();
    assert_eq!(response.status(), 406);
    let answer: Value = response.json().await.unwrap();
    assert_eq!((&answer["id"], &answer["error"]["code"]), (&json!(7), &json!(-32600)));

    let session = lab.legacy("/mcp", "ann", "2025-06-18").await;
    for (accept, kind) in [("*/*", "text/event-stream"), ("application/json", "application/json")] {
        let mut request = session.request(3, "tools/list", json!({})).build().unwrap();
        request.headers_mut().insert("accept", accept.parse().unwrap());
        let response = lab.http.execute(request).await.unwrap();
        assert_eq!(response.headers()["content-type"], kind, "{accept}");
        assert_eq!(last(response).await["result"]["tools"][0]["name"], "lab_echo");
    }
}

#[tokio::test]
async fn an_error_carries_the_id_of_its_request() {
    let lab = lab().await;
    // A legacy request without a session.
    let response = lab.post("/mcp", "ann", LIST).send().await.unwrap();
    assert_eq!(response.status(), 400);
    assert_eq!(response.json::<Value>().await.unwrap()["id"], "x");
    let unknown = lab.modern("/mcp", "ann", "no/such", json!({})).send().await.unwrap();
    assert_eq!(unknown.status(), 404);
    let unknown: Value = unknown.json().await.unwrap();
    assert_eq!((&unknown["id"], &unknown["error"]["code"]), (&json!(7), &json!(-32601)));
}

#[tokio::test]
async fn a_subscription_for_somebody_who_takes_no_streams_is_refused() {
    let lab = lab().await;
    let request =
        lab.modern("/mcp", "ann", "subscriptions/listen", json!({"notifications": {}})).build().unwrap();
    let mut request = request;
    request.headers_mut().insert("accept", "application/json".parse().unwrap());
    let response = lab.http.execute(request).await.unwrap();
    assert_eq!(response.status(), 406);
    assert_eq!(response.json::<Value>().await.unwrap()["id"], 7);
}

#[tokio::test]
async fn headers_that_disagree_with_the_body_are_refused() {
    let mut echo = tool("echo", Does::Echo);
    echo.input =
        json!({"type": "object", "properties": {"region": {"type": "string", "x-mcp-header": "Region"}}});
    let fake = Fake::new([binding("lab", [echo, tool("other", Does::Echo)])]);
    let lab = served(&fake).await;
    let params = json!({"name": "echo", "arguments": {"region": "eu"}});
    let call = || lab.modern("/mcp/lab", "ann", "tools/call", params.clone());
    let with = |name: &'static str, value: &'static str| {
        let mut request = call().header("mcp-param-region", "eu").build().unwrap();
        request.headers_mut().insert(name, value.parse().unwrap());
        request
    };
    for request in [
        call().build().unwrap(),
        with("mcp-param-region", "us"),
        with("mcp-name", "other"),
        with("mcp-method", "tools/list"),
        with("mcp-protocol-version", "2025-11-25"),
    ] {
        let response = lab.http.execute(request).await.unwrap();
        assert_eq!(response.status(), 400);
        let answer: Value = response.json().await.unwrap();
        assert_eq!((&answer["id"], &answer["error"]["code"]), (&json!(7), &json!(-32020)), "{answer}");
    }
    assert_eq!(fake.seen(), []);
    let right = lab.http.execute(with("mcp-param-region", "eu")).await.unwrap();
    assert_eq!(right.status(), 200);
}

#[tokio::test]
async fn a_version_that_nobody_speaks_and_a_request_without_its_metadata_are_refused() {
    let lab = lab().await;
    let meta = |version: &str| {
        json!({"io.modelcontextprotocol/protocolVersion": version,
                                      "io.modelcontextprotocol/clientCapabilities": {}})
    };
    let ask = |version: &'static str, meta: Value| {
        let params = json!({"_meta": meta});
        let body = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": params}).to_string();
        let request = lab.post("/mcp", "ann", body).header("mcp-protocol-version", version);
        request.header("mcp-method", "tools/list").send()
    };
    let unknown = ask("2030-01-01", meta("2030-01-01")).await.unwrap();
    assert_eq!(unknown.status(), 400);
    let unknown: Value = unknown.json().await.unwrap();
    assert_eq!((&unknown["id"], &unknown["error"]["code"]), (&json!(1), &json!(-32022)));
    assert!(unknown["error"]["data"]["supported"].as_array().unwrap().contains(&json!("2026-07-28")));
    let bare = ask("2026-07-28", json!({})).await.unwrap();
    assert_eq!(bare.status(), 400);
    assert_eq!(bare.json::<Value>().await.unwrap()["error"]["code"], -32602);
}

#[tokio::test]
async fn a_method_that_a_version_no_longer_has_is_unknown_whatever_its_parameters() {
    let lab = lab().await;
    for method in ["initialize", "ping", "logging/setLevel", "resources/subscribe", "resources/unsubscribe"] {
        for params in [json!({}), json!({ "uri": 7, "level": [] })] {
            let response = lab.modern("/mcp", "ann", method, params.clone()).send().await.unwrap();
            assert_eq!(response.status(), 404, "{method} {params}");
            let body = last(response).await;
            assert_eq!(
                (&body["id"], &body["error"]["code"]),
                (&json!(7), &json!(-32601)),
                "{method} {params}"
            );
        }
    }
}

//! Clients of 2024-11-05: one stream, and messages that are posted beside it.

use std::sync::Arc;
use std::time::Duration;

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::backend::{Does, Fake, Gate, binding, tool};
use crate::running::{Events, Served, in_time, served, served_with};

struct Old<'a> {
    lab: &'a Served,
    caller: &'a str,
    events: Events,
    address: String,
}

impl<'a> Old<'a> {
    async fn open(lab: &'a Served, path: &str, caller: &'a str) -> Self {
        let get = lab.http.get(lab.url(path)).bearer_auth(caller).header("accept", "text/event-stream");
        let response = get.send().await.unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["x-accel-buffering"], "no");
        assert!(response.headers().get("mcp-session-id").is_none());
        let mut events = Events::of(response);
        let first = events.next().await.unwrap();
        assert_eq!(first.kind.as_deref(), Some("endpoint"));
        let address = first.data.unwrap();
        assert!(address.starts_with(&format!("{path}?sessionId=")), "{address}");
        assert!(address.len() >= path.len() + "?sessionId=".len() + 32, "nobody guesses it: {address}");
        Self { lab, caller, events, address }
    }

    async fn post(&self, message: Value) -> StatusCode {
        self.lab.post(&self.address, self.caller, message.to_string()).send().await.unwrap().status()
    }

    async fn initialize(&mut self, version: &str) {
        let params = json!({"protocolVersion": version, "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}});
        let initialize = json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": params});
        assert_eq!(self.post(initialize).await, 202);
        assert_eq!(self.message().await["result"]["protocolVersion"], version);
        assert_eq!(self.post(json!({"jsonrpc": "2.0", "method": "notifications/initialized"})).await, 202);
    }

    async fn message(&mut self) -> Value {
        let event = self.events.next().await.expect("an event");
        assert_eq!(event.kind.as_deref(), Some("message"));
        event.message.expect("a message")
    }

    async fn ask(&mut self, id: u32, method: &str, params: Value) -> Value {
        let request = json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params});
        assert_eq!(self.post(request).await, 202);
        loop {
            let message = self.message().await;
            if message["id"] == id {
                return message;
            }
        }
    }

    async fn opened(lab: &'a Served, path: &str, caller: &'a str) -> Self {
        let mut old = Self::open(lab, path, caller).await;
        old.initialize("2024-11-05").await;
        old
    }
}

fn lab() -> Arc<Fake> {
    let tools =
        [tool("echo", Does::Echo), tool("talk", Does::Talk), tool("reboot", Does::Echo).needs("operator")];
    Fake::new([binding("lab", tools)])
}

#[tokio::test]
async fn a_client_of_the_first_version_lists_and_calls() {
    let fake = lab();
    let lab = served(&fake).await;
    for (path, name) in [("/mcp", "lab_echo"), ("/mcp/lab", "echo")] {
        let mut old = Old::opened(&lab, path, "ann").await;
        let listed = old.ask(1, "tools/list", json!({})).await;
        assert_eq!(listed["result"]["tools"][0]["name"], name);
        let called = old.ask(2, "tools/call", json!({"name": name, "arguments": {"k": 1}})).await;
        assert_eq!(called["result"]["content"][0]["text"], r#"{"k":1}"#);
        assert_eq!(old.ask(3, "no/such", json!({})).await["error"]["code"], -32601);
    }
    assert_eq!(fake.seen()[0].principal, "ann");
}

#[tokio::test]
async fn everything_that_is_said_comes_on_the_one_stream() {
    let fake = lab();
    let lab = served(&fake).await;
    let mut old = Old::opened(&lab, "/mcp/lab", "ann").await;
    let call = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "talk"}});
    assert_eq!(old.post(call).await, 202);
    for _ in 0..7 {
        assert_eq!(old.message().await["method"], "notifications/message");
    }
    assert_eq!(old.message().await["id"], 1);
    fake.publish([binding("lab", [tool("new", Does::Echo)])], &["lab"]);
    assert_eq!(old.message().await["method"], "notifications/tools/list_changed");
}

#[tokio::test]
async fn what_a_caller_may_not_do_is_an_error_on_the_stream() {
    let fake = lab();
    let lab = served(&fake).await;
    let mut old = Old::opened(&lab, "/mcp/lab", "bob").await;
    let refused = old.ask(1, "tools/call", json!({"name": "reboot"})).await;
    assert_eq!(refused["error"]["code"], 403);
    assert_eq!(refused["error"]["data"]["scopes"], json!(["lab:operator"]));
    assert_eq!(fake.seen(), []);
}

#[tokio::test]
async fn the_address_is_its_openers_alone_on_its_endpoint_alone() {
    let fake = lab();
    let lab = served(&fake).await;
    let mut old = Old::opened(&lab, "/mcp/lab", "ann").await;
    let call =
        json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "echo"}}).to_string();
    let id = old.address.split_once('=').unwrap().1.to_owned();
    let modern = lab.legacy_id("/mcp/lab", "ann", "2025-06-18").await;
    for (caller, address) in [
        ("bob", old.address.clone()),
        ("ann", format!("/mcp?sessionId={id}")),
        ("ann", format!("/mcp/lab?sessionId={}", &id[1..])),
        ("ann", "/mcp/lab?sessionId=".to_owned()),
        ("ann", format!("/mcp/lab?sessionId={modern}")),
    ] {
        let response = lab.post(&address, caller, call.clone()).send().await.unwrap();
        assert_eq!(response.status(), 404, "{caller} {address}");
    }
    let as_header = lab.post("/mcp/lab", "ann", call.clone()).header("mcp-session-id", &id);
    assert_eq!(as_header.send().await.unwrap().status(), 404, "it is no session of a later transport");
    let nobody = lab.http.post(lab.url(&old.address)).header("content-type", "application/json").body(call);
    assert_eq!(nobody.send().await.unwrap().status(), 401);
    assert_eq!(fake.seen(), []);
    assert_eq!(old.ask(2, "ping", json!({})).await["result"], json!({}), "it is still there");
}

#[tokio::test]
async fn a_later_client_may_have_anything_in_its_address() {
    let lab = served(&lab()).await;
    let listed = lab.ask("/mcp/lab?sessionId=x", "ann", "tools/list", json!({})).await;
    assert!(listed["result"]["tools"].is_array(), "{listed}");
    let mut session = lab.legacy("/mcp/lab", "ann", "2025-06-18").await;
    session.path = "/mcp/lab?sessionId=x".into();
    assert_eq!(session.ask("ping", json!({})).await["result"], json!({}));
}

#[tokio::test]
async fn both_requests_are_checked_like_any_other() {
    let lab = served(&lab()).await;
    let old = Old::opened(&lab, "/mcp/lab", "ann").await;
    let get = || lab.http.get(lab.url("/mcp/lab")).header("accept", "text/event-stream");
    assert_eq!(get().send().await.unwrap().status(), 401);
    let nowhere = lab.http.get(lab.url("/mcp/none")).bearer_auth("ann").header("accept", "text/event-stream");
    assert_eq!(nowhere.send().await.unwrap().status(), 404);
    for (name, value) in [("host", "evil.example"), ("origin", "https://evil.example")] {
        let opening = get().bearer_auth("ann").header(name, value);
        assert_eq!(opening.send().await.unwrap().status(), 403, "{name}");
        let posting = lab.post(&old.address, "ann", "{}").header(name, value);
        assert_eq!(posting.send().await.unwrap().status(), 403, "{name}");
    }
    let form = lab.http.post(lab.url(&old.address)).bearer_auth("ann").body("{}");
    assert_eq!(form.send().await.unwrap().status(), 415);
}

#[tokio::test]
async fn what_is_no_message_is_refused_to_who_posted_it() {
    let lab = served(&lab()).await;
    let mut old = Old::opened(&lab, "/mcp/lab", "ann").await;
    for (body, code) in [("{", -32700), ("nonsense", -32700), ("{}", -32600), ("[]", -32600)] {
        let response = lab.post(&old.address, "ann", body).send().await.unwrap();
        assert_eq!(response.status(), 400, "{body}");
        let answer: Value = response.json().await.unwrap();
        assert_eq!((answer.get("id"), &answer["error"]["code"]), (Some(&Value::Null), &json!(code)));
    }
    let large = format!("{{\"x\":\"{}\"}}", "y".repeat(5 << 20));
    assert_eq!(lab.post(&old.address, "ann", large).send().await.unwrap().status(), 413);
    assert_eq!(old.ask(2, "ping", json!({})).await["result"], json!({}));
}

#[tokio::test]
async fn a_batch_is_answered_message_by_message() {
    let lab = served(&lab()).await;
    let mut old = Old::opened(&lab, "/mcp/lab", "ann").await;
    let ping = |id: u32| json!({"jsonrpc": "2.0", "id": id, "method": "ping"});
    assert_eq!(old.post(json!([ping(1), ping(2), {"x": 1}])).await, 202);
    let mut heard = [old.message().await, old.message().await, old.message().await];
    heard.sort_by_key(|message| message["id"].as_u64());
    assert_eq!(heard[0]["error"]["code"], -32600);
    assert_eq!((&heard[1]["id"], &heard[2]["id"]), (&json!(1), &json!(2)));
    let mut later = Old::open(&lab, "/mcp/lab", "ann").await;
    later.initialize("2025-06-18").await;
    assert_eq!(later.post(json!([ping(1)])).await, 400, "not in a version that has none");
}

#[tokio::test]
async fn one_that_does_not_begin_with_initialize_ends() {
    let lab = served(&lab()).await;
    let mut old = Old::open(&lab, "/mcp/lab", "ann").await;
    old.post(json!({"jsonrpc": "2.0", "method": "notifications/initialized"})).await;
    assert!(old.events.next().await.is_none());
}

fn waiting() -> (Arc<Fake>, Arc<Gate>) {
    let gate = Arc::new(Gate::default());
    (Fake::new([binding("lab", [tool("wait", Does::Wait(gate.clone()))])]), gate)
}

fn wait(id: u32) -> Value {
    json!({"jsonrpc": "2.0", "id": id, "method": "tools/call", "params": {"name": "wait"}})
}

#[tokio::test]
async fn hanging_up_ends_the_session_and_stops_its_calls() {
    let (fake, gate) = waiting();
    let lab = served(&fake).await;
    let old = Old::opened(&lab, "/mcp/lab", "ann").await;
    assert_eq!(old.post(wait(1)).await, 202);
    in_time(gate.started.notified()).await;
    let address = old.address.clone();
    drop(old);
    in_time(gate.cancelled.notified()).await;
    let ping = json!({"jsonrpc": "2.0", "id": 2, "method": "ping"}).to_string();
    in_time(async {
        // Its calls may be stopped a moment before it is forgotten.
        while lab.post(&address, "ann", ping.clone()).send().await.unwrap().status() != 404 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await;
}

#[tokio::test]
async fn a_call_that_is_given_up_stops_and_is_not_answered() {
    let (fake, gate) = waiting();
    let lab = served(&fake).await;
    let mut old = Old::opened(&lab, "/mcp/lab", "ann").await;
    assert_eq!(old.post(wait(4)).await, 202);
    in_time(gate.started.notified()).await;
    assert_eq!(old.post(wait(4)).await, 400, "its id is in use");
    old.post(json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 4}}))
        .await;
    in_time(gate.cancelled.notified()).await;
    let ping = json!({"jsonrpc": "2.0", "id": 5, "method": "ping"});
    assert_eq!(old.post(ping).await, 202);
    assert_eq!(old.message().await["id"], 5);
}

#[tokio::test]
async fn they_count_among_their_callers_sessions() {
    let (fake, gate) = waiting();
    let lab = served_with(&fake, |mut options| {
        options.sessions_per_principal = 1;
        options
    })
    .await;
    let mut first = Old::opened(&lab, "/mcp/lab", "ann").await;
    let second = Old::opened(&lab, "/mcp/lab", "ann").await;
    assert!(first.events.next().await.is_none(), "the one left alone longest made room");
    assert_eq!(second.post(wait(1)).await, 202);
    in_time(gate.started.notified()).await;
    let get = lab.http.get(lab.url("/mcp/lab")).bearer_auth("ann").header("accept", "text/event-stream");
    assert_eq!(get.send().await.unwrap().status(), 503, "one with a call under way does not");
}

#[tokio::test]
async fn a_stop_lets_calls_end_and_then_the_streams() {
    let (fake, gate) = waiting();
    let lab = served(&fake).await;
    let mut busy = Old::opened(&lab, "/mcp/lab", "ann").await;
    let mut idle = Old::opened(&lab, "/mcp/lab", "ann").await;
    assert_eq!(busy.post(wait(1)).await, 202);
    in_time(gate.started.notified()).await;
    lab.shutdown.begin();
    assert!(idle.events.next().await.is_none());
    gate.release.notify_one();
    assert_eq!(busy.message().await["result"]["content"][0]["text"], "released");
    assert!(busy.events.next().await.is_none());
}

#[tokio::test]
async fn an_endpoint_that_goes_takes_its_streams_along() {
    let fake = lab();
    let lab = served(&fake).await;
    let mut old = Old::opened(&lab, "/mcp/lab", "ann").await;
    fake.publish([binding("home", [tool("it", Does::Echo)])], &["lab", "home"]);
    while let Some(event) = old.events.next().await {
        assert_eq!(event.message.unwrap()["method"], "notifications/tools/list_changed");
    }
}

#[tokio::test]
async fn each_is_a_conversation_of_its_own_for_plugins() {
    let fake = lab();
    let lab = served(&fake).await;
    for _ in 0..2 {
        let mut old = Old::opened(&lab, "/mcp/lab", "ann").await;
        for id in [1, 2] {
            old.ask(id, "tools/call", json!({"name": "echo"})).await;
        }
    }
    let keys: Vec<_> = fake.seen().into_iter().map(|seen| seen.session).collect();
    assert_eq!((&keys[0], &keys[2]), (&keys[1], &keys[3]));
    assert_ne!(keys[0], keys[2]);
}

#[tokio::test]
async fn a_client_that_reads_nothing_is_let_go() {
    use fleetgate_core::domain::{Content, ToolResult};
    let text = "x".repeat(8 << 20);
    let result = ToolResult { content: vec![Content::text(&text)], ..Default::default() };
    let fake = Fake::new([binding("lab", [tool("much", Does::Return(result))])]);
    let lab = served(&fake).await;
    let old = Old::opened(&lab, "/mcp/lab", "ann").await;
    let refused = in_time(async {
        for id in 0.. {
            let call =
                json!({"jsonrpc": "2.0", "id": id, "method": "tools/call", "params": {"name": "much"}});
            let status = old.post(call).await;
            if status != 202 {
                return status;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        unreachable!("there is always another number")
    });
    assert_eq!(refused.await, 404);
}

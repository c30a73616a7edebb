//! Several messages in one request, as 2025-03-26 has them.

use std::sync::Arc;

use reqwest::Response;
use serde_json::{Value, json};

use crate::backend::{Does, Fake, Gate, binding, tool};
use crate::running::{Events, Served, Session, in_time, served, served_with};

async fn lab() -> (Arc<Fake>, Served) {
    let tools = [
        tool("echo", Does::Echo),
        tool("talk", Does::Talk),
        tool("progress", Does::Progress),
        tool("reboot", Does::Echo).needs("operator"),
    ];
    let fake = Fake::new([binding("lab", tools)]);
    let served = served(&fake).await;
    (fake, served)
}

fn request(id: impl Into<Value>, method: &str, params: Value) -> Value {
    json!({"jsonrpc": "2.0", "id": id.into(), "method": method, "params": params})
}

fn call(id: impl Into<Value>, name: &str) -> Value {
    let id = id.into();
    request(id.clone(), "tools/call", json!({"name": name, "_meta": {"progressToken": id}}))
}

fn note() -> Value {
    json!({"jsonrpc": "2.0", "method": "notifications/progress", "params": {"progressToken": 1, "progress": 1}})
}

/// The answers of an array, by the ids of their requests.
async fn array(response: Response) -> Vec<Value> {
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["content-type"], "application/json");
    response.json::<Value>().await.unwrap().as_array().expect("an array").clone()
}

fn of(answers: &[Value], id: impl Into<Value>) -> &Value {
    let id = id.into();
    answers
        .iter()
        .find(|answer| answer["id"] == id)
        .unwrap_or_else(|| panic!("no answer to {id}: {answers:?}"))
}

async fn json_only(session: &Session<'_>, lab: &Served, batch: Value) -> Response {
    let mut request = session.post(batch).build().unwrap();
    request.headers_mut().insert("accept", "application/json".parse().unwrap());
    lab.http.execute(request).await.unwrap()
}

#[tokio::test]
async fn a_batch_is_answered_by_one_array_or_on_one_stream() {
    let (fake, lab) = lab().await;
    let session = lab.legacy("/mcp/lab", "ann", "2025-03-26").await;
    let batch = json!([call(1, "echo"), note(), request("x", "ping", json!({})), call(3, "talk")]);
    let answers = array(json_only(&session, &lab, batch.clone()).await).await;
    assert_eq!(answers.len(), 3, "{answers:?}");

    let heard = Events::of(session.post(batch).send().await.unwrap()).rest().await;
    let (answered, said): (Vec<_>, Vec<_>) =
        heard.into_iter().partition(|message| message.get("id").is_some());
    for answers in [&answers, &answered] {
        assert_eq!(of(answers, 1)["result"]["content"][0]["text"], "{}");
        assert_eq!(of(answers, "x")["result"], json!({}));
        assert_eq!(of(answers, 3)["result"]["content"][0]["text"], "said");
    }
    assert_eq!(said.len(), 7, "what the calls say is said there, too: {said:?}");
    assert_eq!(fake.seen().len(), 4);
}

#[tokio::test]
async fn progress_comes_on_the_batchs_stream_before_the_answer_that_it_leads_to() {
    let (_, lab) = lab().await;
    let session = lab.legacy("/mcp/lab", "ann", "2025-03-26").await;
    let batch = json!([call("a", "progress"), call("b", "progress")]);
    let heard = Events::of(session.post(batch).send().await.unwrap()).rest().await;
    for id in ["a", "b"] {
        let of_it = |message: &&Value| message["id"] == id || message["params"]["progressToken"] == id;
        let own: Vec<_> = heard.iter().filter(of_it).collect();
        let steps: Vec<_> = own.iter().filter_map(|message| message["params"]["progress"].as_f64()).collect();
        assert_eq!(steps, [0.0, 50.0, 100.0]);
        assert_eq!(own.last().unwrap()["id"], id);
    }
    assert_eq!(heard.len(), 8);
}

#[tokio::test]
async fn nothing_to_answer_is_202() {
    let (_, lab) = lab().await;
    let session = lab.legacy("/mcp/lab", "ann", "2025-03-26").await;
    let reply = json!({"jsonrpc": "2.0", "id": 900, "result": {}});
    let error = json!({"jsonrpc": "2.0", "id": 901, "error": {"code": -1, "message": "no"}});
    let response = session.post(json!([note(), reply, error])).send().await.unwrap();
    assert_eq!(response.status(), 202);
    assert_eq!(response.bytes().await.unwrap(), "");
    assert_eq!(session.ask("ping", json!({})).await["result"], json!({}));
}

#[tokio::test]
async fn a_call_that_is_not_allowed_is_one_of_the_answers() {
    let (fake, lab) = lab().await;
    let session = lab.legacy("/mcp/lab", "bob", "2025-03-26").await;
    let response = json_only(&session, &lab, json!([call(1, "reboot"), call(2, "echo")])).await;
    assert!(response.headers().get("www-authenticate").is_none());
    let answers = array(response).await;
    assert_eq!(of(&answers, 1)["error"]["code"], 403);
    assert_eq!(of(&answers, 1)["error"]["data"]["scopes"], json!(["lab:operator"]));
    assert_eq!(of(&answers, 2)["result"]["content"][0]["text"], "{}");
    assert_eq!(fake.seen().len(), 1);
}

#[tokio::test]
async fn what_is_no_message_is_answered_beside_the_others() {
    let (_, lab) = lab().await;
    let session = lab.legacy("/mcp/lab", "ann", "2025-03-26").await;
    let modern = json!({"io.modelcontextprotocol/protocolVersion": "2026-07-28",
                        "io.modelcontextprotocol/clientCapabilities": {}});
    let batch = json!([
        1,
        [call(5, "echo")],
        {"jsonrpc": "2.0", "id": 6, "result": {}, "method": "ping"},
        request(7, "tools/call", json!({"name": "echo", "_meta": modern})),
        call(8, "echo"),
    ]);
    let answers = array(json_only(&session, &lab, batch.clone()).await).await;
    assert_eq!(answers.len(), 5);
    assert_eq!(answers.iter().filter(|answer| answer.get("id") == Some(&Value::Null)).count(), 2);
    for (id, why) in [(6, "JSON-RPC"), (7, "belongs to no session")] {
        assert_eq!(of(&answers, id)["error"]["code"], -32600);
        assert!(of(&answers, id)["error"]["message"].as_str().unwrap().contains(why));
    }
    assert_eq!(of(&answers, 8)["result"]["content"][0]["text"], "{}");
    let heard = Events::of(session.post(batch).send().await.unwrap()).rest().await;
    assert_eq!(heard.len(), 5);
    let nothing_else = array(json_only(&session, &lab, json!([{"x": 1}])).await).await;
    assert_eq!(nothing_else[0]["error"]["code"], -32600);
}

#[tokio::test]
async fn a_batch_that_breaks_a_rule_is_refused_as_a_whole() {
    let (fake, lab) = lab().await;
    let session = lab.legacy("/mcp/lab", "ann", "2025-03-26").await;
    let params = json!({"protocolVersion": "2025-03-26", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}});
    let values = json!([
        call(1, "echo"),
        request(2, "tools/call", json!({"name": "echo", "arguments": {"x": vec![0; 250_000]}}))
    ]);
    for (batch, status, why) in [
        (json!([]), 400, "at least one message"),
        (json!([call(1, "echo"), call(1, "echo")]), 400, "have the id 1"),
        (json!([call("1", "echo"), request("1", "ping", json!({}))]), 400, "have the id 1"),
        (Value::from_iter((0..101).map(|id| call(id, "echo"))), 400, "at most 100 messages"),
        (json!([call(1, "echo"), request(0, "initialize", params)]), 400, "initialize cannot be part"),
        (values, 413, "at most 250000 values"),
    ] {
        let response = session.post(batch).send().await.unwrap();
        assert_eq!(response.status(), status, "{why}");
        let refused: Value = response.json().await.unwrap();
        assert_eq!((refused.get("id"), &refused["error"]["code"]), (Some(&Value::Null), &json!(-32600)));
        assert!(refused["error"]["message"].as_str().unwrap().contains(why), "{refused}");
    }
    assert_eq!(fake.seen(), []);
    let hundred = Value::from_iter((0..100).map(|id| call(id, "echo")));
    assert_eq!(array(json_only(&session, &lab, hundred).await).await.len(), 100);
}

#[tokio::test]
async fn only_sessions_of_versions_that_have_batches_take_them() {
    let (fake, lab) = lab().await;
    let batch = json!([call(1, "echo")]);
    let refused = async |request: reqwest::RequestBuilder, why: &str| {
        let response = request.send().await.unwrap();
        let status = response.status().as_u16();
        let refused: Value = response.json().await.unwrap();
        assert_eq!(refused["error"]["code"], -32600, "{refused}");
        assert!(refused["error"]["message"].as_str().unwrap().contains(why), "{refused}");
        status
    };
    for version in ["2025-06-18", "2025-11-25"] {
        let session = lab.legacy("/mcp/lab", "ann", version).await;
        assert_eq!(refused(session.post(batch.clone()), version).await, 400);
        // A client that says no version is still the one that negotiated.
        let bare = lab.post("/mcp/lab", "ann", batch.to_string()).header("mcp-session-id", &session.id);
        assert_eq!(refused(bare, version).await, 400);
    }
    let modern = lab.post("/mcp/lab", "ann", batch.to_string()).header("mcp-protocol-version", "2026-07-28");
    assert_eq!(refused(modern, "2026-07-28").await, 400);
    let session = lab.legacy("/mcp/lab", "ann", "2025-03-26").await;
    let with =
        |caller, id: &str| lab.post("/mcp/lab", caller, batch.to_string()).header("mcp-session-id", id);
    let later = with("ann", &session.id).header("mcp-protocol-version", "2025-06-18");
    assert_eq!(refused(later, "2025-06-18").await, 400);
    assert_eq!(refused(lab.post("/mcp/lab", "ann", batch.to_string()), "begin with initialize").await, 400);
    assert_eq!(refused(with("bob", &session.id), "no such session").await, 404);
    assert_eq!(refused(with("ann", "nothing"), "no such session").await, 404);
    assert_eq!(fake.seen(), []);
    for request in [
        with("ann", &session.id),
        with("ann", &session.id).header("mcp-protocol-version", "2025-03-26"),
        lab.legacy("/mcp/lab", "ann", "2024-11-05").await.post(batch.clone()),
    ] {
        assert_eq!(Events::of(request.send().await.unwrap()).rest().await[0]["id"], 1);
    }
}

#[tokio::test]
async fn a_batch_in_a_form_that_nobody_gives_is_406() {
    let (fake, lab) = lab().await;
    let session = lab.legacy("/mcp/lab", "ann", "2025-03-26").await;
    let mut request = session.post(json!([call(1, "echo")])).build().unwrap();
    request.headers_mut().insert("accept", "image/png".parse().unwrap());
    assert_eq!(lab.http.execute(request).await.unwrap().status(), 406);
    assert_eq!(fake.seen(), []);
}

#[tokio::test]
async fn one_of_a_batch_that_is_given_up_does_not_hold_the_others() {
    let gate = Arc::new(Gate::default());
    let fake =
        Fake::new([binding("lab", [tool("wait", Does::Wait(gate.clone())), tool("echo", Does::Echo)])]);
    let lab = served(&fake).await;
    let session = lab.legacy("/mcp/lab", "ann", "2025-03-26").await;
    let batch = json!([call(1, "wait"), call(2, "echo")]);
    let mut stream = Events::of(session.post(batch).send().await.unwrap());
    in_time(gate.started.notified()).await;
    let twice = session.post(json!([call(1, "echo")])).send().await.unwrap();
    assert_eq!(twice.status(), 400, "its id is in use");
    let cancel = json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 1}});
    assert_eq!(session.post(json!([cancel])).send().await.unwrap().status(), 202);
    in_time(gate.cancelled.notified()).await;
    let mut answers = Vec::new();
    while let Some(message) = stream.message().await {
        answers.extend(message.get("id").cloned());
    }
    assert_eq!(answers, [2]);
}

#[tokio::test]
async fn a_batch_whose_stream_broke_is_taken_up_again() {
    let gate = Arc::new(Gate::default());
    let fake =
        Fake::new([binding("lab", [tool("wait", Does::Wait(gate.clone())), tool("echo", Does::Echo)])]);
    let lab = served_with(&fake, |options| options).await;
    let session = lab.legacy("/mcp/lab", "ann", "2025-03-26").await;
    let batch = json!([request(1, "tools/call", json!({"name": "wait"})), call(2, "echo")]);
    let mut stream = Events::of(session.post(batch).send().await.unwrap());
    let first = stream.next().await.unwrap();
    assert_eq!(first.message.unwrap()["id"], 2);
    drop(stream);
    let mut resumed =
        Events::of(session.get().header("last-event-id", first.id.unwrap()).send().await.unwrap());
    gate.release.notify_one();
    assert_eq!(resumed.message().await.unwrap()["id"], 1);
    assert!(resumed.next().await.is_none());
}

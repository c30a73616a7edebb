//! One client over a pipe.

use std::sync::Arc;

use fleetgate_core::catalog::Scope;
use fleetgate_mcp::{StdioError, StdioOptions, serve_pipe};
use rmcp::model::{CallToolRequestParams, ClientConfig, ProtocolVersion};
use rmcp::{ClientLifecycleMode, ClientServiceExt, ServiceExt};
use serde_json::{Value, json};
use tokio::io::{
    AsyncBufReadExt, AsyncWriteExt, BufReader, DuplexStream, Lines, ReadHalf, WriteHalf, duplex, split,
};
use tokio::task::JoinHandle;

use crate::backend::{Does, Fake, Gate, binding, principal, tool};
use crate::running::in_time;

struct Pipe {
    write: WriteHalf<DuplexStream>,
    lines: Lines<BufReader<ReadHalf<DuplexStream>>>,
    ended: JoinHandle<Result<(), StdioError>>,
}

fn serve(
    fake: &Arc<Fake>,
    scope: Scope,
    options: StdioOptions,
) -> (DuplexStream, JoinHandle<Result<(), StdioError>>) {
    let (ours, theirs) = duplex(64 * 1024);
    let (read, write) = split(theirs);
    let who = principal("local", &["lab:viewer"]);
    (ours, tokio::spawn(serve_pipe(fake.clone(), scope, who, options, read, write)))
}

fn pipe(fake: &Arc<Fake>) -> Pipe {
    let (ours, ended) = serve(fake, Scope::Binding("lab".into()), StdioOptions::default());
    let (read, write) = split(ours);
    Pipe { write, lines: BufReader::new(read).lines(), ended }
}

impl Pipe {
    async fn write(&mut self, text: &str) {
        self.write.write_all(text.as_bytes()).await.unwrap();
    }

    async fn send(&mut self, message: Value) {
        self.write(&format!("{message}\n")).await;
    }

    async fn next(&mut self) -> Value {
        serde_json::from_str(&in_time(self.lines.next_line()).await.unwrap().expect("a line")).unwrap()
    }

    async fn initialize(&mut self) {
        self.initialize_at("2025-06-18").await;
    }

    async fn initialize_at(&mut self, version: &str) {
        let params = json!({"protocolVersion": version, "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}});
        self.send(json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": params})).await;
        assert_eq!(self.next().await["result"]["protocolVersion"], version);
        self.send(json!({"jsonrpc": "2.0", "method": "notifications/initialized"})).await;
    }

    async fn close(self) -> Result<(), StdioError> {
        drop(self.write);
        drop(self.lines);
        in_time(self.ended).await.unwrap()
    }
}

fn lab() -> Arc<Fake> {
    let tools = [tool("look", Does::Echo).needs("viewer"), tool("reboot", Does::Echo).needs("operator")];
    Fake::new([binding("lab", tools), binding("home", [tool("it", Does::Echo)])])
}

#[tokio::test]
async fn the_one_caller_holds_its_roles_and_no_more() {
    let fake = lab();
    let mut pipe = pipe(&fake);
    pipe.initialize().await;
    pipe.send(json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list"})).await;
    let listed = pipe.next().await;
    assert_eq!(listed["result"]["tools"][0]["name"], "look");
    assert_eq!(listed["result"]["tools"].as_array().unwrap().len(), 1);
    pipe.send(json!({"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": {"name": "reboot"}})).await;
    let refused = pipe.next().await;
    assert_eq!((&refused["id"], &refused["error"]["code"]), (&json!(2), &json!(403)));
    assert_eq!(refused["error"]["data"]["scopes"], json!(["lab:operator"]));
    pipe.send(json!({"jsonrpc": "2.0", "id": 3, "method": "tools/call", "params": {"name": "look"}})).await;
    assert_eq!(pipe.next().await["result"]["content"][0]["text"], "{}");
    assert_eq!(fake.seen()[0].principal, "local");
    // And none that was taken away meanwhile.
    fake.loses("local");
    pipe.send(json!({"jsonrpc": "2.0", "id": 4, "method": "tools/list"})).await;
    assert_eq!(pipe.next().await["result"]["tools"], json!([]));
    pipe.send(json!({"jsonrpc": "2.0", "id": 5, "method": "tools/call", "params": {"name": "look"}})).await;
    assert_eq!(pipe.next().await["error"]["code"], 403);
    pipe.close().await.unwrap();
}

#[tokio::test]
async fn messages_are_lines_however_they_arrive() {
    let mut pipe = pipe(&lab());
    pipe.initialize().await;
    let ping = |id: u32| json!({"jsonrpc": "2.0", "id": id, "method": "ping"}).to_string();
    // In pieces, several at once, with carriage returns, with empty lines between, and without a byte order mark.
    let (head, tail) = (&ping(1)[..10], &ping(1)[10..]);
    pipe.write(head).await;
    tokio::task::yield_now().await;
    pipe.write(&format!("{tail}\n{}\r\n\n\r\n\u{feff}{}\n", ping(2), ping(3))).await;
    let mut ids: Vec<_> = vec![pipe.next().await, pipe.next().await, pipe.next().await];
    ids.sort_by_key(|answer| answer["id"].as_u64());
    assert!(ids.iter().all(|answer| answer["result"] == json!({})));
    assert_eq!(ids.iter().map(|answer| answer["id"].as_u64().unwrap()).collect::<Vec<_>>(), [1, 2, 3]);
    pipe.close().await.unwrap();
}

#[tokio::test]
async fn what_is_no_message_is_answered_and_does_not_end_the_conversation() {
    let fake = lab();
    let mut pipe = pipe(&fake);
    pipe.initialize().await;
    for (line, code, id) in [
        (&b"{"[..], -32700, Value::Null),
        (b"nonsense", -32700, Value::Null),
        (b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"\xff\"}", -32700, Value::Null),
        (b"{}", -32600, Value::Null),
        (b"7", -32600, Value::Null),
        (b"{\"id\":3,\"method\":\"ping\"}", -32600, json!(3)),
        (b"{\"jsonrpc\":\"2.0\",\"id\":null,\"method\":\"ping\"}", -32600, Value::Null),
    ] {
        pipe.write.write_all(line).await.unwrap();
        pipe.write("\n").await;
        let answer = pipe.next().await;
        assert_eq!(answer["error"]["code"], code, "{answer}");
        assert_eq!(answer.get("id"), Some(&id), "{answer}");
    }
    // An answer that nobody can read is not answered: two sides could go on for ever.
    pipe.write("{\"jsonrpc\":\"2.0\",\"error\":{}}\n").await;
    pipe.send(json!({"jsonrpc": "2.0", "id": 1, "method": "ping"})).await;
    assert_eq!(pipe.next().await["id"], 1);
    assert_eq!(fake.seen(), []);
    pipe.close().await.unwrap();
}

#[tokio::test]
async fn a_line_that_is_too_long_is_refused_and_skipped() {
    let mut pipe = pipe(&lab());
    pipe.initialize().await;
    pipe.write(&format!("{{\"x\":\"{}\"}}\n", "y".repeat(17 << 20))).await;
    let refused = pipe.next().await;
    assert_eq!(refused["error"]["code"], -32600);
    assert!(refused["error"]["message"].as_str().unwrap().contains("16777216 bytes"));
    pipe.write(&format!("[{}]\n", vec!["1"; 250_001].join(","))).await;
    assert!(pipe.next().await["error"]["message"].as_str().unwrap().contains("250000 values"));
    pipe.send(json!({"jsonrpc": "2.0", "id": 1, "method": "ping"})).await;
    assert_eq!(pipe.next().await["id"], 1);
    pipe.close().await.unwrap();
}

#[tokio::test]
async fn an_error_that_is_nobodys_has_no_id_for_clients_whose_schema_has_none() {
    let mut pipe = pipe(&lab());
    pipe.initialize_at("2025-11-25").await;
    pipe.write("nonsense\n").await;
    let answer = pipe.next().await;
    assert_eq!(answer["error"]["code"], -32700);
    assert!(answer.get("id").is_none(), "{answer}");
    pipe.close().await.unwrap();
}

#[tokio::test]
async fn the_last_line_needs_no_line_feed_and_what_runs_is_answered() {
    let gate = Arc::new(Gate::default());
    let mut pipe = pipe(&Fake::new([binding("lab", [tool("wait", Does::Wait(gate.clone()))])]));
    pipe.initialize().await;
    let call = json!({"jsonrpc": "2.0", "id": 4, "method": "tools/call", "params": {"name": "wait"}});
    pipe.write(&call.to_string()).await;
    pipe.write.shutdown().await.unwrap();
    in_time(gate.started.notified()).await;
    gate.release.notify_one();
    assert_eq!(pipe.next().await["id"], 4);
    assert!(in_time(pipe.lines.next_line()).await.unwrap().is_none());
    in_time(pipe.ended).await.unwrap().unwrap();
}

#[tokio::test]
async fn two_requests_with_one_id_at_once_are_not_told_apart_so_the_second_is_refused() {
    let gate = Arc::new(Gate::default());
    let mut pipe = pipe(&Fake::new([binding("lab", [tool("wait", Does::Wait(gate.clone()))])]));
    pipe.initialize().await;
    let call = json!({"jsonrpc": "2.0", "id": 4, "method": "tools/call", "params": {"name": "wait"}});
    pipe.send(call).await;
    in_time(gate.started.notified()).await;
    pipe.send(json!({"jsonrpc": "2.0", "id": 4, "method": "ping"})).await;
    let refused = pipe.next().await;
    assert_eq!((&refused["id"], &refused["error"]["code"]), (&Value::Null, &json!(-32600)));
    gate.release.notify_one();
    assert_eq!(pipe.next().await["result"]["content"][0]["text"], "released");
    pipe.close().await.unwrap();
}

fn call(id: u32, tool: &str) -> Value {
    json!({"jsonrpc": "2.0", "id": id, "method": "tools/call", "params": {"name": tool, "_meta": {"progressToken": id}}})
}

#[tokio::test]
async fn a_batch_is_answered_with_one_line() {
    let fake = lab();
    let mut pipe = pipe(&fake);
    pipe.initialize_at("2025-03-26").await;
    let ping = |id: u32| json!({"jsonrpc": "2.0", "id": id, "method": "ping"});
    let note = json!({"jsonrpc": "2.0", "method": "notifications/progress", "params": {"progressToken": 1, "progress": 1}});
    pipe.send(json!([ping(1), note, call(2, "look"), call(3, "reboot"), {"x": 1}])).await;
    let answers = pipe.next().await;
    let answers = answers.as_array().expect("one line for all of them");
    assert_eq!(answers.len(), 4, "{answers:?}");
    let of = |id: Value| answers.iter().find(|answer| answer["id"] == id).unwrap();
    assert_eq!(of(json!(1))["result"], json!({}));
    assert_eq!(of(json!(2))["result"]["content"][0]["text"], "{}");
    assert_eq!(of(json!(3))["error"]["code"], 403, "it is not allowed");
    assert_eq!(of(Value::Null)["error"]["code"], -32600);
    assert_eq!(fake.seen().len(), 1);

    // Nothing to answer: nothing is said.
    pipe.send(json!([note])).await;
    pipe.send(json!([{"x": 1}, 2])).await;
    assert_eq!(pipe.next().await.as_array().unwrap().len(), 2);
    for (wrong, why) in [
        (json!([]), "at least one message"),
        (json!([ping(1), ping(1)]), "have the id 1"),
        (json!(vec![note; 101]), "at most 100 messages"),
        (
            json!([ping(1), {"jsonrpc": "2.0", "id": 9, "method": "initialize", "params":
            {"protocolVersion": "2025-03-26", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}}}]),
            "initialize cannot be part of a batch",
        ),
    ] {
        pipe.send(wrong).await;
        let refused = pipe.next().await;
        assert_eq!(refused["error"]["code"], -32600, "{refused}");
        assert!(refused["error"]["message"].as_str().unwrap().contains(why), "{refused}");
    }
    pipe.send(ping(7)).await;
    assert_eq!(pipe.next().await["id"], 7);
    pipe.close().await.unwrap();
}

#[tokio::test]
async fn one_of_a_batch_that_is_given_up_does_not_hold_the_others() {
    let gate = Arc::new(Gate::default());
    let tools = [tool("wait", Does::Wait(gate.clone())), tool("look", Does::Echo)];
    let mut pipe = pipe(&Fake::new([binding("lab", tools)]));
    pipe.initialize_at("2025-03-26").await;
    pipe.send(json!([call(1, "wait"), call(2, "look")])).await;
    in_time(gate.started.notified()).await;
    assert_eq!(pipe.next().await["params"]["progressToken"], 1, "progress comes when it is made");
    let cancel = json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 1}});
    pipe.send(json!([cancel])).await;
    let answers = pipe.next().await;
    assert_eq!(answers.as_array().unwrap().len(), 1, "{answers}");
    assert_eq!(answers[0]["id"], 2);
    in_time(gate.cancelled.notified()).await;
    pipe.close().await.unwrap();
}

#[tokio::test]
async fn versions_without_batches_refuse_them() {
    for version in [None, Some("2025-06-18"), Some("2025-11-25")] {
        let fake = lab();
        let mut pipe = pipe(&fake);
        if let Some(version) = version {
            pipe.initialize_at(version).await;
        }
        pipe.send(json!([call(1, "look")])).await;
        let refused = pipe.next().await;
        assert_eq!(refused["error"]["code"], -32600, "{refused}");
        let why = version.unwrap_or("begin with initialize");
        assert!(refused["error"]["message"].as_str().unwrap().contains(why), "{refused}");
        assert_eq!(fake.seen(), []);
        pipe.close().await.unwrap();
    }
}

#[tokio::test]
async fn a_cancelled_call_stops_and_is_not_answered() {
    let gate = Arc::new(Gate::default());
    let mut pipe = pipe(&Fake::new([binding("lab", [tool("wait", Does::Wait(gate.clone()))])]));
    pipe.initialize().await;
    let params = json!({"name": "wait", "_meta": {"progressToken": 1}});
    pipe.send(json!({"jsonrpc": "2.0", "id": 4, "method": "tools/call", "params": params})).await;
    in_time(gate.started.notified()).await;
    assert_eq!(pipe.next().await["params"]["progress"], 1.0);
    pipe.send(json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 4}}))
        .await;
    in_time(gate.cancelled.notified()).await;
    pipe.send(json!({"jsonrpc": "2.0", "id": 5, "method": "ping"})).await;
    assert_eq!(pipe.next().await["id"], 5);
    pipe.close().await.unwrap();
}

#[tokio::test]
async fn the_end_of_the_input_is_the_end() {
    pipe(&lab()).close().await.unwrap();
    let mut begun = pipe(&lab());
    begun.initialize().await;
    begun.close().await.unwrap();
    let mut wrong = pipe(&lab());
    wrong.send(json!({"jsonrpc": "2.0", "method": "notifications/initialized"})).await;
    assert!(matches!(in_time(wrong.ended).await.unwrap(), Err(StdioError::Handshake(_))));
}

#[tokio::test]
async fn a_client_hears_of_changes_and_of_the_stop() {
    let fake = lab();
    let options = StdioOptions::default();
    let stop = options.stop.clone();
    let (ours, ended) = serve(&fake, Scope::Shared, options);
    let (read, write) = split(ours);
    let mut pipe = Pipe { write, lines: BufReader::new(read).lines(), ended };
    let meta = json!({"io.modelcontextprotocol/protocolVersion": "2026-07-28",
                      "io.modelcontextprotocol/clientCapabilities": {}});
    let params = json!({"_meta": meta, "notifications": {"toolsListChanged": true}});
    pipe.send(json!({"jsonrpc": "2.0", "id": 1, "method": "subscriptions/listen", "params": params})).await;
    assert_eq!(pipe.next().await["method"], "notifications/subscriptions/acknowledged");
    fake.publish([binding("lab", [tool("new", Does::Echo)])], &["lab", "home"]);
    assert_eq!(pipe.next().await["method"], "notifications/tools/list_changed");
    stop.cancel();
    assert_eq!(pipe.next().await["result"]["resultType"], "complete");
    in_time(pipe.ended).await.unwrap().unwrap();
}

#[tokio::test]
async fn a_subscription_to_tasks_is_for_clients_that_declare_that_they_know_them() {
    let mut pipe = pipe(&lab());
    let listen = |id: u32, capabilities: Value| {
        let meta = json!({"io.modelcontextprotocol/protocolVersion": "2026-07-28",
                          "io.modelcontextprotocol/clientCapabilities": capabilities});
        let params = json!({"_meta": meta, "notifications": {"taskIds": ["a"], "toolsListChanged": true}});
        json!({"jsonrpc": "2.0", "id": id, "method": "subscriptions/listen", "params": params})
    };
    pipe.send(listen(1, json!({}))).await;
    let refused = pipe.next().await;
    assert_eq!((&refused["id"], &refused["error"]["code"]), (&json!(1), &json!(-32021)), "{refused}");
    let required = &refused["error"]["data"]["requiredCapabilities"]["extensions"];
    assert_eq!(*required, json!({"io.modelcontextprotocol/tasks": {}}));
    pipe.send(listen(2, required.clone())).await;
    assert_eq!(pipe.next().await["error"]["code"], -32021, "a capability stands among the extensions");
    pipe.send(listen(3, json!({"extensions": required}))).await;
    let acknowledged = pipe.next().await;
    assert_eq!(acknowledged["params"]["notifications"], json!({"toolsListChanged": true}), "{acknowledged}");
}

#[tokio::test]
async fn rmcps_own_client_speaks_both_eras_over_a_pipe() {
    let fake = lab();
    let discover = ClientLifecycleMode::Discover { preferred_versions: vec![ProtocolVersion::V_2026_07_28] };
    let (modern, modern_ended) = serve(&fake, Scope::Shared, StdioOptions::default());
    let (legacy, legacy_ended) = serve(&fake, Scope::Shared, StdioOptions::default());
    let modern = ClientConfig::default().serve_with_lifecycle(modern, discover).await.unwrap();
    let legacy = ClientConfig::default().serve(legacy).await.unwrap();
    for client in [modern, legacy] {
        let names: Vec<_> =
            client.list_all_tools().await.unwrap().into_iter().map(|tool| tool.name).collect();
        assert_eq!(names, ["home_it", "lab_look"]);
        let result = client.call_tool(CallToolRequestParams::new("lab_look")).await.unwrap();
        assert_eq!(result.content[0].as_text().unwrap().text, "{}");
        client.cancel().await.unwrap();
    }
    for ended in [modern_ended, legacy_ended] {
        in_time(ended).await.unwrap().unwrap();
    }
    let keys: Vec<_> = fake.seen().into_iter().map(|seen| seen.session).collect();
    assert_ne!(keys[0], keys[1]);
}

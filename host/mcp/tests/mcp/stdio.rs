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
        let params = json!({"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}});
        self.send(json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": params})).await;
        assert_eq!(self.next().await["result"]["protocolVersion"], "2025-06-18");
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
async fn rubbish_and_batches_do_not_end_the_conversation() {
    let fake = lab();
    let mut pipe = pipe(&fake);
    pipe.initialize().await;
    pipe.write("{\nnonsense\n").await;
    let call = json!({"jsonrpc": "2.0", "id": 9, "method": "tools/call", "params": {"name": "look"}});
    pipe.send(json!([call])).await;
    assert_eq!(pipe.next().await["error"]["code"], -32600, "the batch");
    pipe.write(&format!("{{\"x\":\"{}\"}}\n", "y".repeat(17 << 20))).await;
    pipe.send(json!({"jsonrpc": "2.0", "id": 1, "method": "ping"})).await;
    assert_eq!(pipe.next().await["id"], 1, "the long line was dropped");
    assert_eq!(fake.seen(), []);
    pipe.close().await.unwrap();
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

//! Giving a call up stops the guest.

use std::sync::Arc;

use serde_json::json;

use crate::backend::{Does, Fake, Gate, binding, tool};
use crate::running::{Events, Served, in_time, served};

async fn waiting() -> (Served, Arc<Gate>) {
    let gate = Arc::new(Gate::default());
    (served(&Fake::new([binding("lab", [tool("wait", Does::Wait(gate.clone()))])])).await, gate)
}

#[tokio::test]
async fn a_modern_client_that_hangs_up_stops_its_call() {
    let (lab, gate) = waiting().await;
    let request = lab.modern("/mcp/lab", "ann", "tools/call", json!({"name": "wait"}));
    let call = tokio::spawn(request.send());
    in_time(gate.started.notified()).await;
    call.abort();
    in_time(gate.cancelled.notified()).await;
}

#[tokio::test]
async fn a_modern_client_that_hangs_up_on_an_open_stream_stops_its_call_too() {
    let (lab, gate) = waiting().await;
    let params = json!({"name": "wait", "_meta": {"progressToken": 1}});
    let response = lab.modern("/mcp/lab", "ann", "tools/call", params).send().await.unwrap();
    let mut events = Events::of(response);
    assert_eq!(events.message().await.unwrap()["method"], "notifications/progress");
    drop(events);
    in_time(gate.cancelled.notified()).await;
}

#[tokio::test]
async fn a_legacy_client_cancels_by_saying_so_and_hears_nothing_more() {
    let (lab, gate) = waiting().await;
    let session = lab.legacy("/mcp/lab", "ann", "2025-11-25").await;
    let mut standing = Events::of(session.get().send().await.unwrap());
    let params = json!({"name": "wait", "_meta": {"progressToken": 1}});
    let call = Events::of(session.request(4, "tools/call", params).send().await.unwrap());
    in_time(gate.started.notified()).await;
    let cancel = json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 4}});
    assert_eq!(session.post(cancel).send().await.unwrap().status(), 202);
    in_time(gate.cancelled.notified()).await;
    let heard = call.rest().await;
    assert_eq!(heard.len(), 1, "neither an answer nor what was said after: {heard:?}");
    assert_eq!(heard[0]["params"]["progress"], 1.0);
    // Whatever were still said would come before the answer to this.
    session.ask("ping", json!({})).await;
    let delete =
        lab.http.delete(lab.url("/mcp/lab")).bearer_auth("ann").header("mcp-session-id", &session.id);
    delete.send().await.unwrap();
    while let Some(event) = standing.next().await {
        assert!(event.message.is_none(), "{event:?}");
    }
}

#[tokio::test]
async fn a_client_that_ends_its_session_stops_its_calls() {
    let (lab, gate) = waiting().await;
    let session = lab.legacy("/mcp/lab", "ann", "2025-11-25").await;
    let call = Events::of(session.request(4, "tools/call", json!({"name": "wait"})).send().await.unwrap());
    in_time(gate.started.notified()).await;
    let delete =
        lab.http.delete(lab.url("/mcp/lab")).bearer_auth("ann").header("mcp-session-id", &session.id);
    assert!(delete.send().await.unwrap().status().is_success());
    in_time(gate.cancelled.notified()).await;
    assert!(call.rest().await.iter().all(|message| message.get("result").is_none()));
}

#[tokio::test]
async fn a_legacy_client_that_only_loses_its_connection_keeps_its_call() {
    let (lab, gate) = waiting().await;
    let session = lab.legacy("/mcp/lab", "ann", "2025-11-25").await;
    let mut stream =
        Events::of(session.request(1, "tools/call", json!({"name": "wait"})).send().await.unwrap());
    let id = stream.next().await.unwrap().id.unwrap();
    in_time(gate.started.notified()).await;
    drop(stream);
    session.ask("ping", json!({})).await;
    gate.release.notify_one();
    let mut resumed = Events::of(session.get().header("last-event-id", id).send().await.unwrap());
    assert_eq!(resumed.message().await.unwrap()["result"]["content"][0]["text"], "released");
}

#[tokio::test]
async fn a_cancellation_from_another_session_stops_nothing() {
    let (lab, gate) = waiting().await;
    let mine = lab.legacy("/mcp/lab", "ann", "2025-11-25").await;
    let mut call = Events::of(mine.request(4, "tools/call", json!({"name": "wait"})).send().await.unwrap());
    in_time(gate.started.notified()).await;
    let cancel = json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 4}});
    let others = lab.legacy("/mcp/lab", "bob", "2025-11-25").await;
    others.post(cancel).send().await.unwrap();
    others.ask("ping", json!({})).await;
    gate.release.notify_one();
    assert_eq!(call.message().await.unwrap()["result"]["content"][0]["text"], "released");
}

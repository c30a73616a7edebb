//! Stopping without dropping what is under way.

use std::sync::Arc;
use std::time::Duration;

use fleetgate_mcp::{HttpOptions, router_over, serve};
use serde_json::json;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use crate::backend::{Does, Fake, Gate, binding, tool};
use crate::running::{Events, Names, Served, client, in_time, last};

struct Stoppable {
    served: Served,
    gate: Arc<Gate>,
    stop: oneshot::Sender<()>,
    ended: tokio::task::JoinHandle<std::io::Result<()>>,
}

async fn stoppable(grace: Duration) -> Stoppable {
    let gate = Arc::new(Gate::default());
    let fake = Fake::new([binding("lab", [tool("wait", Does::Wait(gate.clone()))])]);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let mcp = router_over(fake, HttpOptions::new(address, Arc::new(Names)));
    let shutdown = mcp.shutdown.clone();
    let (stop, stopped) = oneshot::channel::<()>();
    let until = async {
        stopped.await.ok();
    };
    let ended = tokio::spawn(serve(listener, mcp, until, grace));
    Stoppable { served: Served { address, http: client(), shutdown }, gate, stop, ended }
}

#[tokio::test]
async fn calls_under_way_end_and_idle_streams_do_not_hold_the_server() {
    let Stoppable { served, gate, stop, ended } = stoppable(Duration::from_secs(50)).await;
    let session = served.legacy("/mcp/lab", "ann", "2025-11-25").await;
    let standing = Events::of(session.get().send().await.unwrap());
    let call = tokio::spawn(served.modern("/mcp/lab", "ann", "tools/call", json!({"name": "wait"})).send());
    in_time(gate.started.notified()).await;
    stop.send(()).unwrap();
    assert!(standing.rest().await.is_empty());
    gate.release.notify_one();
    assert_eq!(last(call.await.unwrap().unwrap()).await["result"]["content"][0]["text"], "released");
    in_time(ended).await.unwrap().unwrap();
}

#[tokio::test]
async fn a_call_that_outlives_the_grace_is_stopped() {
    let Stoppable { served, gate, stop, ended } = stoppable(Duration::from_millis(50)).await;
    let call = tokio::spawn(served.modern("/mcp/lab", "ann", "tools/call", json!({"name": "wait"})).send());
    in_time(gate.started.notified()).await;
    stop.send(()).unwrap();
    in_time(gate.cancelled.notified()).await;
    in_time(ended).await.unwrap().unwrap();
    drop(call);
}

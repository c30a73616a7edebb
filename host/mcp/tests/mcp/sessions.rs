//! Sessions of legacy clients.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use serde_json::json;

use crate::backend::{Does, Fake, Gate, binding, tool};
use crate::running::{Events, in_time, served, served_with};

/// Over before sessions are looked through for the first time, and not before a session that was opened is used.
const IDLE: Duration = Duration::from_secs(2);

#[tokio::test]
async fn a_session_is_its_openers_alone_on_its_endpoint_alone() {
    let fake = Fake::new([binding("lab", [tool("it", Does::Echo)])]);
    let lab = served(&fake).await;
    let session = lab.legacy("/mcp/lab", "ann", "2025-11-25").await;
    assert!(session.id.bytes().all(|byte| (0x21..=0x7e).contains(&byte)));
    for (path, caller) in [("/mcp/lab", "bob"), ("/mcp", "ann")] {
        let body =
            json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "it"}}).to_string();
        for request in [
            lab.post(path, caller, body),
            lab.post(
                path,
                caller,
                r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}"#,
            ),
            lab.http.get(lab.url(path)).bearer_auth(caller).header("accept", "text/event-stream"),
            lab.http.get(lab.url(path)).bearer_auth(caller).header("last-event-id", "x/0"),
            lab.http.delete(lab.url(path)).bearer_auth(caller),
        ] {
            let request =
                request.header("mcp-session-id", &session.id).header("mcp-protocol-version", "2025-11-25");
            assert_eq!(request.send().await.unwrap().status(), 404, "{path} {caller}");
        }
    }
    assert_eq!(fake.seen(), []);
    assert_eq!(session.ask("ping", json!({})).await["result"], json!({}), "it is still there");
}

#[tokio::test]
async fn a_session_ends_when_its_client_says_so() {
    let lab = served(&Fake::new([binding("lab", [tool("it", Does::Echo)])])).await;
    let session = lab.legacy("/mcp", "ann", "2025-06-18").await;
    let delete =
        || lab.http.delete(lab.url("/mcp")).bearer_auth("ann").header("mcp-session-id", &session.id).send();
    assert!(delete().await.unwrap().status().is_success());
    assert_eq!(session.request(1, "tools/list", json!({})).send().await.unwrap().status(), 404);
    assert_eq!(delete().await.unwrap().status(), 404);
}

#[tokio::test]
async fn the_session_left_alone_longest_makes_room() {
    let fake = Fake::new([binding("lab", [tool("it", Does::Echo)])]);
    let lab = served_with(&fake, |mut options| {
        options.sessions_per_principal = 2;
        options
    })
    .await;
    let first = lab.legacy("/mcp", "ann", "2025-11-25").await;
    let second = lab.legacy("/mcp", "ann", "2025-11-25").await;
    let others = lab.legacy("/mcp", "bob", "2025-11-25").await;
    first.ask("ping", json!({})).await;
    let third = lab.legacy("/mcp", "ann", "2025-11-25").await;
    assert_eq!(second.request(1, "ping", json!({})).send().await.unwrap().status(), 404);
    for session in [&first, &others, &third] {
        assert_eq!(session.ask("ping", json!({})).await["result"], json!({}));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sessions_opened_at_once_are_no_more_than_those_opened_one_by_one() {
    let fake = Fake::new([binding("lab", [tool("it", Does::Echo)])]);
    let lab = served_with(&fake, |mut options| {
        options.sessions_per_principal = 2;
        options
    })
    .await;
    let opened = join_all((0..128).map(|_| lab.legacy_id("/mcp", "ann", "2025-11-25"))).await;
    let mut alive = 0;
    for id in &opened {
        // Turned away before it is asked for anything: with 406 while the session is there, with 404 when it is gone.
        let get = lab.http.get(lab.url("/mcp")).bearer_auth("ann").header("mcp-session-id", id);
        match get.header("accept", "application/json").send().await.unwrap().status().as_u16() {
            406 => alive += 1,
            status => assert_eq!(status, 404),
        }
    }
    assert_eq!(alive, 2);
}

#[tokio::test]
async fn a_session_with_a_call_under_way_is_not_pushed_out() {
    let gate = Arc::new(Gate::default());
    let fake = Fake::new([binding("lab", [tool("wait", Does::Wait(gate.clone()))])]);
    let lab = served_with(&fake, |mut options| {
        options.sessions_per_principal = 1;
        options
    })
    .await;
    let busy = lab.legacy("/mcp/lab", "ann", "2025-11-25").await;
    let mut call = Events::of(busy.request(1, "tools/call", json!({"name": "wait"})).send().await.unwrap());
    in_time(gate.started.notified()).await;
    let params = json!({"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}});
    let body = json!({"jsonrpc": "2.0", "id": 9, "method": "initialize", "params": params});
    let refused = lab.post("/mcp/lab", "ann", body.to_string()).send().await.unwrap();
    assert_eq!(refused.status(), 503);
    assert_eq!(refused.json::<serde_json::Value>().await.unwrap()["id"], 9);
    gate.release.notify_one();
    assert_eq!(call.message().await.unwrap()["result"]["content"][0]["text"], "released");
}

#[tokio::test]
async fn a_session_left_alone_ends_and_one_with_an_open_stream_does_not() {
    let fake = Fake::new([binding("lab", [tool("it", Does::Echo)])]);
    let lab = served_with(&fake, |mut options| {
        options.session_idle = IDLE;
        options
    })
    .await;
    let listening = lab.legacy("/mcp", "ann", "2025-11-25").await;
    let _stream = Events::of(listening.get().send().await.unwrap());
    let alone = lab.legacy("/mcp", "ann", "2025-11-25").await;
    in_time(async {
        // Asking for something would be using it. A GET that takes no events is turned away before it is: with 406
        // while the session is there, with 404 when it is gone.
        loop {
            let get = lab.http.get(lab.url("/mcp")).bearer_auth("ann").header("mcp-session-id", &alone.id);
            let status = get.header("accept", "application/json").send().await.unwrap().status();
            if status == 404 {
                break;
            }
            assert_eq!(status, 406);
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    })
    .await;
    assert_eq!(listening.ask("ping", json!({})).await["result"], json!({}));
}

#[tokio::test]
async fn a_request_under_an_id_that_waits_for_its_answer_is_refused() {
    let gate = Arc::new(Gate::default());
    let fake = Fake::new([binding("lab", [tool("wait", Does::Wait(gate.clone()))])]);
    let lab = served(&fake).await;
    let session = lab.legacy("/mcp/lab", "ann", "2025-11-25").await;
    let call = || session.request(1, "tools/call", json!({"name": "wait"})).send();
    let mut first = Events::of(call().await.unwrap());
    in_time(gate.started.notified()).await;
    let second = call().await.unwrap();
    assert_eq!(second.status(), 400);
    let second: serde_json::Value = second.json().await.unwrap();
    assert_eq!((&second["id"], &second["error"]["code"]), (&json!(1), &json!(-32600)));
    assert!(second["error"]["message"].as_str().unwrap().contains("under way already"));
    gate.release.notify_one();
    assert_eq!(first.message().await.unwrap()["result"]["content"][0]["text"], "released");
    assert_eq!(fake.seen().len(), 1);
    gate.release.notify_one();
    let again = Events::of(call().await.unwrap()).rest().await;
    assert_eq!(again[0]["result"]["content"][0]["text"], "released", "an id that is answered is free");
}

#[tokio::test]
async fn a_session_with_a_call_that_nobody_listens_to_is_not_ended() {
    let gate = Arc::new(Gate::default());
    let fake = Fake::new([binding("lab", [tool("wait", Does::Wait(gate.clone()))])]);
    let lab = served_with(&fake, |mut options| {
        options.session_idle = IDLE;
        options
    })
    .await;
    let busy = lab.legacy("/mcp/lab", "ann", "2025-11-25").await;
    let mut call = Events::of(busy.request(1, "tools/call", json!({"name": "wait"})).send().await.unwrap());
    let id = call.next().await.unwrap().id.unwrap();
    in_time(gate.started.notified()).await;
    drop(call);
    // One that has nothing to do goes; by then the other one was looked at, too.
    let idle = lab.legacy_id("/mcp/lab", "ann", "2025-11-25").await;
    in_time(async {
        loop {
            let get = lab.http.get(lab.url("/mcp/lab")).bearer_auth("ann").header("mcp-session-id", &idle);
            if get.header("accept", "application/json").send().await.unwrap().status() == 404 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    })
    .await;
    gate.release.notify_one();
    let mut resumed = Events::of(busy.get().header("last-event-id", id).send().await.unwrap());
    assert_eq!(resumed.message().await.unwrap()["result"]["content"][0]["text"], "released");
}

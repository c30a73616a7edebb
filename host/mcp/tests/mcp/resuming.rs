//! Streams of legacy clients that broke, or were closed for them, and are taken up again.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use crate::backend::{Does, Fake, Gate, binding, tool};
use crate::running::{Events, Served, Session, in_time, served, served_with};

fn waiting() -> (Arc<Fake>, Arc<Gate>) {
    let gate = Arc::new(Gate::default());
    let tools = [tool("wait", Does::Wait(gate.clone())), tool("progress", Does::Progress)];
    (Fake::new([binding("lab", tools)]), gate)
}

/// Enough for a call to say what it says at once.
const MOMENT: Duration = Duration::from_millis(600);

/// A server that lets go of streams after a moment.
async fn polled(fake: &Arc<Fake>) -> Served {
    served_with(fake, |mut options| {
        options.stream_max = Some(MOMENT);
        options
    })
    .await
}

async fn call(session: &Session<'_>, id: u64, name: &str) -> Events {
    let params = json!({"name": name, "_meta": {"progressToken": id}});
    Events::of(session.request(id, "tools/call", params).send().await.unwrap())
}

async fn resume(session: &Session<'_>, id: &str) -> Events {
    Events::of(session.get().header("last-event-id", id).send().await.unwrap())
}

#[tokio::test]
async fn a_broken_stream_is_taken_up_again_until_its_answer() {
    let gate = Arc::new(Gate::default());
    let fake = Fake::new([binding("lab", [tool("wait", Does::Wait(gate.clone()))])]);
    let lab = served(&fake).await;
    let session = lab.legacy("/mcp/lab", "ann", "2025-11-25").await;
    let mut stream =
        Events::of(session.request(1, "tools/call", json!({"name": "wait"})).send().await.unwrap());
    let first = stream.next().await.unwrap();
    in_time(gate.started.notified()).await;
    drop(stream);
    let id = first.id.expect("an event to go on from");

    // Somebody else's session leads nowhere with it.
    let other = lab.legacy("/mcp/lab", "bob", "2025-11-25").await;
    let stolen = other.get().header("last-event-id", &id).send().await.unwrap();
    assert_eq!(Events::of(stolen).rest().await, Vec::<serde_json::Value>::new());

    let mut resumed = Events::of(session.get().header("last-event-id", &id).send().await.unwrap());
    assert_eq!(resumed.next().await.unwrap().id.as_ref(), Some(&id), "it can break once more");
    gate.release.notify_one();
    let answer = resumed.message().await.unwrap();
    assert_eq!((&answer["id"], &answer["result"]["content"][0]["text"]), (&json!(1), &json!("released")));
    assert!(resumed.next().await.is_none(), "the stream ends with its answer");
    let again = session.get().header("last-event-id", &id).send().await.unwrap();
    assert_eq!(Events::of(again).rest().await.len(), 1, "and can be heard once more");
}

#[tokio::test]
async fn a_stream_begins_with_an_id_for_clients_that_know_what_it_is_for() {
    let (fake, _) = waiting();
    let lab = served(&fake).await;
    for (version, primed) in [("2025-11-25", true), ("2025-06-18", false), ("2025-03-26", false)] {
        let session = lab.legacy("/mcp/lab", "ann", version).await;
        let mut stream = call(&session, 1, "progress").await;
        let first = stream.next().await.unwrap();
        assert!(first.id.is_some(), "{version}");
        assert_eq!(
            (first.message.is_none(), first.retry.is_some()),
            (primed, primed),
            "{version}: {first:?}"
        );
        while let Some(event) = stream.next().await {
            assert!(event.message.is_some() && event.retry.is_none(), "{version}: {event:?}");
        }
        let mut standing = Events::of(session.get().send().await.unwrap());
        if primed {
            let first = standing.next().await.unwrap();
            assert!(first.message.is_none() && first.id.is_some() && first.retry.is_some());
        }
    }
}

#[tokio::test]
async fn each_stream_is_taken_up_by_itself() {
    let (fake, _) = waiting();
    let lab = served(&fake).await;
    let session = lab.legacy("/mcp/lab", "ann", "2025-11-25").await;
    let mut ids = Vec::new();
    for id in [1, 2] {
        let mut stream = call(&session, id, "progress").await;
        let first = stream.next().await.unwrap().id.unwrap();
        let mut events = Vec::new();
        while let Some(event) = stream.next().await {
            events.push(event.id.unwrap());
        }
        assert_eq!(events.len(), 4);
        ids.push((first, events));
    }
    for (number, (first, events)) in ids.iter().enumerate() {
        for (after, left) in [(first, 4), (&events[0], 3), (&events[2], 1), (&events[3], 0)] {
            let heard = resume(&session, after).await.rest().await;
            assert_eq!(heard.len(), left, "after {after}: {heard:?}");
            if let Some(answer) = heard.last() {
                assert_eq!(answer["id"], json!(number + 1));
            }
        }
    }
    let unique: std::collections::BTreeSet<_> = ids.iter().flat_map(|(_, events)| events).collect();
    assert_eq!(unique.len(), 8, "no id comes twice in a session");
}

#[tokio::test]
async fn an_event_that_this_session_never_sent_leads_to_nothing() {
    let (fake, _) = waiting();
    let lab = served(&fake).await;
    let session = lab.legacy("/mcp/lab", "ann", "2025-11-25").await;
    let own = call(&session, 1, "progress").await.next().await.unwrap().id.unwrap();
    let other = lab.legacy("/mcp/lab", "ann", "2025-11-25").await;
    call(&other, 1, "progress").await.rest().await;
    let (stream, _) = own.split_once('/').unwrap();
    for wrong in [format!("{stream}/99"), format!("{stream}/x"), "0".into(), "x".into()] {
        assert_eq!(resume(&session, &wrong).await.rest().await, Vec::<Value>::new(), "{wrong}");
    }
    assert_eq!(resume(&other, &own).await.rest().await, Vec::<Value>::new(), "another session's");
}

#[tokio::test]
async fn a_long_call_is_let_go_and_its_answer_is_there_for_who_comes_back() {
    let (fake, gate) = waiting();
    let lab = polled(&fake).await;
    let session = lab.legacy("/mcp/lab", "ann", "2025-11-25").await;
    let mut stream = call(&session, 1, "wait").await;
    let first = stream.next().await.unwrap();
    assert!(first.message.is_none() && first.retry.is_some(), "told when to come back: {first:?}");
    let mut last = first.id.unwrap();
    while let Some(event) = stream.next().await {
        assert_ne!(event.message.unwrap()["id"], 1, "the call goes on");
        last = event.id.unwrap();
    }
    // And once more, with nothing said meanwhile.
    let mut again = resume(&session, &last).await;
    let repeated = again.next().await.unwrap();
    assert_eq!(repeated.id.as_ref(), Some(&last));
    assert!(again.next().await.is_none());
    gate.release.notify_one();
    let heard = resume(&session, &last).await.rest().await;
    assert_eq!(heard.len(), 1);
    assert_eq!(heard[0]["result"]["content"][0]["text"], "released");
    assert_eq!(fake.seen().len(), 1, "it was called once");
}

#[tokio::test]
async fn a_client_that_may_not_know_how_to_come_back_is_not_let_go() {
    let (fake, gate) = waiting();
    let lab = polled(&fake).await;
    let older = lab.legacy("/mcp/lab", "ann", "2025-06-18").await;
    let mut stream = call(&older, 1, "wait").await;
    in_time(gate.started.notified()).await;
    tokio::time::sleep(MOMENT * 2).await;
    gate.release.notify_one();
    let heard = [stream.message().await.unwrap(), stream.message().await.unwrap()];
    assert_eq!(heard[1]["result"]["content"][0]["text"], "released");

    // Nor one that takes no streams.
    let newer = lab.legacy("/mcp/lab", "ann", "2025-11-25").await;
    let mut call = newer.request(1, "tools/call", json!({"name": "wait"})).build().unwrap();
    call.headers_mut().insert("accept", "application/json".parse().unwrap());
    let answer = tokio::spawn(lab.http.execute(call));
    in_time(gate.started.notified()).await;
    tokio::time::sleep(MOMENT * 2).await;
    gate.release.notify_one();
    let answer: Value = answer.await.unwrap().unwrap().json().await.unwrap();
    assert_eq!(answer["result"]["content"][0]["text"], "released");
}

#[tokio::test]
async fn what_was_said_while_nobody_listened_is_heard_once() {
    let (fake, _) = waiting();
    let lab = served(&fake).await;
    let session = lab.legacy("/mcp/lab", "ann", "2025-06-18").await;
    fake.publish([binding("lab", [tool("new", Does::Echo)])], &["lab"]);
    // Whatever is said takes a moment: until it is there.
    tokio::time::sleep(Duration::from_millis(700)).await;
    let mut standing = Events::of(session.get().send().await.unwrap());
    assert_eq!(standing.message().await.unwrap()["method"], "notifications/tools/list_changed");
    let mut second = Events::of(session.get().send().await.unwrap());
    assert!(standing.next().await.is_none(), "one stream at a time");
    fake.publish([binding("lab", [tool("newer", Does::Echo)])], &["lab"]);
    assert_eq!(second.message().await.unwrap()["method"], "notifications/tools/list_changed");
}

//! What a plugin is told about which conversation a call belongs to.

use std::collections::BTreeSet;
use std::sync::Arc;

use fleetgate_mcp::HttpOptions;
use serde_json::json;

use crate::backend::{Does, Fake, FakeBinding, binding, tool};
use crate::running::{Served, last, served, served_with};

fn with_header(name: &'static str) -> FakeBinding {
    let mut lab = binding(name, [tool("it", Does::Echo)]);
    lab.session_header = Some("x-chat");
    lab
}

/// Calls as a modern client, with these values of the header.
async fn call(lab: &Served, path: &str, caller: &str, name: &str, values: &[&str]) -> serde_json::Value {
    let mut request = lab.modern(path, caller, "tools/call", json!({"name": name}));
    for value in values {
        request = request.header("X-Chat", *value);
    }
    last(request.send().await.unwrap()).await
}

fn keys(fake: &Arc<Fake>) -> Vec<String> {
    fake.seen().into_iter().map(|seen| seen.session).collect()
}

#[tokio::test]
async fn the_header_that_a_manifest_names_tells_conversations_apart() {
    let fake =
        Fake::new([with_header("lab"), with_header("home"), binding("bare", [tool("it", Does::Echo)])]);
    let lab = served(&fake).await;
    for (path, caller, name, value) in [
        ("/mcp/lab", "ann", "it", "one"),
        ("/mcp", "ann", "lab_it", "one"),
        ("/mcp/lab", "ann", "it", " one "),
        ("/mcp/lab", "ann", "it", "two"),
        ("/mcp/lab", "bob", "it", "one"),
        ("/mcp/home", "ann", "it", "one"),
        ("/mcp/bare", "ann", "it", "one"),
        ("/mcp/bare", "ann", "it", "one"),
    ] {
        call(&lab, path, caller, name, &[value]).await;
    }
    let keys = keys(&fake);
    assert_eq!(keys.len(), 8);
    assert!(keys[..3].iter().all(|key| *key == keys[0]), "one conversation: {keys:?}");
    let others: BTreeSet<_> = keys[2..].iter().collect();
    assert_eq!(others.len(), 6, "another value, caller, binding; and none is named: {keys:?}");
    assert!(keys.iter().all(|key| key.len() == 32 && !key.contains("one")));
}

#[tokio::test]
async fn without_the_header_it_is_the_session_and_without_a_session_nothing() {
    let fake = Fake::new([with_header("lab")]);
    let lab = served(&fake).await;
    let session = lab.legacy("/mcp/lab", "ann", "2025-11-25").await;
    session.ask("tools/call", json!({"name": "it"})).await;
    session.ask("tools/call", json!({"name": "it"})).await;
    for values in [&[][..], &[""], &[]] {
        call(&lab, "/mcp/lab", "ann", "it", values).await;
    }
    // Within a session the header still says more.
    for _ in 0..2 {
        let request = session.request(5, "tools/call", json!({"name": "it"})).header("x-chat", "one");
        last(request.send().await.unwrap()).await;
    }
    call(&lab, "/mcp/lab", "ann", "it", &["one"]).await;
    let keys = keys(&fake);
    assert_eq!(keys[0], keys[1], "one session");
    assert_eq!(keys[1..5].iter().collect::<BTreeSet<_>>().len(), 4, "{keys:?}");
    assert!(keys[5..].iter().all(|key| *key == keys[5] && !keys[..5].contains(key)), "{keys:?}");
}

#[tokio::test]
async fn a_session_that_a_modern_request_names_is_not_one() {
    let fake = Fake::new([binding("lab", [tool("it", Does::Echo)])]);
    let lab = served(&fake).await;
    let session = lab.legacy("/mcp/lab", "ann", "2025-11-25").await;
    session.ask("tools/call", json!({"name": "it"})).await;
    for _ in 0..2 {
        let request = lab.modern("/mcp/lab", "ann", "tools/call", json!({"name": "it"}));
        last(request.header("mcp-session-id", &session.id).send().await.unwrap()).await;
    }
    assert_eq!(keys(&fake).iter().collect::<BTreeSet<_>>().len(), 3);
}

#[tokio::test]
async fn a_conversation_that_cannot_be_told_is_refused() {
    let fake = Fake::new([with_header("lab"), binding("bare", [tool("it", Does::Echo)])]);
    let lab = served(&fake).await;
    let long = "x".repeat(257);
    for values in [&["one", "one"][..], &["", "one"], &["a b"], &["ä"], &[&long]] {
        let answer = call(&lab, "/mcp/lab", "ann", "it", values).await;
        assert_eq!(answer["error"]["code"], -32600, "{values:?}");
        let message = answer["error"]["message"].as_str().unwrap();
        assert!(message.contains("x-chat must have one value"), "{message}");
    }
    assert_eq!(fake.seen(), []);
    call(&lab, "/mcp/bare", "ann", "it", &["one", "two"]).await;
    assert_eq!(fake.seen().len(), 1, "a plugin that names no header is not concerned");
}

#[tokio::test]
async fn a_key_that_is_kept_makes_the_same_of_the_same() {
    let fake = Fake::new([with_header("lab")]);
    let keyed = |key: Option<[u8; 32]>| {
        let fake = fake.clone();
        async move {
            let with = |mut options: HttpOptions| {
                options.session_key = key;
                options
            };
            let lab = served_with(&fake, with).await;
            call(&lab, "/mcp/lab", "ann", "it", &["one"]).await;
        }
    };
    for key in [Some([7; 32]), Some([7; 32]), Some([8; 32]), None, None] {
        keyed(key).await;
    }
    let keys = keys(&fake);
    assert_eq!(keys[0], keys[1]);
    assert_eq!(keys[1..].iter().collect::<BTreeSet<_>>().len(), 4);
}

//! Endpoints come and go with their bindings.

use serde_json::json;

use crate::backend::{Does, Fake, Gate, binding, tool};
use crate::running::{Events, in_time, last, served};

#[tokio::test]
async fn an_unknown_binding_is_a_404() {
    let lab = served(&Fake::new([binding("lab", [tool("it", Does::Echo)])])).await;
    for path in ["/mcp/nothing", "/mcp/LAB", "/mcp/%6cab%2f", "/mcp/lab/more", "/", "/mc"] {
        let response = lab.modern(path, "ann", "tools/list", json!({})).send().await.unwrap();
        assert_eq!(response.status(), 404, "{path}");
    }
    let response = lab.modern("/mcp/%6cab", "ann", "tools/list", json!({})).send().await.unwrap();
    assert_eq!(response.status(), 200);
}

#[tokio::test]
async fn a_binding_that_comes_is_served_and_one_that_goes_is_not() {
    let fake = Fake::new([]);
    let lab = served(&fake).await;
    let status =
        || async { lab.modern("/mcp/lab", "ann", "tools/list", json!({})).send().await.unwrap().status() };
    assert_eq!(status().await, 404);
    fake.publish([binding("lab", [tool("it", Does::Echo)])], &["lab"]);
    assert_eq!(status().await, 200);
    fake.publish([], &["lab"]);
    assert_eq!(status().await, 404);
    assert_eq!(lab.ask("/mcp", "ann", "tools/list", json!({})).await["result"]["tools"], json!([]));
}

#[tokio::test]
async fn a_call_under_way_outlives_its_binding_and_its_session_does_not() {
    for version in ["2026-07-28", "2025-11-25"] {
        let gate = std::sync::Arc::new(Gate::default());
        let fake = Fake::new([binding("lab", [tool("wait", Does::Wait(gate.clone()))])]);
        let lab = served(&fake).await;
        let session = lab.legacy("/mcp/lab", "ann", "2025-11-25").await;
        let mut standing = Events::of(session.get().send().await.unwrap());
        let request = match version {
            "2026-07-28" => lab.modern("/mcp/lab", "ann", "tools/call", json!({"name": "wait"})),
            _ => session.request(7, "tools/call", json!({"name": "wait"})),
        };
        let call = tokio::spawn(async { last(request.send().await.unwrap()).await });
        in_time(gate.started.notified()).await;
        fake.publish([], &["lab"]);
        while let Some(event) = in_time(standing.next()).await {
            assert!(
                event.message.is_none_or(|message| message["method"] == "notifications/tools/list_changed")
            );
        }
        gate.release.notify_one();
        assert_eq!(in_time(call).await.unwrap()["result"]["content"][0]["text"], "released", "{version}");
        let later = session.request(8, "tools/list", json!({})).send().await.unwrap();
        assert_eq!(later.status(), 404);
    }
}

#[tokio::test]
async fn the_server_says_whether_it_lives_and_is_ready() {
    let lab = served(&Fake::new([])).await;
    for path in ["/healthz", "/readyz"] {
        // Asked by machines that know neither our names nor a credential.
        let response = lab.http.get(lab.url(path)).header("host", "10.0.0.7").send().await.unwrap();
        assert_eq!(response.status(), 200, "{path}");
    }
    lab.shutdown.begin();
    let response = lab.http.get(lab.url("/readyz")).send().await;
    // It stops taking connections at the same time.
    assert!(response.is_err() || response.unwrap().status() == 503);
}

#[tokio::test]
async fn get_and_delete_belong_to_legacy_sessions() {
    let lab = served(&Fake::new([binding("lab", [tool("it", Does::Echo)])])).await;
    for method in ["GET", "DELETE"] {
        let request = lab
            .http
            .request(method.parse().unwrap(), lab.url("/mcp"))
            .bearer_auth("ann")
            .header("mcp-protocol-version", "2026-07-28");
        assert_eq!(request.send().await.unwrap().status(), 405, "{method}");
    }
    let response = lab.http.put(lab.url("/mcp")).bearer_auth("ann").send().await.unwrap();
    assert_eq!(response.status(), 405);
    let browser = lab.http.get(lab.url("/mcp")).bearer_auth("ann").header("accept", "text/html,*/*;q=0.8");
    let response = browser.send().await.unwrap();
    assert_eq!(response.status(), 400);
    assert!(response.text().await.unwrap().contains("Session ID"));
}

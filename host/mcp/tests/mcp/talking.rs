//! Progress and log lines of a running call.

use serde_json::{Value, json};

use crate::backend::{Does, Fake, binding, tool};
use crate::running::{Events, Served, messages, served};

async fn lab() -> Served {
    let tools = [tool("progress", Does::Progress), tool("talk", Does::Talk)];
    served(&Fake::new([binding("lab", tools)])).await
}

fn of<'a>(messages: &'a [Value], method: &str) -> Vec<&'a Value> {
    messages.iter().filter(|message| message["method"] == method).map(|message| &message["params"]).collect()
}

#[tokio::test]
async fn progress_grows_on_the_requests_own_stream_and_ends_with_the_answer() {
    let lab = lab().await;
    let params = json!({"name": "progress", "_meta": {"progressToken": "t1"}});
    let modern = lab.modern("/mcp/lab", "ann", "tools/call", params.clone()).send().await.unwrap();
    let session = lab.legacy("/mcp/lab", "ann", "2025-11-25").await;
    let legacy = session.request(7, "tools/call", params).send().await.unwrap();
    for response in [modern, legacy] {
        let heard = messages(response).await;
        let progress = of(&heard, "notifications/progress");
        let steps: Vec<_> = progress.iter().map(|step| step["progress"].as_f64().unwrap()).collect();
        assert_eq!(steps, [0.0, 50.0, 100.0]);
        assert!(progress.iter().all(|step| step["progressToken"] == "t1" && step["total"] == 100.0));
        assert_eq!(progress[1]["message"], "50 %");
        assert_eq!(heard.last().unwrap()["result"]["content"][0]["text"], "done");
        assert_eq!(heard.len(), 4);
    }
}

#[tokio::test]
async fn without_a_token_there_is_no_progress() {
    let lab = lab().await;
    let response =
        lab.modern("/mcp/lab", "ann", "tools/call", json!({"name": "progress"})).send().await.unwrap();
    assert_eq!(response.headers()["content-type"], "application/json");
    assert_eq!(messages(response).await.len(), 1);
}

#[tokio::test]
async fn a_modern_request_hears_logs_of_the_level_it_names_and_none_otherwise() {
    let lab = lab().await;
    for (level, heard) in [(None, 0), (Some("debug"), 8), (Some("warning"), 5), (Some("emergency"), 1)] {
        let mut params = json!({"name": "talk", "_meta": {}});
        if let Some(level) = level {
            params["_meta"]["io.modelcontextprotocol/logLevel"] = level.into();
        }
        let all = messages(lab.modern("/mcp/lab", "ann", "tools/call", params).send().await.unwrap()).await;
        let lines = of(&all, "notifications/message");
        assert_eq!(lines.len(), heard, "{level:?}");
        if let Some(line) = lines.last() {
            assert_eq!(
                **line,
                json!({"level": "emergency", "logger": "lab", "data": {"message": "emergency", "data": {"n": 1}}})
            );
        }
    }
}

#[tokio::test]
async fn a_legacy_session_hears_logs_of_the_level_it_set_on_the_calls_own_stream() {
    let lab = lab().await;
    let session = lab.legacy("/mcp/lab", "ann", "2025-06-18").await;
    let mut standing = Events::of(session.get().send().await.unwrap());
    for (level, expected) in [(None, 7), (Some("error"), 4)] {
        if let Some(level) = level {
            assert_eq!(session.ask("logging/setLevel", json!({"level": level})).await["result"], json!({}));
        }
        let call = session.request(7, "tools/call", json!({"name": "talk"})).send().await.unwrap();
        let heard = messages(call).await;
        assert_eq!(of(&heard, "notifications/message").len(), expected, "{level:?}: {heard:?}");
        assert_eq!(heard.len(), expected + 1);
        assert_eq!(heard.last().unwrap()["id"], 7, "the answer comes last");
    }
    let wrong = session.ask("logging/setLevel", json!({"level": "loud"})).await;
    assert_eq!(wrong["error"]["code"], -32602, "{wrong}");
    let delete =
        lab.http.delete(lab.url("/mcp/lab")).bearer_auth("ann").header("mcp-session-id", &session.id);
    delete.send().await.unwrap();
    assert!(standing.message().await.is_none(), "nothing of it came twice");
}

#[tokio::test]
async fn a_client_that_takes_no_streams_hears_a_calls_logs_where_it_listens() {
    let lab = lab().await;
    let session = lab.legacy("/mcp/lab", "ann", "2025-06-18").await;
    let mut standing = Events::of(session.get().send().await.unwrap());
    let mut call = session.request(7, "tools/call", json!({"name": "talk"})).build().unwrap();
    call.headers_mut().insert("accept", "application/json".parse().unwrap());
    let answer = messages(lab.http.execute(call).await.unwrap()).await;
    assert_eq!(answer.len(), 1);
    assert_eq!(answer[0]["result"]["content"][0]["text"], "said");
    for _ in 0..7 {
        assert_eq!(standing.message().await.unwrap()["method"], "notifications/message");
    }
}

#[tokio::test]
async fn a_flood_of_progress_is_cut_down_and_the_answer_comes() {
    let lab = served(&Fake::new([binding("lab", [tool("flood", Does::Flood)])])).await;
    let params = json!({"name": "flood", "_meta": {"progressToken": 1}});
    let heard = messages(lab.modern("/mcp/lab", "ann", "tools/call", params).send().await.unwrap()).await;
    assert_eq!(heard.last().unwrap()["result"]["content"][0]["text"], "done");
    assert!(heard.len() > 1 && heard.len() < 10_000, "{}", heard.len());
}

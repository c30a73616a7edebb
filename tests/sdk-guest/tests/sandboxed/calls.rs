//! Everything else that crosses the boundary.

use serde_json::{Value, json};

use crate::host::{Answer, Answers, Host, Outcome};

#[tokio::test]
async fn the_list_of_tools_is_whole_and_the_same_twice() {
    let tools = Host::default().list_tools().await;
    let names: Vec<_> = tools.iter().map(|tool| tool.name.as_str()).collect();
    assert_eq!(names, ["fetch", "tidy", "wait", "facts", "ask", "contents", "fail", "explode", "background"]);
    assert_eq!(tools[0].description.as_deref(), Some("Sends one request."));
    let input: Value = serde_json::from_str(&tools[0].input_schema).expect("it is JSON");
    assert_eq!(input["properties"]["upstream"]["description"], "The upstream's name.");
    let output: Value =
        serde_json::from_str(tools[0].output_schema.as_deref().expect("a struct has one")).expect("JSON");
    assert_eq!(output["type"], "object");
    assert_eq!(tools[1].output_schema, None);
    assert_eq!(tools[4].meta.as_deref(), Some("{\"a/b\":1}"));
    let icons: Value = serde_json::from_str(tools[4].extra.as_deref().expect("icons")).expect("it is JSON");
    assert_eq!(icons["icons"][0]["src"], "data:image/png;base64,AA==");

    let again = Host::default().list_tools().await;
    assert_eq!(format!("{tools:?}"), format!("{again:?}"));
}

#[tokio::test]
async fn every_fact_and_every_report_crosses() {
    let host = Host::default();
    let result = host.call("facts", json!({})).await.expect("it runs");
    let facts: Value =
        serde_json::from_str(&result.structured.expect("it is an object")).expect("it is JSON");
    assert_eq!(
        facts,
        json!({
            "principal": "ann",
            "roles": ["view", "operator"],
            "session": "s1",
            "binding": "lab",
            "client": { "elicitation": {} },
            "deadline": 1_234,
            "cancelled": false,
            "job": "job-7",
            "interval": 500,
            "none": null,
            "granted": [true, false],
        })
    );
    assert_eq!(
        *host.seen.lock().expect("no test panics here"),
        [
            json!({ "log": ["warning", "line", "{\"n\":1}"] }),
            json!({ "progress": [1.0, 2.0, "half"] }),
            json!("tools"),
            json!("prompts"),
            json!("resources"),
            json!("x://1"),
        ]
    );
}

#[tokio::test]
async fn a_question_goes_out_and_its_answers_come_back() {
    let host = Host::default();
    let asked = host.try_call("ask", json!({}), None).await.expect("it does not trap");
    let Ok(Outcome::Ask(question)) = asked else { panic!("it does not ask: {asked:?}") };
    assert_eq!(question.requests[0].kind, "elicitation-form");
    let params: Value = serde_json::from_str(&question.requests[0].params).expect("it is JSON");
    assert_eq!(params["message"], "Really?");

    let value = json!({ "action": "accept", "content": { "sure": true } }).to_string();
    let answers = Answers { items: vec![Answer { key: "sure".into(), value }], state: question.state };
    let done = host.try_call("ask", json!({}), Some(answers)).await.expect("it does not trap");
    let Ok(Outcome::Done(result)) = done else { panic!("it does not end: {done:?}") };
    assert_eq!(result.content[0].text.as_deref(), Some("Some(7) true"));
}

#[tokio::test]
async fn an_answer_that_is_no_json_is_a_protocol_fault() {
    let answers = Answers { items: vec![Answer { key: "sure".into(), value: "{".into() }], state: None };
    let answered = Host::default().try_call("ask", json!({}), Some(answers)).await.expect("it does not trap");
    assert_eq!(answered.expect_err("it is refused").code, "protocol");
}

#[tokio::test]
async fn every_kind_of_content_crosses() {
    let result = Host::default().call("contents", json!({})).await.expect("it runs");
    let kinds: Vec<_> = result.content.iter().map(|block| block.kind.as_str()).collect();
    assert_eq!(kinds, ["text", "image", "audio", "link", "resource", "resource"]);
    assert_eq!(result.content[1].data.as_deref(), Some(&[0, 255][..]));
    assert_eq!(result.content[1].mime_type.as_deref(), Some("image/png"));
    assert_eq!(result.content[4].extra.as_deref(), Some("{\"title\":\"T\"}"));
    assert_eq!(result.content[5].meta.as_deref(), Some("{\"m\":1}"));
    assert_eq!(result.structured.as_deref(), Some("{\"a\":1}"));
    assert_eq!(result.meta.as_deref(), Some("{\"k\":\"v\"}"));
    assert!(!result.is_error);
}

#[tokio::test]
async fn a_fault_crosses_with_everything_and_a_bounded_message() {
    let fault = Host::default().call("fail", json!({})).await.expect_err("it fails");
    assert_eq!((fault.code.as_str(), fault.field.as_deref()), ("jammed", Some("/door")));
    assert_eq!((fault.retryable, fault.retry_after_ms), (true, Some(1_500)));
    assert_eq!(fault.details.as_deref(), Some("{\"n\":1}"));
    assert_eq!(fault.message.len(), 8 * 1024);
    assert!(fault.message.chars().all(|c| c == 'ä'));
}

#[tokio::test]
async fn wrong_arguments_and_unknown_tools_are_faults() {
    let fault =
        Host::default().call("wait", json!({ "milliseconds": "x" })).await.expect_err("it is refused");
    assert_eq!((fault.code.as_str(), fault.field.as_deref()), ("invalid-arguments", Some("/milliseconds")));
    let fault = Host::default().call("nothing", json!({})).await.expect_err("there is none");
    assert_eq!(fault.code, "unknown");
}

#[tokio::test]
async fn a_panic_is_a_trap() {
    assert!(Host::default().try_call("explode", json!({}), None).await.is_err());
}

#[tokio::test]
async fn waiting_ends_by_itself() {
    let result = Host::default().call("wait", json!({ "milliseconds": 20 })).await.expect("it runs");
    assert_eq!(result.content[0].text.as_deref(), Some("slept"));
}

#[tokio::test]
async fn waiting_ends_when_the_call_is_cancelled() {
    let host = Host::default();
    let (logged, cancel) = (host.logged.clone(), host.cancel.clone());
    tokio::spawn(async move {
        logged.cancelled().await;
        cancel.cancel();
    });
    // An hour: only the cancel can end it.
    let fault = host.call("wait", json!({ "milliseconds": 3_600_000 })).await.expect_err("it was cancelled");
    assert_eq!(fault.code, "cancelled");
}

#[tokio::test]
async fn jobs_cross_in_both_directions() {
    let host = Host::default();
    let result = host.call("background", json!({})).await.expect("it runs");
    let said: Value = serde_json::from_str(&result.structured.expect("it is an object")).expect("it is JSON");
    assert_eq!(
        said["job"],
        json!({
            "id": "job-1", "tool": "wait", "status": "queued", "message": "half", "created_ms": 1,
            "updated_ms": 2, "extra": { "ttlMs": 60_000 },
        })
    );
    assert_eq!((&said["listed"][0]["status"], &said["next"]), (&json!("working"), &json!("cursor")));
    assert_eq!((&said["result"], &said["cancelled"]["status"]), (&json!("job-1 slept"), &json!("cancelled")));
    assert_eq!(said["unknown"], json!(["unknown", "there is no nothing"]));
    assert_eq!((&said["wait"], &said["details"]), (&json!(5), &json!({ "n": 1 })));
    assert_eq!(
        *host.seen.lock().expect("no test panics here"),
        [json!({ "submit": ["wait", "{\"milliseconds\":1}", "{\"ttlMs\":60000}"] })]
    );
}

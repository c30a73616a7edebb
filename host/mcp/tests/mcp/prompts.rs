//! Prompts: listed, filled in, refused.

use std::num::NonZeroUsize;
use std::sync::Arc;

use fleetgate_core::domain::{Content, Fault, PromptMessage};
use serde_json::{Value, json};

use crate::backend::{Does, Fake, Gate, binding, tool};
use crate::running::{Served, in_time, served, served_with};
use crate::surfaces::{Fills, prompt};

fn names(answer: &Value) -> Vec<&str> {
    let prompts = answer["result"]["prompts"].as_array().unwrap_or_else(|| panic!("{answer}"));
    prompts.iter().map(|prompt| prompt["name"].as_str().unwrap()).collect()
}

async fn fleet() -> (Arc<Fake>, Served) {
    let push = prompt("push", Fills::Echo).needs("operator").with("device", true).with("note", false);
    let fake = Fake::new([
        binding("lab", []).prompts([push, prompt("look", Fills::Echo)]),
        binding("home", []).prompts([prompt("look", Fills::Echo)]),
        binding("bare", [tool("it", Does::Echo)]),
    ]);
    let served = served(&fake).await;
    (fake, served)
}

#[tokio::test]
async fn a_list_holds_what_its_caller_may_have_sorted_in_both_eras() {
    let (_, fleet) = fleet().await;
    for (caller, shared, own) in [
        ("ann", vec!["home_look", "lab_look", "lab_push"], vec!["look", "push"]),
        ("bob", vec!["home_look", "lab_look"], vec!["look"]),
    ] {
        assert_eq!(names(&fleet.ask("/mcp", caller, "prompts/list", json!({})).await), shared);
        assert_eq!(names(&fleet.ask("/mcp/lab", caller, "prompts/list", json!({})).await), own);
        let session = fleet.legacy("/mcp", caller, "2025-11-25").await;
        assert_eq!(names(&session.ask("prompts/list", json!({})).await), shared);
    }
}

#[tokio::test]
async fn an_item_says_what_its_plugin_may_say() {
    let (_, fleet) = fleet().await;
    let answer = fleet.ask("/mcp/lab", "ann", "prompts/list", json!({})).await;
    assert_eq!(
        answer["result"]["prompts"][1],
        json!({
            "name": "push", "title": "PUSH", "description": "Says push.",
            "arguments": [{"name": "device", "title": "DEVICE", "required": true},
                          {"name": "note", "title": "NOTE", "required": false}],
            "icons": [{"src": "data:image/png;base64,AAAA"}],
            "_meta": {"com.example/x": 2, "dev.fleetgate/binding": "lab"},
        })
    );
    assert_eq!(answer["result"]["cacheScope"], "private");
    assert_eq!(answer["result"]["_meta"]["io.modelcontextprotocol/serverInfo"]["name"], "fleetgate");
    let legacy = fleet.legacy("/mcp/lab", "ann", "2025-06-18").await.ask("prompts/list", json!({})).await;
    for key in ["cacheScope", "ttlMs", "resultType", "_meta"] {
        assert_eq!(legacy["result"].get(key), None, "{key}");
    }
}

#[tokio::test]
async fn pages_cover_the_list_once_and_a_cursor_is_of_this_list() {
    let prompts = ["a", "b", "c"].map(|name| prompt(name, Fills::Echo));
    let tools = ["a", "b", "c"].map(|name| tool(name, Does::Echo));
    let lab = served_with(&Fake::new([binding("lab", tools).prompts(prompts)]), |mut options| {
        options.page_size = NonZeroUsize::new(2).unwrap();
        options
    })
    .await;
    let first = lab.ask("/mcp/lab", "ann", "prompts/list", json!({})).await;
    assert_eq!(names(&first), ["a", "b"]);
    let next = &first["result"]["nextCursor"];
    let second = lab.ask("/mcp/lab", "ann", "prompts/list", json!({"cursor": next})).await;
    assert_eq!(names(&second), ["c"]);
    assert_eq!(second["result"].get("nextCursor"), None);
    for (path, method) in [("/mcp/lab", "tools/list"), ("/mcp", "prompts/list")] {
        let wrong = lab.ask(path, "ann", method, json!({"cursor": next})).await;
        assert_eq!(wrong["error"]["code"], -32602, "{wrong}");
    }
}

#[tokio::test]
async fn a_prompt_is_filled_in_by_its_own_binding() {
    let (fake, fleet) = fleet().await;
    let params = json!({"name": "lab_push", "arguments": {"device": "r1"}});
    let modern = fleet.ask("/mcp", "ann", "prompts/get", params.clone()).await;
    let legacy = fleet.legacy("/mcp", "ann", "2025-06-18").await.ask("prompts/get", params).await;
    for answer in [&modern, &legacy] {
        let message = json!({"role": "user", "content": {"type": "text", "text": "{\"device\":\"r1\"}"}});
        assert_eq!(answer["result"]["messages"], json!([message]), "{answer}");
        assert_eq!(answer["result"]["_meta"]["dev.fleetgate/binding"], "lab");
        assert_eq!(answer["result"]["_meta"]["dev.fleetgate/reference"], "ref1");
    }
    assert_eq!(modern["result"]["resultType"], "complete");
    assert_eq!(legacy["result"].get("resultType"), None);
    assert!(modern["result"]["_meta"].get("io.modelcontextprotocol/serverInfo").is_some());
    assert!(fake.seen().iter().all(|seen| seen.tool == "push" && seen.principal == "ann"));
}

#[tokio::test]
async fn what_a_message_holds_is_shown_as_its_endpoint_shows_it() {
    let at = |kind: &str| Content {
        kind: kind.into(),
        uri: Some("naas://jobs/1".into()),
        meta: Some(json!({"mcp.dev/x": 1, "com.example/x": 2})),
        ..Content::text("job")
    };
    let messages =
        ["link", "resource"].map(|kind| PromptMessage { role: "assistant".into(), content: at(kind) });
    let fake = Fake::new([binding("lab", []).prompts([prompt("p", Fills::Messages(messages.into()))])]);
    let lab = served(&fake).await;
    for (path, name, uri) in [("/mcp", "lab_p", "lab+naas://jobs/1"), ("/mcp/lab", "p", "naas://jobs/1")] {
        let answer = lab.ask(path, "ann", "prompts/get", json!({"name": name})).await;
        let [link, embedded] = [0, 1].map(|index| &answer["result"]["messages"][index]);
        assert_eq!(link["role"], "assistant");
        assert_eq!(
            (&link["content"]["uri"], &embedded["content"]["resource"]["uri"]),
            (&json!(uri), &json!(uri))
        );
        assert_eq!(link["content"]["_meta"], json!({"com.example/x": 2}));
        assert_eq!(embedded["content"]["resource"]["_meta"], json!({"com.example/x": 2}));
    }
}

#[tokio::test]
async fn an_unknown_prompt_and_wrong_arguments_are_invalid_parameters() {
    let (fake, fleet) = fleet().await;
    let session = fleet.legacy("/mcp/lab", "ann", "2025-11-25").await;
    for params in [
        json!({"name": "nothing"}),
        json!({"name": "home_look"}),
        json!({"name": "push"}),
        json!({"name": "push", "arguments": {"note": "x"}}),
        json!({"name": "look", "arguments": {"n": 1}}),
    ] {
        let modern = fleet.ask("/mcp/lab", "ann", "prompts/get", params.clone()).await;
        let legacy = session.ask("prompts/get", params.clone()).await;
        for answer in [modern, legacy] {
            assert_eq!(answer["error"]["code"], -32602, "{params}: {answer}");
        }
    }
    assert!(fake.seen().iter().all(|seen| seen.tool == "push"), "the core itself looks at what is required");
}

#[tokio::test]
async fn a_prompt_without_the_role_is_a_403_that_names_it_in_both_eras() {
    let (fake, fleet) = fleet().await;
    let params = json!({"name": "lab_push", "arguments": {"device": "x"}});
    let session = fleet.legacy("/mcp", "bob", "2025-06-18").await;
    for request in [
        fleet.modern("/mcp", "bob", "prompts/get", params.clone()),
        session.request(7, "prompts/get", params),
    ] {
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 403);
        let challenge = &response.headers()["www-authenticate"];
        assert_eq!(challenge, "Bearer error=\"insufficient_scope\", scope=\"lab:operator\"");
        let answer: Value = response.json().await.unwrap();
        assert_eq!((&answer["id"], &answer["error"]["code"]), (&json!(7), &json!(403)));
    }
    assert_eq!(fake.seen(), [], "nothing was run");
}

#[tokio::test]
async fn a_prompt_that_fails_says_why_in_its_error() {
    let fault = Fault::new("upstream", "The API said 503.").retryable();
    let fake = Fake::new([binding("lab", []).prompts([prompt("p", Fills::Fail(fault))])]);
    let answer = served(&fake).await.ask("/mcp/lab", "ann", "prompts/get", json!({"name": "p"})).await;
    assert_eq!(
        answer["error"],
        json!({"code": -32603, "message": "The API said 503.",
               "data": {"code": "upstream", "retryable": true, "reference": "ref1"}})
    );
}

#[tokio::test]
async fn a_client_that_hangs_up_stops_its_prompt() {
    let gate = Arc::new(Gate::default());
    let lab =
        served(&Fake::new([binding("lab", []).prompts([prompt("p", Fills::Wait(gate.clone()))])])).await;
    let asking = tokio::spawn(lab.modern("/mcp/lab", "ann", "prompts/get", json!({"name": "p"})).send());
    in_time(gate.started.notified()).await;
    asking.abort();
    in_time(gate.cancelled.notified()).await;
}

#[tokio::test]
async fn an_endpoint_without_prompts_has_no_such_method() {
    let (_, fleet) = fleet().await;
    let session = fleet.legacy("/mcp/bare", "ann", "2025-11-25").await;
    assert_eq!(session.initialized["result"]["capabilities"].get("prompts"), None);
    for (method, params) in [("prompts/list", json!({})), ("prompts/get", json!({"name": "x"}))] {
        assert_eq!(fleet.ask("/mcp/bare", "ann", method, params.clone()).await["error"]["code"], -32601);
        assert_eq!(session.ask(method, params).await["error"]["code"], -32601);
    }
}

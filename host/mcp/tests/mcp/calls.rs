//! `tools/call`.

use fleetgate_core::catalog::Scope;
use fleetgate_core::domain::{Content, ToolResult};
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::backend::{Does, Fake, binding, tool};
use crate::running::{Served, served};

async fn lab_with(does: Does) -> Served {
    served(&Fake::new([binding("lab", [tool("it", does)])])).await
}

async fn both(lab: &Served, params: Value) -> [Value; 2] {
    let modern = lab.ask("/mcp", "ann", "tools/call", params.clone()).await;
    let legacy = lab.legacy("/mcp", "ann", "2025-11-25").await.ask("tools/call", params).await;
    [modern, legacy]
}

#[tokio::test]
async fn a_call_reaches_the_core_as_it_was_meant() {
    let fake = Fake::new([binding("lab", [tool("it", Does::Echo)])]);
    let lab = served(&fake).await;
    let arguments = json!({"z": 1, "a": {"nested": [1.5, null, "ü"]}, "big": 18446744073709551615u64});
    let [modern, legacy] = both(&lab, json!({"name": "lab_it", "arguments": arguments})).await;
    for answer in [&modern, &legacy] {
        assert_eq!(answer["result"]["isError"], false, "{answer}");
        assert_eq!(answer["result"]["content"][0]["text"], arguments.to_string());
        assert_eq!(answer["result"]["_meta"]["dev.fleetgate/binding"], "lab");
        assert_eq!(answer["result"]["_meta"]["dev.fleetgate/reference"], "ref1");
    }
    assert_eq!(modern["result"]["resultType"], "complete");
    assert_eq!(modern["result"]["_meta"]["io.modelcontextprotocol/serverInfo"]["name"], "fleetgate");
    assert_eq!(legacy["result"].get("resultType"), None);
    let [first, second] = &fake.seen()[..] else { panic!("two calls") };
    assert_eq!((&*first.principal, &first.scope, &*first.tool), ("ann", &Scope::Shared, "it"));
    assert_eq!((&first.capabilities, &second.capabilities), (&json!({"sampling": {}}), &json!({})));
}

#[tokio::test]
async fn no_arguments_are_an_empty_object() {
    let lab = lab_with(Does::Echo).await;
    for answer in both(&lab, json!({"name": "lab_it"})).await {
        assert_eq!(answer["result"]["content"][0]["text"], "{}");
    }
}

#[tokio::test]
async fn an_unknown_tool_and_malformed_parameters_are_invalid_params() {
    let lab = lab_with(Does::Echo).await;
    for answer in both(&lab, json!({"name": "lab_nothing"})).await {
        assert_eq!(answer["error"]["code"], -32602, "{answer}");
        assert_eq!(answer["error"]["data"]["reference"], "ref0");
    }
    let session = lab.legacy("/mcp", "ann", "2025-11-25").await;
    for params in [json!({}), json!({"name": 5}), json!({"name": "lab_it", "arguments": [1]})] {
        let answer = session.ask("tools/call", params).await;
        assert_eq!(answer["error"]["code"], -32602, "{answer}");
    }
}

#[tokio::test]
async fn a_fault_is_something_a_model_can_read() {
    let lab = lab_with(Does::Fail).await;
    for answer in both(&lab, json!({"name": "lab_it"})).await {
        let result = &answer["result"];
        assert_eq!(result["isError"], true);
        assert!(result["content"][0]["text"].as_str().unwrap().starts_with("The API said 503."));
        let fault = &result["_meta"]["dev.fleetgate/fault"];
        assert_eq!(fault, &json!({"code": "upstream", "retryable": true, "field": "/identifier"}));
        assert_eq!(result["_meta"]["dev.fleetgate/reference"], "ref1");
    }
}

#[tokio::test]
async fn a_result_is_passed_on_with_its_uris_told_apart() {
    let result = ToolResult {
        content: vec![
            Content::text("hello"),
            Content { kind: "link".into(), uri: Some("job://1".into()), ..Content::default() },
        ],
        structured: Some(RawValue::from_string(r#"{"b":1,"a":2}"#.into()).unwrap()),
        is_error: false,
        meta: Some(json!({"com.example/x": 1, "io.modelcontextprotocol/serverInfo": {"name": "forged"},
                          "dev.fleetgate/binding": "forged", "dev.fleetgate/reference": "forged"})),
        extra: None,
    };
    let lab = lab_with(Does::Return(result)).await;
    for answer in both(&lab, json!({"name": "lab_it"})).await {
        let result = &answer["result"];
        assert_eq!(
            result["content"][1],
            json!({"type": "resource_link", "uri": "lab+job://1", "name": "job://1"})
        );
        assert_eq!(result["structuredContent"].to_string(), r#"{"b":1,"a":2}"#);
        assert_eq!(result["_meta"]["com.example/x"], 1);
        assert_eq!(result["_meta"]["dev.fleetgate/binding"], "lab");
        assert_eq!(result["_meta"]["dev.fleetgate/reference"], "ref1");
        assert!(!result.to_string().contains("forged"), "{result}");
    }
    let own = lab.ask("/mcp/lab", "ann", "tools/call", json!({"name": "it"})).await;
    assert_eq!(own["result"]["content"][1]["uri"], "job://1");
}

#[tokio::test]
async fn a_session_key_is_one_conversations_and_leads_nowhere() {
    let fake =
        Fake::new([binding("lab", [tool("it", Does::Echo)]), binding("home", [tool("it", Does::Echo)])]);
    let lab = served(&fake).await;
    let call = |name: &str| json!({"name": name});
    let one = lab.legacy("/mcp", "ann", "2025-11-25").await;
    one.ask("tools/call", call("lab_it")).await;
    one.ask("tools/call", call("lab_it")).await;
    one.ask("tools/call", call("home_it")).await;
    lab.legacy("/mcp", "ann", "2025-11-25").await.ask("tools/call", call("lab_it")).await;
    lab.ask("/mcp", "ann", "tools/call", call("lab_it")).await;
    lab.ask("/mcp", "ann", "tools/call", call("lab_it")).await;
    let keys: Vec<_> = fake.seen().into_iter().map(|seen| seen.session).collect();
    assert_eq!(keys[0], keys[1], "one session");
    let mut different = keys[1..].to_vec();
    different.sort();
    different.dedup();
    assert_eq!(different.len(), 5, "another binding, another session, each modern request: {keys:?}");
    assert!(keys.iter().all(|key| key.len() == 32 && !key.contains(&one.id)));
}

//! Completions of the arguments of prompts and templates.

use serde_json::{Value, json};

use crate::backend::{Does, Fake, binding, tool};
use crate::running::{Served, last, served};
use crate::surfaces::{Fills, prompt, template};

async fn fleet() -> Served {
    let of = |name| {
        binding(name, [])
            .completing()
            .prompts([prompt("push", Fills::Echo).needs("operator").with("device", true)])
            .templates([template("naas://jobs/{id}"), template("naas://secret/{id}").needs("operator")])
    };
    served(&Fake::new([of("lab"), of("lab-2"), binding("bare", [tool("it", Does::Echo)])])).await
}

fn asked(reference: Value, value: &str) -> Value {
    json!({"ref": reference, "argument": {"name": "device", "value": value},
           "context": {"arguments": {"b": "2", "a": "1"}}})
}

fn of_prompt(name: &str) -> Value {
    json!({"type": "ref/prompt", "name": name})
}

fn of_template(uri: &str) -> Value {
    json!({"type": "ref/resource", "uri": uri})
}

#[tokio::test]
async fn what_follows_is_asked_of_the_binding_that_was_named() {
    let fleet = fleet().await;
    for (path, reference, whose, seen) in [
        ("/mcp", of_prompt("lab_push"), "lab", "prompt:lab_push"),
        ("/mcp/lab", of_prompt("push"), "lab", "prompt:push"),
        ("/mcp", of_template("lab+naas://jobs/{id}"), "lab", "resource:naas://jobs/{id}"),
        ("/mcp", of_template("lab-2+naas://jobs/{id}"), "lab-2", "resource:naas://jobs/{id}"),
        ("/mcp/lab", of_template("naas://jobs/{id}"), "lab", "resource:naas://jobs/{id}"),
    ] {
        let caller = "ann";
        let answer = fleet.ask(path, caller, "completion/complete", asked(reference.clone(), "r")).await;
        let completion = &answer["result"]["completion"];
        let value = format!("{seen} device=r {}", r#"{"a":"1","b":"2"}"#);
        assert_eq!(*completion, json!({"values": [value], "total": 1000, "hasMore": false}), "{answer}");
        assert_eq!(answer["result"]["resultType"], "complete");
        assert_eq!(answer["result"]["_meta"]["dev.fleetgate/binding"], whose);
        assert!(answer["result"]["_meta"].get("io.modelcontextprotocol/serverInfo").is_some());
        let session = fleet.legacy(path, caller, "2025-11-25").await;
        let legacy = session.ask("completion/complete", asked(reference, "r")).await;
        assert_eq!(legacy["result"]["completion"], *completion);
        assert_eq!(legacy["result"].get("resultType"), None);
    }
}

#[tokio::test]
async fn a_hundred_values_are_the_most() {
    let fleet = fleet().await;
    for (value, given, more) in [("100", 100, false), ("101", 100, true), ("0", 0, false)] {
        let params = asked(of_template("naas://jobs/{id}"), value);
        let answer = fleet.ask("/mcp/lab", "ann", "completion/complete", params).await;
        let completion = &answer["result"]["completion"];
        assert_eq!(completion["values"].as_array().unwrap().len(), given);
        assert_eq!(completion["hasMore"], more);
    }
}

#[tokio::test]
async fn an_unknown_reference_is_an_invalid_parameter() {
    let fleet = fleet().await;
    for (path, reference) in [
        ("/mcp", of_prompt("push")),
        ("/mcp", of_prompt("lab_nothing")),
        ("/mcp", of_template("naas://jobs/{id}")),
        ("/mcp", of_template("lab+naas://other/{id}")),
        ("/mcp", of_template("https://example.com/{id}")),
        ("/mcp/lab", of_template("lab+naas://jobs/{id}")),
        ("/mcp", of_template("")),
        ("/mcp", json!({"type": "ref/tool", "name": "x"})),
    ] {
        let answer = fleet.ask(path, "ann", "completion/complete", asked(reference.clone(), "r")).await;
        assert_eq!(answer["error"]["code"], -32602, "{reference}: {answer}");
    }
}

#[tokio::test]
async fn completing_needs_the_role_of_what_is_completed() {
    let fleet = fleet().await;
    for reference in [of_prompt("lab_push"), of_template("lab+naas://secret/{id}")] {
        let session = fleet.legacy("/mcp", "bob", "2025-11-25").await;
        for request in [
            fleet.modern("/mcp", "bob", "completion/complete", asked(reference.clone(), "r")),
            session.request(7, "completion/complete", asked(reference, "r")),
        ] {
            let response = request.send().await.unwrap();
            assert_eq!(response.status(), 403);
            let challenge = response.headers()["www-authenticate"].to_str().unwrap();
            assert!(challenge.contains("scope=\"lab:operator\""), "{challenge}");
            let answer = last(response).await;
            assert_eq!((&answer["id"], &answer["error"]["code"]), (&json!(7), &json!(403)), "{answer}");
            assert_eq!(answer["error"]["data"]["scopes"], json!(["lab:operator"]));
        }
    }
}

#[tokio::test]
async fn one_caller_cannot_complete_without_end() {
    let fleet = fleet().await;
    let params = || asked(of_template("naas://jobs/{id}"), "r");
    let mut refused = None;
    for _ in 0..500 {
        let answer = fleet.ask("/mcp/lab", "ann", "completion/complete", params()).await;
        refused = answer.get("error").cloned();
        if refused.is_some() {
            break;
        }
    }
    assert_eq!(refused.expect("the pace is bounded")["code"], 429);
    let other = fleet.ask("/mcp/lab", "bob", "completion/complete", params()).await;
    assert!(other.get("result").is_some(), "{other}");
}

#[tokio::test]
async fn completions_are_declared_where_a_plugin_completes() {
    let fleet = fleet().await;
    for (path, declared) in [("/mcp", Some(json!({}))), ("/mcp/lab", Some(json!({}))), ("/mcp/bare", None)] {
        let said = fleet.ask(path, "ann", "server/discover", json!({})).await;
        assert_eq!(said["result"]["capabilities"].get("completions").cloned(), declared, "{path}");
    }
    let params = asked(of_prompt("x"), "r");
    assert_eq!(fleet.ask("/mcp/bare", "ann", "completion/complete", params).await["error"]["code"], -32601);
}

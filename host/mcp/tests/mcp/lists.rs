//! `tools/list` and what a server says of itself.

use std::num::NonZeroUsize;

use serde_json::{Value, json};

use crate::backend::{Does, Fake, FakeTool, binding, tool};
use crate::running::{Served, served, served_with};

fn names(answer: &Value) -> Vec<&str> {
    answer["result"]["tools"].as_array().unwrap().iter().map(|tool| tool["name"].as_str().unwrap()).collect()
}

async fn fleet() -> Served {
    let fake = Fake::new([
        binding("lab", [tool("reboot", Does::Echo).needs("operator"), tool("look", Does::Echo)]),
        binding("home", [tool("look", Does::Echo), tool("guard", Does::Echo).needs("viewer")]),
    ]);
    served(&fake).await
}

#[tokio::test]
async fn a_list_holds_what_its_caller_may_call_sorted_in_both_eras() {
    let fleet = fleet().await;
    for (caller, shared, own) in [
        ("ann", vec!["home_look", "lab_look", "lab_reboot"], vec!["look", "reboot"]),
        ("bob", vec!["home_look", "lab_look"], vec!["look"]),
    ] {
        assert_eq!(names(&fleet.ask("/mcp", caller, "tools/list", json!({})).await), shared);
        assert_eq!(names(&fleet.ask("/mcp/lab", caller, "tools/list", json!({})).await), own);
        let session = fleet.legacy("/mcp", caller, "2025-11-25").await;
        assert_eq!(names(&session.ask("tools/list", json!({})).await), shared);
    }
}

#[tokio::test]
async fn an_item_says_what_the_manifest_says() {
    let answer = fleet().await.ask("/mcp/lab", "bob", "tools/list", json!({})).await;
    assert_eq!(
        answer["result"]["tools"][0],
        json!({
            "name": "look", "title": "LOOK", "description": "Does look.",
            "inputSchema": {"type": "object", "$comment": "as it is"},
            "annotations": {"title": "LOOK", "readOnlyHint": true, "destructiveHint": false, "idempotentHint": false,
                            "openWorldHint": true},
            "_meta": {"dev.fleetgate/binding": "lab"},
        })
    );
}

#[tokio::test]
async fn a_modern_list_says_how_long_and_for_whom_it_is_good_and_a_legacy_one_does_not() {
    let fleet = fleet().await;
    let modern = fleet.ask("/mcp", "ann", "tools/list", json!({})).await;
    assert_eq!(modern["result"]["cacheScope"], "private");
    assert_eq!(modern["result"]["ttlMs"], 5000);
    assert_eq!(modern["result"]["resultType"], "complete");
    assert_eq!(modern["result"]["_meta"]["io.modelcontextprotocol/serverInfo"]["name"], "fleetgate");
    let legacy = fleet.legacy("/mcp", "ann", "2025-03-26").await.ask("tools/list", json!({})).await;
    for key in ["cacheScope", "ttlMs", "resultType", "_meta"] {
        assert_eq!(legacy["result"].get(key), None, "{key}");
    }
}

#[tokio::test]
async fn pages_cover_the_list_once_and_go_on_after_a_change() {
    let tools = |names: &[&str]| names.iter().map(|name| tool(name, Does::Echo)).collect::<Vec<FakeTool>>();
    let fake = Fake::new([binding("lab", tools(&["a", "b", "c", "d", "e"]))]);
    let lab = served_with(&fake, |mut options| {
        options.page_size = NonZeroUsize::new(2).unwrap();
        options
    })
    .await;
    let first = lab.ask("/mcp/lab", "ann", "tools/list", json!({})).await;
    assert_eq!(names(&first), ["a", "b"]);
    let second =
        lab.ask("/mcp/lab", "ann", "tools/list", json!({"cursor": first["result"]["nextCursor"]})).await;
    assert_eq!(names(&second), ["c", "d"]);
    // Between two pages the list changes: what stays is neither skipped nor repeated.
    fake.publish([binding("lab", tools(&["a", "c2", "d2", "e", "f"]))], &["lab"]);
    let third =
        lab.ask("/mcp/lab", "ann", "tools/list", json!({"cursor": second["result"]["nextCursor"]})).await;
    assert_eq!(names(&third), ["d2", "e"]);
    let fourth =
        lab.ask("/mcp/lab", "ann", "tools/list", json!({"cursor": third["result"]["nextCursor"]})).await;
    assert_eq!(names(&fourth), ["f"]);
    assert_eq!(fourth["result"].get("nextCursor"), None);
}

#[tokio::test]
async fn a_cursor_that_was_not_given_out_here_is_invalid() {
    let fake = Fake::new([binding("lab", ["a", "b"].map(|name| tool(name, Does::Echo)))]);
    let lab = served_with(&fake, |mut options| {
        options.page_size = NonZeroUsize::MIN;
        options
    })
    .await;
    let page = lab.ask("/mcp", "ann", "tools/list", json!({})).await;
    let cursor = page["result"]["nextCursor"].as_str().unwrap();
    for (path, wrong) in [("/mcp", ""), ("/mcp", "lab_a"), ("/mcp", &cursor[2..]), ("/mcp/lab", cursor)] {
        let answer = lab.ask(path, "ann", "tools/list", json!({"cursor": wrong})).await;
        assert_eq!(answer["error"]["code"], -32602, "{wrong}: {answer}");
    }
}

#[tokio::test]
async fn an_output_schema_that_old_clients_cannot_read_is_for_new_ones() {
    let mut list = tool("list", Does::Echo);
    list.output = Some(json!({"type": "array"}));
    let mut get = tool("get", Does::Echo);
    get.output = Some(json!({"type": "object"}));
    let lab = served(&Fake::new([binding("lab", [list, get])])).await;
    let modern = lab.ask("/mcp/lab", "ann", "tools/list", json!({})).await;
    assert_eq!(modern["result"]["tools"][1]["outputSchema"], json!({"type": "array"}));
    let legacy = lab.legacy("/mcp/lab", "ann", "2025-06-18").await.ask("tools/list", json!({})).await;
    assert_eq!(legacy["result"]["tools"][0]["outputSchema"], json!({"type": "object"}));
    assert_eq!(legacy["result"]["tools"][1].get("outputSchema"), None);
}

#[tokio::test]
async fn every_version_is_spoken_and_what_is_declared_is_served() {
    let fleet = fleet().await;
    for version in ["2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"] {
        let session = fleet.legacy("/mcp", "ann", version).await;
        assert_eq!(session.version, version);
        let said = &session.initialized["result"];
        assert_eq!(said["capabilities"], json!({"tools": {"listChanged": true}, "logging": {}}));
        assert_eq!(said["serverInfo"]["name"], "fleetgate");
        assert!(said["instructions"].as_str().unwrap().contains("- lab: [TEST] The lab. Things to try."));
        assert_eq!(session.ask("ping", json!({})).await["result"], json!({}));
    }
    // Names 2026-07-28 in a handshake that this version no longer has.
    assert_eq!(fleet.legacy("/mcp", "ann", "2026-07-28").await.version, "2025-11-25");

    let discovered = fleet.ask("/mcp/lab", "ann", "server/discover", json!({})).await;
    let said = &discovered["result"];
    assert_eq!(
        said["supportedVersions"],
        json!(["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25", "2026-07-28"])
    );
    assert_eq!(said["capabilities"], json!({"tools": {"listChanged": true}, "logging": {}}));
    assert_eq!(said["instructions"], "[TEST] The lab. Things to try.");
    assert_eq!(said["_meta"]["io.modelcontextprotocol/serverInfo"]["title"], "Fleetgate: [TEST] The lab");
    assert_eq!(said["cacheScope"], "private");
}

#[tokio::test]
async fn what_is_not_declared_is_not_there() {
    let fleet = fleet().await;
    for method in [
        "prompts/list",
        "prompts/get",
        "resources/list",
        "resources/templates/list",
        "resources/read",
        "completion/complete",
        "tasks/get",
        "ping",
        "logging/setLevel",
        "resources/subscribe",
        "skills/list",
    ] {
        let answer =
            fleet.ask("/mcp", "ann", method, json!({"name": "x", "uri": "x", "level": "info"})).await;
        let code = answer["error"]["code"].as_i64();
        // rmcp reads some with stricter parameters or headers than these.
        assert!(matches!(code, Some(-32601 | -32602 | -32020)), "{method}: {answer}");
    }
    assert_eq!(fleet.ask("/mcp", "ann", "prompts/list", json!({})).await["error"]["code"], -32601);
    assert_eq!(fleet.ask("/mcp", "ann", "ping", json!({})).await["error"]["code"], -32601);
}

//! Other people's clients: the two TypeScript SDKs, the current one (which takes 2026-07-28 where it can) and the one
//! of before.

use fleet_sim::nerveshub::known;
use fleetgate_e2e::{Fleet, Installation, Node, PATIENCE, Said, kiosk, program};
use serde_json::{Value, json};

/// The current SDK.
const CLIENT: &str = "client.mjs";
/// The one of before 2026-07-28.
const SDK: &str = "sdk.mjs";

/// Runs a client to its end; what it printed.
async fn talk(node: &Node, client: &str, task: &Value) -> Value {
    let mut command = tokio::process::Command::from(node.command(client));
    command.arg(task.to_string()).kill_on_drop(true);
    let output = tokio::time::timeout(PATIENCE, command.output()).await.expect("it never ended");
    let said = Said::from(output.expect("node starts"));
    assert_eq!(said.code, 0, "{client} {task}: {said:?}");
    said.json()
}

/// `fleetgate stdio` of one plugin.
fn stdio(installation: &Installation, plugin: &str) -> Value {
    let config = installation.config_path();
    json!({ "stdio": [program("fleetgate"), "stdio", "--plugin", plugin, "--config", config] })
}

#[tokio::test]
async fn both_typescript_clients_list_and_call_over_http_and_stdio() {
    let Some(node) = Node::find() else { return };
    let fleet = Fleet::of(known::MANAGE).await;
    for (client, newest) in [(CLIENT, "2026-07-28"), (SDK, "2025-11-25")] {
        for over in
            [json!({ "http": fleet.server.endpoint("nerveshub") }), stdio(&fleet.installation, "nerveshub")]
        {
            let calls = json!([
                { "name": "get_device", "arguments": kiosk(known::CONNECTED) },
                { "name": "get_device", "arguments": kiosk("sn-9999") },
                { "name": "nothing", "arguments": {} },
            ]);
            let said = talk(&node, client, &json!({ "over": over, "calls": calls })).await;
            assert_eq!(said["version"], newest, "{client} {over}");
            assert_eq!(said["tools"].as_array().expect("a list").len(), 18, "{client} {over}");
            let calls = &said["calls"];
            assert_eq!(calls[0]["structuredContent"]["identifier"], known::CONNECTED, "{client} {over}");
            assert_eq!(calls[1]["isError"], true, "{client} {over}: {}", calls[1]);
            assert_eq!(calls[2]["error"]["code"], -32602, "{client} {over}: {}", calls[2]);
        }
    }
}

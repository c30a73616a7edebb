//! Other people's client: the MCP Inspector's command line, in both eras, over HTTP and over stdio.

use std::path::Path;

use fleet_sim::nerveshub::known;
use fleetgate_e2e::{Fleet, Installation, Node, Server, kiosk, program};
use serde_json::Value;

/// What it printed, and how it ended.
async fn inspect(node: &Node, home: &Path, arguments: &[&str]) -> (Value, i32) {
    let output = tokio::process::Command::from(node.command("node_modules/.bin/mcp-inspector"))
        .arg("--cli")
        .args(arguments)
        // It keeps files of its own below the home directory.
        .env("HOME", home)
        .output()
        .await
        .expect("node starts");
    let (said, complained) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    let code = output.status.code().expect("it ends by itself");
    let said = serde_json::from_str(&said)
        .unwrap_or_else(|_| panic!("{arguments:?} ended with {code} and no JSON:\n{said}\n{complained}"));
    (said, code)
}

#[tokio::test]
async fn the_inspector_lists_and_calls_in_both_eras_over_http_and_stdio() {
    let Some(node) = Node::find() else { return };
    let fleet = Fleet::of(known::MANAGE).await;
    let home = tempfile::tempdir().expect("a temporary folder");
    let settings = fleet.installation.config_path();
    let (program, settings) = (program("fleetgate"), settings.to_str().expect("text"));
    let stdio = ["--", program.to_str().expect("text"), "stdio", "--config", settings];
    let known_device = kiosk(known::CONNECTED).to_string();
    let unknown_device = kiosk("sn-9999").to_string();
    for era in ["legacy", "modern"] {
        for http in [true, false] {
            let (before, after) = match http {
                true => (vec![fleet.server.url(), "--transport", "http"], &[][..]),
                false => (vec![], &stdio[..]),
            };
            let ask = async |more: &[&str]| {
                let common = ["--protocol-era", era, "--format", "json"];
                inspect(&node, home.path(), &[&before, &common[..], more, after].concat()).await
            };
            let (listed, code) = ask(&["--method", "tools/list"]).await;
            assert_eq!(code, 0, "{era}, http: {http}: {listed}");
            let tools = find(&listed, "tools").and_then(Value::as_array).expect("a list");
            assert_eq!(tools.len(), 18, "{era}, http: {http}");

            let call = ["--method", "tools/call", "--tool-name", "nerveshub_get_device", "--tool-args-json"];
            let (called, code) = ask(&[&call[..], &[&known_device]].concat()).await;
            assert_eq!(code, 0, "{era}, http: {http}: {called}");
            let device = find(&called, "structuredContent").expect("structured content");
            assert_eq!(device["identifier"], known::CONNECTED, "{era}, http: {http}");

            let (failed, code) = ask(&[&call[..], &[&unknown_device]].concat()).await;
            assert_eq!(code, 5, "a tool error, {era}, http: {http}: {failed}");
        }
    }
}

#[tokio::test]
async fn the_inspector_finds_nothing_in_the_schemas_of_any_of_our_plugins() {
    let Some(node) = Node::find() else { return };
    let installation = Installation::of(
        "nerveshub",
        "http://127.0.0.1:9",
        known::MANAGE,
        &["nerveshub:manage", "naas:admin"],
    );
    let mut settings = installation.config_text();
    for plugin in ["naas", "hello", "conformance"] {
        installation.install(plugin);
        settings += &format!("\n[plugins.{plugin}]\n");
    }
    installation.config(&settings);
    let server = Server::start(&installation);
    let home = tempfile::tempdir().expect("a temporary folder");
    for (plugin, tools) in [("nerveshub", 18), ("naas", 8), ("hello", 1), ("conformance", 35)] {
        let endpoint = server.endpoint(plugin);
        let strict = ["--transport", "http", "--method", "tools/list", "--strict", "--format", "json"];
        let (said, code) = inspect(&node, home.path(), &[&[&*endpoint], &strict[..]].concat()).await;
        assert_eq!(code, 0, "{plugin}: 6 would say that a schema is not portable: {said}");
        assert_eq!(said["result"]["tools"].as_array().map(Vec::len), Some(tools), "{plugin}");
        // Warnings alone do not make it fail.
        assert_eq!(said.get("schemaFindings"), None, "{plugin}");
    }
}

#[tokio::test]
async fn the_inspector_verifies_every_file_of_every_skill_in_both_eras() {
    let Some(node) = Node::find() else { return };
    let installation = Installation::new();
    installation.install("conformance");
    installation.config("[serve]\n\n[plugins.conformance]\n[plugins.conformance.grant.client.skills]\n");
    let server = Server::start(&installation);
    let home = tempfile::tempdir().expect("a temporary folder");
    for era in ["legacy", "modern"] {
        // Of the plugin alone, and of every binding, where the URIs are others.
        for endpoint in [server.endpoint("conformance"), server.url().to_owned()] {
            let verify =
                ["--transport", "http", "--protocol-era", era, "--method", "skills/list", "--verify"];
            let more = ["--require-digests", "--format", "json"];
            let (said, code) =
                inspect(&node, home.path(), &[&[&*endpoint], &verify[..], &more[..]].concat()).await;
            assert_eq!(code, 0, "{era} {endpoint}: {said}");
            assert!(said.to_string().contains("read-fixtures/SKILL.md"), "{era} {endpoint}: {said}");
        }
    }
}

/// The first value of this name, however deep.
fn find<'a>(value: &'a Value, name: &str) -> Option<&'a Value> {
    match value {
        Value::Object(fields) => {
            fields.get(name).or_else(|| fields.values().find_map(|value| find(value, name)))
        }
        Value::Array(items) => items.iter().find_map(|value| find(value, name)),
        _ => None,
    }
}

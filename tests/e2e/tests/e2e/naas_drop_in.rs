//! `fleetgate stdio --plugin naas` in the place of `naas-mcp`: nothing but its variables.

use std::process::Stdio;

use fleet_sim::naas::{Behaviour, Naas, known};
use fleetgate_e2e::network::{quick, show};
use fleetgate_e2e::{Installation, program};
use rmcp::model::{CallToolRequestParams, CallToolResult};
use rmcp::service::RunningService;
use rmcp::transport::TokioChildProcess;
use rmcp::{RoleClient, ServiceExt};
use serde_json::{Value, json};

type Client = RunningService<RoleClient, ()>;

/// The variables of the product page, as it spells their values, and the plugin where its user drops it: nothing is
/// configured.
async fn started(url: &str, key: &str) -> (Installation, Client) {
    let installation = Installation::new();
    installation.install("naas");
    let plugins = installation.path().join(".config/fleetgate/plugins");
    std::fs::create_dir_all(&plugins).expect("a new folder");
    std::fs::copy(installation.plugin_path("naas"), plugins.join("naas.wasm")).expect("room on the disk");
    let mut command = tokio::process::Command::new(program("fleetgate"));
    command
        .args(["stdio", "--plugin", "naas"])
        .env("HOME", installation.path())
        .env_remove("XDG_CONFIG_HOME")
        .env("NAAS_MCP_API_URL", url)
        .env("NAAS_MCP_API_KEY", key)
        .env("NAAS_MCP_TIMEOUT", "30")
        .env("NAAS_MCP_JOB_POLL_INTERVAL", "0.1")
        .env("NAAS_MCP_JOB_TIMEOUT", "60");
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
async fn the_variables_alone_make_everything_work() {
    for behaviour in [Behaviour::AsDocumented, Behaviour::StrictUpstream] {
        let naas = Naas::start(quick(behaviour)).await;
        // With a slash at the end, as people write it.
        let (_installation, client) = started(&format!("{}/", naas.url()), naas.token(known::ADMIN)).await;
        let mut tools: Vec<_> = client
            .list_all_tools()
            .await
            .expect("tools")
            .into_iter()
            .map(|tool| tool.name.to_string())
            .collect();
        tools.sort();
        assert_eq!(tools.len(), 8, "{tools:?}");
        assert_eq!(client.list_all_resources().await.expect("resources").len(), 4);
        assert_eq!(client.list_all_prompts().await.expect("prompts").len(), 3);

        let result = call(&client, "send_command", show(json!({}))).await;
        let job = result.structured_content.expect("a job");
        assert_eq!(job["status"], "finished", "{behaviour:?}: {job}");
        assert!(job["results"]["show version"].is_string());
        let list = call(&client, "list_jobs", json!({})).await.structured_content.expect("a list");
        assert_eq!(list["jobs"][0]["job_id"], job["job_id"]);
        if behaviour == Behaviour::AsDocumented {
            let again = call(&client, "get_job_result", json!({"job_id": job["job_id"]})).await;
            assert_eq!(again.structured_content.expect("a job")["results"], job["results"]);
            let key = call(&client, "create_api_key", json!({"role": "viewer"})).await;
            let key = key.structured_content.expect("a key");
            assert!(naas.state().claims(key["token"].as_str().expect("a token")).is_some());
        }
        client.cancel().await.expect("it ends");
    }
}

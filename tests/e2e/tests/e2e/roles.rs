//! A caller sees and calls what its roles cover, and nothing else.

use fleet_sim::nerveshub::{Hub, Running, Seed, known};
use fleetgate_e2e::{Installation, Modern, Server, kiosk};
use rmcp::model::CallToolRequestParams;
use rmcp::transport::TokioChildProcess;
use rmcp::{ServiceError, ServiceExt};
use serde_json::json;

const CHANGING: [&str; 6] = [
    "clear_penalty_box",
    "reboot_device",
    "reconnect_device",
    "run_script",
    "set_device_tags",
    "upgrade_device",
];

/// The hub, and an installation whose local caller holds these roles. The token could do everything.
async fn holding(roles: &[&str]) -> (Running, Installation) {
    let hub = Hub::start(Seed::default()).await;
    let installation = Installation::of("nerveshub", &hub.url(), hub.token(known::ADMIN), roles);
    (hub, installation)
}

async fn sorted_tools(client: &Modern) -> Vec<String> {
    let mut names = client.tool_names().await;
    names.sort();
    names
}

#[tokio::test]
async fn a_caller_with_view_neither_sees_nor_can_call_what_changes_a_device() {
    let (hub, installation) = holding(&["nerveshub:view"]).await;
    let server = Server::start(&installation);
    let seen = sorted_tools(&server.client_of("nerveshub")).await;
    assert_eq!(seen.len(), 12);
    assert!(CHANGING.iter().all(|tool| !seen.iter().any(|seen| seen == tool)), "{seen:?}");

    let mut last = String::new();
    for tool in CHANGING {
        for (client, name) in
            [(server.client_of("nerveshub"), tool.to_owned()), (server.client(), format!("nerveshub_{tool}"))]
        {
            let answer = client.call(&name, kiosk(known::CONNECTED)).await;
            assert_eq!(answer.status, 403, "{answer:?}");
            assert_eq!(answer.error_code(), 403);
            let challenge = answer.headers.iter().find(|(name, _)| name == "www-authenticate");
            let challenge = &challenge.expect("a challenge").1;
            assert!(challenge.contains("error=\"insufficient_scope\""), "{challenge}");
            assert!(challenge.contains("nerveshub:manage"), "{challenge}");
            last = answer.reference();
        }
    }
    installation.record(&last);
    assert!(hub.requests().is_empty(), "no guest ran: {:?}", hub.requests());
    let refused =
        installation.fleetgate(&["audit", "find", "--tool", "reboot_device", "--outcome", "refused"]);
    let refused = String::from_utf8_lossy(&refused.stdout).into_owned();
    assert_eq!(refused.matches("reboot_device").count(), 2, "{refused}");

    assert!(server.client_of("nerveshub").call("get_device", kiosk(known::CONNECTED)).await.succeeded());
}

#[tokio::test]
async fn over_stdio_the_same_call_is_an_error_of_the_protocol() {
    let (hub, installation) = holding(&["nerveshub:view"]).await;
    let command = tokio::process::Command::from(installation.command(&["stdio"]));
    let (transport, _) = TokioChildProcess::builder(command)
        .stderr(std::process::Stdio::null())
        .spawn()
        .expect("fleetgate starts");
    let client = ().serve(transport).await.expect("it answers");
    let tools = client.list_all_tools().await.expect("a list");
    assert_eq!(tools.len(), 12);
    let arguments = kiosk(known::CONNECTED).as_object().cloned().expect("an object");
    let call = CallToolRequestParams::new("nerveshub_reboot_device").with_arguments(arguments);
    match client.call_tool(call).await {
        Err(ServiceError::McpError(error)) => {
            assert_eq!(error.code.0, 403);
            assert_eq!(error.data.expect("facts")["scopes"], json!(["nerveshub:manage"]));
        }
        other => panic!("it was let in: {other:?}"),
    }
    assert!(hub.requests().is_empty());
    client.cancel().await.expect("it ends");
}

#[tokio::test]
async fn without_any_role_there_are_the_tools_that_need_none() {
    let (hub, installation) = holding(&[]).await;
    let server = Server::start(&installation);
    let client = server.client_of("nerveshub");
    assert_eq!(sorted_tools(&client).await, ["list_orgs", "whoami"]);
    assert!(client.call("whoami", json!({})).await.succeeded());
    assert!(client.call("list_orgs", json!({})).await.succeeded());
    let arrived = hub.requests().len();
    let answer = client.call("list_devices", json!({"org": "acme", "product": "kiosk"})).await;
    assert_eq!((answer.status, answer.error_code()), (403, 403));
    assert_eq!(hub.requests().len(), arrived);
}

#[tokio::test]
async fn a_local_caller_holds_nothing_unless_the_settings_say_so() {
    let (_hub, installation) = holding(&[]).await;
    installation.config(&installation.config_text().replace("local_roles = []", ""));
    let server = Server::start(&installation);
    assert_eq!(sorted_tools(&server.client_of("nerveshub")).await, ["list_orgs", "whoami"]);
}

#[tokio::test]
async fn manage_includes_view_and_admin_includes_manage() {
    for role in ["nerveshub:manage", "nerveshub:admin"] {
        let (hub, installation) = holding(&[role]).await;
        let server = Server::start(&installation);
        let client = server.client_of("nerveshub");
        assert_eq!(client.tool_names().await.len(), 18, "{role}");
        assert!(client.call("get_device", kiosk(known::CONNECTED)).await.succeeded(), "{role}");
        assert!(client.call("reboot_device", kiosk(known::CONNECTED)).await.succeeded(), "{role}");
        assert_eq!(hub.state().events().len(), 1);
    }
}

#[tokio::test]
async fn a_role_of_one_binding_is_none_of_another() {
    let (hub, installation) = holding(&["lab:view"]).await;
    let lab = format!(
        "\n[plugins.lab]\nuse = \"nerveshub\"\n[plugins.lab.grant.http.api]\nurl = \"{}\"\ncredential = {{ bearer = \"token\" }}\n",
        hub.url()
    );
    installation.config(&(installation.config_text() + &lab));
    let server = Server::start(&installation);
    assert_eq!(server.client_of("lab").tool_names().await.len(), 12);
    assert_eq!(server.client_of("nerveshub").tool_names().await.len(), 2);
    assert_eq!(server.client().tool_names().await.len(), 14);
    assert_eq!(server.client_of("nerveshub").call("get_device", kiosk(known::CONNECTED)).await.status, 403);
}

#[tokio::test]
async fn the_settings_raise_what_a_tool_requires() {
    let (hub, installation) = holding(&["nerveshub:view"]).await;
    let more = "\n[plugins.nerveshub.tools.get_device]\nrequires = \"manage\"\n";
    installation.config(&(installation.config_text() + more));
    let server = Server::start(&installation);
    let client = server.client_of("nerveshub");
    let seen = client.tool_names().await;
    assert_eq!(seen.len(), 11);
    assert!(!seen.iter().any(|seen| seen == "get_device"), "{seen:?}");
    let answer = client.call("get_device", kiosk(known::CONNECTED)).await;
    assert_eq!((answer.status, answer.error_code()), (403, 403));
    assert!(hub.requests().is_empty());
}

#[tokio::test]
async fn settings_that_would_lower_what_a_tool_requires_serve_nothing_of_that_binding() {
    for lower in ["view", "any"] {
        let (_hub, installation) = holding(&["nerveshub:view"]).await;
        let more = format!("\n[plugins.nerveshub.tools.reboot_device]\nrequires = \"{lower}\"\n");
        installation.config(&(installation.config_text() + &more));
        let checked = installation.fleetgate(&["check"]);
        let said = String::from_utf8_lossy(&checked.stdout) + String::from_utf8_lossy(&checked.stderr);
        assert_eq!(checked.status.code(), Some(1), "{said}");
        assert!(said.contains("never lowered"), "{said}");
        let server = Server::start(&installation);
        assert!(server.client().tool_names().await.is_empty());
    }
}

#[tokio::test]
async fn a_tool_that_is_switched_off_is_gone_for_everybody() {
    let (hub, installation) = holding(&["nerveshub:admin"]).await;
    let more = "\n[plugins.nerveshub.tools.run_script]\nenabled = false\n";
    installation.config(&(installation.config_text() + more));
    let server = Server::start(&installation);
    let client = server.client_of("nerveshub");
    let seen = client.tool_names().await;
    assert_eq!(seen.len(), 17);
    assert!(!seen.iter().any(|seen| seen == "run_script"), "{seen:?}");
    assert_eq!(client.call("run_script", kiosk(known::CONNECTED)).await.error_code(), -32602);
    assert!(hub.requests().is_empty());
}

#[tokio::test]
async fn the_role_argument_replaces_the_roles_of_the_settings() {
    let (_hub, installation) = holding(&["nerveshub:manage"]).await;
    let server = Server::start_with(&installation, &["--role", "nerveshub:view"]);
    assert_eq!(server.client_of("nerveshub").tool_names().await.len(), 12);
    let server = Server::start(&installation);
    assert_eq!(server.client_of("nerveshub").tool_names().await.len(), 18);
}

#[tokio::test]
async fn other_roles_take_effect_without_a_restart() {
    let (_hub, installation) = holding(&["nerveshub:manage"]).await;
    let server = Server::start(&installation);
    let client = server.client_of("nerveshub");
    assert_eq!(client.tool_names().await.len(), 18);
    installation.config(&installation.config_text().replace("nerveshub:manage", "nerveshub:view"));
    server.until("manage is taken away", || async { client.tool_names().await.len() == 12 }).await;
    assert_eq!(client.call("reboot_device", kiosk(known::CONNECTED)).await.status, 403);
}

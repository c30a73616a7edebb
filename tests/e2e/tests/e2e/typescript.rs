//! Other people's clients: the two TypeScript SDKs, the current one (which takes 2026-07-28 where it can) and the one
//! of before.

use fleet_sim::nerveshub::known;
use fleetgate_e2e::{Fleet, Installation, Node, PATIENCE, Said, Server, kiosk, program};
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

#[tokio::test]
async fn the_transport_of_2024_11_05_serves_the_client_that_was_made_for_it() {
    let Some(node) = Node::find() else { return };
    let fleet = Fleet::of(known::MANAGE).await;
    for (url, name) in [
        (fleet.server.endpoint("nerveshub"), "get_device"),
        (fleet.server.url().to_owned(), "nerveshub_get_device"),
    ] {
        let calls = json!([
            { "name": name, "arguments": kiosk(known::CONNECTED) },
            { "name": name, "arguments": kiosk("sn-9999") },
            { "name": "nothing", "arguments": {} },
        ]);
        let said = talk(&node, SDK, &json!({ "over": { "sse": url }, "calls": calls })).await;
        assert_eq!(said["tools"].as_array().expect("a list").len(), 18, "{url}");
        assert_eq!(said["calls"][0]["structuredContent"]["identifier"], known::CONNECTED, "{url}");
        assert_eq!(said["calls"][1]["isError"], true, "{url}");
        assert_eq!(said["calls"][2]["error"]["code"], -32602, "{url}");
    }
}

#[tokio::test]
async fn a_long_call_is_let_go_and_the_client_comes_back_for_its_answer() {
    let Some(node) = Node::find() else { return };
    let installation = Installation::new();
    installation.install("hostile");
    installation.config("[serve]\nstream_max = \"1s\"\n\n[plugins.hostile]\n");
    let server = Server::start(&installation);
    let calls = json!([{ "name": "sleep", "arguments": { "milliseconds": 2_500 } }]);
    let over = json!({ "http": server.endpoint("hostile") });
    let said = talk(&node, SDK, &json!({ "over": over, "calls": calls })).await;
    assert_eq!(said["version"], "2025-11-25");
    assert!(said["calls"][0]["content"].is_array(), "{}", said["calls"][0]);
}

/// The conformance plugin, which may ask its clients everything.
fn asking() -> Installation {
    let installation = Installation::new();
    installation.install("conformance");
    let mut settings = "[serve]\n\n[plugins.conformance]\n".to_owned();
    for ask in ["elicitation", "sampling", "roots", "skills"] {
        settings += &format!("[plugins.conformance.grant.client.{ask}]\n");
    }
    installation.config(&settings);
    installation
}

/// Each way to the conformance plugin that a client has: the current one takes the newest version, the older one
/// also speaks HTTP with SSE as it was in 2024-11-05.
fn ways(server: &Server, installation: &Installation) -> [(&'static str, Value); 5] {
    let (http, sse) =
        (json!({ "http": server.endpoint("conformance") }), json!({ "sse": server.endpoint("conformance") }));
    let stdio = stdio(installation, "conformance");
    [(CLIENT, http.clone()), (CLIENT, stdio.clone()), (SDK, http), (SDK, sse), (SDK, stdio)]
}

#[tokio::test]
async fn a_person_in_front_of_a_typescript_client_is_asked_by_name_and_the_answer_reaches_the_plugin() {
    let Some(node) = Node::find() else { return };
    let installation = asking();
    let server = Server::start(&installation);
    for (client, over) in ways(&server, &installation) {
        let task = json!({
            "over": over,
            "calls": [{ "name": "test_elicitation", "arguments": { "message": "Who is there?" } }],
            "answer": { "username": "ann", "email": "ann@example.com" },
        });
        let said = talk(&node, client, &task).await;
        let asked: Vec<_> =
            said["asked"].as_array().expect("a list").iter().filter_map(Value::as_str).collect();
        assert_eq!(asked.len(), 1, "{client} {over}: {said}");
        assert!(
            asked[0].contains("conformance") && asked[0].contains("Who is there?"),
            "{client}: {asked:?}"
        );
        let text = said["calls"][0]["content"][0]["text"].as_str().unwrap_or_default();
        for part in ["accept", "ann", "ann@example.com"] {
            assert!(text.contains(part), "{client} {over}: {said}");
        }
    }
}

#[tokio::test]
async fn a_typescript_client_that_is_asked_twice_in_one_call_answers_both() {
    let Some(node) = Node::find() else { return };
    let installation = asking();
    let server = Server::start(&installation);
    for (client, over) in ways(&server, &installation) {
        let task = json!({
            "over": over,
            "calls": [{ "name": "test_input_required_result_multi_round", "arguments": {} }],
            "answer": { "name": "Ann", "color": "green" },
        });
        let said = talk(&node, client, &task).await;
        assert_eq!(said["asked"].as_array().map(Vec::len), Some(2), "{client} {over}: {said}");
        assert_eq!(said["calls"][0]["content"][0]["text"], "Ann likes green.", "{client} {over}");
    }
}

#[tokio::test]
async fn typescript_clients_read_resources_and_are_given_prompts_that_ask_first() {
    let Some(node) = Node::find() else { return };
    let installation = asking();
    let server = Server::start(&installation);
    for (client, over) in ways(&server, &installation) {
        let task = json!({
            "over": over,
            "read": ["test://static-text", "test://template/7/data", "test://nothing"],
            "prompts": [{ "name": "test_input_required_result_prompt" }],
            "answer": { "context": "the lab" },
        });
        let said = talk(&node, client, &task).await;
        let read = &said["read"];
        assert_eq!(
            read[0]["contents"][0]["text"], "This is the content of the static text resource.",
            "{client} {over}"
        );
        let data = read[1]["contents"][0]["text"].as_str().unwrap_or_default();
        assert!(data.contains("Data for ID: 7"), "{client} {over}: {read}");
        let code = if said["version"] == "2026-07-28" { -32602 } else { -32002 };
        assert_eq!(read[2]["error"]["code"], code, "{client} {over}: {read}");
        let prompt = said["prompts"][0]["messages"][0]["content"]["text"].as_str().unwrap_or_default();
        assert!(prompt.contains("the lab"), "{client} {over}: {said}");
    }
}

#[tokio::test]
async fn the_typescript_client_verifies_every_file_of_every_skill() {
    let Some(node) = Node::find() else { return };
    let installation = asking();
    let server = Server::start(&installation);
    for over in [json!({ "http": server.endpoint("conformance") }), stdio(&installation, "conformance")] {
        let said = talk(&node, CLIENT, &json!({ "over": over, "skills": true })).await;
        let skills = said["skills"].as_array().expect("a list");
        assert_eq!(skills.len(), 1, "{said}");
        let files = skills[0]["files"].as_array().expect("a list");
        assert_eq!(files.len(), 2, "{said}");
        assert!(files.iter().all(|file| file["verified"] == true), "{said}");
    }
}

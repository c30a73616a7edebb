//! What is wrong with a request: 400 and 422.

use fleet_sim::naas::known;
use reqwest::Method;
use serde_json::{Value, json};

use crate::client::{Api, server, show, with};

/// Field, type and message of each complaint.
fn complaints(body: &Value) -> Vec<(String, String, String)> {
    let list = body.as_array().unwrap_or_else(|| panic!("an array: {body}"));
    list.iter()
        .map(|complaint| {
            let loc: Vec<String> = complaint["loc"]
                .as_array()
                .unwrap()
                .iter()
                .map(|step| step.as_str().map_or(step.to_string(), str::to_owned))
                .collect();
            let text = |key: &str| complaint[key].as_str().unwrap().to_owned();
            assert!(text("url").ends_with(&format!("/v/{}", text("type"))));
            (loc.join("."), text("type"), text("msg"))
        })
        .collect()
}

#[tokio::test]
async fn each_field_is_taken_by_its_type_and_nothing_is_converted() {
    let server = server().await;
    let api = Api::of(&server, known::OPERATOR);
    let many: serde_json::Map<_, _> = (0..11).map(|n| (format!("k{n}"), json!("v"))).collect();
    for (more, loc, kind, message) in [
        (json!({"port": "22"}), "port", "int_type", "Input should be a valid integer"),
        (json!({"port": 22.5}), "port", "int_type", "Input should be a valid integer"),
        (json!({"port": 0}), "port", "greater_than_equal", "Input should be greater than or equal to 1"),
        (json!({"port": 65_536}), "port", "less_than_equal", "Input should be less than or equal to 65535"),
        (json!({"host": 7}), "host", "string_type", "Input should be a valid string"),
        (json!({"host": "a b"}), "host", "value_error", "host name"),
        (json!({"host": "-a.example"}), "host", "value_error", "host name"),
        (json!({"host": "a".repeat(254)}), "host", "value_error", "host name"),
        (json!({"host": ""}), "host", "value_error", "host name"),
        (json!({"platform": "windows_95"}), "platform", "value_error", "netmiko device type"),
        (json!({"commands": "show clock"}), "commands", "list_type", "Input should be a valid list"),
        (json!({"commands": []}), "commands", "too_short", "at least 1 item"),
        (json!({"commands": ["show clock", "  "]}), "commands", "value_error", "blank"),
        (
            json!({"commands": ["show clock", 2]}),
            "commands.1",
            "string_type",
            "Input should be a valid string",
        ),
        (json!({"username": 1}), "username", "string_type", "Input should be a valid string"),
        (json!({"enable": true}), "enable", "string_type", "Input should be a valid string"),
        (json!({"tags": ["a"]}), "tags", "dict_type", "Input should be a valid dictionary"),
        (json!({"tags": {"a": 1}}), "tags.a", "string_type", "Input should be a valid string"),
        (json!({"tags": {"a": "b c"}}), "tags", "value_error", "tag keys and values"),
        (json!({"tags": {"": "b"}}), "tags", "value_error", "tag keys and values"),
        (json!({"tags": many}), "tags", "value_error", "10 tags"),
        (json!({"read_timeout": 0.5}), "read_timeout", "greater_than_equal", "equal to 1"),
        (json!({"conn_timeout": "10"}), "conn_timeout", "float_type", "Input should be a valid number"),
        (json!({"webhook_url": "http://x"}), "webhook_url", "value_error", "https"),
    ] {
        let body = api.command(&with(show(known::IOS, "show clock"), more.clone())).await.of(422);
        let [(at, found, said)] = &complaints(&body)[..] else {
            panic!("one complaint about {more}: {body}")
        };
        assert_eq!((at.as_str(), found.as_str()), (loc, kind), "{more}");
        assert!(said.contains(message), "{said}");
    }
    assert!(server.state().jobs().is_empty());
}

#[tokio::test]
async fn the_write_flags_are_looked_at_where_they_mean_something() {
    let server = server().await;
    let api = Api::of(&server, known::OPERATOR);
    let body = with(show(known::IOS, "interface Vlan20"), json!({"commit": "yes", "save_config": 1}));
    let refused = api.post("/v2/send-config", &body).await.of(422);
    let fields: Vec<String> = complaints(&refused).into_iter().map(|(loc, ..)| loc).collect();
    assert_eq!(fields, ["commit", "save_config"]);
    assert_eq!(api.command(&body).await.status, 202);
    let both = json!({"textfsm_template": "a", "ttp_template": "b"});
    let refused =
        api.post("/v2/send-command-structured", &with(show(known::IOS, "show clock"), both)).await.of(422);
    assert!(complaints(&refused)[0].2.contains("exclude each other"));
}

#[tokio::test]
async fn every_complaint_comes_at_once_and_a_missing_field_tells_the_whole_body() {
    let server = server().await;
    let body = json!({"port": "22", "username": "u", "password": "the secret"});
    let refused = Api::of(&server, known::OPERATOR).command(&body).await.of(422);
    let found = complaints(&refused);
    let fields: Vec<(&str, &str)> =
        found.iter().map(|(loc, kind, _)| (loc.as_str(), kind.as_str())).collect();
    let expected =
        [("host", "missing"), ("platform", "missing"), ("commands", "missing"), ("port", "int_type")];
    assert_eq!(fields, expected);
    assert_eq!(refused[0]["input"], body, "secrets and all, as the real validator does it");
}

#[tokio::test]
async fn the_names_of_v1_are_refused() {
    let server = server().await;
    for old in ["ip", "device_type"] {
        let body = with(show(known::IOS, "show clock"), json!({old: "x"}));
        let answer = Api::of(&server, known::OPERATOR).command(&body).await;
        answer.refused(422, "Invalid type of data in request payload, please see documentation");
        let message = answer.json()["message"].as_str().unwrap().to_owned();
        assert!(message.starts_with(&format!("'{old}' field is not accepted on /v2/ routes")), "{message}");
    }
}

#[tokio::test]
async fn what_is_not_json_is_400() {
    let server = server().await;
    let api = Api::of(&server, known::OPERATOR);
    let post = || api.request(Method::POST, "/v2/send-command");
    for request in [
        post(),
        post().body(show(known::IOS, "show clock").to_string()),
        post().header("content-type", "text/plain").body("{}"),
        post().header("content-type", "application/json").body("{\"host\":"),
    ] {
        api.send(request).await.refused(400, "Payload must be JSON");
    }
    let list = api.command(&json!(["host"])).await.of(422);
    assert_eq!(complaints(&list)[0].1, "model_type");
}

#[tokio::test]
async fn a_context_nobody_knows_is_400_and_one_nobody_works_for_503() {
    let server = server().await;
    let api = Api::of(&server, known::OPERATOR);
    let to = |context: &str| with(show(known::IOS, "show clock"), json!({"context": context}));
    let unknown = api.command(&to("no-such-context")).await;
    unknown.refused(400, "Unknown context. See GET /v1/contexts for valid contexts.");
    let idle = api.command(&to(known::IDLE)).await;
    idle.refused(503, "No workers available for the requested context");
}

#[tokio::test]
async fn an_id_that_is_no_uuid_is_400() {
    let server = server().await;
    let api = Api::of(&server, known::OPERATOR);
    for id in ["7", "not-a-uuid", "6fd2bbc8-52b8-1826-8c2a-189968d0de23"] {
        api.result(id).await.refused(400, "Invalid syntax in request");
        api.cancel(id).await.refused(400, "Invalid syntax in request");
    }
}

#[tokio::test]
async fn routes_and_methods_that_are_not_there_are_told_with_a_message_alone() {
    let server = server().await;
    let api = Api::of(&server, known::ADMIN);
    let nowhere = api.get("/v2/no/such/route").await.of(404);
    let said = nowhere["message"].as_str().unwrap();
    assert!(said.starts_with("The requested URL was not found on the server."), "{nowhere}");
    assert_eq!(nowhere.as_object().unwrap().len(), 1);
    let method = api.send(api.request(Method::PATCH, "/v2/jobs")).await.of(405);
    assert!(method["message"].is_string());
    for path in ["/v2/_state", "/_requests", "/v1/send_command", "/v2/batches/x"] {
        assert_eq!(api.get(path).await.status, 404, "{path}");
    }
}

//! What the host learns about the plugin before anybody calls it.

use std::collections::BTreeSet;

use fleetgate_sdk::prelude::*;
use fleetgate_sdk::testing;

use super::played::{declared, manifest, requested};
use crate::Exported;

/// The product page's tools, in its order, with the roles that NAAS asks for.
const PAGE: [(&str, &str); 8] = [
    ("send_command", "operator"),
    ("send_config", "operator"),
    ("get_job_result", "viewer"),
    ("cancel_job", "operator"),
    ("list_jobs", "viewer"),
    ("send_command_structured", "operator"),
    ("create_api_key", "admin"),
    ("revoke_api_key", "admin"),
];

fn all() -> Vec<Value> {
    testing::list_tools::<Exported>().expect("the tools can be listed")
}

fn words(list: &Value) -> Vec<String> {
    serde_json::from_value(list.clone()).unwrap_or_default()
}

#[test]
fn the_tools_and_roles_are_those_of_the_product_page() {
    let declared: Vec<_> = all()
        .iter()
        .map(|tool| {
            let text = |value: &Value| value.as_str().expect("text").to_owned();
            (text(&tool["name"]), text(&tool["manifest"]["requires"]))
        })
        .collect();
    let expected: Vec<_> = PAGE.iter().map(|(name, role)| ((*name).to_owned(), (*role).to_owned())).collect();
    assert_eq!(declared, expected);
}

#[test]
fn the_arguments_are_those_of_the_product_page() {
    let device = ["host", "platform", "commands", "username", "password", "enable", "port", "tags"];
    let with_flags = [&device[..], &["commit", "save_config"]].concat();
    let expect = |tool: &str, arguments: &[&str], required: &[&str]| {
        let schema = &declared(tool)["inputSchema"];
        let known: BTreeSet<_> =
            schema["properties"].as_object().expect("arguments").keys().cloned().collect();
        assert_eq!(known, arguments.iter().map(|name| (*name).to_owned()).collect(), "{tool}");
        assert_eq!(words(&schema["required"]), required, "{tool}");
    };
    expect("send_command", &device, &["host", "platform", "commands"]);
    expect("send_command_structured", &device, &["host", "platform", "commands"]);
    expect("send_config", &with_flags, &["host", "platform", "commands"]);
    expect("get_job_result", &["job_id"], &["job_id"]);
    expect("cancel_job", &["job_id"], &["job_id"]);
    expect("list_jobs", &["page", "per_page", "status"], &[]);
    expect("create_api_key", &["role", "contexts", "ttl"], &[]);
    expect("revoke_api_key", &["key_id"], &["key_id"]);
}

#[test]
fn the_defaults_are_those_of_the_product_page() {
    let default =
        |tool: &str, argument: &str| declared(tool)["inputSchema"]["properties"][argument]["default"].clone();
    assert_eq!(default("send_command", "port"), 22);
    assert_eq!(
        (default("send_config", "commit"), default("send_config", "save_config")),
        (json!(false), json!(false))
    );
    assert_eq!((default("list_jobs", "page"), default("list_jobs", "per_page")), (json!(1), json!(20)));
    assert_eq!(default("create_api_key", "role"), "operator");
}

#[test]
fn credentials_in_arguments_are_secret_and_recorded_nowhere() {
    for tool in all() {
        let manifest = &tool["manifest"];
        let properties = tool["inputSchema"]["properties"].as_object().cloned().unwrap_or_default();
        let secret = words(&manifest["secret"]);
        for key in ["password", "enable"] {
            let pointer = format!("/{key}");
            assert_eq!(properties.contains_key(key), secret.contains(&pointer), "{} {key}", tool["name"]);
            assert!(!words(&manifest["audit"]).contains(&pointer), "{} {key}", tool["name"]);
        }
        // A placeholder has 43 characters, and must fit.
        for pointer in secret {
            let schema = &properties[&pointer[1..]];
            assert_eq!(schema["type"], "string");
            assert!(
                schema["maxLength"].as_u64().is_none_or(|most| most >= 43) && schema["pattern"].is_null()
            );
        }
    }
}

#[test]
fn whatever_changes_something_is_audited_by_all_its_other_arguments() {
    for tool in all().iter().filter(|tool| tool["manifest"]["read_only"] != true) {
        let manifest = &tool["manifest"];
        let named: BTreeSet<_> =
            words(&manifest["audit"]).into_iter().chain(words(&manifest["secret"])).collect();
        let properties = tool["inputSchema"]["properties"].as_object().expect("arguments");
        let all: BTreeSet<_> = properties.keys().map(|key| format!("/{key}")).collect();
        assert_eq!(named, all, "{}", tool["name"]);
    }
}

#[test]
fn what_may_change_something_is_destructive_and_the_rest_is_read_only() {
    for tool in all() {
        let manifest = &tool["manifest"];
        let looks = ["get_job_result", "list_jobs"].contains(&tool["name"].as_str().expect("a name"));
        assert_eq!(
            (manifest["read_only"] == true, manifest["destructive"] == true),
            (looks, !looks),
            "{}",
            tool["name"]
        );
    }
}

#[test]
fn only_the_tools_for_keys_reach_keys() {
    for tool in all() {
        let reach = &tool["manifest"]["reach"];
        let name = tool["name"].as_str().expect("a name");
        let keys: Vec<_> = words(&reach["http.admin"]["paths"]);
        let methods = words(&reach["http.admin"]["methods"]);
        let may =
            keys.iter().any(|path| methods.iter().any(|method| path.starts_with(&format!("{method} "))));
        // A read-only tool sends nothing but GET, and no path of keys is one.
        assert_eq!(may, name.ends_with("_api_key"), "{name}");
        assert!(keys.is_empty() == (tool["manifest"]["read_only"] == true), "{name}");
        assert!(!words(&reach["http.api"]["paths"]).iter().any(|path| path.contains("api-keys")), "{name}");
    }
    assert!(requested("admin", "paths").iter().all(|path| path.contains("/v2/api-keys")));
}

#[test]
fn the_manifest_asks_for_exactly_what_tools_and_resources_reach() {
    let mut reached: BTreeSet<String> =
        all().iter().flat_map(|tool| words(&tool["manifest"]["reach"]["http.api"]["paths"])).collect();
    reached.extend(["GET /healthcheck", "GET /v2/contexts", "GET /v2/jobs/failed"].map(str::to_owned));
    assert_eq!(requested("api", "paths").into_iter().collect::<BTreeSet<_>>(), reached);
}

#[test]
fn every_request_is_optional_since_there_are_two_ways() {
    let manifest = manifest();
    for kind in ["http", "ssh"] {
        for (name, request) in manifest["capabilities"][kind].as_table().expect("requests") {
            assert_eq!(request["optional"].as_bool(), Some(true), "{kind}.{name}");
        }
    }
}

#[test]
fn secret_arguments_may_go_where_the_server_wants_them_and_nowhere_else() {
    let manifest = manifest();
    let http = manifest["capabilities"]["http"].as_table().expect("requests");
    let from_call = &http["api"]["from_call"];
    let body: Vec<String> = from_call["body"].clone().try_into().expect("pointers");
    assert_eq!(json!(body), declared("send_command")["manifest"]["secret"]);
    assert_eq!(from_call["basic"].as_bool(), Some(true));
    assert!(http.iter().all(|(name, request)| name == "api" || request.get("from_call").is_none()));
}

#[test]
fn the_variables_of_the_product_page_are_read() {
    let manifest = manifest().to_string();
    for variable in [
        "NAAS_MCP_API_URL",
        "NAAS_MCP_API_KEY",
        "NAAS_MCP_TIMEOUT",
        "NAAS_MCP_JOB_POLL_INTERVAL",
        "NAAS_MCP_JOB_TIMEOUT",
    ] {
        assert!(manifest.contains(&format!("\"{variable}\"")), "{variable}");
    }
    let default = |key: &str| super::played::manifest()["config"][key]["default"].as_str().map(str::to_owned);
    assert_eq!(default("timeout").as_deref(), Some("30s"));
    assert_eq!(default("poll_interval").as_deref(), Some("2s"));
    assert_eq!(default("job_timeout").as_deref(), Some("300s"));
}

#[test]
fn the_resources_are_those_of_the_product_page_with_their_roles() {
    let page = testing::list_resources::<Exported>(None).expect("the resources can be listed");
    let uris: Vec<_> = page.resources.iter().map(|resource| resource.uri.as_str()).collect();
    assert_eq!(uris, ["naas://health", "naas://contexts", "naas://jobs", "naas://jobs/failed"]);
    assert!(page.resources.iter().all(|resource| resource.mime_type.as_deref() == Some("application/json")));
    assert!(testing::list_templates::<Exported>().expect("templates can be listed").is_empty());
}

#[test]
fn every_tool_explains_itself_and_all_its_arguments() {
    for tool in all() {
        let name = &tool["name"];
        assert!(tool["title"].as_str().is_some_and(|title| !title.is_empty()), "{name} has no title");
        assert!(tool["description"].as_str().is_some_and(|text| text.len() > 80), "{name} says too little");
        assert_described(&tool["inputSchema"], &format!("{name} input"));
        assert_eq!(tool["inputSchema"]["additionalProperties"], false, "{name} takes unknown arguments");
        for schema in ["inputSchema", "outputSchema"] {
            if tool[schema].is_null() {
                continue;
            }
            assert!(jsonschema::draft202012::meta::is_valid(&tool[schema]), "{name} {schema}");
            assert_eq!(tool[schema]["type"], "object", "{name} {schema}");
            assert!(!tool[schema].to_string().contains("$ref"), "{name} {schema} is in one piece");
        }
        if tool["outputSchema"].is_object() {
            assert_described(&tool["outputSchema"], &format!("{name} output"));
        }
    }
}

fn assert_described(schema: &Value, at: &str) {
    for (key, property) in schema["properties"].as_object().into_iter().flatten() {
        let at = format!("{at}/{key}");
        assert!(
            property["description"].as_str().is_some_and(|text| text.len() > 3),
            "{at} has no description"
        );
        assert_described(property, &at);
        assert_described(&property["items"], &at);
    }
}

#[test]
fn side_effects_stand_in_the_descriptions() {
    let says = |tool: &str, words: &str| {
        let text = declared(tool)["description"].as_str().expect("text").to_owned();
        assert!(text.contains(words), "{tool} does not say {words:?}: {text}");
    };
    says("send_config", "STAY APPLIED");
    says("send_command", "data, not");
    says("cancel_job", "already started goes on");
    says("create_api_key", "can never be read again");
    says("revoke_api_key", "for good");
}

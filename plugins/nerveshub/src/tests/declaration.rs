//! What the host learns about the plugin before anybody calls it.

use std::collections::BTreeMap;

use fleetgate_sdk::prelude::*;
use fleetgate_sdk::testing;

use super::played::{declared, manifest};
use crate::Exported;

/// The table of the NervesCloud MCP server's page, in its order.
const PAGE: [(&str, &str); 18] = [
    ("whoami", "any"),
    ("list_orgs", "any"),
    ("list_products", "view"),
    ("get_product_summary", "view"),
    ("list_devices", "view"),
    ("get_device", "view"),
    ("get_device_health", "view"),
    ("get_device_activity", "view"),
    ("get_device_logs", "view"),
    ("list_firmware", "view"),
    ("list_deployment_groups", "view"),
    ("list_scripts", "view"),
    ("set_device_tags", "manage"),
    ("reboot_device", "manage"),
    ("reconnect_device", "manage"),
    ("upgrade_device", "manage"),
    ("run_script", "manage"),
    ("clear_penalty_box", "manage"),
];

fn all() -> Vec<Value> {
    testing::list_tools::<Exported>().expect("the tools can be listed")
}

#[test]
fn the_tools_and_roles_are_those_of_the_product_page() {
    let declared: Vec<(String, String)> = all()
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
fn every_tool_below_manage_is_read_only_and_reaches_nothing_but_get() {
    for tool in all() {
        let manifest = &tool["manifest"];
        let writes = manifest["requires"] == "manage";
        assert_eq!(manifest["read_only"] == true, !writes, "{}", tool["name"]);
        assert_eq!(manifest["reach"]["http.api"]["methods"] == json!(["GET"]), !writes, "{}", tool["name"]);
    }
}

#[test]
fn what_may_be_repeated_is_said_and_everything_else_is_destructive() {
    let hints: BTreeMap<String, (Value, Value)> = all()
        .iter()
        .filter(|tool| tool["manifest"]["requires"] == "manage")
        .map(|tool| {
            let manifest = &tool["manifest"];
            let name = tool["name"].as_str().expect("text").to_owned();
            (name, (manifest["destructive"].clone(), manifest["idempotent"].clone()))
        })
        .collect();
    for harmless in ["set_device_tags", "clear_penalty_box"] {
        assert_eq!(hints[harmless], (json!(false), json!(true)));
    }
    for harmful in ["reboot_device", "reconnect_device", "upgrade_device", "run_script"] {
        assert_eq!(hints[harmful], (json!(true), Value::Null));
    }
    assert_eq!(hints.len(), 6);
}

#[test]
fn each_write_reaches_one_changing_call_and_no_other() {
    let changing = |tool: &str| {
        let reach = declared(tool)["manifest"]["reach"]["http.api"].clone();
        let paths: Vec<String> = serde_json::from_value(reach["paths"].clone()).expect("words");
        paths.into_iter().filter(|path| !path.starts_with("GET ")).collect::<Vec<_>>()
    };
    let device = "/api/orgs/*/products/*/devices/*";
    assert_eq!(changing("set_device_tags"), [format!("PUT {device}")]);
    assert_eq!(changing("reboot_device"), [format!("POST {device}/reboot")]);
    assert_eq!(changing("reconnect_device"), [format!("POST {device}/reconnect")]);
    assert_eq!(changing("upgrade_device"), [format!("POST {device}/upgrade")]);
    assert_eq!(changing("run_script"), [format!("POST {device}/scripts/*")]);
    assert_eq!(changing("clear_penalty_box"), [format!("DELETE {device}/penalty")]);
}

#[test]
fn every_path_names_its_method_so_that_nothing_can_delete_or_create_a_device() {
    let requested: Vec<String> =
        manifest()["capabilities"]["http"]["api"]["paths"].clone().try_into().expect("words");
    for path in &requested {
        let (method, path) = path.split_once(' ').unwrap_or_else(|| panic!("{path} names no method"));
        let changes = method != "GET" && method != "PUT";
        assert!(!(changes && path.ends_with("/devices/*")), "{method} {path}");
        assert!(!(changes && path.ends_with("/devices")), "{method} {path}");
    }
}

#[test]
fn every_tool_that_names_a_device_is_audited_by_it_and_every_write_by_all_its_arguments() {
    for tool in all() {
        let properties: Vec<String> = match tool["inputSchema"]["properties"].as_object() {
            Some(properties) => properties.keys().map(|key| format!("/{key}")).collect(),
            None => Vec::new(),
        };
        let audit: Vec<String> =
            serde_json::from_value(tool["manifest"]["audit"].clone()).unwrap_or_default();
        if properties.iter().any(|property| property == "/identifier") {
            assert_eq!(audit, properties, "{}", tool["name"]);
        }
    }
}

#[test]
fn every_tool_explains_itself_and_all_its_arguments() {
    for tool in all() {
        let name = &tool["name"];
        assert!(tool["title"].as_str().is_some_and(|title| !title.is_empty()), "{name} has no title");
        assert!(tool["description"].as_str().is_some_and(|text| text.len() > 80), "{name} says too little");
        assert_described(&tool["inputSchema"], &format!("{name} input"));
        assert_described(&tool["outputSchema"], &format!("{name} output"));
        assert_eq!(tool["inputSchema"]["additionalProperties"], false, "{name} takes unknown arguments");
        for schema in ["inputSchema", "outputSchema"] {
            assert!(jsonschema::draft202012::meta::is_valid(&tool[schema]), "{name} {schema}");
            assert_eq!(tool[schema]["type"], "object", "{name} {schema}");
            assert!(!tool[schema].to_string().contains("$ref"), "{name} {schema} is in one piece");
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
        for case in property["anyOf"].as_array().into_iter().flatten() {
            assert_described(case, &at);
        }
    }
}

#[test]
fn the_manifest_requests_exactly_the_paths_that_the_tools_reach() {
    let manifest = manifest();
    let mut requested: Vec<String> =
        manifest["capabilities"]["http"]["api"]["paths"].clone().try_into().expect("words");
    let mut reached: Vec<String> = all()
        .iter()
        .flat_map(|tool| tool["manifest"]["reach"]["http.api"]["paths"].as_array().cloned().expect("paths"))
        .map(|path| path.as_str().expect("text").to_owned())
        .collect();
    requested.sort();
    reached.sort();
    reached.dedup();
    assert_eq!(requested, reached);
    for dangerous in ["code", "move", "certificates", "import"] {
        assert!(!requested.iter().any(|path| path.contains(dangerous)), "{dangerous}");
    }
}

#[test]
fn side_effects_stand_in_the_descriptions() {
    let says = |tool: &str, words: &str| {
        let text = declared(tool)["description"].as_str().expect("text").to_owned();
        assert!(text.contains(words), "{tool} does not say {words:?}: {text}");
    };
    says("upgrade_device", "`updates_enabled` becomes false");
    says("clear_penalty_box", "`updates_enabled` becomes true");
    says("set_device_tags", "Replaces ALL tags");
    says("get_device_logs", "NOT available");
    says("get_device_activity", "NOT available");
    says("get_device_health", "NOT available");
}

use std::fs;

use serde_json::json;

use crate::home::{COMPONENT, Home, manifest};

const TOOLS: &str = r#"
[roles]
view = {}
manage = { includes = ["view"] }
[capabilities.http.api]
why = "The test service"
methods = ["GET", "POST"]
paths = ["/v1/**"]
[config.pace]
type = "duration"
required = true
description = "How fast."
[tools.look]
requires = "view"
read_only = true
[tools.wipe]
requires = "manage"
destructive = true
timeout = "90s"
audit = ["/device"]
"#;

#[test]
fn what_was_packed_can_be_inspected() {
    let home = Home::new();
    home.packed("probe", TOOLS);
    let facts = home.run(&["inspect", "probe.wasm", "--json"]).json();
    assert_eq!(facts["id"], "probe");
    assert_eq!(facts["version"], "1.2.3");
    assert!(facts["digest"].as_str().unwrap().starts_with("sha256:"));
    assert_eq!(facts["roles"], json!({ "manage": ["view"], "view": [] }));
    assert_eq!(facts["tools"]["look"]["requires"], "view");
    assert_eq!(facts["tools"]["look"]["read_only"], true);
    assert_eq!(facts["tools"]["wipe"]["destructive"], true);
    assert_eq!(facts["tools"]["wipe"]["timeout_ms"], 90_000);
    assert_eq!(facts["tools"]["wipe"]["audit"], json!(["/device"]));
    assert_eq!(facts["capabilities"]["http.api"]["why"], "The test service");
    assert_eq!(facts["imports"], json!([]));
    assert_eq!(facts["config"]["pace"]["required"], true);
}

#[test]
fn inspect_tells_people_what_a_plugin_asks_for() {
    let home = Home::new();
    home.packed("probe", TOOLS);
    let text = home.run(&["inspect", "probe.wasm"]).out();
    for said in [
        "probe 1.2.3",
        "A test: Says nothing.",
        "http.api The test service",
        "How fast. (required)",
        "read only",
        "destructive, up to 90s",
    ] {
        assert!(text.contains(said), "{said:?} is not in:\n{text}");
    }
    assert!(!text.contains('\t') && !text.contains('\u{1b}'), "{text}");
}

#[test]
fn a_plugin_that_asks_for_nothing_says_so() {
    let home = Home::new();
    home.packed("probe", "");
    assert!(home.run(&["inspect", "probe.wasm"]).out().contains("it can reach nothing outside its sandbox"));
}

#[test]
fn the_grant_to_paste_is_a_table_for_each_request() {
    let home = Home::new();
    home.packed("probe", TOOLS);
    let text = home.run(&["inspect", "probe.wasm", "--grant"]).out();
    assert!(text.lines().any(|line| line == "[plugins.probe]"), "{text}");
    assert!(text.contains("[plugins.probe.grant.http.api]\n"), "{text}");
    assert!(text.contains("# How fast."), "{text}");
}

#[test]
fn packing_twice_gives_the_same_bytes() {
    let home = Home::new();
    let first = fs::read(home.packed("probe", TOOLS)).unwrap();
    assert_eq!(fs::read(home.packed("probe", TOOLS)).unwrap(), first);
}

#[test]
fn pack_says_what_it_packed() {
    let home = Home::new();
    home.write("work/component.wasm", &*COMPONENT);
    home.write("work/plugin.toml", manifest("probe", TOOLS));
    let said = home.run(&["pack", "component.wasm", "plugin.toml", "-o", ".", "--json"]).json();
    assert_eq!(
        (&said["id"], &said["version"], &said["tools"]),
        (&json!("probe"), &json!("1.2.3"), &json!(2))
    );
    let inspected = home.run(&["inspect", "probe.wasm", "--json"]).json();
    assert_eq!(said["digest"], inspected["digest"]);
}

#[test]
fn what_is_wrong_in_a_manifest_is_said_with_file_line_key_and_advice() {
    let home = Home::new();
    home.write("work/component.wasm", &*COMPONENT);
    home.write("work/plugin.toml", manifest("probe", "[tools.look]\nrequires = \"any\"\nreadonly = true\n"));
    let ran = home.run(&["pack", "component.wasm", "plugin.toml", "-o", "probe.wasm"]);
    ran.refused(1, &["error: plugin.toml:9:", "did you mean \"read_only\"?"]);
    assert!(!home.work().join("probe.wasm").exists());
}

#[test]
fn a_file_not_named_after_its_plugin_is_not_written() {
    let home = Home::new();
    home.write("work/component.wasm", &*COMPONENT);
    home.write("work/plugin.toml", manifest("probe", ""));
    let ran = home.run(&["pack", "component.wasm", "plugin.toml", "-o", "other.wasm"]);
    ran.refused(2, &["other.wasm is not named after the plugin probe", "-o probe.wasm"]);
    assert!(!home.work().join("other.wasm").exists());
}

#[test]
fn what_is_no_component_is_refused() {
    let home = Home::new();
    home.write("work/plugin.toml", manifest("probe", ""));
    for (name, bytes, said) in [
        ("text.wasm", &b"hello"[..], "is not WebAssembly"),
        ("module.wasm", b"\0asm\x01\0\0\0", "is a core module, not a component"),
        ("empty.wasm", b"", "is empty"),
    ] {
        home.write(&format!("work/{name}"), bytes);
        home.run(&["pack", name, "plugin.toml", "-o", "probe.wasm"]).refused(1, &[name, said, "help:"]);
    }
    home.run(&["pack", "absent.wasm", "plugin.toml", "-o", "probe.wasm"])
        .refused(2, &["cannot read absent.wasm"]);
}

#[test]
fn a_component_without_a_manifest_is_no_plugin() {
    let home = Home::new();
    home.write("work/probe.wasm", &*COMPONENT);
    home.run(&["inspect", "probe.wasm"]).refused(1, &["probe.wasm has no manifest", "fleetgate pack"]);
}

#[test]
fn what_a_stranger_wrote_cannot_steer_the_terminal() {
    let home = Home::new();
    home.write("work/component.wasm", &*COMPONENT);
    home.write("work/plugin.toml", manifest("probe", "[config.pace]\ntype = \"a\\u202eb\\u001b[2J\"\n"));
    let ran = home.run(&["pack", "component.wasm", "plugin.toml", "-o", "probe.wasm"]);
    ran.refused(1, &["plugin.toml:", "\\u{202e}"]);
    assert!(!ran.err().contains(['\u{202e}', '\u{1b}']), "{}", ran.err());
}

#[test]
fn packing_says_what_there_is_of_each_kind() {
    let home = Home::new();
    home.write("work/component.wasm", &*COMPONENT);
    let all = "[tools.one]\nrequires = \"any\"\n[tools.two]\nrequires = \"any\"\n\
               [resources.\"probe://jobs/**\"]\nrequires = \"any\"\n\
               [resources.\"skill://push-config/**\"]\nrequires = \"any\"\n\
               [prompts.check]\nrequires = \"any\"\n";
    for (rest, said, counts) in [
        (all, "probe 1.2.3, 2 tools, 1 resource, 1 prompt, 1 skill, ", [2, 1, 1, 1]),
        ("[tools.one]\nrequires = \"any\"\n", "probe 1.2.3, 1 tool, ", [1, 0, 0, 0]),
        ("", "probe 1.2.3, nothing to call, ", [0, 0, 0, 0]),
    ] {
        home.write("work/plugin.toml", manifest("probe", rest));
        let pack = ["pack", "component.wasm", "plugin.toml", "-o", "probe.wasm"];
        let text = home.run(&pack).out();
        assert!(text.contains(said), "{said:?} is not in:\n{text}");
        let facts = home.run(&[&pack[..], &["--json"]].concat()).json();
        let found = ["tools", "resources", "prompts", "skills"].map(|kind| facts[kind].as_u64().unwrap());
        assert_eq!(found, counts);
    }
}

//! The built component.

use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

use serde_json::Value;

/// Builds it with the profile for plugins, once.
pub(crate) fn bytes() -> &'static [u8] {
    static COMPONENT: OnceLock<Vec<u8>> = OnceLock::new();
    COMPONENT.get_or_init(|| {
        let workspace = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..");
        let built = Command::new(env!("CARGO"))
            .current_dir(&workspace)
            .args([
                "build",
                "--quiet",
                "--package",
                "sdk-guest",
                "--target",
                "wasm32-wasip2",
                "--profile",
                "plugin",
            ])
            .args(["--message-format", "json-render-diagnostics"])
            .output()
            .expect("cargo runs");
        assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
        let file = String::from_utf8(built.stdout)
            .expect("cargo's messages are text")
            .lines()
            .filter_map(|line| serde_json::from_str::<Value>(line).ok())
            .filter(|message| message["target"]["name"] == "sdk_guest")
            .find_map(|message| Some(message["filenames"].as_array()?[0].as_str()?.to_owned()))
            .expect("cargo names the component");
        std::fs::read(file).expect("the component is there")
    })
}

#[test]
fn the_section_for_pack_has_one_line_for_each_entry_in_the_order_of_export() {
    let mut lines = Vec::new();
    for payload in wasmparser::Parser::new(0).parse_all(bytes()) {
        if let wasmparser::Payload::CustomSection(section) = payload.expect("the component is whole")
            && section.name() == "fleetgate:entries"
        {
            let text = std::str::from_utf8(section.data()).expect("the section is text");
            lines.extend(
                text.lines().map(|line| serde_json::from_str::<Value>(line).expect("a line is JSON")),
            );
        }
    }
    let of = |kind: &str| lines.iter().filter_map(|line| line[kind].as_str()).collect::<Vec<_>>();
    assert_eq!(
        of("tool"),
        ["fetch", "tidy", "wait", "facts", "ask", "contents", "fail", "explode", "background"]
    );
    assert_eq!(of("resource"), ["x://note", "x://items/*", "skill://deep/skill/**"]);
    assert_eq!(of("prompt"), ["greet"]);
    assert_eq!(lines[0]["timeout"], "5m");
    assert_eq!(lines[3]["requires"], serde_json::json!(["view", "operator"]));
}

#[test]
fn the_component_exports_what_it_has_and_no_events() {
    let mut exports = Vec::new();
    for payload in wasmparser::Parser::new(0).parse_all(bytes()) {
        if let wasmparser::Payload::ComponentExportSection(section) = payload.expect("the component is whole")
        {
            exports
                .extend(section.into_iter().map(|export| export.expect("it is whole").name.name.to_owned()));
        }
    }
    for interface in ["tools", "resources", "prompts", "completions", "skills"] {
        assert!(exports.contains(&format!("fleetgate:plugin/{interface}@0.1.0")), "{exports:?}");
    }
    assert!(!exports.iter().any(|name| name.contains("events")), "{exports:?}");
}

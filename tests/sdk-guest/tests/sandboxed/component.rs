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
fn the_tools_section_has_one_line_for_each_tool_in_the_order_of_export() {
    let mut lines = Vec::new();
    for payload in wasmparser::Parser::new(0).parse_all(bytes()) {
        if let wasmparser::Payload::CustomSection(section) = payload.expect("the component is whole")
            && section.name() == "fleetgate:tools"
        {
            let text = std::str::from_utf8(section.data()).expect("the section is text");
            lines.extend(
                text.lines().map(|line| serde_json::from_str::<Value>(line).expect("a line is JSON")),
            );
        }
    }
    let names: Vec<_> = lines.iter().filter_map(|line| line["name"].as_str()).collect();
    assert_eq!(names, ["fetch", "tidy", "wait", "facts", "ask", "contents", "fail", "explode"]);
    assert_eq!(lines[0]["timeout"], "5m");
    assert_eq!(lines[3]["requires"], serde_json::json!(["view", "operator"]));
}

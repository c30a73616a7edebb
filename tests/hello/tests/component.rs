//! The component that comes out of the compiler.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

use wasmparser::{Encoding, Parser, Payload};

/// Builds it as `fleetgate new` tells authors to, with the profile for plugins.
fn component() -> &'static [u8] {
    static COMPONENT: OnceLock<Vec<u8>> = OnceLock::new();
    COMPONENT.get_or_init(|| {
        let workspace = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..");
        let built = Command::new(env!("CARGO"))
            .current_dir(&workspace)
            .args([
                "build",
                "--quiet",
                "--package",
                "hello",
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
            .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
            .filter(|message| message["target"]["name"] == "hello")
            .find_map(|message| Some(message["filenames"].as_array()?[0].as_str()?.to_owned()))
            .expect("cargo names the component");
        std::fs::read(file).expect("the component is there")
    })
}

/// The contents of every custom section of this name, however deep.
fn sections(name: &str) -> Vec<String> {
    Parser::new(0)
        .parse_all(component())
        .filter_map(|payload| match payload.expect("the component is whole") {
            Payload::CustomSection(section) if section.name() == name => {
                Some(String::from_utf8(section.data().to_vec()).expect("the section is text"))
            }
            _ => None,
        })
        .collect()
}

/// The names of the component's own imports, without versions.
fn imports() -> BTreeSet<String> {
    let mut depth = 0;
    let mut names = BTreeSet::new();
    for payload in Parser::new(0).parse_all(component()) {
        match payload.expect("the component is whole") {
            Payload::Version { .. } => depth += 1,
            Payload::End(_) => depth -= 1,
            Payload::ComponentImportSection(imports) if depth == 1 => {
                for import in imports {
                    let name = import.expect("the import is whole").name.name.to_owned();
                    names.insert(name.split('@').next().unwrap_or_default().to_owned());
                }
            }
            _ => {}
        }
    }
    names
}

#[test]
fn every_tool_has_exactly_one_line_in_the_section_for_pack() {
    let sections = sections("fleetgate:entries");
    assert_eq!(sections, ["{\"tool\":\"greet\",\"requires\":\"any\",\"read_only\":true}\n"]);
}

#[test]
fn the_file_is_a_component_that_exports_tools_and_nothing_else() {
    let Some(Ok(Payload::Version { encoding: Encoding::Component, .. })) =
        Parser::new(0).parse_all(component()).next()
    else {
        panic!("it is not a component");
    };
    let exports: Vec<String> = Parser::new(0)
        .parse_all(component())
        .filter_map(|payload| match payload.expect("the component is whole") {
            Payload::ComponentExportSection(exports) => Some(exports),
            _ => None,
        })
        .flatten()
        .map(|export| export.expect("the export is whole").name.name.to_owned())
        .collect();
    let interfaces: Vec<_> = exports.iter().filter(|name| name.starts_with("fleetgate:plugin/")).collect();
    assert_eq!(interfaces, ["fleetgate:plugin/tools@0.1.0"]);
}

/// The standard library asks for an environment, standard streams and clocks; the host gives it empty ones. A plugin
/// that does not use HTTP must not ask for it, and none may ask for files or sockets.
#[test]
fn it_imports_what_the_standard_library_needs_and_nothing_more() {
    let known = [
        "fleetgate:plugin/types",
        "wasi:cli/environment",
        "wasi:cli/exit",
        "wasi:cli/stderr",
        "wasi:cli/stdin",
        "wasi:cli/stdout",
        "wasi:cli/terminal-input",
        "wasi:cli/terminal-output",
        "wasi:cli/terminal-stderr",
        "wasi:cli/terminal-stdin",
        "wasi:cli/terminal-stdout",
        "wasi:io/error",
        "wasi:io/poll",
        "wasi:io/streams",
        "wasi:random/insecure-seed",
    ];
    let surprises: Vec<_> = imports().into_iter().filter(|name| !known.contains(&name.as_str())).collect();
    assert!(surprises.is_empty(), "{surprises:?}");
}

/// Small files compile and load faster. The bound is far above today's size and catches a crate of tables that slips
/// in (regular expressions, Unicode, time zones).
#[test]
fn it_is_small() {
    let size = component().len();
    assert!(size < 400 * 1024, "{size} bytes");
}

#[test]
fn the_guide_for_authors_shows_this_very_plugin() {
    let guide = include_str!("../../../sdk/rust/README.md");
    assert!(guide.contains(include_str!("../src/lib.rs")), "copy src/lib.rs into sdk/rust/README.md");
    assert!(guide.contains(include_str!("../plugin.toml")), "copy plugin.toml into sdk/rust/README.md");
    assert!(include_str!("../src/lib.rs").lines().count() < 20);
}

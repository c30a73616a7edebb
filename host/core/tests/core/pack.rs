//! What `fleetgate pack` makes of a component and a `plugin.toml`.

use std::sync::Arc;

use fleetgate_core::artifact::{Artifact, PackError, pack};
use fleetgate_core::diagnostic::Document;
use fleetgate_core::manifest::{Manifest, Requirement, SECTION, TaskMode};
use wasm_encoder::{Component, ModuleSection, NestedComponentSection};

use super::artifact::{component, custom, module};
use super::fake::capabilities;
use super::manifest::ABOUT;
use super::said::assert_said;

/// A component whose code declares these tools, a line of JSON each.
fn declaring(lines: &str) -> Vec<u8> {
    let mut component = Component::new();
    component.section(&ModuleSection(&module(lines.as_bytes())));
    component.finish()
}

fn packed(component: &[u8], toml: &str) -> Result<Vec<u8>, PackError> {
    pack(component, &Arc::new(Document::new("plugin.toml", toml)), &capabilities())
}

#[track_caller]
fn manifest(lines: &str, rest: &str) -> Manifest {
    let bytes =
        packed(&declaring(lines), &format!("{ABOUT}{rest}")).unwrap_or_else(|error| panic!("{error}"));
    Artifact::from_bytes("naas.wasm", bytes).unwrap().manifest(&capabilities()).unwrap()
}

#[track_caller]
fn refused(lines: &str, rest: &str) -> PackError {
    packed(&declaring(lines), &format!("{ABOUT}{rest}")).expect_err("it must be refused")
}

const ROLES: &str = "[roles]\nview = {}\nmanage = { includes = [\"view\"] }\n";

#[test]
fn a_component_is_packed_with_its_manifest_word_for_word() {
    let toml = format!("# A comment.\n{ABOUT}{ROLES}[tools.look]\nrequires = \"view\"\n");
    let artifact = Artifact::from_bytes("naas.wasm", packed(&component(&[]), &toml).unwrap()).unwrap();
    assert_eq!(&*artifact.manifest_text, toml);
}

#[test]
fn what_the_code_says_of_its_tools_goes_into_the_manifest() {
    let lines = concat!(
        r#"{"tool":"look","requires":"view","read_only":true}"#,
        "\n",
        r#"{"tool":"act","requires":["manage","view"],"destructive":true,"timeout":"330s","secret":["/password"],"#,
        r#""audit":["/host"],"opt_in":true,"verbatim":true,"task":"optional","idempotent":true,"open_world":false,"#,
        r#""reach":{"post.letters":{"boxes":["in"]}}}"#,
        "\n",
    );
    let manifest =
        manifest(lines, &format!("{ROLES}[capabilities.post.letters]\nwhy = \"x\"\nboxes = [\"in\"]\n"));
    assert!(manifest.tools["look"].read_only);
    let act = &manifest.tools["act"];
    assert!(act.destructive && act.opt_in && act.verbatim && act.idempotent);
    assert_eq!((act.task, act.open_world), (TaskMode::Optional, Some(false)));
    assert_eq!(act.reach["post.letters"].describe(), "the boxes {\"in\"}");
    assert_eq!(act.requires, Requirement::All(["manage".to_owned(), "view".to_owned()].into()));
}

#[test]
fn code_and_plugin_toml_add_up() {
    let manifest = manifest(
        "{\"tool\":\"look\",\"requires\":\"view\"}\n",
        &format!("{ROLES}[tools.look]\ntimeout = \"5s\"\n[tools.other]\nrequires = \"manage\"\n"),
    );
    let look = &manifest.tools["look"];
    assert_eq!((look.requires.to_string().as_str(), look.timeout.unwrap().as_secs()), ("view", 5));
    assert_eq!(manifest.tools["other"].requires.to_string(), "manage");
}

#[test]
fn what_stands_in_both_and_agrees_is_fine() {
    manifest(
        "{\"tool\":\"look\",\"requires\":[\"view\"],\"timeout\":\"60s\",\"audit\":[\"/a\",\"/b\"],\"read_only\":true}\n",
        &format!(
            "{ROLES}[tools.look]\nrequires = \"view\"\ntimeout = \"1m\"\naudit = [\"/b\", \"/a\"]\nread_only = true\n"
        ),
    );
}

#[test]
fn what_stands_in_both_and_disagrees_is_refused_with_the_key() {
    let error = refused(
        "{\"tool\":\"look\",\"requires\":\"view\",\"read_only\":true}\n",
        &format!("{ROLES}[tools.look]\nrequires = \"manage\"\nread_only = false\n"),
    );
    let problems = error.diagnostics().unwrap();
    let pieces = ["the plugin's code says requires = \"view\"", "must agree"];
    assert_said(problems, 12, "tools.look.requires", &pieces);
    assert_said(problems, 13, "tools.look.read_only", &["the plugin's code says read_only = true"]);
}

#[test]
fn what_the_code_says_of_resources_and_prompts_goes_into_the_manifest() {
    let lines = concat!(
        r#"{"resource":"naas://jobs/*","requires":"view"}"#,
        "\n",
        r#"{"resource":"skill://push/**","requires":["manage"]}"#,
        "\n",
        r#"{"prompt":"push","requires":"manage"}"#,
        "\n",
    );
    let restated = "[resources.\"naas://jobs/*\"]\n[prompts.push]\nrequires = [\"manage\"]\n";
    let own = "[resources.\"naas://extra\"]\nrequires = \"any\"\n";
    let manifest = manifest(lines, &format!("{ROLES}{restated}{own}"));
    let resources: Vec<_> =
        manifest.resources.iter().map(|(uri, entry)| format!("{uri} {}", entry.requires)).collect();
    assert_eq!(resources, ["naas://extra any", "naas://jobs/* view", "skill://push/** manage"]);
    assert_eq!(manifest.prompts["push"].requires.to_string(), "manage");
    assert!(manifest.tools.is_empty());
}

#[test]
fn a_resource_or_prompt_that_is_declared_otherwise_in_plugin_toml_is_refused() {
    let error = refused(
        "{\"resource\":\"naas://jobs\",\"requires\":\"view\"}\n{\"prompt\":\"push\",\"requires\":\"view\"}\n",
        &format!(
            "{ROLES}[resources.\"naas://jobs\"]\nrequires = \"any\"\n[prompts.push]\nrequires = \"manage\"\n"
        ),
    );
    let said = error.to_string();
    assert!(said.contains("resources") && said.contains("prompts"), "{said}");
    assert_eq!(said.matches("the plugin's code says requires = \"view\"").count(), 2, "{said}");
}

#[test]
fn an_entry_of_plugin_toml_without_requires_needs_code_of_its_own_kind() {
    let error = refused("{\"tool\":\"push\",\"requires\":\"view\"}\n", &format!("{ROLES}[prompts.push]\n"));
    assert!(error.to_string().contains("`requires` is missing"), "{error}");
}

#[test]
fn a_mistake_in_plugin_toml_is_named_with_its_own_line() {
    let error = refused(
        "{\"tool\":\"look\",\"requires\":\"any\"}\n",
        "[tools.look]\nread_onyl = true\n[tools.new]\n",
    );
    let problems = error.diagnostics().unwrap();
    assert_said(problems, 9, "tools.look.read_onyl", &["plugin.toml:9:1", "did you mean \"read_only\"?"]);
    assert_said(problems, 10, "tools.new", &["`requires` is missing"]);
}

#[test]
fn a_mistake_in_the_code_is_named_as_the_codes() {
    let error = refused("{\"tool\":\"look\",\"requires\":\"veiw\"}\n", ROLES);
    let said = error.to_string();
    assert!(
        said.contains("plugin.toml and the plugin's code:") && said.contains("did you mean \"view\"?"),
        "{said}"
    );
}

#[test]
fn a_tool_declared_twice_alike_is_one_and_differently_is_refused() {
    let line = "{\"tool\":\"look\",\"requires\":\"any\"}\n";
    assert_eq!(manifest(&format!("{line}{line}"), "").tools.len(), 1);
    let error = refused(&format!("{line}{}", line.replace("any", "view")), ROLES);
    assert!(matches!(&error, PackError::Twice { kind: "tool", name } if name == "look"), "{error}");
}

#[test]
fn a_line_that_is_no_tool_is_refused() {
    for line in [
        "nonsense",
        "[]",
        "{\"requires\":\"any\"}",
        "{\"tool\":1}",
        "{\"resource\":\"no uri\",\"requires\":\"any\"}",
        "{\"prompt\":[],\"requires\":\"any\"}",
        "{\"tool\":\"a\",\"timeout\":null}",
        "\u{1b}[2J",
    ] {
        let error = refused(line, "");
        assert!(matches!(error, PackError::Line { .. }), "{line}: {error}");
        assert!(error.help().contains("fleetgate-sdk") && !error.to_string().contains('\u{1b}'));
    }
}

#[test]
fn tools_are_collected_from_every_module_however_deep() {
    let mut inner = Component::new();
    inner.section(&ModuleSection(&module(b"{\"tool\":\"b\",\"requires\":\"any\"}\n")));
    let mut outer = Component::new();
    outer.section(&ModuleSection(&module(b"{\"tool\":\"a\",\"requires\":\"any\"}\n")));
    outer.section(&NestedComponentSection(&inner));
    let bytes = packed(&outer.finish(), ABOUT).unwrap();
    let manifest = Artifact::from_bytes("naas.wasm", bytes).unwrap().manifest(&capabilities()).unwrap();
    assert_eq!(manifest.tools.keys().collect::<Vec<_>>(), ["a", "b"]);
}

#[test]
fn packing_is_deterministic_and_leaves_no_trace_of_an_older_one() {
    let toml = format!("{ABOUT}{ROLES}");
    let code = declaring("{\"tool\":\"b\",\"requires\":\"view\"}\n{\"tool\":\"a\",\"requires\":\"view\"}\n");
    let one = packed(&code, &toml).unwrap();
    assert_eq!(one, packed(&code, &toml).unwrap());
    assert!(!one.windows(17).any(|bytes| bytes == b"fleetgate:entries"));
    assert!(one.windows(6).any(|bytes| bytes == b"nested"), "other sections stay");

    let mut old = Component::new();
    old.section(&custom(SECTION, b"old one"));
    old.section(&ModuleSection(&module(b"")));
    old.section(&custom(SECTION, b"old two"));
    let again = packed(&old.finish(), &toml).unwrap();
    assert!(!again.windows(3).any(|bytes| bytes == b"old"));
    assert_eq!(&*Artifact::from_bytes("naas.wasm", again).unwrap().manifest_text, toml);
}

#[test]
fn a_real_component_still_runs_after_packing() {
    let mut code = wat::parse_str(
        r#"(component
            (core module $m (func (export "f") (result i32) i32.const 7))
            (core instance $i (instantiate $m))
            (func $f (result u32) (canon lift (core func $i "f")))
            (export "f" (func $f)))"#,
    )
    .unwrap();
    let plain = packed(&code, ABOUT).unwrap();
    assert!(plain.starts_with(&code), "nothing was to be removed");
    code.extend([0, 1, 0]);
    assert!(packed(&code, ABOUT).is_ok());
}

#[test]
fn what_is_no_valid_component_is_not_packed() {
    let error = packed(b"\0asm\x01\0\0\0", ABOUT).unwrap_err();
    assert_eq!(error.to_string(), "the file is a core module, not a component");
    assert!(error.help().contains("wasm32-wasip2"));
    let mut invalid = component(&[]);
    // An alias section that names an instance which is not there.
    invalid.extend([6, 5, 1, 1, 0, 9, 0]);
    let error = packed(&invalid, ABOUT).unwrap_err();
    assert!(matches!(error, PackError::Invalid(_) | PackError::Component(_)), "{error}");
}

#[test]
fn components_nested_too_deeply_are_not_packed() {
    let mut bytes = Component::new().finish();
    for _ in 0..40 {
        let mut outer = Component::new();
        outer.section(&wasm_encoder::RawSection { id: 4, data: &bytes });
        bytes = outer.finish();
    }
    let error = packed(&bytes, ABOUT).unwrap_err();
    assert!(error.to_string().contains("nests components too deeply"), "{error}");
}

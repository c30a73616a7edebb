//! Files that are plugins, and files that are not.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use fleetgate_core::artifact::{Artifact, Broken, Digest, MAX_BYTES, exports, imports, read};
use fleetgate_core::manifest::SECTION;
use tempfile::TempDir;
use wasm_encoder::{Component, CustomSection, Module, ModuleSection, NestedComponentSection, RawSection};

use super::fake::capabilities;
use super::manifest::ABOUT;
use super::said::assert_said;

pub fn custom<'a>(name: &'a str, data: &'a [u8]) -> CustomSection<'a> {
    CustomSection { name: name.into(), data: data.into() }
}

/// A component with these manifest sections at the top.
pub fn component(manifests: &[&[u8]]) -> Vec<u8> {
    let mut component = Component::new();
    component.section(&ModuleSection(&module(b"")));
    for manifest in manifests {
        component.section(&custom(SECTION, manifest));
    }
    component.finish()
}

/// A core module that carries this as the SDK's section, and a manifest section that means nothing there.
pub fn module(entries: &[u8]) -> Module {
    let mut module = Module::new();
    module.section(&custom(SECTION, b"nested"));
    if !entries.is_empty() {
        module.section(&custom("fleetgate:entries", entries));
    }
    module
}

fn drop_directory(name: &str, bytes: &[u8]) -> (TempDir, std::path::PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join(name);
    fs::write(&path, bytes).unwrap();
    fs::set_permissions(&path, PermissionsExt::from_mode(0o644)).unwrap();
    (directory, path)
}

#[track_caller]
fn refused(bytes: &[u8], pieces: &[&str]) {
    let error = Artifact::from_bytes("plugins/naas.wasm", bytes).unwrap_err();
    let said = format!("{error} ({})", error.help());
    for piece in pieces.iter().chain(&["plugins/naas.wasm"]) {
        assert!(said.contains(piece), "{piece:?} is not in {said}");
    }
}

#[test]
fn a_plugins_file_is_read_with_its_manifest_and_digests() {
    let bytes = component(&[ABOUT.as_bytes()]);
    let (_directory, path) = drop_directory("naas.wasm", &bytes);
    let artifact = read(&path).unwrap();
    assert_eq!((artifact.id.as_str(), &*artifact.manifest_text, &*artifact.bytes), ("naas", ABOUT, &*bytes));
    assert_eq!(artifact.digest, Digest::of(&bytes));
    assert_eq!(artifact.manifest(&capabilities()).unwrap().plugin.id, "naas");
}

#[test]
fn the_digest_of_the_code_does_not_change_with_the_manifest() {
    let one = Artifact::from_bytes("naas.wasm", component(&[ABOUT.as_bytes()])).unwrap();
    let other = Artifact::from_bytes("naas.wasm", component(&[b"# other"])).unwrap();
    assert_eq!(one.code_digest, other.code_digest);
    assert_ne!(one.digest, other.digest);
    assert_eq!(one.code_digest, Digest::of(&component(&[])));
}

#[test]
fn a_digest_is_written_and_read_as_sha256_and_hexadecimal_digits() {
    let digest = Digest::of(b"");
    let text = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    assert_eq!(digest.to_string(), text);
    assert_eq!(text.parse(), Ok(digest));
}

#[test]
fn a_component_without_a_manifest_is_refused_with_the_command_to_run() {
    refused(&component(&[]), &["has no manifest", "run `fleetgate pack"]);
}

#[test]
fn a_second_manifest_is_refused() {
    refused(&component(&[ABOUT.as_bytes(), ABOUT.as_bytes()]), &["more than one manifest"]);
}

#[test]
fn manifests_in_nested_modules_and_components_are_ignored() {
    let mut outer = Component::new();
    let mut inner = Component::new();
    inner.section(&custom(SECTION, b"nested"));
    outer.section(&NestedComponentSection(&inner));
    outer.section(&ModuleSection(&module(b"")));
    outer.section(&custom(SECTION, ABOUT.as_bytes()));
    let artifact = Artifact::from_bytes("naas.wasm", outer.finish()).unwrap();
    assert_eq!(&*artifact.manifest_text, ABOUT);
}

#[test]
fn what_is_not_a_component_is_refused_by_what_it_is() {
    refused(b"", &["is empty"]);
    refused(b"\x7fELF and so on", &["is not WebAssembly"]);
    refused(b"\0asm\x0d\0\x01", &["is truncated"]);
    refused(b"\0asm\x63\0\x63\0", &["unknown version"]);
    refused(&Module::new().finish(), &["is a core module, not a component", "wasm32-wasip2"]);
}

#[test]
fn a_truncated_file_is_refused_wherever_it_ends() {
    let whole = component(&[ABOUT.as_bytes()]);
    let without = component(&[]).len();
    for end in 0..whole.len() {
        let error = Artifact::from_bytes("naas.wasm", &whole[..end]).unwrap_err();
        // At the end of a section there is a whole component, but no manifest.
        let fine = error.is_passing() || error.to_string().contains("has no manifest");
        assert!(fine, "{end} of {}: {error}", whole.len());
        assert!(end <= without || error.is_passing(), "{end}: {error}");
    }
}

#[test]
fn a_manifest_that_is_not_text_is_refused() {
    refused(&component(&[&[0xff, 0xfe]]), &["not UTF-8 text"]);
}

#[test]
fn a_section_that_cannot_be_read_is_refused() {
    let mut bytes = component(&[ABOUT.as_bytes()]);
    // A length of more than 32 bits.
    bytes.extend([0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0]);
    refused(&bytes, &["is malformed at byte"]);
    let mut component = Component::new();
    // A custom section whose name is longer than the section.
    component.section(&RawSection { id: 0, data: &[9, b'x'] });
    refused(&component.finish(), &["is malformed at byte 8"]);
}

#[test]
fn a_file_over_the_cap_is_refused_unread() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("naas.wasm");
    let file = fs::File::create(&path).unwrap();
    file.set_len(MAX_BYTES + 1).unwrap();
    fs::set_permissions(&path, PermissionsExt::from_mode(0o644)).unwrap();
    let error = read(&path).unwrap_err().to_string();
    assert!(error.contains("at most 64MiB are read"), "{error}");
}

#[test]
fn a_file_that_is_not_named_after_a_plugin_is_refused() {
    for name in ["naas", "Naas.wasm", "na_as.wasm", ".wasm", "naas.wasm.bak", "na as.wasm"] {
        let error = Artifact::from_bytes(name, component(&[ABOUT.as_bytes()])).unwrap_err();
        assert!(
            error.to_string().contains("is not named after a plugin") && error.help().contains("<id>.wasm"),
            "{error}"
        );
    }
}

#[test]
fn a_file_that_bears_another_id_than_its_manifest_is_refused() {
    let artifact = Artifact::from_bytes("plugins/other.wasm", component(&[ABOUT.as_bytes()])).unwrap();
    let problems = artifact.manifest(&capabilities()).unwrap_err();
    let pieces = [
        "plugins/other.wasm[fleetgate:manifest]:2:",
        "the plugin's id is \"naas\"",
        "rename the file to naas.wasm",
    ];
    assert_said(&problems, 2, "plugin.id", &pieces);
}

#[test]
fn a_file_or_drop_directory_that_others_can_write_is_refused() {
    let bytes = component(&[ABOUT.as_bytes()]);
    let (directory, path) = drop_directory("naas.wasm", &bytes);
    for mode in [0o664, 0o666] {
        fs::set_permissions(&path, PermissionsExt::from_mode(mode)).unwrap();
        let error = read(&path).unwrap_err();
        assert!(
            error.to_string().contains("can be written by others") && error.help().contains("chmod go-w"),
            "{error}"
        );
    }
    fs::set_permissions(&path, PermissionsExt::from_mode(0o644)).unwrap();
    for mode in [0o775, 0o777, 0o1777] {
        fs::set_permissions(directory.path(), PermissionsExt::from_mode(mode)).unwrap();
        let error = read(&path).unwrap_err().to_string();
        assert!(
            error.contains(directory.path().to_str().unwrap()) && error.contains("written by others"),
            "{error}"
        );
    }
}

#[test]
fn a_symbolic_link_in_the_drop_directory_is_refused() {
    let (directory, path) = drop_directory("naas.wasm", &component(&[ABOUT.as_bytes()]));
    let link = directory.path().join("lab.wasm");
    std::os::unix::fs::symlink(&path, &link).unwrap();
    let error = read(&link).unwrap_err();
    assert!(error.to_string().contains("is a symbolic link"), "{error}");
}

#[test]
fn a_file_that_is_not_there_is_refused_by_name() {
    let error = read(Path::new("/nowhere/naas.wasm")).unwrap_err().to_string();
    assert!(error.contains("/nowhere/naas.wasm cannot be read: there is no such file"), "{error}");
}

#[test]
fn imports_and_exports_are_listed_by_name() {
    let bytes = wat::parse_str(
        r#"(component
            (import "wasi:http/outgoing-handler@0.2.4" (instance $http (export "x" (func))))
            (import "fleetgate:plugin/config@0.1.0" (instance))
            (export "fleetgate:plugin/tools@0.1.0" (instance $http)))"#,
    )
    .unwrap();
    assert_eq!(
        imports(&bytes).unwrap(),
        ["wasi:http/outgoing-handler@0.2.4", "fleetgate:plugin/config@0.1.0"]
    );
    assert_eq!(exports(&bytes).unwrap(), ["fleetgate:plugin/tools@0.1.0"]);
    assert_eq!(imports(b"nonsense"), Err(Broken::NotWasm));
}

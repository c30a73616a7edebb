//! What lies in the drop directory and is no plugin that can be trusted stays out and is told of; everything else
//! runs.

use std::fs::{self, File};
use std::os::unix::fs::{MetadataExt, chown, symlink};
use std::path::Path;

use fleetgate_e2e::{Installation, Server, packed, plugin};
use serde_json::json;

const MANIFEST: &str = "[plugin]\nid = \"odd\"\nversion = \"0.1.0\"\ninterface = \"0.1\"\ntitle = \"Odd\"\n\
                        description = \"Odd.\"\n\n[roles]\n";

/// With one plugin that is fine, and a table for one that will not be.
fn installation() -> Installation {
    let installation = Installation::new();
    installation.install("hello");
    installation.config("[serve]\n\n[plugins.hello]\n\n[plugins.odd]\n");
    installation
}

/// A custom section of WebAssembly, whose lengths are LEB128.
fn section(name: &str, content: &[u8]) -> Vec<u8> {
    let length = |mut value: usize| {
        let mut bytes = Vec::new();
        while value > 127 {
            bytes.push((value & 127) as u8 | 128);
            value >>= 7;
        }
        bytes.push(value as u8);
        bytes
    };
    let inner = [length(name.len()), name.as_bytes().to_vec(), content.to_vec()].concat();
    [vec![0], length(inner.len()), inner].concat()
}

/// A component in text form, packed.
fn component(text: &str) -> Vec<u8> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("component.wasm");
    fs::write(&file, wat::parse_str(text).expect("a component")).expect("room on the disk");
    packed(&file, "odd", MANIFEST)
}

/// Puts something odd there while the host runs and before it starts: it stays out, and everybody is told why.
async fn stays_out(what: &str, why: &[&str], put: impl Fn(&Path)) {
    let installation = installation();
    let path = installation.plugin_path("odd");
    let server = Server::start(&installation);
    put(&path);
    for part in why {
        server.logs(part).await;
    }
    served(&server, what).await;
    drop(server);

    let said = installation.run(&["check"]);
    assert_eq!(said.code, 1, "{what}: {said:?}");
    for part in why {
        assert!(said.stdout.contains(part), "{what}: {part:?} is not in {}", said.stdout);
    }
    let facts = installation.run(&["check", "--json"]).json();
    let states: Vec<_> =
        facts["plugins"].as_array().expect("plugins").iter().map(|found| &found["state"]).collect();
    assert_eq!(states, ["live", "broken"], "{what}: {facts}");

    let server = Server::start(&installation);
    served(&server, what).await;
    for part in why {
        server.logs(part).await;
    }
}

/// The plugin that is fine answers, and no other is there.
async fn served(server: &Server, what: &str) {
    assert_eq!(server.client().tool_names().await, ["hello_greet"], "{what}");
    let answer = server.client_of("hello").call("greet", json!({"name": "Ann"})).await;
    assert_eq!(answer.text(), "Hello, Ann!", "{what}");
}

#[tokio::test]
async fn a_file_of_another_user_stays_out() {
    let own = tempfile::tempdir().expect("a temporary folder");
    if fs::metadata(own.path()).expect("our own folder").uid() != 0 {
        eprintln!("only root can give a file to somebody else: not tried");
        return;
    }
    stays_out("a stranger's", &["belongs to another user (uid 65534)", "chown 0"], |path| {
        // Whole and with its owner in one step, as a stranger's copy would be.
        let draft = path.with_extension("draft");
        fs::copy(plugin("hello"), &draft).expect("room on the disk");
        chown(&draft, Some(65534), Some(65534)).expect("we are root");
        fs::rename(&draft, path).expect("our own folder");
    })
    .await;
}

#[tokio::test]
async fn a_symbolic_link_stays_out_even_if_it_leads_to_a_plugin() {
    stays_out("a link", &["is a symbolic link", "put the file itself there"], |path| {
        symlink(plugin("hello"), path).expect("our own folder");
    })
    .await;
}

#[tokio::test]
async fn a_file_over_the_size_cap_stays_out_and_is_not_read() {
    stays_out("65 MiB", &["has 68157440 bytes", "at most 64MiB"], |path| {
        File::create(path).and_then(|file| file.set_len(65 << 20)).expect("room for a sparse file");
    })
    .await;
}

#[tokio::test]
async fn a_component_with_two_manifests_stays_out() {
    stays_out("two manifests", &["has more than one manifest"], |path| {
        let mut bytes = fs::read(plugin("hello")).expect("a packed plugin");
        bytes.extend(section("fleetgate:manifest", MANIFEST.as_bytes()));
        fs::write(path, bytes).expect("room on the disk");
    })
    .await;
}

#[tokio::test]
async fn a_component_without_a_manifest_stays_out() {
    stays_out("no manifest", &["has no manifest", "fleetgate pack"], |path| {
        fs::write(path, wat::parse_str("(component)").expect("a component")).expect("room on the disk");
    })
    .await;
}

#[tokio::test]
async fn a_manifest_within_a_nested_component_does_not_count() {
    stays_out("a nested manifest", &["has no manifest"], |path| {
        let inner = wat::parse_str("(component)").expect("a component");
        let inner = [inner, section("fleetgate:manifest", MANIFEST.as_bytes())].concat();
        let outer = wat::parse_str("(component)").expect("a component");
        // 4 is the section of a component within a component; this one is shorter than 16 KiB.
        let length = [inner.len() as u8 & 127 | 128, (inner.len() >> 7) as u8];
        fs::write(path, [outer, vec![4], length.to_vec(), inner].concat()).expect("room on the disk");
    })
    .await;
}

#[tokio::test]
async fn a_component_that_imports_what_this_host_does_not_have_stays_out() {
    let bytes = component("(component (import \"evil:thing/x@0.1.0\" (instance (export \"do\" (func)))))");
    stays_out("an unknown import", &["evil:thing/x"], |path| fs::write(path, &bytes).expect("room")).await;
}

#[tokio::test]
async fn a_truncated_component_stays_out_wherever_it_ends() {
    let whole = fs::read(plugin("hello")).expect("a packed plugin");
    for length in [9, 100, whole.len() / 2, whole.len() - 1] {
        let bytes = &whole[..length];
        stays_out("truncated", &["is truncated"], |path| fs::write(path, bytes).expect("room")).await;
    }
}

#[tokio::test]
async fn a_manifest_of_another_id_than_the_files_stays_out() {
    stays_out("another id", &["the plugin's id is \"hello\", the file is odd.wasm"], |path| {
        fs::copy(plugin("hello"), path).expect("room on the disk");
    })
    .await;
}

#[tokio::test]
async fn a_manifest_that_is_wrong_keeps_its_plugin_out_and_is_told_by_line() {
    stays_out(
        "a wrong manifest",
        &["odd.wasm[fleetgate:manifest]:8:2: rolls", "did you mean \"roles\"?"],
        |path| {
            let mut bytes = wat::parse_str("(component)").expect("a component");
            bytes.extend(section("fleetgate:manifest", MANIFEST.replace("[roles]", "[rolls]").as_bytes()));
            fs::write(path, bytes).expect("room on the disk");
        },
    )
    .await;
}

#[tokio::test]
async fn names_that_are_no_ids_are_told_of_and_left_alone() {
    let installation = Installation::new();
    installation.install("hello");
    installation.config("[serve]\n\n[plugins.hello]\n");
    for name in ["Hello.wasm", "a b.wasm", "1.wasm", "..wasm.wasm"] {
        fs::copy(plugin("hello"), installation.path().join("plugins").join(name)).expect("room on the disk");
    }
    let server = Server::start(&installation);
    served(&server, "misnamed").await;
    for name in ["Hello.wasm", "a b.wasm", "1.wasm"] {
        server.logs(&format!("{name} is not named after a plugin")).await;
    }
    let said = installation.run(&["check"]);
    assert_eq!(said.code, 1, "{said:?}");
    assert!(said.stdout.contains("Hello.wasm is not named after a plugin"), "{said:?}");
}

#[tokio::test]
async fn a_drop_directory_that_others_can_write_is_not_looked_at() {
    use std::os::unix::fs::PermissionsExt;
    let installation = Installation::new();
    installation.install("hello");
    installation.config("[serve]\n\n[plugins.hello]\n");
    let directory = installation.path().join("plugins");
    fs::set_permissions(&directory, fs::Permissions::from_mode(0o777)).expect("our own folder");
    let server = Server::start(&installation);
    assert!(server.client().tool_names().await.is_empty());
    server.logs("the drop directory is not looked at").await;
    fs::set_permissions(&directory, fs::Permissions::from_mode(0o755)).expect("our own folder");
    server
        .until("it is looked at again", || async { server.client().tool_names().await == ["hello_greet"] })
        .await;
}

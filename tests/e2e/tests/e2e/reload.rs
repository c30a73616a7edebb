//! Plugins and configuration change while calls run.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use fleetgate_e2e::{Installation, Server, plugin};
use serde_json::json;

fn hello() -> Installation {
    let installation = Installation::new();
    installation.install("hello");
    installation.config("[serve]\n\n[plugins.hello]\n");
    installation
}

/// The hello plugin with another version in its manifest, and another greeting in its code.
fn hello_of_version(version: &str, greeting: &str) -> Vec<u8> {
    let bytes = std::fs::read(plugin("hello")).expect("a packed plugin");
    let bytes = replace(&bytes, b"Hello, ", greeting.as_bytes());
    replace(&bytes, b"version = \"0.1.0\"", format!("version = \"{version}\"").as_bytes())
}

/// Replaces text of the same length.
fn replace(bytes: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    assert_eq!(from.len(), to.len(), "the file's sections must keep their lengths");
    let at = bytes.windows(from.len()).rposition(|window| window == from).expect("the text is there");
    let mut changed = bytes.to_vec();
    changed[at..at + to.len()].copy_from_slice(to);
    changed
}

#[tokio::test]
async fn a_plugin_without_a_table_is_found_and_not_served_until_it_is_enabled() {
    let installation = Installation::new();
    let server = Server::start(&installation);
    assert!(server.client().tool_names().await.is_empty());
    installation.install("hello");
    server.logs("hello").await;
    assert!(server.client().tool_names().await.is_empty());

    let enabled = installation.fleetgate(&["enable", "hello"]);
    assert!(enabled.status.success(), "{}", String::from_utf8_lossy(&enabled.stderr));
    server
        .until("the tool appears", || async { server.client().tool_names().await == ["hello_greet"] })
        .await;
}

#[tokio::test]
async fn a_removed_plugin_is_gone_and_a_returned_one_is_back() {
    let installation = hello();
    let server = Server::start(&installation);
    assert_eq!(server.client().tool_names().await, ["hello_greet"]);
    std::fs::remove_file(installation.plugin_path("hello")).expect("the file is there");
    server.until("the tool is gone", || async { server.client().tool_names().await.is_empty() }).await;
    installation.install("hello");
    server
        .until("the tool is back", || async { server.client().tool_names().await == ["hello_greet"] })
        .await;
}

#[tokio::test]
async fn a_broken_file_leaves_the_old_version_serving_and_says_why() {
    let installation = hello();
    let server = Server::start(&installation);
    let whole = std::fs::read(plugin("hello")).expect("a packed plugin");
    for (broken, why) in [
        (whole[..whole.len() / 2].to_vec(), "truncated"),
        (b"not a component at all".to_vec(), "not"),
        (wasm_module(), "module"),
        (Vec::new(), "empty"),
    ] {
        installation.install_bytes("hello", &broken);
        server.logs(why).await;
        let answer = server.client_of("hello").call("greet", json!({"name": "Ann"})).await;
        assert_eq!(answer.text(), "Hello, Ann!", "after a file that is {why}");
    }
}

/// A core module, which is no component.
fn wasm_module() -> Vec<u8> {
    b"\0asm\x01\0\0\0".to_vec()
}

#[tokio::test]
async fn invalid_settings_change_nothing_and_are_told_with_line_and_suggestion() {
    let installation = hello();
    let server = Server::start(&installation);
    installation.config("[serve]\nlisen = \"127.0.0.1:1\"\n\n[plugins.hello]\n");
    server.logs("lisen").await;
    server.logs("listen").await;
    let answer = server.client_of("hello").call("greet", json!({"name": "Ann"})).await;
    assert_eq!(answer.text(), "Hello, Ann!");
}

#[tokio::test]
async fn a_second_binding_appears_when_the_settings_say_so() {
    let installation = hello();
    let server = Server::start(&installation);
    installation.config("[serve]\n\n[plugins.hello]\n\n[plugins.lab]\nuse = \"hello\"\nlabel = \"LAB\"\n");
    server
        .until("both bindings are listed", || async {
            server.client().tool_names().await == ["hello_greet", "lab_greet"]
        })
        .await;
    let tools = server.client_of("lab").tools().await;
    assert_eq!(tools[0]["description"], "[LAB] Greets somebody by name.");
}

#[tokio::test]
async fn a_file_that_others_can_write_is_not_served() {
    use std::os::unix::fs::PermissionsExt;
    let installation = hello();
    let path = installation.plugin_path("hello");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o666)).expect("our own file");
    let server = Server::start(&installation);
    assert!(server.client().tool_names().await.is_empty());
    server.logs("writ").await;
}

#[tokio::test]
async fn a_plugin_under_another_name_than_its_id_is_not_served() {
    let installation = hello();
    installation.config("[serve]\n\n[plugins.hello]\n\n[plugins.other]\n");
    std::fs::copy(plugin("hello"), installation.plugin_path("other")).expect("a copy");
    let server = Server::start(&installation);
    assert_eq!(server.client().tool_names().await, ["hello_greet"]);
    server.logs("other").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_call_fails_while_the_plugin_is_overwritten_twenty_times() {
    let installation = hello();
    let server = Server::start(&installation);
    let stop = Arc::new(AtomicBool::new(false));
    // Each version greets with a word of its own: Hello, then Hella, Hellb, …
    let greetings: Vec<String> =
        "oabcdefghijklmnpqrstu".chars().map(|last| format!("Hell{last}, ")).collect();
    let heard = Arc::<Mutex<BTreeMap<String, u32>>>::default();
    let callers: Vec<_> = (0..500)
        .map(|caller| {
            let (client, stop, greetings) = (server.client_of("hello"), stop.clone(), greetings.clone());
            let heard = heard.clone();
            tokio::spawn(async move {
                let name = format!("caller {caller}");
                while !stop.load(Ordering::Relaxed) {
                    let answer = client.call("greet", json!({ "name": name })).await;
                    let text = answer.text();
                    let whole = greetings.iter().find(|greeting| text == format!("{greeting}{name}!"));
                    let greeting = whole.unwrap_or_else(|| panic!("of no version: {answer:?}"));
                    *heard.lock().expect("no caller panics with it").entry(greeting.clone()).or_insert(0) +=
                        1;
                }
            })
        })
        .collect();
    let is_heard = |greeting: &String| heard.lock().expect("no caller panics with it").contains_key(greeting);
    server.until("the first version serves", || async { is_heard(&greetings[0]) }).await;
    for (version, greeting) in greetings.iter().enumerate().skip(1) {
        let number = format!("0.{}.{}", version / 10, version % 10);
        installation.install_bytes("hello", &hello_of_version(&number, greeting));
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
    server.until("the last version serves", || async { is_heard(greetings.last().expect("some")) }).await;
    stop.store(true, Ordering::Relaxed);
    for caller in callers {
        caller.await.expect("no call failed");
    }
    let heard = heard.lock().expect("no caller panicked with it");
    assert!(heard.values().sum::<u32>() >= 500, "{heard:?}");
}

//! Passwords and keys are used, and stand nowhere.

use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use fleet_sim::devices::{Devices, Platform, Setup};
use serde_json::json;

use super::{Lab, code, to};
use crate::sshd::Sshd;

const PASSWORD: &str = "canary-p4ss+w0rd/0f=netops";
const ENABLE: &str = "canary-en4ble+the/router=1";

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).expect("our own folder").flatten();
    entries
        .flat_map(|entry| if entry.path().is_dir() { files(&entry.path()) } else { vec![entry.path()] })
        .collect()
}

/// Everything that was written beside the secrets themselves.
fn written(lab: &Lab) -> String {
    let mut all = lab.server.log();
    for path in files(lab.installation.path()) {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if ["password", "enable", "key"].contains(&name) {
            continue;
        }
        all.push_str(&String::from_utf8_lossy(&std::fs::read(&path).unwrap_or_default()));
    }
    all
}

/// What must not be found: the values, also as hex and as base64 from any of three places on.
fn traces(secret: &str) -> Vec<String> {
    let mut traces = vec![secret.to_owned(), secret.bytes().map(|byte| format!("{byte:02x}")).collect()];
    for start in 0..3 {
        let whole = &secret.as_bytes()[start..start + (secret.len() - start) / 3 * 3];
        traces.push(STANDARD_NO_PAD.encode(whole));
    }
    traces
}

#[tokio::test]
async fn no_password_and_no_key_is_in_a_result_a_log_a_record_or_a_file() {
    let router = Setup::new(Platform::CiscoIos).login("netops", PASSWORD).enable(Some(ENABLE));
    let devices = Devices::start([router]).await.expect("a free port");
    let router = &devices.all()[0];
    let grant = format!(
        "targets = [\"{}\"]\nknown_hosts = \"known_hosts\"\nenable = \"enable\"\ntype_password = true\n\
         credential = {{ user = \"netops\", password = \"password\" }}",
        router.address()
    );
    let known_hosts = devices.known_hosts();
    let files = [("password", PASSWORD), ("enable", ENABLE), ("known_hosts", known_hosts.as_str())];
    let lab = Lab::new(&grant, &files);
    let mut said = String::new();
    let mut references = Vec::new();
    let client = lab.client();
    let acts = json!([
        {"until": ">"}, {"secret": "enable"}, {"line": "enable"}, {"until": "Password: "}, {"secret": "enable"},
        {"until": "#"}, {"secret": "enable"}, {"secret": "password"},
        {"line": "terminal length 0"}, {"until": "#"}, {"line": "show running-config"}, {"until": "#"},
        {"line": "configure terminal"}, {"until": "#"},
        {"line": format!("username other password 0 {PASSWORD}")}, {"until": "#"},
        {"line": format!("enable password {ENABLE}")}, {"until": "#"},
        {"line": "end"}, {"until": "#"}, {"line": "show running-config"}, {"until": "#"}
    ]);
    let target = json!({"host": "127.0.0.1", "port": router.port()});
    let mut talk = target.clone();
    talk["acts"] = acts;
    let answer = client.call("talk", talk).await;
    let told = answer.structured();
    assert_eq!((&told["acts"][4], code(&told["acts"][1])), (&json!("ok"), Some("echo")), "{told}");
    assert_eq!((code(&told["acts"][6]), code(&told["acts"][7])), (Some("echo"), Some("echo")), "{told}");
    assert!(router.running_config().contains(PASSWORD), "the router prints what it was told");
    assert!(told["acts"][21]["said"].as_str().expect("text").contains("[masked]"), "{told}");
    // What the guest typed itself stands in the arguments of the call, which the caller gave: not in what came back.
    said.push_str(&answer.message.to_string());
    references.push(answer.reference());
    for command in ["show running-config", "show version", "no such thing"] {
        let mut arguments = target.clone();
        arguments["command"] = json!(command);
        let answer = client.call("exec", arguments).await;
        said.push_str(&answer.message.to_string());
        references.push(answer.reference());
    }
    // Wrong ones are refused in words that hold none either.
    lab.installation.secret("password", "canary-wr0ng+p4ssw0rd/x=1");
    tokio::time::sleep(std::time::Duration::from_millis(1100)).await;
    let mut arguments = target;
    arguments["command"] = json!("show version");
    let answer = client.call("exec", arguments).await;
    assert_eq!(code(answer.structured()), Some("auth-failed"), "{answer:?}");
    said.push_str(&answer.message.to_string());
    references.push(answer.reference());
    for reference in references {
        said.push_str(&lab.installation.why(&reference).all());
    }
    said.push_str(&lab.installation.run_well(&["audit", "find", "--json"]).all());
    said.push_str(&lab.installation.run(&["check"]).all());
    said.push_str(&written(&lab));
    assert!(said.contains("SSH"), "the log is looked at");
    for secret in [PASSWORD, ENABLE, "canary-wr0ng+p4ssw0rd/x=1"] {
        for trace in traces(secret) {
            assert!(!said.contains(&trace), "{trace} is in what was said");
        }
    }
}

#[tokio::test]
async fn a_key_logs_in_and_stands_nowhere() {
    let sshd = Sshd::start().await;
    let lab = Lab::of(&sshd, "");
    let good = lab.exec(&sshd, "env; cat /proc/$PPID/environ; echo \"$SSH_AUTH_SOCK\"").await;
    let stranger = Sshd::start().await;
    lab.installation.secret("key", &stranger.user_key());
    tokio::time::sleep(std::time::Duration::from_millis(1100)).await;
    let refused = lab.client().call("exec", to(&sshd, json!({"command": "true"}))).await;
    assert_eq!(code(refused.structured()), Some("auth-failed"), "{refused:?}");
    let mut said = format!("{}{}", good.message, refused.message);
    said.push_str(&lab.why(&refused));
    said.push_str(&written(&lab));
    for key in [sshd.user_key(), stranger.user_key()] {
        for line in key.lines().filter(|line| !line.starts_with("-----")) {
            assert!(!said.contains(line), "{line} is in what was said");
        }
    }
}

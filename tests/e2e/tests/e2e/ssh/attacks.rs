//! Reaching further than granted.

use serde_json::json;

use super::{Lab, code, to};
use crate::sshd::{Sshd, free_port};

#[tokio::test]
async fn devices_that_were_not_granted_are_refused_and_the_reference_tells_the_operator_why() {
    let (sshd, other) = (Sshd::start().await, Sshd::start().await);
    let lab = Lab::of(&sshd, "");
    let port = sshd.address.port();
    for (capability, host, port) in [
        ("ssh.devices", "127.0.0.1", other.address.port()),
        ("ssh.devices", "127.0.0.1", free_port()),
        ("ssh.devices", "localhost", port),
        ("ssh.devices", "127.0.0.2", port),
        ("ssh.devices", "10.0.0.1", 22),
        ("ssh.devices", "169.254.169.254", 80),
        ("ssh.devices", "[fd00:ec2::254]", 80),
        ("ssh.devices", "example.com", 22),
        ("ssh.never", "127.0.0.1", port),
        ("ssh.unheard", "127.0.0.1", port),
        ("http.api", "127.0.0.1", port),
    ] {
        let arguments = json!({"capability": capability, "host": host, "port": port, "command": "true"});
        let answer = lab.client().call("exec", arguments).await;
        let told = answer.structured();
        assert_eq!(code(told), Some("denied"), "{capability} {host}:{port}: {told}");
        assert_eq!(told["error"]["message"], "this is not granted");
        let text = answer.message.to_string();
        assert!(!text.contains("targets") && !text.contains("grant."), "the policy is told: {text}");
        let why = lab.why(&answer);
        assert!(why.contains(capability) && why.contains("refused: "), "{why}");
    }
    // One of these would have been opened by a line that the operator is told.
    let near = json!({"host": "127.0.0.1", "port": other.address.port(), "command": "true"});
    let why = lab.why(&lab.client().call("exec", near).await);
    assert!(why.contains(&format!("targets = [… \"{}\"]", other.address)), "{why}");
    // What is no host is no other spelling of the granted one.
    for (host, granted) in [("127.0.0.1\n", false), ("", false), ("127.0.0.1 ", false), ("127.0.0.1", true)] {
        let answer = lab.client().call("exec", json!({"host": host, "port": port, "command": "true"})).await;
        assert_eq!(code(answer.structured()).is_none(), granted, "{host:?}: {answer:?}");
    }
    assert!(!other.said().contains("Connection from"), "{}", other.said());
}

#[tokio::test]
async fn nothing_is_smuggled_behind_an_allowed_command() {
    let sshd = Sshd::start().await;
    let lab = Lab::of(&sshd, "commands = [\"echo *\", \"cat *\"]");
    let file = sshd.path("smuggled").display().to_string();
    let smuggled = [
        format!("touch {file}"),
        format!("echo x; touch {file}"),
        format!("echo x && touch {file}"),
        format!("echo x & touch {file}"),
        format!("echo x | tee {file}"),
        format!("echo x > {file}"),
        format!("echo $(touch {file})"),
        format!("echo `touch {file}`"),
        format!("echo x\ntouch {file}"),
        format!("echo x\rtouch {file}"),
        format!("echo x\t; touch {file}"),
        format!("echo x\u{15}touch {file}"),
        format!("echo x\u{3}touch {file}"),
        format!("echo x\u{1b}[Atouch {file}"),
        format!("echo x\u{85}touch {file}"),
        format!(" touch {file}"),
        format!("!touch {file}"),
        "!!".to_owned(),
        "^x^y^".to_owned(),
    ];
    for command in &smuggled {
        let answer = lab.exec(&sshd, command).await;
        assert!(matches!(code(answer.structured()), Some("denied" | "invalid")), "{command:?}: {answer:?}");
        let told = lab.talk(&sshd, json!([{"line": command}, {"on-close": [command]}])).await;
        for act in told["acts"].as_array().expect("what came of them") {
            assert!(matches!(code(act), Some("denied" | "invalid")), "{command:?}: {told}");
        }
    }
    let answer = lab.exec(&sshd, &smuggled[1]).await;
    let why = lab.why(&answer);
    assert!(why.contains("echo x; touch") && why.contains("the grant allows"), "{why}");
    // Keys spell nothing, and bytes are not typed.
    let told = lab
        .talk(
            &sshd,
            json!([
                {"key": "n"}, {"line": "cat -e /bin/sh 127.0.0.1 1"}, {"write": format!("touch {file}\n")},
                {"key": "enter"}, {"line": "echo fine"}
            ]),
        )
        .await;
    assert_eq!((code(&told["acts"][1]), code(&told["acts"][2])), (Some("denied"), Some("denied")), "{told}");
    assert_eq!((&told["acts"][0], &told["acts"][4]), (&json!("ok"), &json!("ok")), "{told}");
    assert!(!sshd.path("smuggled").exists());
    assert_eq!(lab.exec(&sshd, "echo fine").await.structured()["stdout"], "fine\n");
}

#[tokio::test]
async fn a_read_only_tool_uses_no_device_beyond_its_reach() {
    let sshd = Sshd::start().await;
    let lab = Lab::of(&sshd, "");
    let client = lab.client();
    for (tool, command, expected) in [
        ("exec_read_only", "true", Some("denied")),
        ("exec_within_reach", "true", Some("denied")),
        ("exec_within_reach", "echo x; true", Some("denied")),
        ("exec_within_reach", "echo fine", None),
    ] {
        let answer = client.call(tool, to(&sshd, json!({ "command": command }))).await;
        assert_eq!(code(answer.structured()), expected, "{tool} {command}: {answer:?}");
    }
}

//! What a plugin can do with what it was granted.

use std::time::Instant;

use fleetgate_e2e::{Answer, Installation, PATIENCE};
use serde_json::json;

use super::{BINDING, Lab, code, config, to, until};
use crate::sshd::{Sshd, user};

/// Does it until the host knows that the connection that it kept is gone.
async fn when_heard(exec: impl AsyncFn() -> Answer) -> Answer {
    let begin = Instant::now();
    loop {
        let answer = exec().await;
        if code(answer.structured()) != Some("dropped") || begin.elapsed() > PATIENCE {
            return answer;
        }
    }
}

#[tokio::test]
async fn a_guest_runs_commands_on_a_real_server() {
    let sshd = Sshd::start().await;
    let lab = Lab::of(&sshd, "");
    let answer = lab.exec(&sshd, "echo out; echo err >&2; exit 3").await;
    let told = answer.structured();
    assert_eq!(
        (&told["stdout"], &told["stderr"], &told["exit"]),
        (&json!("out\n"), &json!("err\n"), &json!(3))
    );
    let more = to(&sshd, json!({"command": "yes", "most": 1000}));
    let told = lab.client().call("exec", more).await.structured().clone();
    assert_eq!((&told["length"], &told["cut"], &told["exit"]), (&json!(1000), &json!(true), &json!(null)));
    let late = to(&sshd, json!({"command": "sleep 60", "timeout": 3000}));
    let told = lab.client().call("exec", late).await.structured().clone();
    assert_eq!((code(&told), &told["error"]["sent"]), (Some("timeout"), &json!(true)), "{told}");
    assert!(sshd.children().len() <= 1, "one connection serves all calls");
    let used = lab.why(&answer);
    assert!(used.contains(&format!("ssh.devices connect {} as", sshd.address)), "{used}");
    assert!(used.contains("exit 3"), "{used}");
}

#[tokio::test]
async fn a_guest_types_lines_and_keys_into_a_terminal_of_a_real_server() {
    let sshd = Sshd::start().await;
    let lab = Lab::of(&sshd, "");
    let told = lab
        .talk(
            &sshd,
            json!([
                {"line": "exec env PS1='ready> ' sh"}, {"until": "ready> "},
                {"line": "echo one two"}, {"until": "ready> "},
                // Once it runs: a shell that is only about to start it takes the key for itself.
                {"line": "sh -c 'echo begun; exec sleep 60'"}, {"until": "\r\nbegun\r\n"},
                {"key": "ctrl-c"}, {"until": "ready> "},
                {"write": "echo \"raw\"\n"}, {"until": "ready> "},
                {"secret": "enable"},
                {"line": "exit 5"}, {"until": "never"}, {"line": "more"},
            ]),
        )
        .await;
    let acts = told["acts"].as_array().expect("what came of them");
    let said = |at: usize| acts[at]["said"].as_str().expect("something that was read");
    assert!(said(3).contains("\none two\n"), "{told}");
    assert!(said(7).ends_with("ready> "), "{told}");
    assert!(said(9).contains("\nraw\n"), "{told}");
    assert_eq!(code(&acts[10]), Some("denied"), "there is no such password");
    assert_eq!((&acts[12]["closed"], code(&acts[13])), (&json!(true), Some("closed")), "{told}");
    assert_eq!(told["exit"], 5);
}

#[tokio::test]
async fn a_device_behind_a_jump_host_is_reached() {
    let (jump, sshd) = (Sshd::start().await, Sshd::start().await);
    let by_way = format!(
        "jump = {{ host = \"{}\", known_hosts = \"jump_hosts\", credential = {{ user = \"{}\", key = \"jump-key\" }} }}",
        jump.address,
        user()
    );
    let files = [
        ("key", sshd.user_key()),
        ("known_hosts", sshd.known_hosts()),
        ("jump-key", jump.user_key()),
        ("jump_hosts", jump.known_hosts()),
    ];
    let files = files.each_ref().map(|(name, content)| (*name, content.as_str()));
    let lab = Lab::new(&format!("{}\n{by_way}", sshd.grant()), &files);
    let answer = lab.exec(&sshd, "echo $SSH_CONNECTION").await;
    assert!(answer.structured()["stdout"].as_str().expect("text").starts_with("127.0.0.1 "), "{answer:?}");
    assert_eq!((jump.children().len(), sshd.children().len()), (1, 1));
    jump.kill_sessions();
    until("what went through it is gone", || async { sshd.children().is_empty() }).await;
    // The host may hear of it a moment later than the server behind it does.
    let again = when_heard(async || lab.exec(&sshd, "true").await).await;
    assert!(again.structured()["error"].is_null(), "and made anew: {again:?}");
}

#[tokio::test]
async fn a_device_with_another_key_is_refused_and_the_operator_is_told_where_the_old_one_stands() {
    let sshd = Sshd::start().await;
    let lab = Lab::of(&sshd, "idle = \"50ms\"");
    assert!(lab.exec(&sshd, "true").await.structured()["error"].is_null());
    let double = sshd.with_another_key().await;
    let answer = when_heard(async || lab.exec(&double, "true").await).await;
    let told = answer.structured();
    assert_eq!(
        (code(told), &told["error"]["retryable"]),
        (Some("host-key-changed"), &json!(false)),
        "{told}"
    );
    assert!(!answer.message.to_string().contains("SHA256"), "the guest is not told which: {answer:?}");
    let why = lab.why(&answer);
    assert!(why.contains("known_hosts:1") && why.contains("SHA256:"), "{why}");
    assert!(!double.said().contains("Accepted"), "{}", double.said());
}

#[tokio::test]
async fn a_connection_that_is_killed_mid_command_says_that_it_may_have_taken_effect() {
    let sshd = Sshd::start().await;
    let lab = Lab::of(&sshd, "");
    let command = format!("touch {}; sleep 60", sshd.path("begun").display());
    let (client, arguments) = (lab.client(), to(&sshd, json!({"command": command})));
    let running = tokio::spawn(async move { client.call("exec", arguments).await });
    until("the command runs", || async { sshd.path("begun").exists() }).await;
    sshd.kill_sessions();
    let answer = running.await.expect("no panic");
    let told = answer.structured();
    assert_eq!(code(told), Some("dropped"), "{told}");
    assert_eq!((&told["error"]["sent"], &told["error"]["retryable"]), (&json!(true), &json!(true)), "{told}");
    assert!(lab.exec(&sshd, "true").await.structured()["error"].is_null(), "the next call is served");
}

#[tokio::test]
async fn what_is_wrong_with_a_grant_is_said_before_anything_is_served() {
    let sshd = Sshd::start().await;
    let installation = Installation::new();
    installation.install(BINDING);
    installation.secret("key", &sshd.user_key());
    for (lines, said) in [
        ("type_password = \"yes\"", "type_password"),
        ("password_after = [\"enable\\nreload\"]", "not printable"),
        ("commands = []", "no command is named"),
        ("typed_password = true", "type_password"),
    ] {
        installation.config(&config(&format!("{}\n{lines}", sshd.grant())));
        let checked = installation.run(&["check"]);
        assert!(checked.code != 0 && checked.all().contains(said), "{lines}: {}", checked.all());
    }
}

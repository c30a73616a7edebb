//! Commands on a real OpenSSH server.

use std::time::Duration;

use crate::sshd::{Sshd, user};
use crate::world::{call, text};

#[tokio::test]
async fn a_command_leaves_its_output_its_errors_and_its_exit_status() {
    let server = Sshd::start().await;
    let caller = call().to(&server.world().bind());
    let output = caller.exec(server.address, "echo out; echo err >&2; exit 3").await.unwrap();
    assert_eq!((text(&output.stdout).as_str(), text(&output.stderr).as_str()), ("out\n", "err\n"));
    assert_eq!((output.exit_status, output.exit_signal, output.cut), (Some(3), None, false));
    let output = caller.exec(server.address, "true").await.unwrap();
    assert_eq!((output.stdout.len(), output.exit_status), (0, Some(0)));
    let output = caller.exec(server.address, "kill -TERM $$").await.unwrap();
    assert_eq!((output.exit_status, output.exit_signal.as_deref()), (None, Some("TERM")));
    let address = server.address;
    assert_eq!(
        caller.call.used.used(),
        [
            format!("ssh.devices connect {address} as \"{}\" new", user()),
            format!("ssh.devices exec {address} \"echo out; echo err >&2; exit 3\" exit 3"),
            format!("ssh.devices connect {address} as \"{}\" kept", user()),
            format!("ssh.devices exec {address} \"true\" exit 0"),
            format!("ssh.devices connect {address} as \"{}\" kept", user()),
            format!("ssh.devices exec {address} \"kill -TERM $$\" ended by TERM"),
        ]
    );
}

#[tokio::test]
async fn what_is_printed_behind_the_exit_status_is_not_lost() {
    let server = Sshd::start().await;
    let caller = call().to(&server.world().bind());
    // The shell is gone at once, and the server says so; what it left behind prints on.
    let output = caller.exec(server.address, "(sleep 3; echo late) & exit 4").await.unwrap();
    assert_eq!((text(&output.stdout).as_str(), output.exit_status, output.cut), ("late\n", Some(4), false));
}

#[tokio::test]
async fn every_byte_of_a_large_output_arrives() {
    let server = Sshd::start().await;
    let caller = call().to(&server.world().bind());
    let output = caller.exec(server.address, "head -c 3000000 /dev/zero | tr '\\0' x").await.unwrap();
    assert_eq!((output.stdout.len(), output.cut), (3_000_000, false));
    assert!(output.stdout.iter().all(|byte| *byte == b'x'));
}

#[tokio::test]
async fn output_over_the_cap_is_cut_and_the_command_ended() {
    let server = Sshd::start().await;
    let world = server.world_with("output = \"1MiB\"");
    let caller = call().to(&world.bind());
    let device = caller.connect(server.address).await.unwrap();
    let output = device.exec("head -c 52428800 /dev/zero; echo done", None, None).await.unwrap();
    assert_eq!((output.stdout.len(), output.cut, output.exit_status), (1 << 20, true, None));
    let output = device.exec("yes", None, Some(10)).await.unwrap();
    assert_eq!((text(&output.stdout).as_str(), output.cut), ("y\ny\ny\ny\ny\n", true));
    let output = device.exec("echo fine", None, Some(1 << 30)).await.unwrap();
    assert_eq!((text(&output.stdout).as_str(), output.cut), ("fine\n", false));
    let exactly = device.exec("printf 12345", None, Some(5)).await.unwrap();
    assert_eq!((exactly.stdout.len(), exactly.cut), (5, false));
    assert!(caller.call.used.used()[1].ends_with("cut: it printed too much"));
}

#[tokio::test]
async fn a_command_that_takes_too_long_is_ended_and_said_to_have_begun() {
    let server = Sshd::start().await;
    let granted = call().to(&server.world_with("timeout = \"2s\"").bind());
    let granted = granted.connect(server.address).await.unwrap();
    let device = call().to(&server.world().bind()).connect(server.address).await.unwrap();
    for (device, time) in [
        (&granted, None),
        (&granted, Some(Duration::from_secs(3600))),
        (&device, Some(Duration::from_secs(2))),
    ] {
        let failure = device.exec("sleep 60", time, None).await.unwrap_err().guest();
        assert_eq!((failure.code, failure.sent, failure.retryable), ("timeout", true, true));
        assert!(failure.message.contains("may have taken effect"), "{}", failure.message);
    }
    assert_eq!(text(&device.exec("echo still here", None, None).await.unwrap().stdout), "still here\n");
}

#[tokio::test]
async fn commands_share_a_connection_and_run_at_once() {
    let server = Sshd::start().await;
    let caller = call().to(&server.world().bind());
    let device = caller.connect(server.address).await.unwrap();
    // Each waits for the other's file.
    let command = |own: &str, other: &str| {
        let at = |name: &str| server.path(name).display().to_string();
        format!("touch {}; while [ ! -e {} ]; do sleep 0.02; done; echo met", at(own), at(other))
    };
    let (one, two) = (command("one", "two"), command("two", "one"));
    let (one, two) = tokio::join!(device.exec(&one, None, None), device.exec(&two, None, None));
    assert_eq!((text(&one.unwrap().stdout), text(&two.unwrap().stdout)), ("met\n".into(), "met\n".into()));
    assert_eq!(device.connections(), 1);
}

#[tokio::test]
async fn what_is_no_command_is_invalid() {
    let server = Sshd::start().await;
    let caller = call().to(&server.world().bind());
    let device = caller.connect(server.address).await.unwrap();
    for command in ["", "  ", "echo a\0b", "echo \u{1b}[A", "echo a\rb", "echo \u{202e}", &"x".repeat(70_000)]
    {
        assert_eq!(
            device.exec(command, None, None).await.unwrap_err().guest().code,
            "invalid",
            "{command:?}"
        );
    }
    let script = device.exec("echo one\n\techo two", None, None).await.unwrap();
    assert_eq!(text(&script.stdout), "one\ntwo\n");
}

#[tokio::test]
async fn a_command_that_the_grant_restricts_is_matched_whole() {
    let server = Sshd::start().await;
    let world = server.world_with("commands = [\"echo *\", \"cat /proc/loadavg | wc -*\"]");
    let caller = call().to(&world.bind());
    let device = caller.connect(server.address).await.unwrap();
    assert_eq!(text(&device.exec("echo hello", None, None).await.unwrap().stdout), "hello\n");
    assert_eq!(text(&device.exec("cat /proc/loadavg | wc -l", None, None).await.unwrap().stdout), "1\n");
    let touched = server.path("touched");
    let touch = format!("touch {}", touched.display());
    for command in [
        touch.clone(),
        format!("echo hello; {touch}"),
        format!("echo hello\n{touch}"),
        format!("echo hello && {touch}"),
        format!("echo $({touch})"),
        format!("echo `{touch}`"),
        format!("echo hello > {}", touched.display()),
        format!("cat /proc/loadavg | wc -l; {touch}"),
    ] {
        assert_eq!(
            device.exec(&command, None, None).await.unwrap_err().guest().code,
            "denied",
            "{command:?}"
        );
    }
    assert!(!touched.exists());
}

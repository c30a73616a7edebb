//! Bad cases: each has a code, says whether to try again, and leaves nothing open.

use std::time::Duration;

use fleetgate_sdk::ssh::{Key, SshError};
use fleetgate_sdk::testing::{self, Device, Harness, Reply, Typed};
use naas::direct::{PLATFORMS, run};

use crate::{configure, failed, lab, on, show, text};

fn landed() -> Device {
    let device = Device::new().echoes().says("R1#").expects("").says("R1#");
    device.expects("terminal width 511").says("R1#").expects("terminal length 0").says("R1#")
}

#[test]
fn each_way_not_to_be_connected_has_its_code() {
    for (ssh, code, retryable) in [
        ("denied", "DENIED", false),
        ("unresolved", "CONNECTION_TIMEOUT", true),
        ("refused", "CONNECTION_TIMEOUT", true),
        ("unreachable", "CONNECTION_TIMEOUT", true),
        ("banner-timeout", "CONNECTION_TIMEOUT", true),
        ("timeout", "CONNECTION_TIMEOUT", true),
        ("auth-failed", "AUTH_FAILURE", false),
        ("auth-method", "AUTH_FAILURE", false),
        ("credential", "AUTH_FAILURE", false),
        ("host-key-unknown", "HOST_KEY", false),
        ("host-key-changed", "HOST_KEY", false),
        ("kex-mismatch", "SSH_ERROR", false),
        ("of-tomorrow", "SSH_ERROR", false),
    ] {
        for platform in ["cisco_ios", "linux"] {
            let device = Device::refusing(SshError::new(ssh, "this is what happened"));
            let (result, _) = on(device, &show(platform, &["show clock"]));
            let error = failed(&result, code, retryable);
            assert!(error.contains(&format!("{platform} r1:22")), "{error}");
        }
    }
}

#[test]
fn what_cannot_be_typed_is_refused_before_anything_is_connected() {
    for (platform, command) in [
        ("cisco_ios", "show clock\nreload"),
        ("cisco_ios", "show clock\rreload"),
        ("cisco_ios", "show\tclock"),
        ("cisco_ios", "show \u{1b}[A"),
        ("cisco_ios", "\u{15}reload"),
        ("cisco_ios", "  "),
        ("cisco_ios", ""),
        ("linux", "uptime\nreboot"),
        ("apc_aos", "show clock"),
    ] {
        let host = lab(Device::new());
        let result = host.run(|| run(&show(platform, &["show version", command])));
        failed(&result, "INVALID_JOB", false);
        assert_eq!(host.visits(), [], "{command:?}");
    }
    failed(&Harness::new().run(|| run(&show("cisco_ios", &[]))), "INVALID_JOB", false);
    assert_eq!(PLATFORMS.len(), 10);
}

#[test]
fn a_command_that_is_not_granted_is_named() {
    let device =
        landed().allows(|line| !line.starts_with("show running")).expects("show clock").says("12:00\r\nR1#");
    let (result, _) = on(device, &show("cisco_ios", &["show clock", "show running-config"]));
    let error = failed(&result, "DENIED", false);
    assert!(error.contains("command 2 of 2") && error.contains("show running-config"), "{error}");
}

#[test]
fn a_device_that_drops_the_connection_in_the_middle_says_how_far_it_came() {
    let device =
        landed().expects("show clock").says("12:00\r\nR1#").expects("show tech").says("...\r\n").drops();
    let (result, _) = on(device, &show("cisco_ios", &["show clock", "show tech"]));
    assert!(failed(&result, "CONNECTION_LOST", true).contains("command 2 of 2"));
    let device = landed().expects("exit").closes(None);
    let (result, _) = on(device, &show("cisco_ios", &["exit"]));
    failed(&result, "CONNECTION_LOST", true);
}

#[test]
fn a_prompt_that_never_comes_is_a_read_timeout_with_the_devices_last_words() {
    let (result, _) = on(
        Device::new().says("login successful\r\nWelcome\r\n").replies(|_| Reply::new()),
        &show("cisco_ios", &["show clock"]),
    );
    let error = failed(&result, "READ_TIMEOUT", true);
    assert!(error.contains("No prompt of a cisco_ios device") && error.contains("\"Welcome\""), "{error}");

    let device = landed().expects("show clock").says("12:00\r\n");
    let (result, _) = on(device, &show("cisco_ios", &["show clock"]));
    assert!(failed(&result, "READ_TIMEOUT", true).contains("30 seconds"));
}

#[test]
fn the_wrong_platform_is_a_prompt_that_is_never_seen() {
    let device = Device::new().says("ann@mx1> ").replies(|_| Reply::new().says("\r\nann@mx1> "));
    // Junos shows a prompt that IOS could have too, so it is met; a shell's is not.
    let (result, _) = on(device, &show("mikrotik_routeros", &["/system identity print"]));
    assert!(failed(&result, "READ_TIMEOUT", true).contains("Is the platform right?"));
}

#[test]
fn a_slow_device_is_waited_for_as_long_as_it_says_something() {
    let mut device = landed().expects("show tech-support");
    for line in 0..20 {
        device = device.pauses(Duration::from_secs(20)).says(format!("line {line}\r\n"));
    }
    let (result, _) = on(device.says("R1#"), &show("cisco_ios", &["show tech-support"]));
    assert_eq!(text(&result, "show tech-support").lines().count(), 20);
}

#[test]
fn the_time_of_silence_is_the_operators() {
    let device = || landed().expects("show tech").pauses(Duration::from_secs(50)).says("done\r\nR1#");
    let (result, _) = on(device(), &show("cisco_ios", &["show tech"]));
    failed(&result, "READ_TIMEOUT", true);
    let host = lab(device()).config("read_timeout", "60s");
    assert_eq!(text(&host.run(|| run(&show("cisco_ios", &["show tech"]))), "show tech"), "done");
}

#[test]
fn what_looks_like_the_prompt_within_the_output_does_not_end_it() {
    let device = landed()
        .expects("show running-config")
        .says("banner motd ^C\r\nR1#")
        .says("\r\nR1# is what this prompt looks like\r\nR1#")
        .pauses(Duration::from_millis(100))
        .says("\r\n^C\r\nend\r\n")
        .says("R1#")
        .expects("show clock")
        .says("12:00\r\nR1#");
    let (result, _) = on(device, &show("cisco_ios", &["show running-config", "show clock"]));
    assert_eq!(
        text(&result, "show running-config"),
        "banner motd ^C\nR1#\nR1# is what this prompt looks like\nR1#\n^C\nend"
    );
    assert_eq!(text(&result, "show clock"), "12:00");
}

#[test]
fn output_that_comes_after_a_false_prompt_belongs_to_its_own_command() {
    // The device pauses for a whole second just after its name and a hash.
    let device = landed()
        .expects("show running-config")
        .says("banner motd ^C\r\nR1#")
        .pauses(Duration::from_secs(1))
        .says(" is my name\r\n^C\r\nend\r\nR1#")
        .expects("show clock")
        .says("12:00\r\nR1#");
    // The echo of the second command comes behind the rest of the first answer.
    let (result, _) = on(device, &show("cisco_ios", &["show running-config", "show clock"]));
    assert_eq!(text(&result, "show clock"), "12:00");
    assert!(text(&result, "show running-config").ends_with("is my name\n^C\nend"), "{result:?}");
}

#[test]
fn a_command_that_asks_is_left_and_the_question_is_said() {
    let device = landed()
        .expects("reload")
        .says("Proceed with reload? [confirm]")
        .expects_key(Key::CtrlC)
        .says("\r\nR1#");
    let (result, _) = on(device, &show("cisco_ios", &["reload"]));
    assert!(failed(&result, "READ_TIMEOUT", false).contains("Proceed with reload? [confirm]"));
}

#[test]
fn a_cancelled_job_ends_at_once_and_leaves_the_mode_to_the_host() {
    let device = Device::new().echoes().says("R1#").replies(|typed| match typed {
        Typed::Line(line) if line == "configure terminal" => Reply::new().says("R1(config)#"),
        Typed::Line(line) if line == "interface Vlan10" => {
            testing::cancel();
            Reply::new()
        }
        _ => Reply::new().says("R1#"),
    });
    let (result, visit) = on(device, &configure("cisco_ios", &["interface Vlan10", "shutdown"]));
    assert!(failed(&result, "UNKNOWN", false).contains("cancelled"));
    assert!(!visit.lines().contains(&"shutdown"));
}

//! Devices, played by the harness as the host and they behave.

use std::time::Duration;

use fleetgate_sdk::Fault;
use fleetgate_sdk::ssh::{
    Chunk, Connection, Key, LineEnd, Login, Output, Secret, Shell, SshError, Step, Terminal,
};
use fleetgate_sdk::testing::{self, Device, Harness, Reply, Typed};
use serde_json::json;

const SECOND: Duration = Duration::from_secs(1);

fn lab(device: Device) -> Harness {
    Harness::new().granted("ssh.devices").device("r1", device)
}

fn connect() -> Result<Connection, SshError> {
    Connection::connect("ssh.devices", "r1", 22)
}

fn shell() -> Shell {
    connect().unwrap().open_shell(&Terminal::default()).unwrap()
}

fn text(shell: &Shell) -> String {
    match shell.read(1024, SECOND).unwrap() {
        Chunk::Data(data) => String::from_utf8(data).unwrap(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_device_that_is_not_granted_is_denied() {
    let denied = Harness::new().device("r1", Device::new()).run(|| connect().unwrap_err());
    assert!(denied.is("denied") && !denied.retryable, "{denied:?}");
    assert!(connect().unwrap_err().is("denied"), "without a harness nothing is granted");
    let unknown = lab(Device::new()).run(|| Connection::connect("ssh.devices", "r2", 22).unwrap_err());
    assert!(unknown.is("unresolved") && unknown.retryable);
}

#[test]
fn a_script_says_its_lines_piece_by_piece() {
    let device = Device::new()
        .says("R1>")
        .expects("enable")
        .says("Password: ")
        .expects_secret(Secret::Enable)
        .says("\r\n")
        .says("R1#")
        .expects_key(Key::Space)
        .closes(Some(3));
    let host = lab(device);
    host.run(|| {
        let shell = shell();
        assert_eq!(text(&shell), "R1>");
        assert_eq!(shell.read(10, SECOND), Ok(Chunk::TimedOut));
        shell.send_line("enable").unwrap();
        assert_eq!(shell.read(4, SECOND), Ok(Chunk::Data(b"Pass".to_vec())));
        assert_eq!(text(&shell), "word: ");
        shell.send_secret(Secret::Enable).unwrap();
        assert_eq!((text(&shell), text(&shell)), ("\r\n".into(), "R1#".into()));
        shell.send_key(Key::Space).unwrap();
        assert_eq!((shell.read(10, SECOND), shell.exit_status()), (Ok(Chunk::Closed), Some(3)));
        assert!(shell.send_line("more").unwrap_err().is("closed"));
    });
    let visit = &host.visits()[0];
    assert_eq!((visit.host.as_str(), visit.port, visit.open), ("r1", 22, 0));
    assert_eq!(visit.lines(), ["enable"]);
    assert_eq!(visit.typed[1..], [Typed::Secret(Secret::Enable), Typed::Key(Key::Space)]);
    assert_eq!(host.slept(), SECOND);
}

#[test]
#[should_panic(expected = "expects something else")]
fn another_line_than_the_scripts_fails_the_test() {
    lab(Device::new().expects("show version")).run(|| shell().send_line("reload").unwrap());
}

#[test]
fn a_silence_uses_up_the_time_and_nobody_waits() {
    let host = lab(Device::new().pauses(5 * SECOND).says("R1#")).deadline(20 * SECOND);
    host.run(|| {
        let shell = shell();
        assert_eq!(shell.read(10, 2 * SECOND), Ok(Chunk::TimedOut));
        assert_eq!(shell.read(10, 4 * SECOND), Ok(Chunk::Data(b"R1#".to_vec())));
        let late = shell.read(10, 60 * SECOND).unwrap_err();
        assert!(late.is("timeout") && late.sent, "the call's own time is over: {late:?}");
    });
    assert_eq!(host.slept(), 20 * SECOND);
}

#[test]
fn a_password_is_typed_only_where_it_is_asked_for() {
    lab(Device::new().says("R1#")).run(|| {
        assert!(shell().send_secret(Secret::Password).unwrap_err().is("echo"));
    });
    for line in ["ssh r2", "sudo id", "show enable"] {
        lab(Device::new().says("R1#").expects(line).says("Password: ")).run(|| {
            let shell = shell();
            shell.send_line(line).unwrap();
            assert!(shell.send_secret(Secret::Enable).unwrap_err().is("echo"), "{line}");
        });
    }
}

#[test]
fn what_is_echoed_is_what_a_device_would_echo() {
    let mut asked = false;
    let device = Device::new().echoes().says("R1>").replies(move |typed| match typed {
        Typed::Line(line) if line == "enable" => Reply::new().says("Password:"),
        Typed::Line(_) if !asked => {
            asked = true;
            Reply::new().says("\r\nR1#")
        }
        _ => Reply::new().drops(),
    });
    lab(device).run(|| {
        let shell = shell();
        assert_eq!(text(&shell), "R1>");
        shell.send_line("enable").unwrap();
        assert_eq!((text(&shell), text(&shell)), ("enable\r\n".into(), "Password:".into()));
        shell.send_line("guess").unwrap();
        assert_eq!(text(&shell), "\r\nR1#");
        shell.send_key(Key::CtrlC).unwrap();
        let dropped = shell.read(10, SECOND).unwrap_err();
        assert!(dropped.is("dropped") && dropped.retryable && dropped.sent);
    });
}

#[test]
fn lines_that_the_grant_does_not_allow_or_that_cannot_be_typed_are_refused() {
    let device = Device::new().allows(|line| line.starts_with("show ")).replies(|_| Reply::new());
    let host = lab(device);
    host.run(|| {
        let shell = shell();
        assert!(shell.send_line("reload").unwrap_err().is("denied"));
        assert!(shell.send_line("show clock\nreload").unwrap_err().is("invalid"));
        assert!(shell.write(b"show clock").unwrap_err().is("denied"));
        assert!(shell.on_close(&[Step::Line("end".into())]).unwrap_err().is("denied"));
        shell.send_line("show clock").unwrap();
        assert!(connect().unwrap().exec("reload").unwrap_err().is("denied"));
    });
    assert_eq!(host.visits()[0].lines(), ["show clock"]);
}

#[test]
fn what_was_left_for_the_end_is_typed_when_the_terminal_is_dropped() {
    let host = lab(Device::new());
    let steps = [Step::Key(Key::CtrlZ), Step::Line("exit".into())];
    host.run(|| {
        let shell = shell();
        shell.on_close(&[Step::Key(Key::N)]).unwrap();
        shell.on_close(&steps).unwrap();
        assert_eq!((host.visits()[0].open, host.visits()[0].left.len()), (1, 0));
    });
    assert_eq!((host.visits()[0].open, host.visits()[0].left.as_slice()), (0, &steps[..]));
}

#[test]
fn commands_leave_their_output_and_are_cut_at_the_limit() {
    let output = Output { stdout: b"up 3 days\n".to_vec(), exit_status: Some(0), ..Output::default() };
    let device =
        Device::new().answers("uptime", output).fails("reboot", SshError::new("dropped", "it broke").sent());
    let host = lab(device);
    host.run(|| {
        let device = connect().unwrap();
        assert_eq!(device.exec("uptime").unwrap().stdout(), "up 3 days\n");
        let cut = device.command("uptime").timeout(SECOND).max_bytes(4).run().unwrap();
        assert_eq!((cut.stdout().as_str(), cut.cut, cut.exit_status), ("up 3", true, None));
        assert!(device.exec("reboot").unwrap_err().sent);
        assert!(device.exec("a\nb").unwrap_err().is("invalid"));
    });
    assert_eq!(host.visits()[0].commands, ["uptime", "uptime", "reboot"]);
}

#[test]
fn a_login_of_the_calls_own_is_passed_on_and_not_shown() {
    let login = Login { user: Some("ann".into()), password: Some("placeholder-7".into()), enable: None };
    let host = lab(Device::new().banner("Keep out."));
    let banner = host.run(|| Connection::connect_with("ssh.devices", "r1", 830, &login).unwrap().banner());
    assert_eq!(banner.as_deref(), Some("Keep out."));
    assert_eq!((host.visits()[0].port, &host.visits()[0].login), (830, &Some(login.clone())));
    assert!(!format!("{login:?}").contains("placeholder"));
}

#[test]
fn a_cancelled_call_ends_its_wait_and_may_clean_up() {
    let device = Device::new().replies(|typed| match typed {
        Typed::Line(_) => {
            testing::cancel();
            Reply::new()
        }
        _ => Reply::new().says("R1#"),
    });
    lab(device).run(|| {
        let shell = shell();
        shell.send_line("ping 10.0.0.1 repeat 100000").unwrap();
        assert!(shell.read(10, SECOND).unwrap_err().is("cancelled"));
        shell.send_key(Key::CtrlC).unwrap();
        assert_eq!(text(&shell), "R1#");
    });
}

#[test]
fn a_failure_becomes_a_fault_that_keeps_its_code() {
    for (code, expected) in [
        ("denied", "denied"),
        ("invalid", "invalid-arguments"),
        ("banner-timeout", "timeout"),
        ("refused", "unavailable"),
        ("host-key-changed", "upstream"),
        ("auth-failed", "upstream"),
        ("cancelled", "cancelled"),
        ("of-tomorrow", "upstream"),
    ] {
        let fault = Fault::from(SshError::new(code, "it failed"));
        assert_eq!((fault.code.as_str(), fault.message.as_str()), (expected, "SSH: it failed."));
        assert_eq!(fault.details.as_deref().unwrap()["ssh"], json!(code));
    }
    let refused = lab(Device::refusing(SshError::new("refused", "nothing listens there").retryable()));
    assert!(Fault::from(refused.run(|| connect().unwrap_err())).retryable);
}

#[test]
fn a_terminals_options_are_spelled_as_the_interface_wants_them() {
    let options = serde_json::to_value(Terminal { line_end: LineEnd::CrLf, ..Terminal::default() }).unwrap();
    assert_eq!(options, json!({ "term": "vt100", "columns": 511, "rows": 1000, "lineEnd": "crlf" }));
}

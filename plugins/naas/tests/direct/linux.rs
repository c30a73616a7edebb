//! Linux: commands by themselves, configuration in a shell of root's.

use fleetgate_sdk::ssh::{Output, Secret, SshError};
use fleetgate_sdk::testing::{Device, Reply, Typed};

use crate::{configure, failed, on, show, text};

fn output(stdout: &str, stderr: &str, status: u32) -> Output {
    Output { stdout: stdout.into(), stderr: stderr.into(), exit_status: Some(status), ..Output::default() }
}

#[test]
fn commands_run_without_a_terminal_and_their_exit_status_is_said() {
    let device = Device::new()
        .answers("uname -r", output("6.1.0-13-amd64\n", "", 0))
        .answers("ls /nowhere", output("", "ls: cannot access '/nowhere': No such file or directory\n", 2));
    let (result, visit) = on(device, &show("linux", &["uname -r", "ls /nowhere"]));
    assert_eq!(text(&result, "uname -r"), "6.1.0-13-amd64");
    assert!(text(&result, "ls /nowhere").starts_with("ls: cannot access"));
    assert_eq!(result.warnings, ["\"ls /nowhere\" ended with exit status 2."]);
    assert_eq!((visit.commands.len(), visit.typed.len()), (2, 0));
}

#[test]
fn a_command_that_fails_to_run_is_named() {
    let slow = SshError::new("timeout", "the command was not done in time").retryable().sent();
    let device = Device::new().answers("date", output("now\n", "", 0)).fails("sleep 1000", slow);
    let (result, _) = on(device, &show("linux", &["date", "sleep 1000"]));
    assert!(failed(&result, "READ_TIMEOUT", true).contains("command 2 of 2"));
    let refused = SshError::new("channel-refused", "the device refuses a session");
    let (result, _) = on(Device::new().fails("date", refused), &show("linux", &["date"]));
    failed(&result, "SSH_ERROR", false);
}

/// A machine with bash, whose prompt may be set, and `sudo`.
fn machine(sets_prompt: bool, asks: bool) -> Device {
    let (mut root, mut marked) = (false, None::<String>);
    let mut status = 0;
    Device::new().echoes().says("\u{1b}]0;ann@web1: ~\u{7}ann@web1:~$ ").replies(move |typed| {
        let mut said = String::new();
        match typed {
            Typed::Line(line) if line == "sudo -s" && asks => {
                return Reply::new().says("[sudo] password for ann: ");
            }
            Typed::Line(line) if line == "sudo -s" => root = true,
            Typed::Secret(Secret::Enable | Secret::Password) => {
                root = true;
                said.push_str("\r\n");
            }
            Typed::Line(line) if line.starts_with("PS1='") => {
                marked = line.strip_prefix("PS1='").unwrap().strip_suffix(":$?#'").map(str::to_owned);
                if !sets_prompt {
                    said.push_str("PS1=: Command not found.\r\n");
                }
            }
            Typed::Line(line) if line.starts_with("grep") => status = 1,
            Typed::Line(line) if line.starts_with("bogus") => {
                said.push_str("bash: bogus: command not found\r\n");
                status = 127;
            }
            _ => status = 0,
        }
        let prompt = match &marked {
            Some(name) if sets_prompt => format!("{name}:{status}#"),
            _ if root => "root@web1:/home/ann# ".to_owned(),
            _ => "ann@web1:~$ ".to_owned(),
        };
        Reply::new().says(said + &prompt)
    })
}

#[test]
fn lines_are_typed_into_a_shell_of_roots() {
    for (sets_prompt, asks) in [(true, true), (true, false), (false, true)] {
        let lines = ["sysctl -w net.ipv4.ip_forward=1", "grep nobody /etc/hosts"];
        let mut job = configure("linux", &lines);
        job.save_config = true;
        let (result, visit) = on(machine(sets_prompt, asks), &job);
        let transcript = text(&result, "config_set_output");
        assert!(transcript.contains("sysctl -w"), "{transcript}");
        assert!(result.warnings[0].contains("save_config"));
        let status = result.warnings.iter().any(|warning| warning.contains("exit status 1"));
        assert_eq!(status, sets_prompt, "{:?}", result.warnings);
        assert_eq!(visit.typed.contains(&Typed::Secret(Secret::Enable)), asks);
    }
}

#[test]
fn a_line_that_the_shell_cannot_run_ends_it() {
    for sets_prompt in [true, false] {
        let (result, _) =
            on(machine(sets_prompt, true), &configure("linux", &["true", "bogus --now", "false"]));
        let error = failed(&result, "CONFIG_REJECTED", false);
        assert!(error.contains("bogus --now") && error.contains("1 of the 3 lines took effect"), "{error}");
        assert_eq!(result.progress.unwrap().not_sent, ["false"]);
    }
}

#[test]
fn a_user_who_may_not_become_root_configures_nothing() {
    let device = Device::new().echoes().says("ann@web1:~$ ").replies(|typed| match typed {
        Typed::Line(line) if line == "sudo -s" => Reply::new()
            .says("ann is not in the sudoers file.  This incident will be reported.\r\nann@web1:~$ "),
        _ => Reply::new().says("ann@web1:~$ "),
    });
    let (result, visit) = on(device, &configure("linux", &["reboot"]));
    assert!(failed(&result, "SSH_ERROR", false).contains("not in the sudoers file"));
    assert!(!visit.lines().contains(&"reboot"));

    let device = Device::new().echoes().says("ann@web1:~$ ").replies(|typed| match typed {
        Typed::Line(line) if line == "sudo -s" => Reply::new().says("[sudo] password for ann: "),
        Typed::Secret(_) => Reply::new().says("\r\nSorry, try again.\r\n[sudo] password for ann: "),
        _ => Reply::new().says("ann@web1:~$ "),
    });
    let (result, _) = on(device, &configure("linux", &["reboot"]));
    failed(&result, "AUTH_FAILURE", false);
}

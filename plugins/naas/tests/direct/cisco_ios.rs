//! Cisco IOS, the platform that most others are like.

use fleetgate_sdk::ssh::{Key, Secret, Step};
use fleetgate_sdk::testing::{Device, Reply, Typed};

use crate::{configure, failed, on, show, text};

/// A switch at whose privileged level one lands.
fn landed() -> Device {
    Device::new()
        .echoes()
        .says("\r\nUnauthorized access is prohibited.\r\n\r\n")
        .says("SW1#")
        .expects("")
        .says("SW1#")
        .expects("terminal width 511")
        .says("SW1#")
        .expects("terminal length 0")
        .says("SW1#")
}

/// The same, in its configuration mode.
fn configuring() -> Device {
    landed()
        .expects("configure terminal")
        .says("Enter configuration commands, one per line.  End with CNTL/Z.\r\nSW1(config)#")
}

#[test]
fn a_command_gives_its_output_without_echo_and_prompt() {
    let device = landed().expects("show clock").says("*11:54:03.018 UTC Sat Apr 16 2022\r\n").says("SW1#");
    let (result, visit) = on(device, &show("cisco_ios", &["show clock"]));
    assert_eq!(text(&result, "show clock"), "*11:54:03.018 UTC Sat Apr 16 2022");
    assert_eq!((result.status.as_str(), result.warnings.len()), ("finished", 0));
    assert_eq!(visit.left, [], "nothing has to be left");
}

#[test]
fn commands_run_in_their_order_and_indented_output_keeps_its_indentation() {
    let device = landed()
        .expects("show vlan brief")
        .says(
            "\r\nVLAN Name      Status\r\n---- --------- ---------\r\n1    default   active    \r\n\r\nSW1#",
        )
        .expects("show ip route static")
        .says("      10.0.0.0/8 is variably subnetted\r\nS        10.1.0.0/16 [1/0] via 10.0.0.1\r\nSW1#");
    let (result, _) = on(device, &show("cisco_ios", &["show vlan brief", "show ip route static"]));
    let vlans = text(&result, "show vlan brief");
    assert!(vlans.starts_with("VLAN Name") && vlans.ends_with("active"), "{vlans}");
    assert!(text(&result, "show ip route static").starts_with("      10.0.0.0/8"));
}

#[test]
fn the_privileged_level_is_reached_with_the_granted_password() {
    let device = Device::new()
        .echoes()
        .says("R1>")
        .expects("")
        .says("R1>")
        .expects("enable")
        .says("Password: ")
        .expects_secret(Secret::Enable)
        .says("\r\nR1#")
        .expects("terminal width 511")
        .says("R1#")
        .expects("terminal length 0")
        .says("R1#")
        .expects("show running-config")
        .says("Building configuration...\r\n\r\nCurrent configuration : 5 bytes\r\n!\r\nend\r\n\r\nR1#");
    let (result, _) = on(device, &show("cisco_ios", &["show running-config"]));
    assert!(text(&result, "show running-config").ends_with("!\nend"));
}

fn at_user_level(asked: Device) -> Device {
    asked.expects("terminal width 511").says("R1>").expects("terminal length 0").says("R1>")
}

#[test]
fn without_the_password_commands_run_at_the_users_level_and_the_result_says_so() {
    let asked = Device::new().echoes().says("R1>").expects("").says("R1>").expects("enable");
    let device =
        at_user_level(asked.says("% No password set\r\nR1>")).expects("show clock").says("12:00\r\nR1>");
    let (result, _) = on(device, &show("cisco_ios", &["show clock"]));
    assert_eq!(text(&result, "show clock"), "12:00");
    assert!(result.warnings[0].contains("No password set"), "{:?}", result.warnings);
}

#[test]
fn a_wrong_enable_password_of_the_calls_own_is_an_authentication_failure() {
    let device = Device::new()
        .echoes()
        .says("R1>")
        .expects("")
        .says("R1>")
        .expects("enable")
        .says("Password: ")
        .expects_secret(Secret::Enable)
        .says("\r\nPassword: ")
        .expects_key(Key::CtrlC)
        .says("\r\nR1>");
    let mut job = show("cisco_ios", &["show clock"]);
    job.enable = Some("fleetgate-secret-x".into());
    let (result, visit) = on(device, &job);
    let error = failed(&result, "AUTH_FAILURE", false);
    assert!(error.contains("privileged level") && !error.contains("fleetgate-secret"), "{error}");
    assert_eq!(visit.login.unwrap().enable.as_deref(), Some("fleetgate-secret-x"));
}

#[test]
fn pages_are_turned_where_the_grant_does_not_let_paging_be_switched_off() {
    let back = "\u{8}".repeat(9);
    let erase = format!("{back}        {back}");
    let device = Device::new()
        .echoes()
        .allows(|line| line.starts_with("show "))
        .says("SW1#")
        .expects("")
        .says("SW1#")
        .expects("show logging")
        .says("one\r\n two\r\n --More-- ")
        .expects_key(Key::Space)
        .says(&erase[..5])
        .says(format!("{}  three\r\nfour\r\n --More-- ", &erase[5..]))
        .expects_key(Key::Space)
        .says(format!("{erase}five\r\n"))
        .says("SW1#");
    let (result, _) = on(device, &show("cisco_ios", &["show logging"]));
    assert_eq!(text(&result, "show logging"), "one\n two\n  three\nfour\nfive");
}

#[test]
fn lines_are_entered_one_by_one_and_the_mode_is_left_and_saved() {
    let device = configuring()
        .expects("interface Vlan10")
        .says("SW1(config-if)#")
        .expects("description % Invalid input is what this says")
        .says("SW1(config-if)#")
        .expects("end")
        .says("SW1#")
        .expects("write mem")
        .says("Building configuration...\r\n")
        .says("[OK]\r\nSW1#");
    let lines = ["interface Vlan10", "description % Invalid input is what this says"];
    let mut job = configure("cisco_ios", &lines);
    job.save_config = true;
    let (result, visit) = on(device, &job);
    let transcript = text(&result, "config_set_output");
    assert!(transcript.starts_with("SW1#configure terminal\nEnter configuration commands"), "{transcript}");
    assert!(transcript.contains("SW1(config)#interface Vlan10\nSW1(config-if)#description"), "{transcript}");
    assert!(transcript.contains("[OK]"));
    assert_eq!((visit.left.as_slice(), result.warnings.as_slice()), (&[][..], &[][..]));
}

#[test]
fn a_refused_line_ends_it_and_the_result_says_which_lines_stay() {
    let device = configuring()
        .expects("vlan 10")
        .says("SW1(config-vlan)#")
        .expects("bogus")
        .says("          ^\r\n% Invalid input detected at '^' marker.\r\n\r\nSW1(config-vlan)#")
        .expects("end")
        .says("SW1#");
    let mut job = configure("cisco_ios", &["vlan 10", "bogus", "name LAB"]);
    job.save_config = true;
    let (result, visit) = on(device, &job);
    let error = failed(&result, "CONFIG_REJECTED", false);
    assert!(
        error.starts_with("Invalid input detected at command: bogus, matched error: % Invalid"),
        "{error}"
    );
    assert!(error.contains("1 of the 3 lines took effect and stay; 1 of them were not sent"), "{error}");
    let progress = result.progress.unwrap();
    assert_eq!(
        (progress.applied, progress.not_sent),
        (vec!["vlan 10".to_owned()], vec!["name LAB".to_owned()])
    );
    assert_eq!(progress.rejected.as_deref(), Some("bogus"));
    assert_eq!(visit.lines().last(), Some(&"end"), "what was refused half-way is not saved");
    assert_eq!(visit.left, [], "the mode was left already");
}

#[test]
fn what_a_device_remarks_is_passed_on() {
    let device = configuring()
        .expects("spanning-tree portfast default")
        .says("%Warning: this command enables portfast by default on all interfaces.\r\nSW1(config)#")
        .expects("end")
        .says("SW1#");
    let (result, _) = on(device, &configure("cisco_ios", &["spanning-tree portfast default"]));
    assert_eq!(result.error, None);
    assert!(result.warnings[0].contains("enables portfast"), "{:?}", result.warnings);
}

#[test]
fn a_banner_is_entered_line_by_line() {
    let device = configuring()
        .expects("banner motd #")
        .says("Enter TEXT message.  End with the character '#'.\r\n")
        .expects("Keep out")
        .expects("SW1(config)")
        .expects("#")
        .says("SW1(config)#")
        .expects("end")
        .says("SW1#");
    let (result, _) = on(device, &configure("cisco_ios", &["banner motd #", "Keep out", "SW1(config)", "#"]));
    assert!(text(&result, "config_set_output").contains("Keep out"));
}

#[test]
fn a_banner_without_an_end_is_refused_and_left() {
    let device = configuring()
        .expects("banner motd #")
        .says("Enter TEXT message.  End with the character '#'.\r\n")
        .expects("Keep out")
        .expects_key(Key::CtrlC)
        .says("\r\nSW1#")
        .expects("end")
        .says("SW1#");
    let (result, _) = on(device, &configure("cisco_ios", &["banner motd #", "Keep out"]));
    assert!(failed(&result, "CONFIG_REJECTED", false).contains("the rest of the text"));
}

#[test]
fn a_question_is_answered_by_the_next_line_and_by_nothing_else() {
    let question = "This operation will remove all username related configurations with same name.\
                    Do you want to continue? [confirm]";
    let asked = || configuring().expects("no username ann").says(question);
    let device = asked().expects("y").says("\r\nSW1(config)#").expects("end").says("SW1#");
    let (result, _) = on(device, &configure("cisco_ios", &["no username ann", "y"]));
    assert_eq!(result.error, None);

    let device = asked().expects_key(Key::CtrlC).says("\r\nSW1(config)#").expects("end").says("SW1#");
    let (result, visit) = on(device, &configure("cisco_ios", &["no username ann", "no username bob"]));
    assert!(failed(&result, "CONFIG_REJECTED", false).contains("[confirm]"));
    assert!(!visit.lines().contains(&"no username bob"));
    assert_eq!(result.progress.unwrap().not_sent, ["no username bob"]);
}

#[test]
fn a_password_that_a_line_asks_for_is_the_next_line_and_is_not_repeated() {
    let device = configuring()
        .expects("enable secret")
        .says("Enter secret: ")
        .expects("hunter2-canary")
        .says("\r\nConfirm secret: ")
        .expects("hunter3-canary")
        .says("\r\n% Error: the secrets do not match\r\nSW1(config)#")
        .expects("end")
        .says("SW1#");
    let lines = ["enable secret", "hunter2-canary", "hunter3-canary"];
    let (result, _) = on(device, &configure("cisco_ios", &lines));
    failed(&result, "CONFIG_REJECTED", false);
    assert!(!format!("{result:?}").contains("canary"), "{result:?}");

    let device = configuring().allows(|line| !line.contains("canary")).expects("enable secret");
    let device = device.says("Enter secret: ").expects_key(Key::CtrlC).says("\r\nSW1(config)#");
    let (result, _) = on(device.expects("end").says("SW1#"), &configure("cisco_ios", &lines));
    failed(&result, "DENIED", false);
    assert!(!format!("{result:?}").contains("canary"), "{result:?}");
}

#[test]
fn a_changed_hostname_is_followed() {
    let device = configuring()
        .expects("hostname CORE-1")
        .says("CORE-1(config)#")
        .expects("end")
        .says("CORE-1#")
        .expects("write mem")
        .says("[OK]\r\nCORE-1#");
    let mut job = configure("cisco_ios", &["hostname CORE-1"]);
    job.save_config = true;
    let (result, _) = on(device, &job);
    assert_eq!(result.error, None);
}

#[test]
fn a_long_hostname_is_cut_in_the_configuration_mode() {
    let device = Device::new()
        .echoes()
        .says("distribution-switch-berlin-7#")
        .expects("")
        .says("distribution-switch-berlin-7#")
        .expects("terminal width 511")
        .says("distribution-switch-berlin-7#")
        .expects("terminal length 0")
        .says("distribution-switch-berlin-7#")
        .expects("configure terminal")
        .says("distribution-switch-(config)#")
        .expects("ip routing")
        .says("distribution-switch-(config)#")
        .expects("end")
        .says("distribution-switch-berlin-7#");
    let (result, _) = on(device, &configure("cisco_ios", &["ip routing"]));
    assert_eq!(result.error, None);
}

#[test]
fn a_job_that_ends_in_the_middle_leaves_the_mode_to_the_host() {
    let device = configuring().expects("interface Vlan10").drops();
    let (result, _) = on(device, &configure("cisco_ios", &["interface Vlan10", "shutdown"]));
    let error = failed(&result, "CONNECTION_LOST", true);
    assert!(
        error.contains("whether \"interface Vlan10\" did is not known; 1 of them were not sent"),
        "{error}"
    );

    // A device that hangs: the terminal is still there, and what leaves the mode is typed into it by the host.
    let device = configuring().expects("interface Vlan10").expects_key(Key::CtrlC);
    let (result, visit) = on(device, &configure("cisco_ios", &["interface Vlan10"]));
    failed(&result, "READ_TIMEOUT", true);
    assert_eq!(visit.left, [Step::Key(Key::CtrlC), Step::Line("end".into())]);
}

#[test]
fn nothing_is_entered_that_could_not_be_left() {
    let device = landed().allows(|line| !line.starts_with("end")).expects("configure terminal");
    let device = device.says("SW1(config)#").expects("ip routing").says("SW1(config)#");
    let device = device.expects_key(Key::CtrlZ).says("^Z\r\nSW1#");
    let (result, _) = on(device, &configure("cisco_ios", &["ip routing"]));
    assert_eq!(result.error, None, "a key leaves it too");
}

#[test]
fn a_device_that_does_not_enter_the_mode_gets_no_lines() {
    let device = landed()
        .expects("configure terminal")
        .says("% Configuration mode is locked by process '3' user 'ann' from terminal '2'.\r\nSW1#")
        .expects("end")
        .says("Translating \"end\"\r\nSW1#");
    let (result, visit) = on(device, &configure("cisco_ios", &["vlan 10"]));
    let error = failed(&result, "SSH_ERROR", true);
    assert!(error.contains("Failed to enter configuration mode.") && error.contains("locked by"), "{error}");
    assert!(!visit.lines().contains(&"vlan 10"));
}

#[test]
fn a_configuration_needs_the_privileged_level() {
    let asked = Device::new().echoes().says("R1>").expects("").says("R1>").expects("enable");
    let device = at_user_level(asked.says("% Error in authentication.\r\nR1>"));
    let (result, _) = on(device, &configure("cisco_ios", &["vlan 10"]));
    assert!(failed(&result, "SSH_ERROR", false).contains("Error in authentication"));
}

#[test]
fn a_command_that_enters_the_configuration_mode_ends_the_visit() {
    let device = configuring();
    let (result, visit) = on(device, &show("cisco_ios", &["configure terminal", "vlan 10"]));
    assert!(failed(&result, "INVALID_JOB", false).contains("send_config"));
    assert!(!visit.lines().contains(&"vlan 10"));
    assert_eq!(visit.left, [Step::Key(Key::CtrlC), Step::Line("end".into())]);
}

#[test]
fn a_line_that_leaves_the_mode_may_be_the_last_and_no_other() {
    let device = || configuring().expects("ip routing").says("SW1(config)#").expects("end").says("SW1#");
    let (result, _) = on(device(), &configure("cisco_ios", &["ip routing", "end"]));
    assert_eq!(result.error, None);
    let (result, visit) = on(device(), &configure("cisco_ios", &["ip routing", "end", "reload"]));
    assert!(failed(&result, "CONFIG_REJECTED", false).contains("left the configuration mode"));
    assert!(!visit.lines().contains(&"reload"));
    assert_eq!(result.progress.unwrap().not_sent, ["reload"]);
}

#[test]
fn a_failed_save_is_a_failure_that_says_that_the_lines_stand() {
    let device = configuring()
        .expects("ip routing")
        .says("SW1(config)#")
        .expects("end")
        .says("SW1#")
        .expects("write mem")
        .says("startup-config file open failed (Device or resource busy)\r\nSW1#");
    let mut job = configure("cisco_ios", &["ip routing"]);
    job.save_config = true;
    let (result, _) = on(device, &job);
    let error = failed(&result, "SSH_ERROR", true);
    assert!(error.contains("not saved") && error.contains("busy"), "{error}");
    assert_eq!(result.progress.unwrap().applied, ["ip routing"]);
}

#[test]
fn the_prompt_is_confirmed_and_a_banner_is_not_taken_for_it() {
    // The banner's last line is one, and the device takes its time.
    let device = Device::new()
        .echoes()
        .says("Welcome to\r\nR9#")
        .pauses(std::time::Duration::from_secs(2))
        .says("\r\n\r\nSW1#");
    let device = device.replies(move |typed| match typed {
        Typed::Line(line) if line.is_empty() => Reply::new().says("SW1#"),
        Typed::Line(line) if line == "show clock" => Reply::new().says("12:00\r\nSW1#"),
        _ => Reply::new().says("SW1#"),
    });
    let (result, _) = on(device, &show("cisco_ios", &["show clock"]));
    assert_eq!(text(&result, "show clock"), "12:00");
}

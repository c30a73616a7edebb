//! Platforms where lines wait for a commit: IOS XR, Junos.

use fleetgate_sdk::ssh::{Key, Step};
use fleetgate_sdk::testing::Device;

use crate::{committing, configure, failed, on, show, text};

const XR: &str = "RP/0/RSP0/CPU0:xr1#";
const XR_CONFIG: &str = "RP/0/RSP0/CPU0:xr1(config)#";

fn xr() -> Device {
    Device::new()
        .echoes()
        .says(format!("\r\n\r\n{XR}"))
        .expects("")
        .says(XR)
        .expects("terminal width 511")
        .says(format!("Mon Nov 16 10:00:00.123 UTC\r\n{XR}"))
        .expects("terminal length 0")
        .says(format!("Mon Nov 16 10:00:00.456 UTC\r\n{XR}"))
}

fn xr_configuring() -> Device {
    xr().expects("configure terminal").says(format!("Mon Nov 16 10:00:01.000 UTC\r\n{XR_CONFIG}"))
}

#[test]
fn xr_commits_before_the_mode_is_left() {
    let device = xr_configuring()
        .expects("hostname xr1")
        .says(XR_CONFIG)
        .expects("interface Loopback7")
        .says("RP/0/RSP0/CPU0:xr1(config-if)#")
        .expects("commit")
        .says("Mon Nov 16 10:00:02.000 UTC\r\nRP/0/RSP0/CPU0:xr1(config-if)#")
        .expects("end")
        .says(XR);
    let (result, visit) = on(device, &committing("cisco_xr", &["hostname xr1", "interface Loopback7"]));
    assert!(text(&result, "config_set_output").contains("commit"));
    assert_eq!((visit.left.len(), result.warnings.len()), (0, 0));
}

#[test]
fn xr_discards_what_was_not_to_be_committed() {
    let device = xr_configuring()
        .expects("interface Loopback7")
        .says("RP/0/RSP0/CPU0:xr1(config-if)#")
        .expects("end")
        .says("Uncommitted changes found, commit them before exiting(yes/no/cancel)? [cancel]:")
        .expects("no")
        .says(XR);
    let (result, _) = on(device, &configure("cisco_xr", &["interface Loopback7"]));
    assert_eq!(result.error, None);
    assert!(result.warnings[0].contains("Nothing took effect"), "{:?}", result.warnings);
}

#[test]
fn a_commit_that_xr_refuses_is_explained_and_nothing_stays() {
    let device = xr_configuring()
        .expects("router bgp 1")
        .says("RP/0/RSP0/CPU0:xr1(config-bgp)#")
        .expects("commit")
        .says("\r\n% Failed to commit one or more configuration items during a pseudo-atomic operation. All changes made have been reverted. Please issue 'show configuration failed [inheritance]' from this session to view the errors\r\nRP/0/RSP0/CPU0:xr1(config-bgp)#")
        .expects("show configuration failed")
        .says("!! SEMANTIC ERRORS: This configuration was rejected by\r\n!!% The process 'bgp' is not running\r\nRP/0/RSP0/CPU0:xr1(config-bgp)#")
        .expects("end")
        .says("Uncommitted changes found, commit them before exiting(yes/no/cancel)? [cancel]:")
        .expects("no")
        .says(XR);
    let (result, _) = on(device, &committing("cisco_xr", &["router bgp 1"]));
    let error = failed(&result, "CONFIG_REJECTED", false);
    assert!(error.contains("The commit failed") && error.contains("SEMANTIC ERRORS"), "{error}");
    assert_eq!(result.progress.unwrap().applied, Vec::<String>::new());
}

#[test]
fn xr_is_not_talked_into_a_commit_over_somebody_elses() {
    let device = xr_configuring()
        .expects("interface Loopback7")
        .says("RP/0/RSP0/CPU0:xr1(config-if)#")
        .expects("commit")
        .says("One or more commits have occurred from other configuration sessions since this session started or since the last commit was made from this session. You can use the 'show configuration commit changes' command to browse the changes.\r\nDo you wish to proceed with this commit anyway? [no]: ")
        .expects("no")
        .says("RP/0/RSP0/CPU0:xr1(config-if)#")
        .expects("end")
        .says("Uncommitted changes found, commit them before exiting(yes/no/cancel)? [cancel]:")
        .expects("no")
        .says(XR);
    let (result, _) = on(device, &committing("cisco_xr", &["interface Loopback7"]));
    failed(&result, "CONFIG_REJECTED", true);
}

#[test]
fn a_line_that_xr_refuses_takes_all_of_them_back() {
    let device = xr_configuring()
        .expects("interface Loopback7")
        .says("RP/0/RSP0/CPU0:xr1(config-if)#")
        .expects("bogus")
        .says("             ^\r\n% Invalid input detected at '^' marker.\r\nRP/0/RSP0/CPU0:xr1(config-if)#")
        .expects("end")
        .says("Uncommitted changes found, commit them before exiting(yes/no/cancel)? [cancel]:")
        .expects("no")
        .says(XR);
    let (result, _) = on(device, &committing("cisco_xr", &["interface Loopback7", "bogus", "shutdown"]));
    let error = failed(&result, "CONFIG_REJECTED", false);
    assert!(error.contains("None of the lines took effect; 1 of them were not sent"), "{error}");
}

fn junos() -> Device {
    Device::new()
        .echoes()
        .says("--- JUNOS 20.4R3.8 built 2021-06-22\r\n{master:0}\r\nann@mx1> ")
        .expects("")
        .says("\r\n{master:0}\r\nann@mx1> ")
        .expects("set cli screen-width 511")
        .says("Screen width set to 511\r\n\r\n{master:0}\r\nann@mx1> ")
        .expects("set cli screen-length 0")
        .says("Screen length set to 0\r\n\r\n{master:0}\r\nann@mx1> ")
        .expects("set cli complete-on-space off")
        .says("Disabling complete-on-space\r\n\r\n{master:0}\r\nann@mx1> ")
}

fn junos_configuring() -> Device {
    junos().expects("configure private").says(
        "warning: uncommitted changes will be discarded on exit\r\nEntering configuration mode\r\n\r\n{master:0}[edit]\r\nann@mx1# ",
    )
}

#[test]
fn what_junos_puts_before_its_prompt_is_no_output() {
    let device = junos()
        .expects("show chassis hardware | no-more")
        .says("Hardware inventory:\r\nItem             Version\r\n\r\n{master:0}\r\nann@mx1> ");
    let (result, _) = on(device, &show("juniper_junos", &["show chassis hardware | no-more"]));
    assert_eq!(
        text(&result, "show chassis hardware | no-more"),
        "Hardware inventory:\nItem             Version"
    );
}

#[test]
fn a_shell_of_roots_is_left_for_the_cli() {
    let device = Device::new()
        .echoes()
        .says("root@mx1:~ # ")
        .expects("cli")
        .says("root@mx1> ")
        .expects("")
        .says("\r\nroot@mx1> ")
        .expects("set cli screen-width 511")
        .says("root@mx1> ")
        .expects("set cli screen-length 0")
        .says("root@mx1> ")
        .expects("set cli complete-on-space off")
        .says("root@mx1> ")
        .expects("show version")
        .says("Hostname: mx1\r\n\r\nroot@mx1> ");
    let (result, _) = on(device, &show("juniper_junos", &["show version"]));
    assert_eq!(text(&result, "show version"), "Hostname: mx1");
}

#[test]
fn pages_of_junos_are_turned() {
    let device = Device::new()
        .allows(|line| line.starts_with("show"))
        .echoes()
        .says("ann@mx1> ")
        .expects("")
        .says("\r\nann@mx1> ")
        .expects("show interfaces terse")
        .says("ge-0/0/0 up up\r\n---(more)---")
        .expects_key(Key::Space)
        .says("\r                                        \rge-0/0/1 up down\r\n---(more 100%)---")
        .expects_key(Key::Space)
        .says("\r                                        \r\r\nann@mx1> ");
    let (result, _) = on(device, &show("juniper_junos", &["show interfaces terse"]));
    assert_eq!(text(&result, "show interfaces terse"), "ge-0/0/0 up up\nge-0/0/1 up down");
}

#[test]
fn junos_commits_its_own_candidate() {
    let device = junos_configuring()
        .expects("set system location building Berlin")
        .says("\r\n[edit]\r\nann@mx1# ")
        .expects("commit")
        .says("commit complete\r\n\r\n[edit]\r\nann@mx1# ")
        .expects("exit configuration-mode")
        .says("Exiting configuration mode\r\n\r\nann@mx1> ");
    let (result, visit) = on(device, &committing("juniper_junos", &["set system location building Berlin"]));
    assert!(text(&result, "config_set_output").contains("commit complete"));
    assert_eq!(visit.left, []);
}

#[test]
fn a_commit_among_the_lines_is_seen() {
    let device = junos_configuring()
        .expects("set system location building Berlin")
        .says("\r\n[edit]\r\nann@mx1# ")
        .expects("commit and-quit")
        .says("commit complete\r\nExiting configuration mode\r\n\r\nann@mx1> ");
    let lines = ["set system location building Berlin", "commit and-quit"];
    let (result, visit) = on(device, &configure("juniper_junos", &lines));
    assert!(text(&result, "config_set_output").contains("commit complete"));
    assert_eq!((result.warnings.len(), visit.left.len()), (0, 0));
}

#[test]
fn without_commit_junos_is_left_as_it_was() {
    let device = junos_configuring()
        .expects("set system location building Berlin")
        .says("\r\n[edit]\r\nann@mx1# ")
        .expects("rollback 0")
        .says("load complete\r\n\r\n[edit]\r\nann@mx1# ")
        .expects("exit configuration-mode")
        .says("Exiting configuration mode\r\n\r\nann@mx1> ");
    let mut job = configure("juniper_junos", &["set system location building Berlin"]);
    job.save_config = true;
    let (result, _) = on(device, &job);
    assert!(result.warnings[0].contains("Nothing took effect") && result.warnings[1].contains("save_config"));
}

#[test]
fn a_commit_that_junos_refuses_is_taken_back() {
    let device = junos_configuring()
        .expects("set interfaces ge-0/0/9 unit 0 family inet address 10.0.0.1/33")
        .says("                                                           ^\r\nsyntax error.\r\n\r\n[edit]\r\nann@mx1# ")
        .expects("rollback 0")
        .says("load complete\r\n\r\n[edit]\r\nann@mx1# ")
        .expects("exit configuration-mode")
        .says("Exiting configuration mode\r\n\r\nann@mx1> ");
    let line = "set interfaces ge-0/0/9 unit 0 family inet address 10.0.0.1/33";
    let (result, _) = on(device, &committing("juniper_junos", &[line]));
    assert!(failed(&result, "CONFIG_REJECTED", false).contains("matched error: syntax error"));

    let device = junos_configuring()
        .expects("set protocols ospf area 0 interface ge-0/0/9")
        .says("\r\n[edit]\r\nann@mx1# ")
        .expects("commit")
        .says("[edit protocols]\r\n  'ospf'\r\n    warning: OSPF instance has no interfaces\r\nerror: configuration check-out failed\r\n\r\n[edit]\r\nann@mx1# ")
        .expects("rollback 0")
        .says("load complete\r\n\r\n[edit]\r\nann@mx1# ")
        .expects("exit configuration-mode")
        .says("The configuration has been modified but not committed\r\nExit with uncommitted changes? [yes,no] (yes) ")
        .expects("yes")
        .says("\r\nExiting configuration mode\r\n\r\nann@mx1> ");
    let (result, _) =
        on(device, &committing("juniper_junos", &["set protocols ospf area 0 interface ge-0/0/9"]));
    let error = failed(&result, "CONFIG_REJECTED", false);
    assert!(error.contains("check-out failed") && error.contains("None of the lines took effect"), "{error}");
}

#[test]
fn junos_whose_shared_candidate_was_changed_is_left_alone() {
    let device = junos()
        .expects("configure private")
        .says("error: shared configuration database modified\r\n\r\nann@mx1> ")
        .expects("exit configuration-mode")
        .says("unknown command.\r\n\r\nann@mx1> ");
    let (result, visit) = on(device, &committing("juniper_junos", &["set system host-name mx2"]));
    assert!(failed(&result, "SSH_ERROR", true).contains("shared configuration database modified"));
    assert!(!visit.lines().contains(&"configure"));
}

#[test]
fn a_commit_whose_end_is_not_seen_is_said_to_be_unknown() {
    let device = junos_configuring()
        .expects("set system location building Berlin")
        .says("\r\n[edit]\r\nann@mx1# ")
        .expects("commit")
        .drops();
    let (result, _) = on(device, &committing("juniper_junos", &["set system location building Berlin"]));
    let error = failed(&result, "CONNECTION_LOST", true);
    assert!(error.contains("commit") && !error.contains("None of the lines"), "{error}");
    assert_eq!(result.progress, None);
}

#[test]
fn a_session_on_junos_that_ends_in_the_middle_is_rolled_back_by_the_host() {
    let device = junos_configuring().expects("set system host-name mx2").expects_key(Key::CtrlC);
    let (result, visit) = on(device, &committing("juniper_junos", &["set system host-name mx2"]));
    failed(&result, "READ_TIMEOUT", true);
    let line = |line: &str| Step::Line(line.into());
    let expected = [
        Step::Key(Key::CtrlC),
        line("top"),
        line("rollback 0"),
        line("exit configuration-mode"),
        Step::Key(Key::Enter),
    ];
    assert_eq!(visit.left, expected);
}

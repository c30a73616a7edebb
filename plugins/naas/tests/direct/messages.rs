//! Messages of the device's own, between what it says to who is typing.

use fleetgate_sdk::ssh::Key;
use fleetgate_sdk::testing::Device;

use crate::{at_prompt, configure, on, show, text};

const CONFIGURED: &str =
    "*Mar  1 00:02:11.155: %SYS-5-CONFIG_I: Configured from console by ann on vty0 (192.0.2.9)";

#[test]
fn a_message_between_the_answer_and_the_prompt_stays_what_it_is() {
    let device = at_prompt("R1#")
        .expects("show clock")
        .says(format!("12:00\r\n{CONFIGURED}\r\nR1#"))
        .expects("show users")
        .says("ann\r\nR1#");
    let (result, _) = on(device, &show("cisco_ios", &["show clock", "show users"]));
    assert_eq!(text(&result, "show clock"), format!("12:00\n{CONFIGURED}"));
    assert_eq!(text(&result, "show users"), "ann");
}

#[test]
fn a_message_behind_the_prompt_does_not_hide_it() {
    // Without `logging synchronous` nothing is shown again before a key is pressed.
    for message in [format!("{CONFIGURED}\r\n"), format!("\r\n{CONFIGURED}\r\n")] {
        let device = at_prompt("R1#")
            .expects("show clock")
            .says(format!("12:00\r\nR1#{message}"))
            .expects_key(Key::Enter)
            .says("R1#")
            .expects("show users")
            .says("ann\r\nR1#");
        let (result, _) = on(device, &show("cisco_ios", &["show clock", "show users"]));
        assert_eq!(text(&result, "show clock"), "12:00");
        assert_eq!(text(&result, "show users"), "ann");
    }
}

#[test]
fn a_prompt_that_is_shown_again_below_a_message_is_no_answer() {
    let device = at_prompt("R1#").expects("show clock").says(format!("12:00\r\nR1#\r\n{CONFIGURED}\r\nR1#"));
    let (result, _) = on(device, &show("cisco_ios", &["show clock"]));
    assert_eq!(text(&result, "show clock"), "12:00");
}

#[test]
fn a_message_that_comes_while_a_command_is_typed_is_no_part_of_its_answer() {
    let device = Device::new()
        .says("R1#")
        .expects("")
        .says("\r\nR1#")
        .expects("terminal width 511")
        .says("terminal width 511\r\nR1#")
        .expects("terminal length 0")
        .says("terminal length 0\r\nR1#")
        .expects("show clock")
        .says(format!("\r\n{CONFIGURED}\r\nshow clock\r\n12:00\r\nR1#"));
    let (result, _) = on(device, &show("cisco_ios", &["show clock"]));
    assert_eq!(text(&result, "show clock"), "12:00");
}

#[test]
fn the_message_after_a_configuration_hides_neither_the_prompt_nor_what_comes_next() {
    let device = at_prompt("R1#")
        .expects("configure terminal")
        .says("Enter configuration commands, one per line.  End with CNTL/Z.\r\nR1(config)#")
        .expects("interface Vlan10")
        .says("R1(config-if)#")
        .expects("shutdown")
        .says("*Mar  1 00:02:10.000: %LINK-5-CHANGED: Interface Vlan10, changed state to down\r\nR1(config-if)#")
        .expects("end")
        .says(format!("R1#\r\n{CONFIGURED}\r\n"))
        .expects_key(Key::Enter)
        .says("R1#")
        .expects("write mem")
        .says("Building configuration...\r\n[OK]\r\nR1#");
    let mut job = configure("cisco_ios", &["interface Vlan10", "shutdown"]);
    job.save_config = true;
    let (result, _) = on(device, &job);
    let transcript = text(&result, "config_set_output");
    assert!(transcript.contains("%SYS-5-CONFIG_I") && transcript.contains("[OK]"), "{transcript}");
    assert_eq!(result.warnings, Vec::<String>::new());
}

#[test]
fn a_message_that_speaks_of_errors_does_not_refuse_a_line() {
    let device = at_prompt("R1#")
        .expects("configure terminal")
        .says("R1(config)#")
        .expects("no shutdown")
        .says("*Mar  1 00:02:10.000: %PLATFORM-3-ERROR: transceiver error: invalid input\r\nR1(config)#")
        .expects("end")
        .says("R1#");
    let (result, _) = on(device, &configure("cisco_ios", &["no shutdown"]));
    assert_eq!((result.error, result.warnings.len()), (None, 0));
}

#[test]
fn the_commit_of_xr_with_its_message_is_a_commit() {
    let xr = "RP/0/RSP0/CPU0:xr1#";
    let device = at_prompt(xr)
        .expects("configure terminal")
        .says("RP/0/RSP0/CPU0:xr1(config)#")
        .expects("hostname xr1")
        .says("RP/0/RSP0/CPU0:xr1(config)#")
        .expects("commit")
        .says(
            "RP/0/RSP0/CPU0:Nov 16 10:00:00.123 : config[65742]: %MGBL-CONFIG-6-DB_COMMIT : Configuration committed by \
             user 'ann'. Use 'show configuration commit changes 1000000123' to view the changes.\r\n\
             RP/0/RSP0/CPU0:xr1(config)#",
        )
        .expects("end")
        .says(format!(
            "RP/0/RSP0/CPU0:Nov 16 10:00:01.456 : config[65742]: %MGBL-SYS-5-CONFIG_I : Configured from console by ann\r\n{xr}"
        ));
    let mut job = configure("cisco_xr", &["hostname xr1"]);
    job.commit = true;
    let (result, _) = on(device, &job);
    assert!(text(&result, "config_set_output").contains("Configuration committed by user"));
}

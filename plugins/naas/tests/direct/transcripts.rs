//! What real devices write around an answer: messages of their own, notices, pages, repainted and folded lines.

use fleetgate_sdk::ssh::Key;
use fleetgate_sdk::testing::Device;

use crate::{configure, failed, on, show, text};

/// A device of the Cisco kind at its prompt, with everything about the terminal said.
fn at(prompt: &str) -> Device {
    let device = Device::new().echoes().says(prompt).expects("").says(prompt);
    device.expects("terminal width 511").says(prompt).expects("terminal length 0").says(prompt)
}

const CONFIGURED: &str =
    "*Mar  1 00:02:11.155: %SYS-5-CONFIG_I: Configured from console by ann on vty0 (192.0.2.9)";

#[test]
fn a_message_between_the_answer_and_the_prompt_stays_what_it_is() {
    let device = at("R1#")
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
        let device = at("R1#")
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
    let device = at("R1#").expects("show clock").says(format!("12:00\r\nR1#\r\n{CONFIGURED}\r\nR1#"));
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
    let device = at("R1#")
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
    let device = at("R1#")
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
    let device = at(xr)
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

#[test]
fn pages_are_turned_in_every_way_that_devices_take_their_line_back() {
    let back = "\u{8}".repeat(9);
    for (platform, more, taken_back) in [
        // IOS; IOS XE; NX-OS; EOS; Junos; PAN-OS; FortiOS; ProCurve; one that leaves it.
        ("cisco_ios", " --More-- ", format!("{back}        {back}")),
        ("cisco_ios", " --More-- ", "\r          \r".to_owned()),
        ("cisco_nxos", "\u{1b}[7m--More--\u{1b}[27m", "\r\u{1b}[K".to_owned()),
        ("arista_eos", " --More-- ", "\r\u{1b}[K".to_owned()),
        ("juniper_junos", "---(more)---", format!("\r{}\r", " ".repeat(40))),
        ("juniper_junos", "---(more 45%)---", "\u{1b}[16D\u{1b}[K".to_owned()),
        ("paloalto_panos", "\u{1b}[7mlines 1-23 \u{1b}[27m\u{1b}[K", "\r\u{1b}[K".to_owned()),
        ("fortinet", "--More-- ", "\r         \r".to_owned()),
        (
            "hp_procurve",
            "-- MORE --, next page: Space, next line: Enter, quit: Control-C",
            "\r\u{1b}[2K\r".to_owned(),
        ),
        ("arista_eos", "--More--", "\r\n".to_owned()),
    ] {
        let prompt = match platform {
            "juniper_junos" | "paloalto_panos" => "ann@mx1> ",
            "fortinet" => "FGT-1 # ",
            _ => "R1#",
        };
        // Nothing about the terminal is granted, so that pages come.
        let device = Device::new()
            .echoes()
            .allows(|line| line == "show all")
            .says(prompt)
            .expects("")
            .says(prompt)
            .expects("show all")
            .says(format!("one\r\n{more}"))
            .expects_key(Key::Space)
            .says(format!("{taken_back}two\r\n{more}"))
            .expects_key(Key::Space)
            .says(format!("{taken_back}three\r\n{prompt}"));
        let (result, _) = on(device, &show(platform, &["show all"]));
        assert_eq!(text(&result, "show all"), "one\ntwo\nthree", "{platform}: {more:?} {taken_back:?}");
    }
}

#[test]
fn every_end_of_line_and_every_colour_is_the_same_text() {
    let device = at("R1#").expects("show all").says(
        "\u{1b}[1mone\u{1b}[0m\r\r\n\u{1b}[32;1mtwo\u{1b}[m\n\rthree\r\n\u{1b}[0m\u{1b}[?7hfour\n\u{1b}[KR1#\u{1b}[K",
    );
    let (result, _) = on(device, &show("cisco_ios", &["show all"]));
    assert_eq!(text(&result, "show all"), "one\ntwo\nthree\nfour");
}

#[test]
fn an_echo_that_is_folded_at_eighty_columns_or_scrolls_is_taken_off() {
    let line = format!("show interfaces {}", "GigabitEthernet1/0/1 ".repeat(5).trim_end());
    let (begin, end) = line.split_at(77);
    // IOS scrolls sideways: it goes back to the prompt and shows the end behind a `$`.
    let sideways = format!("{begin}{}${}", "\u{8}".repeat(77), &line[line.len() - 60..]);
    for echo in
        [format!("{begin}\r\n{end}"), format!("{begin} \r\n{end}"), format!("{begin}\n\r{end}"), sideways]
    {
        let device = Device::new()
            .allows(|line| line.starts_with("show"))
            .says("R1#")
            .expects("")
            .says("\r\nR1#")
            .expects(&line)
            .says(format!("{echo}\r\nup\r\nR1#"));
        let (result, _) = on(device, &show("cisco_ios", &[&line]));
        assert_eq!(text(&result, &line), "up", "{echo:?}");
    }
}

#[test]
fn a_line_that_is_wider_than_the_terminal_is_folded_by_readline_and_its_echo_taken_off() {
    let line = format!("username ann ssh-key ssh-rsa {}", "A".repeat(700));
    let shown = format!("leaf1(config)#{line}");
    let rows: Vec<_> =
        shown.as_bytes().chunks(511).map(|row| String::from_utf8_lossy(row).into_owned()).collect();
    let echo = rows.join(" \r").split_off("leaf1(config)#".len());
    let device = Device::new()
        .allows(|line| !line.starts_with("terminal"))
        .says("leaf1#")
        .expects("")
        .says("\r\nleaf1#")
        .expects("configure terminal")
        .says("configure terminal\r\nleaf1(config)#")
        .expects(&line)
        .says(format!("{echo}\r\n% Invalid input (at token 4)\r\nleaf1(config)#"))
        .expects("end")
        .says("end\r\nleaf1#");
    let (result, _) = on(device, &configure("arista_eos", &[&line]));
    let error = failed(&result, "CONFIG_REJECTED", false);
    assert!(error.contains("matched error: % Invalid"), "{error}");
}

#[test]
fn banners_with_prompts_in_them_are_read_past() {
    let banner = "################\r\n# Keep out! #\r\nUNAUTHORIZED>\r\nR9#\r\n**** > ****\r\n$\r\n\r\n";
    let device = Device::new()
        .echoes()
        .says(banner)
        .says("core-1.fra.example.com#")
        .expects("")
        .says("core-1.fra.example.com#")
        .expects("terminal width 511")
        .says("core-1.fra.example.com#")
        .expects("terminal length 0")
        .says("core-1.fra.example.com#")
        .expects("show clock")
        .says("12:00\r\ncore-1.fra.example.com#");
    let (result, _) = on(device, &show("cisco_ios", &["show clock"]));
    assert_eq!(text(&result, "show clock"), "12:00");
}

#[test]
fn a_notice_about_the_password_is_read_past_and_a_wish_for_a_new_one_is_refused() {
    let device = Device::new()
        .echoes()
        .says("Your password will expire in 5 days. Change it now?\r\nLast login: Mon Nov 16\r\nR1#")
        .expects("")
        .says("R1#")
        .expects("terminal width 511")
        .says("R1#")
        .expects("terminal length 0")
        .says("R1#")
        .expects("show clock")
        .says("12:00\r\nR1#");
    assert_eq!(text(&on(device, &show("cisco_ios", &["show clock"])).0, "show clock"), "12:00");

    for (platform, asked) in [
        (
            "fortinet",
            "You are forced to change your password. Please input a new password.\r\nNew Password: ",
        ),
        ("paloalto_panos", "\r\nEnter old password : "),
        ("cisco_nxos", "Your password has expired.\r\nEnter old password:"),
    ] {
        let device = Device::new().says(asked).expects_key(Key::CtrlC).says("\r\n");
        let (result, visit) = on(device, &show(platform, &["show clock"]));
        assert!(failed(&result, "AUTH_FAILURE", false).contains("password changed"), "{platform}");
        assert_eq!(visit.lines(), Vec::<&str>::new());
    }
}

#[test]
fn junos_with_its_roles_above_every_prompt_gives_the_answer_alone() {
    let prompt = "\r\n{master:0}\r\nann@mx1> ";
    let mut device =
        Device::new().echoes().says(format!("--- JUNOS 20.4R3.8 built{prompt}")).expects("").says(prompt);
    for line in ["set cli screen-width 511", "set cli screen-length 0", "set cli complete-on-space off"] {
        device = device.expects(line).says(prompt);
    }
    let device = device.expects("show system alarms").says(format!("No alarms currently active{prompt}"));
    let (result, _) = on(device, &show("juniper_junos", &["show system alarms"]));
    assert_eq!(text(&result, "show system alarms"), "No alarms currently active");
}

#[test]
fn a_firewall_whose_role_changes_in_the_middle_is_the_same_firewall() {
    let panos = |role: &str| format!("admin@PA-VM({role})> ");
    let mut device = Device::new().echoes().says(panos("active")).expects("").says(panos("active"));
    for line in ["set cli scripting-mode on", "set cli terminal width 500", "set cli pager off"] {
        device = device.expects(line).says(panos("active"));
    }
    let device = device
        .expects("request high-availability state suspend")
        .says(format!("Successfully changed HA state to suspended\r\n{}", panos("suspended")))
        .expects("show clock")
        .says(format!("Mon Nov 16\r\n{}", panos("suspended")));
    let commands = ["request high-availability state suspend", "show clock"];
    let (result, _) = on(device, &show("paloalto_panos", &commands));
    assert_eq!(text(&result, "show clock"), "Mon Nov 16");
}

#[test]
fn a_fortigate_with_virtual_domains_is_configured_in_its_parts_and_left_outside_of_them() {
    let device = || Device::new().echoes().says("FGT-1 # ").expects("").says("\r\nFGT-1 # ");
    let inside = |device: Device| {
        device
            .expects("config global")
            .says("\r\nFGT-1 (global) # ")
            .expects("config system interface")
            .says("\r\nFGT-1 (interface) # ")
            .expects("edit port1")
            .says("\r\nFGT-1 (port1) # ")
    };
    let lines = ["config global", "config system interface", "edit port1", "set alias wan", "end", "end"];
    let done = inside(device())
        .expects("set alias wan")
        .says("\r\nFGT-1 (port1) # ")
        .expects("end")
        .says("\r\nFGT-1 (global) # ")
        .expects("end")
        .says("\r\nFGT-1 # ");
    let (result, _) = on(done, &configure("fortinet", &lines));
    assert_eq!((result.error, result.warnings.len()), (None, 0));

    // There is nothing to abort in `global` itself.
    let refused = inside(device())
        .expects("set alias wan")
        .says("\r\nnode_check_object fail! for alias wan\r\n\r\nvalue parse error before 'wan'\r\nCommand fail. Return code -651\r\n\r\nFGT-1 (port1) # ")
        .expects("abort")
        .says("\r\nFGT-1 (global) # ")
        .expects("abort")
        .says("Unknown action 0\r\n\r\nFGT-1 (global) # ")
        .expects("end")
        .says("\r\nFGT-1 # ");
    let (result, visit) = on(refused, &configure("fortinet", &lines));
    failed(&result, "CONFIG_REJECTED", false);
    assert!(visit.left.is_empty(), "{:?}", visit.left);
}

#[test]
fn each_vendors_own_words_refuse_a_line() {
    for (platform, prompt, said) in [
        ("cisco_ios", "R1(config)#", "Command authorization failed.\r\n"),
        ("cisco_nxos", "R1(config)#", "                 ^\r\nInvalid range at '^' marker.\r\n"),
        ("cisco_nxos", "R1(config)#", "ERROR: VLAN 5000 is out of bounds\r\n"),
        ("arista_eos", "R1(config)#", "% Authorization denied for command 'vlan 10'\r\n"),
        ("arista_eos", "R1(config)#", "% Unavailable command (not supported on this hardware platform)\r\n"),
        ("hp_procurve", "R1(config)# ", "Module not present for port or invalid port: 99\r\n"),
        ("hp_procurve", "R1(config)# ", "Error setting value ip for element IP.\r\n"),
    ] {
        let device = Device::new().echoes().allows(|line| !line.starts_with("terminal") && line != "no page");
        let device = device
            .says("R1#")
            .expects("")
            .says("R1#")
            .expects("configure terminal")
            .says(prompt)
            .expects("vlan 10")
            .says(format!("{said}{prompt}"))
            .expects("end")
            .says("R1#");
        let (result, _) = on(device, &configure(platform, &["vlan 10"]));
        failed(&result, "CONFIG_REJECTED", false);
    }
}

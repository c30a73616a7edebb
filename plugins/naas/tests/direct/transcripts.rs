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
fn a_firewall_whose_role_or_part_changes_in_the_middle_is_the_same_firewall() {
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
    let device = device
        .expects("set system setting target-vsys vsys2")
        .says("Session target vsys changed to vsys2\r\nadmin@PA-VM vsys2(suspended)> ")
        .expects("show jobs all")
        .says("none\r\nadmin@PA-VM vsys2(suspended)> ");
    let commands = [
        "request high-availability state suspend",
        "show clock",
        "set system setting target-vsys vsys2",
        "show jobs all",
    ];
    let (result, _) = on(device, &show("paloalto_panos", &commands));
    assert_eq!(text(&result, "show clock"), "Mon Nov 16");
    assert_eq!(text(&result, "show jobs all"), "none");
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
        ("cisco_ios", "R1(config-router)#", "% Specify remote-as or peer-group remote AS first\r\n"),
        ("cisco_ios", "R1(config-if)#", "172.25.144.0 overlaps with Vlan1\r\n"),
        ("arista_eos", "R1(config)#", "% BGP is already running with AS number 50\r\n"),
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

#[test]
fn a_line_that_junos_draws_anew_is_an_echo_and_one_that_it_shows_in_part_too() {
    let prompt = "\r\nann@mx1> ";
    let device = Device::new()
        .allows(|line| line.starts_with("show") || line.starts_with("dis"))
        .says("--- JUNOS 21.2R3.8 Kernel 64-bit  JNPR-12.1-20220119.55d6bc7_buil\r\nann@mx1> ")
        .expects("")
        .says(prompt)
        .expects("show interfaces et-0/0/3 descriptions")
        .says("show interfaces et-")
        .says("0/0/3")
        .says(" \rann@mx1> show interfaces et-0/0/3    \u{8}\u{8}\u{8}descriptions")
        .says(format!(" \r\nInterface       Admin Link Description\r\n{prompt}"))
        .expects("dis clock")
        .says("dis \r\n          ^\r\nunknown command.\r\n")
        .says(prompt);
    let commands = ["show interfaces et-0/0/3 descriptions", "dis clock"];
    let (result, _) = on(device, &show("juniper_junos", &commands));
    assert_eq!(text(&result, commands[0]), "Interface       Admin Link Description");
    assert!(text(&result, commands[1]).ends_with("^\nunknown command."), "{result:?}");
    assert!(!text(&result, commands[1]).contains("dis"), "{result:?}");
}

#[test]
fn routeros_paints_its_line_anew_for_every_letter() {
    let prompt = "[ann@mk-rb3011-test] > ";
    let first = format!("\r\r\r\r{prompt}{}\r{prompt}", " ".repeat(510 - prompt.len()));
    let line = "/ip service export";
    let mut echo = String::from("/");
    for end in 1..=line.len() {
        let shown = format!("{prompt}{}", &line[..end]);
        let pad = " ".repeat(510 - shown.len());
        echo.push_str(&format!("\r\r{shown}{pad}\u{1b}[K\r{shown}"));
        echo.push_str(line.get(end..=end).unwrap_or_default());
    }
    let device = Device::new()
        .says(format!(
            "\r\r\n\r\r\n\r\n\r  MikroTik RouterOS 6.49.17 (c) 1999-2024       http://www.mikrotik.com/\r\n\r\r\n\
             /command        Use command at the base level\r\n\r{first}"
        ))
        .expects("")
        .says(format!("\r\n\r{first}"))
        .expects(line)
        .says(format!("{echo}\r\n\r# oct/17/2024 10:17:11 by RouterOS 6.49.17\r\n\rset ftp disabled=yes\r\n\r{first}"))
        .expects("/ip address remove")
        .says("/ip address remove\r\n\rnumbers: ")
        .expects_key(Key::CtrlC)
        .says(format!("\r\n\r{first}"));
    let (result, _) = on(device.clone(), &show("mikrotik_routeros", &[line]));
    assert_eq!(text(&result, line), "# oct/17/2024 10:17:11 by RouterOS 6.49.17\nset ftp disabled=yes");
    let (result, _) = on(device, &show("mikrotik_routeros", &[line, "/ip address remove"]));
    assert!(failed(&result, "READ_TIMEOUT", false).contains("\"numbers:\""));
}

#[test]
fn an_answer_that_is_the_name_in_the_prompt_is_an_answer() {
    let device = at("n9k-test# ").expects("show hostname").says("n9k-test \r\n\rn9k-test# ");
    let (result, _) = on(device, &show("cisco_nxos", &["show hostname"]));
    assert_eq!(text(&result, "show hostname"), "n9k-test");
}

#[test]
fn prompts_of_real_devices_are_read() {
    for (platform, prompt) in [
        ("cisco_ios", "host-s2.abc.def(config-archive-log-cfg)#"),
        ("cisco_ios", "host-s2(conf-ssh-pubkey)#"),
        ("cisco_ios", "host-s2(config-sg-tacacs+)#"),
        ("cisco_nxos", "\rrdc1_sw_rack42.spine-1-0# "),
        ("arista_eos", "Last login: Mon Nov 16 from 11:12:1:1::1:2\r\r\n\u{1b}[5nabc-1f1(config-if-Et1/1)#"),
        ("juniper_junos", "\r\n{master}\r\nloginlog@xdc-13f3> "),
        ("fortinet", "forti-fw~-01 $ "),
        ("fortinet", "forti-fw~-01 (vdom) $ "),
        ("paloalto_panos", "[edit]                        \r\nadmin@PA-VM# "),
        ("mikrotik_routeros", "[admin@mk-rb3011-test] /ip/address> "),
    ] {
        let device =
            Device::new().allows(|line| line == "x").says(prompt).expects("").says(format!("\r\n{prompt}"));
        let device = device.expects("x").says(format!("x\r\nanswer\r\n{prompt}"));
        let (result, _) = on(device, &show(platform, &["x"]));
        assert!(text(&result, "x").starts_with("answer"), "{prompt:?}: {result:?}");
    }
}

//! What is particular to the other platforms.

use fleetgate_sdk::ssh::{Key, Login, Secret};
use fleetgate_sdk::testing::Device;

use crate::{configure, failed, on, show, text};

#[test]
fn nxos_saves_with_a_bar_that_is_drawn_over_itself() {
    let device = Device::new()
        .echoes()
        .says("Cisco Nexus Operating System (NX-OS) Software\r\n\rn9k-1# ")
        .expects("")
        .says("\rn9k-1# ")
        .expects("terminal width 511")
        .says("\rn9k-1# ")
        .expects("terminal length 0")
        .says("\rn9k-1# ")
        .expects("configure terminal")
        .says("Enter configuration commands, one per line. End with CNTL/Z.\r\n\rn9k-1(config)# ")
        .expects("feature lacp")
        .says("\rn9k-1(config)# ")
        .expects("end")
        .says("\rn9k-1# ")
        .expects("copy running-config startup-config")
        .says("\r[                                        ] 0%\r[##########                              ]  25%")
        .says("\r[########################################] 100%\r\nCopy complete, now saving to disk (please wait)...\r\nCopy complete.\r\n\rn9k-1# ");
    let mut job = configure("cisco_nxos", &["feature lacp"]);
    job.save_config = true;
    let (result, _) = on(device, &job);
    assert!(text(&result, "config_set_output").contains("Copy complete."));
}

#[test]
fn nxos_refuses_a_line_in_its_own_words() {
    let device = Device::new()
        .echoes()
        .says("n9k-1# ")
        .expects("")
        .says("n9k-1# ")
        .expects("terminal width 511")
        .says("n9k-1# ")
        .expects("terminal length 0")
        .says("n9k-1# ")
        .expects("configure terminal")
        .says("n9k-1(config)# ")
        .expects("feature bogus")
        .says("                 ^\r\n% Invalid command at '^' marker.\r\nn9k-1(config)# ")
        .expects("end")
        .says("n9k-1# ");
    let (result, _) = on(device, &configure("cisco_nxos", &["feature bogus"]));
    failed(&result, "CONFIG_REJECTED", false);
}

#[test]
fn eos_in_a_supervisors_group_is_configured_and_saved() {
    let device = Device::new()
        .echoes()
        .says("Last login: Mon Nov 16\r\nleaf1(s1)>")
        .expects("")
        .says("leaf1(s1)>")
        .expects("enable")
        .says("leaf1(s1)#")
        .expects("terminal width 511")
        .says("Width set to 511 columns.\r\nleaf1(s1)#")
        .expects("terminal length 0")
        .says("Pagination disabled.\r\nleaf1(s1)#")
        .expects("configure terminal")
        .says("leaf1(s1)(config)#")
        .expects("vlan 10")
        .says("leaf1(s1)(config-vlan-10)#")
        .expects("end")
        .says("leaf1(s1)#")
        .expects("copy running-config startup-config")
        .says("Copy completed successfully.\r\nleaf1(s1)#");
    let mut job = configure("arista_eos", &["vlan 10"]);
    (job.save_config, job.commit) = (true, true);
    let (result, _) = on(device, &job);
    assert!(text(&result, "config_set_output").contains("Copy completed successfully."));
    assert!(result.warnings[0].contains("has no commit"), "{:?}", result.warnings);
}

#[test]
fn eos_refuses_a_line_in_its_own_words() {
    let device = Device::new()
        .echoes()
        .says("leaf1#")
        .expects("")
        .says("leaf1#")
        .expects("terminal width 511")
        .says("leaf1#")
        .expects("terminal length 0")
        .says("leaf1#")
        .expects("configure terminal")
        .says("leaf1(config)#")
        .expects("bogus")
        .says("% Invalid input (at token 0: 'bogus')\r\nleaf1(config)#")
        .expects("end")
        .says("leaf1#");
    let (result, _) = on(device, &configure("arista_eos", &["bogus"]));
    assert!(failed(&result, "CONFIG_REJECTED", false).contains("% Invalid"));
}

/// ProCurve draws every line where it belongs on a screen of 24 lines.
fn procurve(prompt: &str) -> String {
    let column = prompt.len() + 1;
    format!(
        "\u{1b}[24;1H\u{1b}[2K\u{1b}[24;1H\u{1b}[1;24r\u{1b}[24;1H{prompt}\u{1b}[24;1H\u{1b}[24;{column}H\u{1b}[?25h\u{1b}[24;{column}H"
    )
}

#[test]
fn procurve_wants_a_key_and_draws_its_screen() {
    let echo = |prompt: &str, line: &str| {
        let column = prompt.len() + 1;
        format!(
            "{line}\u{1b}[24;{column}H\u{1b}[?25h\u{1b}[24;{0}H\u{1b}[1;0H\u{1b}[1M\u{1b}[24;1H\u{1b}[1L\u{1b}[24;{0}H\
             \u{1b}[24;1H\u{1b}[2K\u{1b}[24;1H\u{1b}[?25h\u{1b}[24;1H\u{1b}[1;24r\u{1b}[24;1H\u{1b}E",
            column + line.len()
        )
    };
    let device = Device::new()
        .says("HP J9728A 2920-48G Switch\r\nSoftware revision WB.16.02\r\n\r\nPress any key to continue")
        .expects_key(Key::Enter)
        .says(format!(
            "\u{1b}[2J\u{1b}[?7l\u{1b}[3;23r\u{1b}[?6l\u{1b}[1;1H\u{1b}[?25l\u{1b}[1;1H{}",
            procurve("HP-2920> ")
        ))
        .expects("")
        .says(format!("\u{1b}[24;0H\u{1b}E{}", procurve("HP-2920> ")))
        .expects("enable")
        .says(echo("HP-2920> ", "enable") + &procurve("HP-2920# "))
        .expects("no page")
        .says(echo("HP-2920# ", "no page") + &procurve("HP-2920# "))
        .expects("show time")
        .says(echo("HP-2920# ", "show time") + "Mon Nov 16 10:00:00 2026\r\n" + &procurve("HP-2920# "))
        .expects("configure terminal")
        .says(echo("HP-2920# ", "configure terminal") + &procurve("HP-2920(config)# "));
    let shown = on(device.clone(), &show("hp_procurve", &["show time"])).0;
    assert_eq!(text(&shown, "show time"), "Mon Nov 16 10:00:00 2026");
    let (result, _) = on(device, &show("hp_procurve", &["show time", "configure terminal"]));
    failed(&result, "INVALID_JOB", false);
}

#[test]
fn procurve_asks_for_a_name_before_the_privileged_level() {
    let asked = || {
        let device = Device::new().echoes().says("HP-2920> ").expects("").says("HP-2920> ");
        device.expects("enable").says("Username: ")
    };
    let device = asked().expects_key(Key::CtrlC).says("\r\nHP-2920> ");
    let device = device.expects("no page").says("Invalid input: no\r\nHP-2920> ");
    let device = device.expects("show time").says("Mon Nov 16\r\nHP-2920> ");
    let (result, _) = on(device, &show("hp_procurve", &["show time"]));
    assert_eq!(text(&result, "show time"), "Mon Nov 16");
    assert!(result.warnings[0].contains("give it as `username`"), "{:?}", result.warnings);

    let device = asked().expects("manager").says("Password: ").expects_secret(Secret::Enable);
    let device = device.says("\r\nHP-2920# ").expects("no page").says("HP-2920# ");
    let device = device.expects("show time").says("Mon Nov 16\r\nHP-2920# ");
    let mut job = show("hp_procurve", &["show time"]);
    job.username = Some("manager".into());
    let (result, _) = on(device, &job);
    assert_eq!((text(&result, "show time").as_str(), result.warnings.len()), ("Mon Nov 16", 0));
}

#[test]
fn procurve_is_configured_and_saved() {
    let device = Device::new()
        .echoes()
        .says("HP-2920# ")
        .expects("")
        .says("HP-2920# ")
        .expects("no page")
        .says("HP-2920# ")
        .expects("configure terminal")
        .says("HP-2920(config)# ")
        .expects("vlan 10")
        .says("HP-2920(vlan-10)# ")
        .expects("bogus")
        .says("Invalid input: bogus\r\nHP-2920(vlan-10)# ")
        .expects("end")
        .says("HP-2920# ");
    let (result, _) = on(device, &configure("hp_procurve", &["vlan 10", "bogus"]));
    assert!(failed(&result, "CONFIG_REJECTED", false).contains("matched error: Invalid input"));
}

#[test]
fn routeros_repaints_its_lines_and_takes_effect_at_once() {
    let prompt = "\r[admin@gw] > \r[admin@gw] > ";
    let echo = |line: &str| format!("\r[admin@gw] > {line}\r\n\r");
    let device = Device::new()
        .says("  MikroTik RouterOS 7.11.2 (c) 1999-2023\r\n\r\n")
        .says("Do you want to see the software license? [Y/n]: ")
        .expects_key(Key::N)
        .says(format!("\r\n\r\n{prompt}"))
        .expects("")
        .says(format!("\r\n{prompt}"))
        .expects("/interface vlan add name=v10 vlan-id=10 interface=ether1")
        .says(echo("/interface vlan add name=v10 vlan-id=10 interface=ether1") + prompt)
        .expects("/interface bogus")
        .says(
            echo("/interface bogus")
                + "\u{1b}[31mbad command name bogus (line 1 column 12)\u{1b}[m\r\n"
                + prompt,
        );
    let lines = ["/interface vlan add name=v10 vlan-id=10 interface=ether1", "/interface bogus"];
    let (result, _) = on(device, &configure("mikrotik_routeros", &lines));
    let error = failed(&result, "CONFIG_REJECTED", false);
    assert!(error.contains("bad command name") && error.contains("1 of the 2 lines took effect"), "{error}");
}

#[test]
fn routeros_is_asked_for_a_plain_terminal_where_the_call_names_the_user() {
    let device = || {
        Device::new()
            .says("[admin@gw] > ")
            .expects("")
            .says("\r\n[admin@gw] > ")
            .expects("/system identity print")
            .says("/system identity print\r\n  name: gw\r\n\r\n[admin@gw] > ")
    };
    for (user, password, expected) in [
        ("admin", Some("placeholder"), "admin+ct511w4098h"),
        ("admin+c80w", Some("placeholder"), "admin+c80w"),
        ("admin", None, "admin"),
    ] {
        let mut job = show("mikrotik_routeros", &["/system identity print"]);
        job.username = Some(user.into());
        job.password = password.map(str::to_owned);
        let (result, visit) = on(device(), &job);
        assert_eq!(text(&result, "/system identity print"), "  name: gw");
        let login = Login { user: Some(expected.into()), password: job.password, enable: None };
        assert_eq!(visit.login, Some(login));
    }
}

#[test]
fn pages_of_routeros_are_turned_and_its_pager_is_left() {
    let device = Device::new()
        .echoes()
        .says("[admin@gw] > ")
        .expects("")
        .says("\r\n[admin@gw] > ")
        .expects("/log print")
        .says("one\r\n-- [Q quit|D dump|down]")
        .expects_key(Key::Space)
        .says("\r\u{1b}[Ktwo\r\n-- [Q quit|D dump|up]")
        .expects_key(Key::Q)
        .says("\r\u{1b}[K\r\n[admin@gw] > ")
        // Should the pager have been at its end already, the key stands in the line.
        .expects("")
        .says("[admin@gw] > ")
        .expects("/system identity print")
        .says("  name: gw\r\n\r\n[admin@gw] > ");
    let (result, _) = on(device, &show("mikrotik_routeros", &["/log print", "/system identity print"]));
    assert_eq!(text(&result, "/log print"), "one\ntwo");
    assert_eq!(text(&result, "/system identity print"), "  name: gw");
}

fn fortinet() -> Device {
    Device::new()
        .echoes()
        .says("WARNING: Keep out.\r\n(Press 'a' to accept):")
        .expects("a")
        .says("\r\nFGT-1 # ")
        .expects("")
        .says("\r\nFGT-1 # ")
}

#[test]
fn fortios_turns_its_pages_and_keeps_its_configuration() {
    let device = fortinet()
        .expects("get system status")
        .says("Version: FortiGate-60F v7.0.5\r\nVirus-DB: 1.00\r\n--More-- ")
        .expects_key(Key::Space)
        .says("\r         \rHostname: FGT-1\r\n\r\nFGT-1 # ");
    let (result, _) = on(device, &show("fortinet", &["get system status"]));
    let status = text(&result, "get system status");
    assert_eq!(status, "Version: FortiGate-60F v7.0.5\nVirus-DB: 1.00\nHostname: FGT-1");
}

#[test]
fn blocks_of_fortios_take_effect_when_they_end() {
    let device = fortinet()
        .expects("config system global")
        .says("\r\nFGT-1 (global) # ")
        .expects("set admintimeout 30")
        .says("\r\nFGT-1 (global) # ")
        .expects("end")
        .says("\r\nFGT-1 # ")
        .expects("config system interface")
        .says("\r\nFGT-1 (interface) # ")
        .expects("edit port1")
        .says("\r\nFGT-1 (port1) # ")
        .expects("set bogus 1")
        .says(
            "\r\ncommand parse error before 'bogus'\r\nCommand fail. Return code -61\r\n\r\nFGT-1 (port1) # ",
        )
        .expects("abort")
        .says("\r\nFGT-1 # ");
    let lines = [
        "config system global",
        "set admintimeout 30",
        "end",
        "config system interface",
        "edit port1",
        "set bogus 1",
        "end",
    ];
    let (result, _) = on(device, &configure("fortinet", &lines));
    let error = failed(&result, "CONFIG_REJECTED", false);
    assert!(error.contains("3 of the 7 lines took effect and stay; 1 of them were not sent"), "{error}");
}

#[test]
fn a_text_of_several_lines_is_given_to_fortios_line_by_line() {
    let device = fortinet()
        .expects("config system replacemsg admin pre_admin-disclaimer-text")
        .says("\r\nFGT-1 (pre_admin-discl~ext) # ")
        .expects("set buffer \"Keep out")
        .says("> ")
        .expects("or else\"")
        .says("\r\nFGT-1 (pre_admin-discl~ext) # ")
        .expects("end")
        .says("\r\nFGT-1 # ");
    let lines = [
        "config system replacemsg admin pre_admin-disclaimer-text",
        "set buffer \"Keep out",
        "or else\"",
        "end",
    ];
    let (result, _) = on(device, &configure("fortinet", &lines));
    assert_eq!((result.error, result.warnings.len()), (None, 0));
}

#[test]
fn a_block_that_fortios_is_left_with_has_no_effect_and_the_result_says_so() {
    let device = fortinet()
        .expects("config system global")
        .says("\r\nFGT-1 (global) # ")
        .expects("abort")
        .says("\r\nFGT-1 # ");
    let (result, _) = on(device, &configure("fortinet", &["config system global"]));
    assert_eq!(result.error, None);
    assert!(result.warnings[0].contains("took no effect"), "{:?}", result.warnings);
}

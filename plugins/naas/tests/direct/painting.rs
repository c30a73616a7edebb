//! Pages, line ends and colours; echoes that are folded, scrolled, drawn anew or broken off.

use fleetgate_sdk::ssh::Key;
use fleetgate_sdk::testing::Device;

use crate::{at_prompt, configure, failed, on, show, text};

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
    let device = at_prompt("R1#").expects("show all").says(
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

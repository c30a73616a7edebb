//! Cisco IOS.

use fleet_sim::devices::{Platform, Setup, What};

use crate::person::{Person, Wire};

fn setup() -> Setup {
    Setup::new(Platform::CiscoIos)
}

async fn enabled() -> (Person, fleet_sim::devices::Devices) {
    let (mut person, devices) = Person::at(setup().privileged(true)).await;
    person.prompt("edge-r1#").await;
    person.asks("terminal length 0", "edge-r1#").await;
    (person, devices)
}

#[tokio::test]
async fn enable_takes_its_password_unseen_and_gives_up_after_three() {
    let (mut person, devices) = Person::at(setup()).await;
    person.prompt("edge-r1>").await;
    person.types("enable").await;
    for _ in 0..3 {
        person.prompt("Password: ").await;
        person.types("wrong").await;
    }
    assert_eq!(person.prompt("edge-r1>").await, "\r\n% Bad secrets\r\n\r\nedge-r1>");
    person.types("en").await;
    person.prompt("Password: ").await;
    person.types("enable-password").await;
    let shown = person.prompt("edge-r1#").await;
    assert_eq!(shown, "\r\nedge-r1#", "the password is not shown");
    let secrets =
        devices.all()[0].journal().into_iter().filter(|entry| matches!(entry.what, What::Secret { .. }));
    assert_eq!(secrets.count(), 4);
    assert_eq!(devices.all()[0].lines(), ["enable", "en"]);
}

#[tokio::test]
async fn what_it_does_not_know_is_refused_with_a_caret_below_it() {
    let (mut person, _devices) = enabled().await;
    assert_eq!(
        person.asks("show foo", "edge-r1#").await,
        "             ^\r\n% Invalid input detected at '^' marker.\r\n\r\n"
    );
    assert_eq!(person.asks("show", "edge-r1#").await, "% Incomplete command.\r\n\r\n");
    assert_eq!(person.asks("show v", "edge-r1#").await, "% Ambiguous command:  \"show v\"\r\n");
    assert!(person.asks("frobnicate", "edge-r1#").await.contains("% Unknown command or computer name"));
    person.asks("conf t", "edge-r1(config)#").await;
    let shown = person.asks("interfacee gi0/1", "edge-r1(config)#").await;
    assert!(shown.contains("% Invalid input detected"), "{shown:?}");
}

#[tokio::test]
async fn privileged_commands_are_unknown_to_users() {
    let (mut person, _devices) = Person::at(setup()).await;
    person.prompt("edge-r1>").await;
    let shown = person.asks("show running-config", "edge-r1>").await;
    assert!(shown.ends_with("% Invalid input detected at '^' marker.\r\n\r\n"), "{shown:?}");
    let shown = person.asks("show clock", "edge-r1>").await;
    assert!(shown.contains(" UTC "), "{shown:?}");
}

#[tokio::test]
async fn a_configuration_that_is_typed_is_in_force_at_once_and_saved_on_demand() {
    let (mut person, devices) = enabled().await;
    let device = &devices.all()[0];
    person.types("configure terminal").await;
    let shown = person.prompt("edge-r1(config)#").await;
    assert!(shown.contains("Enter configuration commands, one per line.  End with CNTL/Z."), "{shown:?}");
    person.asks("interface gi0/5", "edge-r1(config-if)#").await;
    person.asks("description printer, 2nd floor", "edge-r1(config-if)#").await;
    person.asks("no shutdown", "edge-r1(config-if)#").await;
    person.asks("interface loopback 7", "edge-r1(config-if)#").await;
    person.asks("ip address 10.7.7.7 255.255.255.255", "edge-r1(config-if)#").await;
    person.asks("hostname edge-renamed", "edge-renamed(config)#").await;
    person.asks("no ntp server 192.0.2.1", "edge-renamed(config)#").await;
    person.asks("end", "edge-renamed#").await;

    let running = person.asks("show running-config", "edge-renamed#").await;
    for line in [
        "hostname edge-renamed\r\n",
        "interface GigabitEthernet0/5\r\n description printer, 2nd floor\r\n!",
        "interface Loopback7\r\n ip address 10.7.7.7 255.255.255.255\r\n!",
    ] {
        assert!(running.contains(line), "{line} in {running}");
    }
    assert!(!running.contains("ntp server"));
    assert!(running.contains("! Last configuration change at "));
    assert!(person.asks("show ip interface brief", "edge-renamed#").await.contains("Loopback7"));
    assert!(!device.startup_config().contains("edge-renamed"));
    assert_eq!(person.asks("write memory", "edge-renamed#").await, "Building configuration...\r\n[OK]\r\n");
    assert_eq!(device.startup_config(), device.running_config());
}

#[tokio::test]
async fn copying_to_the_startup_configuration_asks_for_a_name() {
    let (mut person, devices) = enabled().await;
    person.types("copy running-config startup-config").await;
    person.prompt("Destination filename [startup-config]? ").await;
    person.types("").await;
    assert!(person.prompt("edge-r1#").await.contains("[OK]"));
    assert_eq!(devices.all()[0].startup_config(), devices.all()[0].running_config());
}

#[tokio::test]
async fn lines_before_a_wrong_one_stay_applied() {
    let (mut person, devices) = enabled().await;
    person.asks("conf t", "edge-r1(config)#").await;
    person.asks("ntp server 192.0.2.77", "edge-r1(config)#").await;
    let shown = person.asks("ntp serverr 192.0.2.78", "edge-r1(config)#").await;
    assert!(shown.contains("% Invalid input detected at '^' marker."), "{shown:?}");
    assert!(devices.all()[0].running_config().contains("ntp server 192.0.2.77"));
}

#[tokio::test]
async fn the_prompt_shows_twenty_characters_of_the_name_in_configuration_mode() {
    let setup = setup().privileged(true).hostname("a-router-with-a-rather-long-name");
    let (mut person, _devices) = Person::at(setup).await;
    person.prompt("a-router-with-a-rather-long-name#").await;
    person.asks("conf t", "a-router-with-a-rath(config)#").await;
    person.asks("int vlan10", "a-router-with-a-rath(config-if)#").await;
    person.presses("\x1a").await;
    assert_eq!(
        person.prompt("a-router-with-a-rather-long-name#").await,
        "^Z\r\na-router-with-a-rather-long-name#"
    );
}

#[tokio::test]
async fn long_output_stops_at_more_until_the_pages_are_turned_off() {
    let (mut person, _devices) = Person::at(setup().privileged(true)).await;
    person.prompt("edge-r1#").await;
    person.types("show running-config").await;
    let first = person.prompt(" --More-- ").await;
    let page = first.split_once("\r\n").unwrap().1.trim_end_matches(" --More-- ");
    let rows: usize = page.lines().map(|line| line.len().div_ceil(80).max(1)).sum();
    assert_eq!(rows, 23, "a page leaves one row for the pager, and a wide line fills two: {page:?}");
    person.presses("\r").await;
    let line = person.prompt(" --More-- ").await;
    assert_eq!(line.matches("\r\n").count(), 1, "one line: {line:?}");
    assert!(
        line.starts_with("\x08\x08\x08\x08\x08\x08\x08\x08\x08        \x08\x08\x08\x08\x08\x08\x08\x08\x08")
    );
    person.presses(" ").await;
    person.prompt(" --More-- ").await;
    person.presses("q").await;
    person.prompt("edge-r1#").await;
    person.asks("terminal length 0", "edge-r1#").await;
    let whole = person.asks("show version", "edge-r1#").await;
    assert!(!whole.contains("More") && whole.ends_with("Configuration register is 0xF\r\n\r\n"), "{whole:?}");
}

#[tokio::test]
async fn a_line_that_is_too_long_scrolls_sideways_until_the_terminal_is_wider() {
    let (mut person, devices) = enabled().await;
    person.asks("conf t", "edge-r1(config)#").await;
    person.asks("int gi0/6", "edge-r1(config-if)#").await;
    let long = format!("description {}", "x".repeat(90));
    person.types(&long).await;
    let shown = person.prompt("edge-r1(config-if)#").await;
    assert!(shown.contains("\x08$x"), "{shown:?}");
    assert!(devices.all()[0].running_config().contains(&long), "the line itself is whole");
    person.asks("do terminal width 511", "edge-r1(config-if)#").await;
    person.types(&long).await;
    assert!(person.prompt("edge-r1(config-if)#").await.starts_with(&format!("{long}\r\n")));
}

#[tokio::test]
async fn filters_choose_lines() {
    let (mut person, _devices) = enabled().await;
    assert_eq!(
        person.asks("show running-config | include ^hostname|^ntp", "edge-r1#").await,
        "hostname edge-r1\r\nntp server 192.0.2.1\r\n"
    );
    let section = person.asks("show run | section router ospf", "edge-r1#").await;
    assert!(
        section.starts_with("router ospf 1\r\n router-id") && !section.contains("line con"),
        "{section:?}"
    );
    let count = person.asks("show run | count interface", "edge-r1#").await;
    assert!(count.starts_with("Number of lines which match regexp = "), "{count:?}");
    let running = person.asks("show running-config interface vlan 99", "edge-r1#").await;
    assert!(running.contains("interface Vlan99\r\n description management\r\n"), "{running:?}");
}

#[tokio::test]
async fn a_banner_may_take_several_lines() {
    let (mut person, devices) = enabled().await;
    person.asks("conf t", "edge-r1(config)#").await;
    person.types("banner motd #").await;
    person.sees("Enter TEXT message.  End with the character '#'.\r\n").await;
    person.types("keep out").await;
    person.types("or else#").await;
    person.prompt("edge-r1(config)#").await;
    assert!(devices.all()[0].running_config().contains("banner motd ^Ckeep out"));
}

#[tokio::test]
async fn leaving_ends_the_terminal_and_a_command_needs_none() {
    let (mut person, devices) = enabled().await;
    let (out, _, _) = {
        let mut wire = Wire::connect(&devices.all()[0]).await.unwrap();
        assert!(wire.password("netops", "netops-password").await);
        wire.exec("show ip route").await
    };
    assert!(out.contains("Gateway of last resort is 10.0.12.1"), "{out:?}");
    person.types("exit").await;
    person.end().await;
    assert_eq!(devices.sessions(), 0);
}

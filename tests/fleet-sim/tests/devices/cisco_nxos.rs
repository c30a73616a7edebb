//! Cisco NX-OS.

use fleet_sim::devices::{Platform, Setup};

use crate::person::Person;

async fn logged_in() -> (Person, fleet_sim::devices::Devices) {
    let (mut person, devices) = Person::at(Setup::new(Platform::CiscoNxos)).await;
    person.prompt("leaf-n1# ").await;
    person.asks("terminal length 0", "leaf-n1# ").await;
    (person, devices)
}

#[tokio::test]
async fn it_greets_at_length_and_shows_enter_as_cr_cr_lf() {
    let (mut person, _devices) = Person::at(Setup::new(Platform::CiscoNxos)).await;
    let greeting = person.prompt("\rleaf-n1# ").await;
    assert!(greeting.contains("Cisco Nexus Operating System (NX-OS) Software\r\n"), "{greeting:?}");
    assert_eq!(person.wire.banner().as_deref(), Some("User Access Verification\n"));
    person.types("show hostname").await;
    assert_eq!(person.prompt("leaf-n1# ").await, "show hostname\r\r\nleaf-n1.example.net \r\n\rleaf-n1# ");
}

#[tokio::test]
async fn errors_point_at_the_word() {
    let (mut person, _devices) = logged_in().await;
    let caret = " ".repeat("leaf-n1# show ".len());
    assert_eq!(
        person.asks("show xyz", "\rleaf-n1# ").await,
        format!("{caret}^\r\n% Invalid command at '^' marker.\r\n")
    );
    assert!(person.asks("show", "leaf-n1# ").await.contains("% Incomplete command at '^' marker."));
    assert!(person.asks("show ho", "leaf-n1# ").await.contains("leaf-n1.example.net"));
    assert!(person.asks("show i", "leaf-n1# ").await.contains("% Ambiguous command at '^' marker."));
}

#[tokio::test]
async fn a_configuration_applies_at_once_and_takes_commands_too() {
    let (mut person, devices) = logged_in().await;
    let device = &devices.all()[0];
    let shown = person.asks("configure terminal", "leaf-n1(config)# ").await;
    assert!(shown.contains("Enter configuration commands, one per line.  End with CNTL/Z."), "{shown:?}");
    person.asks("interface e1/4", "leaf-n1(config-if)# ").await;
    person.asks("no shutdown", "leaf-n1(config-if)# ").await;
    person.asks("description new server", "leaf-n1(config-if)# ").await;
    assert!(person.asks("show clock", "leaf-n1(config-if)# ").await.contains("UTC"));
    person.asks("router bgp 65012", "leaf-n1(config-router)# ").await;
    person.asks("neighbor 10.1.1.8", "leaf-n1(config-router-neighbor)# ").await;
    person.asks("remote-as 65008", "leaf-n1(config-router-neighbor)# ").await;
    person.asks("vlan 30", "leaf-n1(config-vlan)# ").await;
    person.asks("name GUESTS", "leaf-n1(config-vlan)# ").await;
    let shown = person.asks("nam GUESTS TOO", "leaf-n1(config-vlan)# ").await;
    assert!(shown.ends_with("% Invalid command at '^' marker.\r\n\r"), "{shown:?}");
    person.asks("end", "leaf-n1# ").await;
    let running = person.asks("show running-config", "leaf-n1# ").await;
    for lines in [
        "interface Ethernet1/4\r\n  no shutdown\r\n  description new server\r\n",
        "  neighbor 10.1.1.8\r\n    remote-as 65008\r\n",
        "vlan 30\r\n  name GUESTS\r\n",
        "!Command: show running-config\r\n",
    ] {
        assert!(running.contains(lines), "{lines} in {running}");
    }
    assert_ne!(device.startup_config(), device.running_config());
}

#[tokio::test]
async fn saving_shows_its_progress() {
    let (mut person, devices) = logged_in().await;
    let shown = person.asks("copy running-config startup-config", "leaf-n1# ").await;
    assert!(
        shown.contains(&format!("\r[{}] 100%\r\nCopy complete, now saving to disk", "#".repeat(40))),
        "{shown:?}"
    );
    assert!(shown.ends_with("Copy complete.\r\n\r"), "{shown:?}");
    assert_eq!(devices.all()[0].startup_config(), devices.all()[0].running_config());
}

#[tokio::test]
async fn pages_are_as_high_as_the_terminal() {
    let (mut person, _devices) = Person::at(Setup::new(Platform::CiscoNxos)).await;
    person.prompt("leaf-n1# ").await;
    person.types("show version").await;
    person.prompt("\x1b[7m--More--\x1b[27m").await;
    person.presses("q").await;
    assert_eq!(person.prompt("leaf-n1# ").await, "\r\x1b[K\r\rleaf-n1# ");
    person.leaves().await;
    let devices = fleet_sim::devices::Devices::start([Setup::new(Platform::CiscoNxos)]).await.unwrap();
    let mut person = Person::log_in_as(&devices.all()[0], "netops", 511, 1000).await;
    person.prompt("leaf-n1# ").await;
    assert!(!person.asks("show version", "leaf-n1# ").await.contains("--More--"));
}

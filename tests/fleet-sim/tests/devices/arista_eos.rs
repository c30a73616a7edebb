//! Arista EOS.

use fleet_sim::devices::{Platform, Setup};

use crate::person::Person;

async fn enabled() -> (Person, fleet_sim::devices::Devices) {
    let (mut person, devices) = Person::at(Setup::new(Platform::AristaEos).privileged(true)).await;
    person.prompt("spine-a1#").await;
    person.asks("terminal length 0", "spine-a1#").await;
    (person, devices)
}

#[tokio::test]
async fn it_asks_the_terminal_how_it_is_and_takes_its_answer() {
    let (mut person, devices) = Person::at(Setup::new(Platform::AristaEos)).await;
    let greeting = person.prompt("spine-a1>").await;
    assert!(
        greeting.starts_with("Last login: ") && greeting.ends_with("\r\r\n\x1b[5nspine-a1>"),
        "{greeting:?}"
    );
    person.presses("\x1b[0n").await;
    assert!(person.asks("show hostname", "spine-a1>").await.starts_with("Hostname: spine-a1\r\n"));
    assert_eq!(devices.all()[0].lines(), ["show hostname"]);
}

#[tokio::test]
async fn enable_asks_for_its_password_where_there_is_one() {
    let (mut person, _devices) = Person::at(Setup::new(Platform::AristaEos)).await;
    person.prompt("spine-a1>").await;
    assert_eq!(
        person.asks("show running-config", "spine-a1>").await,
        "% Invalid input (privileged mode required)\r\n"
    );
    person.types("enable").await;
    person.prompt("Password: ").await;
    person.types("enable-password").await;
    assert_eq!(person.prompt("spine-a1#").await, "\r\nspine-a1#");

    let (mut person, _devices) = Person::at(Setup::new(Platform::AristaEos).enable(None)).await;
    person.prompt("spine-a1>").await;
    person.types("enable").await;
    person.prompt("spine-a1#").await;
}

#[tokio::test]
async fn the_terminal_is_set_with_words() {
    let (mut person, _devices) = Person::at(Setup::new(Platform::AristaEos)).await;
    person.prompt("spine-a1>").await;
    assert_eq!(person.asks("terminal width 511", "spine-a1>").await, "Width set to 511 columns.\r\n");
    person.types("show ip route").await;
    person.prompt("\x1b[7m --More-- \x1b[27m\x1b[K").await;
    person.presses(" ").await;
    person.prompt("spine-a1>").await;
    assert_eq!(person.asks("terminal length 0", "spine-a1>").await, "Pagination disabled.\r\n");
}

#[tokio::test]
async fn a_configuration_applies_at_once_and_the_prompt_names_the_section() {
    let (mut person, devices) = enabled().await;
    assert_eq!(person.asks("configure terminal", "spine-a1(config)#").await, "");
    person.asks("interface ethernet 4", "spine-a1(config-if-Et4)#").await;
    person.asks("no shutdown", "spine-a1(config-if-Et4)#").await;
    person.asks("ip address 10.4.4.4/24", "spine-a1(config-if-Et4)#").await;
    person.asks("vlan 40", "spine-a1(config-vlan-40)#").await;
    person.asks("router bgp 65001", "spine-a1(config-router-bgp)#").await;
    assert_eq!(person.asks("neighbour x", "spine-a1(config-router-bgp)#").await, "% Invalid input\r\n");
    assert_eq!(person.asks("neighbor", "spine-a1(config-router-bgp)#").await, "% Incomplete command\r\n");
    let shown = person.asks("hostname under_score", "spine-a1(config-router-bgp)#").await;
    assert!(shown.starts_with("% Host name is invalid."), "{shown:?}");
    person.asks("end", "spine-a1#").await;
    let running = person.asks("show running-config", "spine-a1#").await;
    assert!(running.contains("interface Ethernet4\r\n   ip address 10.4.4.4/24\r\n!\r\n"), "{running}");
    assert!(running.contains("vlan 40\r\n!"), "{running}");
    assert_eq!(person.asks("write memory", "spine-a1#").await, "Copy completed successfully.\r\n");
    assert_eq!(devices.all()[0].startup_config(), devices.all()[0].running_config());
}

//! Cisco IOS XR.

use fleet_sim::devices::{Platform, Setup};

use crate::person::Person;

const EXEC: &str = "RP/0/RSP0/CPU0:pe-x1#";
const CONFIG: &str = "RP/0/RSP0/CPU0:pe-x1(config)#";
const IF: &str = "RP/0/RSP0/CPU0:pe-x1(config-if)#";

async fn logged_in() -> (Person, fleet_sim::devices::Devices) {
    let (mut person, devices) = Person::at(Setup::new(Platform::CiscoXr)).await;
    person.prompt(EXEC).await;
    person.asks("terminal length 0", EXEC).await;
    (person, devices)
}

#[tokio::test]
async fn a_line_with_the_time_stands_before_each_output() {
    let (mut person, _devices) = logged_in().await;
    let shown = person.asks("show version", EXEC).await;
    let (time, rest) = shown.split_once("\r\n").unwrap();
    assert!(
        time.ends_with(" UTC") && rest.starts_with("Cisco IOS XR Software, Version 7.3.2\r\n"),
        "{shown:?}"
    );
}

#[tokio::test]
async fn changes_are_the_sessions_own_until_they_are_committed() {
    let (mut person, devices) = logged_in().await;
    let device = &devices.all()[0];
    person.asks("configure terminal", CONFIG).await;
    person.asks("interface gigabitEthernet 0/0/0/2", IF).await;
    person.asks("description new link", IF).await;
    person.asks("no shutdown", IF).await;
    let pending = person.asks("show configuration", IF).await;
    assert!(
        pending.contains(
            "interface GigabitEthernet0/0/0/2\r\n description new link\r\n no shutdown\r\n!\r\nend"
        ),
        "{pending}"
    );
    assert!(!device.running_config().contains("new link"));
    let shown = person.asks("commit", IF).await;
    assert!(shown.ends_with(" UTC\r\n") && shown.lines().count() == 1, "{shown:?}");
    assert!(device.running_config().contains("interface GigabitEthernet0/0/0/2\n description new link\n!\n"));
    assert!(person.asks("commit", IF).await.ends_with("% No configuration changes to commit.\r\n"));
    person.asks("end", EXEC).await;
}

#[tokio::test]
async fn leaving_with_changes_asks() {
    let (mut person, devices) = logged_in().await;
    let question = "Uncommitted changes found, commit them before exiting(yes/no/cancel)? [cancel]:";
    person.asks("configure", CONFIG).await;
    person.asks("hostname pe-x2", CONFIG).await;
    person.types("end").await;
    person.prompt(question).await;
    person.types("").await;
    person.prompt(CONFIG).await;
    person.types("end").await;
    person.prompt(question).await;
    person.types("no").await;
    person.prompt(EXEC).await;
    assert!(!devices.all()[0].running_config().contains("pe-x2"));
    person.asks("configure", CONFIG).await;
    person.asks("hostname pe-x2", CONFIG).await;
    person.types("exit").await;
    person.prompt(question).await;
    person.types("yes").await;
    person.prompt("RP/0/RSP0/CPU0:pe-x2#").await;
    person.asks("configure", "RP/0/RSP0/CPU0:pe-x2(config)#").await;
    person.asks("hostname pe-x3", "RP/0/RSP0/CPU0:pe-x2(config)#").await;
    person.asks("abort", "RP/0/RSP0/CPU0:pe-x2#").await;
}

#[tokio::test]
async fn a_commit_is_all_or_nothing() {
    let (mut person, devices) = logged_in().await;
    person.asks("configure", CONFIG).await;
    person.asks("hostname pe-x2", CONFIG).await;
    person.asks("router bgp 200", "RP/0/RSP0/CPU0:pe-x1(config-bgp)#").await;
    person.types("commit").await;
    let shown = person.prompt("(config-bgp)#").await;
    assert!(shown.contains("% Failed to commit one or more configuration items"), "{shown:?}");
    let failed = person.asks("show configuration failed", "(config-bgp)#").await;
    assert!(failed.contains("BGP is already running; AS is 65021"), "{failed}");
    assert!(!devices.all()[0].running_config().contains("pe-x2"));
}

#[tokio::test]
async fn a_commit_after_anothers_asks_and_keeps_both() {
    let (mut person, devices) = logged_in().await;
    let mut other = Person::log_in(&devices.all()[0]).await;
    other.prompt(EXEC).await;
    other.asks("configure", CONFIG).await;
    person.asks("configure", CONFIG).await;
    other.asks("domain name example.org", CONFIG).await;
    other.asks("commit", CONFIG).await;
    person.asks("snmp-server location here", CONFIG).await;
    person.types("commit").await;
    person.prompt("Do you wish to proceed with this commit anyway? [no]: ").await;
    person.types("yes").await;
    person.prompt(CONFIG).await;
    let running = devices.all()[0].running_config();
    assert!(running.contains("example.org") && running.contains("snmp-server location here"), "{running}");
}

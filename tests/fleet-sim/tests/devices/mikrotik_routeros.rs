//! MikroTik RouterOS.

use fleet_sim::devices::{Devices, Platform, Setup};

use crate::person::{Person, Wire};

const PROMPT: &str = "\r[netops@branch-m1] > ";

async fn logged_in() -> (Person, Devices) {
    let devices = Devices::start([Setup::new(Platform::MikrotikRouteros)]).await.unwrap();
    let mut person = Person::log_in_as(&devices.all()[0], "netops+ct511w4098h", 80, 24).await;
    person.prompt(PROMPT).await;
    (person, devices)
}

/// What is printed behind the line, which is shown more than once.
async fn asks(person: &mut Person, line: &str, prompt: &str) -> String {
    person.types(line).await;
    let shown = person.prompt(prompt).await;
    let shown = shown.split_once("\r\n\r").unwrap().1.to_owned();
    shown.split("\r\r\r\r[").next().unwrap().replace("\r\n\r", "\n")
}

#[tokio::test]
async fn options_for_the_terminal_come_with_the_name() {
    let (mut person, _devices) = logged_in().await;
    person.types("/system identity print").await;
    let shown = person.prompt(PROMPT).await;
    assert!(
        shown.contains("\r\r[netops@branch-m1] > /system identity print"),
        "the line is shown again: {shown:?}"
    );
    assert!(shown.contains("\r\n\r  name: branch-m1\r\n\r\r\r\r\r[netops@branch-m1] > "), "{shown:?}");
    assert!(!shown.contains("\x1b[36m"));
}

#[tokio::test]
async fn without_options_it_asks_the_terminal_and_uses_colours() {
    let setup = Setup::new(Platform::MikrotikRouteros).disclaimer("A licence.");
    let (mut person, devices) = Person::at(setup).await;
    let greeting = person.prompt("Do you want to see the software license? [Y/n]: ").await;
    assert!(greeting.contains("\x1b[6n") && greeting.contains("MikroTik RouterOS 7.14.3"), "{greeting:?}");
    person.presses("n\r\n").await;
    let shown = person.prompt("] > ").await;
    assert!(shown.contains("[\x1b[m\x1b[36mnetops\x1b[m@"), "{shown:?}");
    assert!(devices.all()[0].lines().is_empty());
}

#[tokio::test]
async fn what_it_does_not_know_is_named_with_line_and_column() {
    let (mut person, _devices) = logged_in().await;
    assert_eq!(asks(&mut person, "foo", PROMPT).await, "bad command name foo (line 1 column 1)\n");
    assert_eq!(
        asks(&mut person, "/ip address frob", PROMPT).await,
        "bad command name frob (line 1 column 13)\n"
    );
    assert_eq!(
        asks(&mut person, "/ip address add addres=10.0.0.1/24 interface=ether2", PROMPT).await,
        "expected end of command (line 1 column 17)\n"
    );
    assert_eq!(
        asks(&mut person, "/ip address add address=10.0.0.1/24 interface=nowhere", PROMPT).await,
        "input does not match any value of interface\n"
    );
}

#[tokio::test]
async fn everything_applies_at_once() {
    let (mut person, devices) = logged_in().await;
    assert_eq!(asks(&mut person, "/ip address add address=10.9.0.1/24 interface=ether2", PROMPT).await, "");
    assert_eq!(
        asks(&mut person, "/ip/address/add address=10.9.0.1/24 interface=ether2", PROMPT).await,
        "failure: already have such address\n"
    );
    asks(&mut person, "/interface ethernet set ether2 comment=\"new link\"", PROMPT).await;
    asks(&mut person, "/ip route remove [find dst-address=0.0.0.0/0]", PROMPT).await;
    asks(&mut person, "/system identity set name=branch-m2", "\r[netops@branch-m2] > ").await;
    let config = devices.all()[0].running_config();
    assert!(
        config.contains("/ip address\n") && config.contains("add address=10.9.0.1/24 interface=ether2\n"),
        "{config}"
    );
    assert!(
        config.contains("comment=\"new link\" name=ether2") && !config.contains("/ip route\n"),
        "{config}"
    );
    let export = asks(&mut person, "/export", "\r[netops@branch-m2] > ").await;
    assert!(export.starts_with("# 20") && export.contains("set name=branch-m2\n"), "{export}");
}

#[tokio::test]
async fn menus_can_be_entered() {
    let (mut person, _devices) = logged_in().await;
    asks(&mut person, "/ip address", "\r[netops@branch-m1] /ip/address> ").await;
    let list = asks(&mut person, "print", "\r[netops@branch-m1] /ip/address> ").await;
    assert!(list.contains("10.10.0.5/24") && list.contains(";;; users\n"), "{list}");
    asks(&mut person, "/", PROMPT).await;
    person.types("/quit").await;
    person.end().await;
}

#[tokio::test]
async fn commands_need_no_terminal() {
    let devices = Devices::start([Setup::new(Platform::MikrotikRouteros)]).await.unwrap();
    let mut wire = Wire::connect(&devices.all()[0]).await.unwrap();
    assert!(wire.password("netops", "netops-password").await);
    assert_eq!(wire.exec("/system identity print").await.0, "  name: branch-m1\r\n");
}

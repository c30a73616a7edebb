//! Fortinet FortiOS.

use fleet_sim::devices::{Devices, Platform, Setup};

use crate::person::Person;

const PROMPT: &str = "fw-f1 # ";

async fn logged_in() -> (Person, Devices) {
    let (mut person, devices) = Person::at(Setup::new(Platform::Fortinet)).await;
    person.prompt(PROMPT).await;
    (person, devices)
}

#[tokio::test]
async fn a_disclaimer_is_accepted_with_a_or_the_user_is_sent_away() {
    let setup = Setup::new(Platform::Fortinet).disclaimer("# Members alone #");
    let (mut person, devices) = Person::at(setup).await;
    assert!(person.prompt("(Press 'a' to accept):").await.starts_with("# Members alone #\r\n"));
    person.presses("a\r").await;
    person.prompt(PROMPT).await;
    let mut other = Person::log_in(&devices.all()[0]).await;
    other.prompt("(Press 'a' to accept):").await;
    other.presses("n").await;
    other.end().await;
}

#[tokio::test]
async fn errors_name_the_word_and_a_code() {
    let (mut person, _devices) = logged_in().await;
    assert_eq!(person.asks("frob", PROMPT).await, "Unknown action 0\r\n\r\n");
    assert_eq!(
        person.asks("get system frob", PROMPT).await,
        "\r\ncommand parse error before 'frob'\r\nCommand fail. Return code -61\r\n\r\n"
    );
    person.asks("config system interface", "fw-f1 (interface) # ").await;
    person.asks("edit port2", "fw-f1 (port2) # ").await;
    let shown = person.asks("set ip 10.1.1.x 255.255.255.0", "fw-f1 (port2) # ").await;
    assert!(
        shown.contains("value parse error before '10.1.1.x'\r\nCommand fail. Return code -8\r\n"),
        "{shown:?}"
    );
    let shown = person.asks("set frob 1", "fw-f1 (port2) # ").await;
    assert!(
        shown.contains("command parse error before 'frob'\r\nCommand fail. Return code -61\r\n"),
        "{shown:?}"
    );
    let shown = person.asks("set status sideways", "fw-f1 (port2) # ").await;
    assert!(shown.contains("Command fail. Return code -651\r\n"), "{shown:?}");
}

#[tokio::test]
async fn changes_take_effect_at_next_and_end_and_not_after_abort() {
    let (mut person, devices) = logged_in().await;
    let device = &devices.all()[0];
    person.asks("config firewall address", "fw-f1 (address) # ").await;
    person.asks("edit printers", "fw-f1 (printers) # ").await;
    person.asks("set subnet 10.61.0.0 255.255.255.0", "fw-f1 (printers) # ").await;
    assert!(!device.running_config().contains("printers"));
    person.asks("next", "fw-f1 (address) # ").await;
    assert!(
        device
            .running_config()
            .contains("    edit \"printers\"\n        set subnet 10.61.0.0 255.255.255.0\n    next\n")
    );
    person.asks("delete users", "fw-f1 (address) # ").await;
    person.asks("abort", PROMPT).await;
    assert!(device.running_config().contains("edit \"users\""));
    person.asks("config system global", "fw-f1 (global) # ").await;
    person.asks("set hostname fw-f2", "fw-f1 (global) # ").await;
    person.asks("end", "fw-f2 # ").await;
    let shown = person.asks("show system global", "fw-f2 # ").await;
    assert!(shown.starts_with("config system global\r\n    set hostname fw-f2\r\n"), "{shown:?}");
    assert!(
        person.asks("get system status | grep Hostname", "fw-f2 # ").await.starts_with("Hostname: fw-f2\r\n")
    );
}

#[tokio::test]
async fn more_is_shown_until_the_console_is_told_otherwise() {
    let (mut person, devices) = logged_in().await;
    person.types("show").await;
    let page = person.prompt("--More-- ").await;
    assert_eq!(page.matches("\r\n").count(), 25, "the line that was typed and a page");
    person.presses(" ").await;
    assert!(person.prompt("--More-- ").await.starts_with("\r         \r"));
    person.presses("q").await;
    person.prompt(PROMPT).await;
    person.asks("config system console", "fw-f1 (console) # ").await;
    person.asks("set output standard", "fw-f1 (console) # ").await;
    person.asks("end", PROMPT).await;
    assert!(!person.asks("show", PROMPT).await.contains("More"));
    assert!(devices.all()[0].running_config().contains("set output standard"));
}

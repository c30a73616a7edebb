//! Palo Alto Networks PAN-OS.

use fleet_sim::devices::{Devices, Platform, Setup};

use crate::person::{Person, Wire};

const PROMPT: &str = "netops@fw-p1> ";
const EDIT: &str = "[edit]\r\nnetops@fw-p1# ";

async fn logged_in() -> (Person, Devices) {
    let (mut person, devices) = Person::at(Setup::new(Platform::PaloaltoPanos)).await;
    person.prompt(PROMPT).await;
    person.types("set cli scripting-mode on").await;
    person.prompt(&format!("\r\n{PROMPT}")).await;
    person.asks("set cli pager off", PROMPT).await;
    (person, devices)
}

#[tokio::test]
async fn it_asks_for_the_password_and_takes_no_other_way() {
    let devices =
        Devices::start([Setup::new(Platform::PaloaltoPanos).disclaimer("Members alone.")]).await.unwrap();
    let mut wire = Wire::connect(&devices.all()[0]).await.unwrap();
    assert!(!wire.password("netops", "netops-password").await);
    assert_eq!(wire.question("netops", "netops-password").await, (true, "Password: ".to_owned()));
    let mut person = Person::sit_down(wire, 80, 24).await;
    person.prompt("Do you accept and acknowledge the statement above ? (yes/no) : ").await;
    person.types("yes").await;
    assert!(
        person.prompt(PROMPT).await.contains("Number of failed attempts since last successful login: 0\r\n")
    );
}

#[tokio::test]
async fn each_word_has_the_line_shown_again_until_it_is_told_not_to() {
    let (mut person, devices) = Person::at(Setup::new(Platform::PaloaltoPanos)).await;
    person.prompt(PROMPT).await;
    person.types("show sys info").await;
    let shown = person.prompt("lines 1-23 \x1b[27m\x1b[K").await;
    assert!(
        shown
            .starts_with("show \r\x1b[Knetops@fw-p1> show system \r\x1b[Knetops@fw-p1> show system info\r\n"),
        "{shown:?}"
    );
    person.presses("q").await;
    person.prompt(PROMPT).await;
    person.types("set cli scripting-mode on").await;
    person.prompt(&format!("\r\n{PROMPT}")).await;
    person.types("show clock").await;
    assert!(person.prompt(PROMPT).await.starts_with("show clock\r\n"));
    assert_eq!(devices.all()[0].lines()[0], "show system info");
}

#[tokio::test]
async fn errors_are_short() {
    let (mut person, _devices) = logged_in().await;
    assert_eq!(person.asks("frob", PROMPT).await, "Unknown command: frob\r\n");
    assert_eq!(person.asks("show frob", PROMPT).await, "Invalid syntax.\r\n");
    person.asks("configure", EDIT).await;
    assert_eq!(person.asks("set deviceconfig frob x", EDIT).await, "Invalid syntax.\r\n\r\n");
    assert_eq!(person.asks("frob", EDIT).await, "Unknown command: frob\r\n\r\n");
}

#[tokio::test]
async fn a_commit_is_a_job_with_progress() {
    let (mut person, devices) = logged_in().await;
    let device = &devices.all()[0];
    assert_eq!(person.asks("configure", EDIT).await, "Entering configuration mode\r\n");
    person.asks("set address printers ip-netmask 10.71.0.0/24", EDIT).await;
    person.asks("set deviceconfig system hostname fw-p2", EDIT).await;
    assert!(device.pending().is_some() && !device.running_config().contains("printers"));
    let shown = person.asks("commit", "netops@fw-p2# ").await;
    assert!(
        shown.contains("\r\nCommit job 6 is in progress. Use Ctrl+C to return to command prompt\r\n"),
        "{shown:?}"
    );
    assert!(
        shown.contains("55%") && shown.contains("100%\r\nConfiguration committed successfully\r\n"),
        "{shown:?}"
    );
    assert!(device.pending().is_none() && device.running_config().contains("set address printers"));
    assert!(person.asks("commit", "netops@fw-p2# ").await.contains("There are no changes to commit.\r\n"));
    assert!(person.asks("exit", "netops@fw-p2> ").await.starts_with("Exiting configuration mode\r\n"));
}

#[tokio::test]
async fn a_commit_that_makes_no_sense_fails_and_can_be_reverted() {
    let (mut person, devices) = logged_in().await;
    person.asks("configure", EDIT).await;
    person.asks("set rulebase security rules users-out source nobody", EDIT).await;
    let shown = person.asks("commit", EDIT).await;
    assert!(shown.starts_with("Validation Error:\r\n") && !shown.contains("successfully"), "{shown:?}");
    person.asks("revert config", EDIT).await;
    assert!(devices.all()[0].pending().is_none());
}

#[tokio::test]
async fn one_administrators_changes_are_committed_and_reverted_without_the_others() {
    let (mut person, devices) = Person::at(Setup::new(Platform::PaloaltoPanos).colleague("ann")).await;
    let device = &devices.all()[0];
    let mut ann = Person::log_in_as(device, "ann", 80, 24).await;
    for (person, line, prompt) in [
        (&mut person, "set tag blue color color3", EDIT),
        (&mut ann, "set tag red color color1", "ann@fw-p1# "),
    ] {
        let operating = prompt.trim_start_matches("[edit]\r\n").replace('#', ">");
        person.prompt(&operating).await;
        person.types("set cli scripting-mode on").await;
        person.prompt(&format!("\r\n{operating}")).await;
        person.asks("configure", prompt).await;
        person.asks(line, prompt).await;
    }
    person.asks("revert config partial admin netops", EDIT).await;
    let pending = device.pending().expect("ann's change is pending");
    assert!(pending.contains("red") && !pending.contains("blue"), "{pending}");
    person.asks("set tag green color color2", EDIT).await;
    let shown = person.asks("commit partial admin netops", EDIT).await;
    assert!(shown.contains("by administrators: netops\r\n") && shown.contains("successfully"), "{shown:?}");
    assert!(device.running_config().contains("tag green") && !device.running_config().contains("tag red"));
    assert!(device.pending().is_some_and(|pending| pending.contains("red") && !pending.contains("green")));
    assert!(
        person.asks("commit partial admin netops", EDIT).await.contains("There are no changes to commit.")
    );
    assert!(person.asks("commit partial admin", EDIT).await.starts_with("Invalid syntax."));
}

#[tokio::test]
async fn ctrl_c_leaves_a_commit_running() {
    let (mut person, devices) = logged_in().await;
    person.asks("configure", EDIT).await;
    person.asks("set tag blue color color3", EDIT).await;
    person.types("commit").await;
    person.sees("Use Ctrl+C to return to command prompt\r\n").await;
    person.presses("\x03").await;
    assert!(!person.prompt(EDIT).await.contains("successfully"));
    assert!(devices.all()[0].running_config().contains("set tag blue color color3"));
}

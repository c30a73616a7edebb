//! Keys that edit, recall and interrupt a line.

use fleet_sim::devices::{Platform, Setup, What};

use crate::person::Person;

#[tokio::test]
async fn lines_are_corrected_and_recalled() {
    let (mut person, devices) = Person::at(Setup::new(Platform::CiscoIos)).await;
    person.prompt("edge-r1>").await;
    person.presses("show clokc\x7f\x7fck\r").await;
    person.prompt("edge-r1>").await;
    person.presses("show nothing\x15\x10\r").await;
    person.prompt("edge-r1>").await;
    person.presses("clock\x01show \x05\r").await;
    person.prompt("edge-r1>").await;
    person.presses("show version now\x17\x17clock\r").await;
    person.prompt("edge-r1>").await;
    person.presses("\x1b[A\x1b[B\x1b[A\r").await;
    person.prompt("edge-r1>").await;
    assert_eq!(devices.all()[0].lines(), ["show clock"; 5]);
}

#[tokio::test]
async fn a_line_may_end_with_cr_lf_or_both() {
    let (mut person, devices) = Person::at(Setup::new(Platform::CiscoIos)).await;
    person.prompt("edge-r1>").await;
    person.presses("show clock\nshow clock\r\nshow clock\r").await;
    for _ in 0..3 {
        person.sees("UTC").await;
    }
    person.prompt("edge-r1>").await;
    assert_eq!(devices.all()[0].lines(), ["show clock"; 3]);
}

#[tokio::test]
async fn a_question_mark_lists_what_may_come_next_and_keeps_the_line() {
    let (mut person, devices) = Person::at(Setup::new(Platform::CiscoIos)).await;
    person.prompt("edge-r1>").await;
    person.presses("show c?").await;
    let shown = person.prompt("edge-r1>show c").await;
    assert!(shown.contains("  cdp\r\n  clock\r\n"), "{shown:?}");
    person.presses("lock\r").await;
    person.prompt("edge-r1>").await;
    assert_eq!(devices.all()[0].lines(), ["show clock"]);
}

#[tokio::test]
async fn ctrl_c_drops_the_line_and_is_written_down() {
    let (mut person, devices) = Person::at(Setup::new(Platform::CiscoIos)).await;
    person.prompt("edge-r1>").await;
    person.presses("show ver\x03").await;
    person.prompt("edge-r1>").await;
    let journal = devices.all()[0].journal();
    assert!(
        journal
            .iter()
            .any(|entry| entry.what == What::Key { prompt: "edge-r1>".to_owned(), key: "ctrl-c".to_owned() })
    );
    assert!(devices.all()[0].lines().is_empty());
}

//! The largest outputs that a device really gives: what they take is printed, and not asserted.

use std::time::{Duration, Instant};

use super::super::own::OwnTemplates;
use super::super::textfsm::Budget;
use super::super::{Parsed, parse_with};

/// Repeats a part of an output of `outputs/`, and says how long parsing took.
fn parsed(platform: &str, command: &str, output: &str) -> usize {
    let mut budget = Budget::new(Duration::from_secs(120));
    let began = Instant::now();
    let parsed = parse_with(&OwnTemplates::default(), platform, command, output, &mut budget);
    let took = began.elapsed();
    let Parsed::Rows(rows) = parsed else { panic!("{parsed:?}") };
    println!("{platform}: {command}: {} bytes, {} rows, {took:?}", output.len(), rows.len());
    rows.len()
}

#[test]
fn two_thousand_interfaces_become_two_thousand_rows() {
    let one = include_str!("outputs/cisco_ios/show_interfaces.txt");
    let loopback = one.find("Loopback0").expect("the second interface");
    let interface =
        |number: usize| one[..loopback].replace("GigabitEthernet0/1", &format!("GigabitEthernet0/{number}"));
    let output: String = (1..=2000).map(interface).collect();
    assert_eq!(parsed("cisco_ios", "show interfaces", &output), 2000);
}

#[test]
fn twenty_thousand_addresses_become_twenty_thousand_rows() {
    let entry = |number: usize| {
        format!(
            " {:>4}    0053.{:04x}.{:04x}    DYNAMIC     Gi1/0/{}\n",
            number % 4000,
            number >> 16,
            number & 0xffff,
            number % 48
        )
    };
    let heading =
        "Vlan    Mac Address       Type        Ports\n----    -----------       --------    -----\n";
    let output: String = std::iter::once(heading.to_owned()).chain((1..=20_000).map(entry)).collect();
    assert_eq!(parsed("cisco_ios", "show mac address-table", &output), 20_000);
}

#[test]
fn a_command_without_a_template_is_known_as_such_after_the_whole_index() {
    let began = Instant::now();
    let mut budget = Budget::new(Duration::from_secs(120));
    let output = "Building configuration...\n";
    let parsed = parse_with(&OwnTemplates::default(), "cisco_ios", "verify nothing", output, &mut budget);
    assert_eq!(parsed, Parsed::NoTemplate);
    println!("the whole index of cisco_ios: {:?}", began.elapsed());
}

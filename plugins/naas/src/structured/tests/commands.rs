//! `outputs/<platform>/<command>.txt` are outputs in the vendors' formats, and the `.json` beside each is what Python's
//! textfsm makes of it with the same templates.

use std::path::Path;
use std::time::Duration;

use serde_json::Value;

use super::super::own::OwnTemplates;
use super::super::textfsm::Budget;
use super::super::{Parsed, parse_with};

/// Checks every output of a platform, of which there are `count`.
fn check(platform: &str, count: usize) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/structured/tests/outputs").join(platform);
    let read =
        |path: &Path| std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{path:?}: {error}"));
    let mut seen = 0;
    for entry in std::fs::read_dir(folder).expect("the platform's outputs") {
        let path = entry.expect("an entry").path();
        if path.extension().is_none_or(|extension| extension != "txt") {
            continue;
        }
        seen += 1;
        let command = path.file_stem().and_then(|stem| stem.to_str()).expect("a command").replace('_', " ");
        let expected: Vec<serde_json::Map<String, Value>> =
            serde_json::from_str(&read(&path.with_extension("json"))).expect("rows");
        let mut budget = Budget::new(Duration::from_secs(60));
        let parsed = parse_with(&OwnTemplates::default(), platform, &command, &read(&path), &mut budget);
        assert_eq!(parsed, Parsed::Rows(expected), "{platform}: {command}");
    }
    assert_eq!(seen, count, "{platform} has lost or gained outputs");
}

#[test]
fn outputs_of_arista_eos_become_tables() {
    check("arista_eos", 7);
}

#[test]
fn outputs_of_cisco_ios_become_tables() {
    check("cisco_ios", 16);
}

#[test]
fn outputs_of_cisco_nxos_become_tables() {
    check("cisco_nxos", 8);
}

#[test]
fn outputs_of_cisco_xr_become_tables() {
    check("cisco_xr", 5);
}

#[test]
fn outputs_of_fortinet_become_tables() {
    check("fortinet", 3);
}

#[test]
fn outputs_of_hp_procurve_become_tables() {
    check("hp_procurve", 4);
}

#[test]
fn outputs_of_juniper_junos_become_tables() {
    check("juniper_junos", 4);
}

#[test]
fn outputs_of_linux_become_tables() {
    check("linux", 4);
}

#[test]
fn outputs_of_mikrotik_routeros_become_tables() {
    check("mikrotik_routeros", 4);
}

#[test]
fn outputs_of_paloalto_panos_become_tables() {
    check("paloalto_panos", 4);
}

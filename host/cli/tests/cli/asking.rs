//! Commands that ask: the audit log, and how plugins stand.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use fleetgate_auth::audit::AuditLog;
use fleetgate_core::audit::{Audit, Intent, Record};
use serde_json::json;

use crate::home::Home;

fn state(home: &Home) -> PathBuf {
    home.path().join(".config/fleetgate/.fleetgate")
}

fn with_calls() -> Home {
    let home = Home::new();
    home.config("");
    let log = AuditLog::open(&state(&home)).unwrap();
    for (call, device, outcome, reason) in [
        ("aaa111", "pump-7", "ok", None),
        ("bbb222", "pump-8", "refused", Some("needs nerveshub:manage; the caller holds nerveshub:view")),
        ("ccc333", "pump-7\u{1b}[2J", "fault:timeout", None),
    ] {
        let intent = Intent {
            call: call.into(),
            principal: "local".into(),
            binding: "nerveshub".into(),
            tool: "reboot_device".into(),
            plugin: "sha256:0123".into(),
            arguments: [("identifier".to_owned(), json!(device))].into_iter().collect(),
            arguments_hash: log.hash("{}"),
            job: None,
        };
        log.intent(&intent).unwrap();
        let (outcome, reason) = (outcome.to_owned(), reason.map(str::to_owned));
        let used = vec!["http.api POST https://fleet.example.com/reboot 200".to_owned()];
        log.outcome(&Record { intent, outcome, reason, used, duration: Duration::from_millis(12) }).unwrap();
    }
    log.flush().unwrap();
    home
}

#[test]
fn who_rebooted_a_device_is_one_command() {
    let home = with_calls();
    let text = home.run(&["audit", "find", "--tool", "reboot_device", "--arg", "identifier=pump-7"]).out();
    assert_eq!(text.lines().count(), 2, "{text}");
    for said in ["local", "nerveshub", "reboot_device", "identifier=pump-7", "ok", "aaa111"] {
        assert!(text.contains(said), "{said:?} is not in:\n{text}");
    }
    assert!(!text.contains('\t'));
}

#[test]
fn calls_as_json_are_one_object_a_line() {
    let home = with_calls();
    let text = home.run(&["audit", "find", "--json", "--since", "1h"]).out();
    let calls: Vec<serde_json::Value> =
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(calls.len(), 3);
    assert_eq!(calls[0]["arguments"]["identifier"], "pump-7");
    assert_eq!(calls[1]["outcome"], "refused");
    let none = home.run(&["audit", "find", "--json", "--until", "1h"]);
    assert_eq!((none.code(), none.out().as_str()), (0, ""));
}

#[test]
fn what_callers_chose_cannot_steer_the_terminal() {
    let home = with_calls();
    for command in [&["audit", "find"][..], &["audit", "tail"], &["why", "ccc333"]] {
        let text = home.run(command).out();
        assert!(text.contains("pump-7\\u{1b}[2J"), "{text}");
        assert!(!text.contains('\u{1b}'), "{text}");
    }
}

#[test]
fn only_the_newest_calls_are_shown_where_there_are_many() {
    let ran = with_calls().run(&["audit", "find", "--limit", "1"]);
    assert!(ran.out().contains("ccc333") && !ran.out().contains("aaa111"), "{}", ran.out());
    assert!(ran.err().contains("only the newest 1 calls are shown"), "{}", ran.err());
}

#[test]
fn why_tells_the_rule() {
    let home = with_calls();
    let text = home.run(&["why", "bbb222"]).out();
    assert!(text.contains("needs nerveshub:manage; the caller holds nerveshub:view"), "{text}");
    assert!(text.contains("http.api POST https://fleet.example.com/reboot 200"), "{text}");
    assert_eq!(home.run(&["why", "bbb222", "--json"]).json()["outcome"], "refused");
}

#[test]
fn why_of_an_unknown_reference_fails_and_says_where_it_looked() {
    let home = with_calls();
    let log = state(&home).join("audit");
    home.run(&["why", "zzz999"]).refused(1, &["has no call zzz999", &log.display().to_string(), "help:"]);
}

#[test]
fn tail_shows_the_last_records_as_they_happened() {
    let home = with_calls();
    let text = home.run(&["audit", "tail", "-n", "3"]).out();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 3, "{text}");
    assert!(lines[0].contains("bbb222") && lines[0].contains("refused after 12 ms: needs"), "{text}");
    assert!(lines[1].contains("ccc333") && lines[1].ends_with("starts"), "{text}");
    let json = home.run(&["audit", "tail", "-n", "1", "--json"]).json();
    assert_eq!((&json["kind"], &json["call"]), (&json!("outcome"), &json!("ccc333")));
}

#[test]
fn tail_follows_until_it_is_interrupted() {
    use std::io::{BufRead, BufReader};
    use std::process::Stdio;
    let home = with_calls();
    let mut child =
        home.command(&["audit", "tail", "-n", "0", "--follow"]).stdout(Stdio::piped()).spawn().unwrap();
    let log = AuditLog::open(&state(&home)).unwrap();
    let mut line = String::new();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    // The command may not have looked yet when the first record is written, so records come until one is shown.
    let writer = std::thread::spawn(move || {
        for number in 0..600 {
            let intent = Intent {
                call: format!("new{number}"),
                principal: "ann".into(),
                binding: "lab".into(),
                tool: "wipe".into(),
                plugin: "sha256:0123".into(),
                arguments: serde_json::Map::new(),
                arguments_hash: String::new(),
                job: None,
            };
            if log.intent(&intent).is_err() {
                return;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
    });
    out.read_line(&mut line).unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    drop(writer);
    assert!(line.contains("ann lab/wipe starts"), "{line}");
}

#[test]
fn a_plugin_without_a_table_is_found_and_can_be_enabled() {
    let home = Home::new();
    let config = home.config("# mine\n[serve]\n");
    home.plugin("probe", "1.2.3", "");
    let found = home.run(&["check"]);
    assert_eq!(found.code(), 0, "{}{}", found.out(), found.err());
    assert!(found.out().contains("probe 1.2.3  found, not served"), "{}", found.out());
    assert!(found.out().contains("fleetgate enable probe"), "{}", found.out());

    let enabled = home.run(&["enable", "probe"]);
    assert_eq!(enabled.code(), 0, "{}", enabled.err());
    assert!(enabled.out().contains("[plugins.probe]"), "{}", enabled.out());
    let text = fs::read_to_string(&config).unwrap();
    assert!(text.starts_with("# mine\n[serve]\n") && text.contains("[plugins.probe]"), "{text}");

    home.run(&["enable", "probe"]).refused(1, &["probe has a table", "fleetgate check"]);
    let facts = home.run(&["check", "--json"]).json();
    assert_eq!(facts["plugins"][0]["bindings"][0]["name"], "probe", "{facts}");
}

#[test]
fn enabling_what_is_not_there_is_wrong_usage() {
    let home = Home::new();
    home.config("");
    home.run(&["enable", "ghost"]).refused(2, &["there is no ghost.wasm in "]);
    home.run(&["approve", "ghost"]).refused(2, &["there is no ghost.wasm in "]);
}

const WIDER: &str =
    "[capabilities.http.api]\nwhy = \"More\"\noptional = true\nmethods = [\"GET\"]\npaths = [\"/**\"]\n";

#[test]
fn a_version_that_asks_for_more_is_held_until_somebody_says_yes() {
    let home = Home::new();
    home.config("");
    home.plugin("probe", "1.2.3", "");
    home.run(&["enable", "probe"]);
    home.plugin("probe", "2.0.0", WIDER);

    let held = home.run(&["check"]);
    assert_eq!(held.code(), 1, "{}", held.out());
    assert!(held.out().contains("held: it asks for more than was approved"), "{}", held.out());
    assert!(held.out().contains("asks for http.api: More"), "{}", held.out());

    // Nobody is at a terminal here.
    let asked = home.run(&["approve", "probe"]);
    asked.refused(2, &["nobody is here to say yes", "--yes"]);
    assert!(
        asked.out().contains("1.2.3 -> 2.0.0") && asked.out().contains("asks for http.api: More"),
        "{}",
        asked.out()
    );
    assert_eq!(home.run(&["check"]).code(), 1, "asking has not approved it");

    let approved = home.run(&["approve", "probe", "--yes", "--json"]);
    assert_eq!(approved.code(), 0, "{}", approved.err());
    assert_eq!(approved.json()["to"]["version"], "2.0.0");
    assert!(!home.run(&["check"]).out().contains("held"));
    let again = home.run(&["approve", "probe"]);
    assert_eq!(again.code(), 0);
    assert!(again.err().contains("probe 2.0.0 is approved already"), "{}", again.err());
}

#[test]
fn what_is_wrong_with_a_plugin_is_said_and_the_check_fails() {
    let home = Home::new();
    home.config("[plugins.probe]\n[plugins.ghost]\n");
    home.write(".config/fleetgate/plugins/probe.wasm", "garbage");
    let ran = home.run(&["check"]);
    assert_eq!(ran.code(), 1);
    assert!(ran.out().contains("is not WebAssembly"), "{}", ran.out());
    assert!(ran.out().contains("ghost  missing"), "{}", ran.out());
    let facts = home.run(&["check", "--json"]).json();
    assert_eq!(facts["fine"], false);
    assert_eq!(facts["plugins"][0]["state"], "missing");
    assert_eq!(facts["plugins"][1]["state"], "broken");
}

#[test]
fn a_missing_grant_is_said_with_the_table_to_add() {
    let home = Home::new();
    home.config("[plugins.probe]\n");
    home.plugin("probe", "1.2.3", &WIDER.replace("optional = true\n", ""));
    let ran = home.run(&["check"]);
    assert_eq!(ran.code(), 1, "{}", ran.out());
    assert!(ran.out().contains("needs http.api (More), which is not granted"), "{}", ran.out());
    assert!(ran.out().contains("[plugins.probe.grant.http.api]"), "{}", ran.out());
}

#[test]
fn calls_that_cannot_be_made_say_why() {
    let home = Home::new();
    home.config("[plugins.probe]\n[plugins.ghost]\n");
    home.plugin("probe", "1.2.3", "");
    home.run(&["call", "prob", "look"]).refused(2, &["there is no binding prob", "did you mean \"probe\"?"]);
    home.run(&["call", "probe", "look", "[1]"]).refused(2, &["are not a JSON object"]);
    home.run(&["call", "probe", "look", "{"]).refused(2, &["are not JSON"]);
    home.run(&["prompt", "probe", "greet", "{\"n\": 1}"]).refused(2, &["\"n\" of a prompt is not a string"]);
    home.run(&["prompt", "probe", "greet", "[]"]).refused(2, &["are not a JSON object"]);
    for command in [&["read", "prob", "a://b"][..], &["prompt", "prob", "greet"]] {
        home.run(command).refused(2, &["there is no binding prob", "did you mean \"probe\"?"]);
    }
    for command in [&["read", "ghost", "a://b"][..], &["prompt", "ghost", "greet"]] {
        home.run(command).refused(1, &["ghost cannot be called: there is no ghost.wasm"]);
    }
    home.run(&["call", "ghost", "look"]).refused(1, &["ghost cannot be called: there is no ghost.wasm"]);
}

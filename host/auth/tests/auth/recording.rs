use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::thread;

use fleetgate_auth::audit::{AuditError, AuditLog, directory};
use fleetgate_core::audit::Audit;
use fleetgate_core::key_file::KeyFailed;
use jiff::Timestamp;
use tempfile::tempdir;

use crate::sample::{ended, lines, log_file, look, reboot};

#[test]
fn an_intent_is_in_the_file_when_the_call_may_go_on() {
    let state = tempdir().unwrap();
    let log = AuditLog::open(state.path()).unwrap();
    log.intent(&reboot("c1", "pump-7")).unwrap();
    let lines = lines(state.path());
    assert_eq!(lines.len(), 1);
    assert_eq!(lines[0]["kind"], "intent");
    assert_eq!(lines[0]["arguments"]["identifier"], "pump-7");
    assert_eq!(lines[0]["principal"], "local");
    let at = lines[0]["at"].as_str().unwrap();
    assert_eq!(at.len(), "2026-03-01T10:11:12.123Z".len(), "{at}");
    at.parse::<Timestamp>().unwrap();
}

#[test]
fn outcomes_are_on_the_disk_after_a_flush_in_the_order_in_which_they_came() {
    let state = tempdir().unwrap();
    let log = AuditLog::open(state.path()).unwrap();
    for number in 0..500 {
        log.outcome(&ended(look(&format!("c{number}")), "ok")).unwrap();
    }
    log.flush().unwrap();
    let calls: Vec<_> =
        lines(state.path()).iter().map(|line| line["call"].as_str().unwrap().to_owned()).collect();
    let expected: Vec<_> = (0..500).map(|number| format!("c{number}")).collect();
    assert_eq!(calls, expected);
}

#[test]
fn dropping_the_log_loses_nothing() {
    let state = tempdir().unwrap();
    let log = AuditLog::open(state.path()).unwrap();
    for number in 0..100 {
        log.outcome(&ended(look(&format!("c{number}")), "ok")).unwrap();
    }
    drop(log);
    assert_eq!(lines(state.path()).len(), 100);
}

#[test]
fn calls_at_once_each_find_their_intent_recorded_before_they_go_on() {
    let state = tempdir().unwrap();
    let log = AuditLog::open(state.path()).unwrap();
    thread::scope(|scope| {
        for worker in 0..8 {
            let (log, state) = (&log, state.path());
            scope.spawn(move || {
                for number in 0..25 {
                    let call = format!("w{worker}-{number}");
                    log.intent(&reboot(&call, "pump-7")).unwrap();
                    let text = fs::read_to_string(log_file(state)).unwrap();
                    assert!(text.contains(&format!("\"call\":\"{call}\"")), "{call} is not in the file");
                }
            });
        }
    });
    assert_eq!(lines(state.path()).len(), 200);
}

#[test]
fn two_hosts_write_one_log_and_every_line_stays_whole() {
    let state = tempdir().unwrap();
    let (one, two) = (AuditLog::open(state.path()).unwrap(), AuditLog::open(state.path()).unwrap());
    thread::scope(|scope| {
        for (name, log) in [("one", &one), ("two", &two)] {
            scope.spawn(move || {
                for number in 0..200 {
                    log.outcome(&ended(reboot(&format!("{name}-{number}"), &"x".repeat(300)), "ok")).unwrap();
                }
                log.flush().unwrap();
            });
        }
    });
    assert_eq!(lines(state.path()).len(), 400);
}

#[test]
fn nobody_else_can_read_what_was_recorded() {
    let state = tempdir().unwrap();
    let log = AuditLog::open(state.path()).unwrap();
    log.intent(&reboot("c1", "pump-7")).unwrap();
    let mode = |path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(directory(state.path())), 0o700);
    assert_eq!(mode(log_file(state.path())), 0o600);
    assert_eq!(mode(state.path().join("audit.key")), 0o600);
}

#[test]
fn a_log_that_others_can_write_is_refused() {
    let state = tempdir().unwrap();
    drop(AuditLog::open(state.path()).unwrap());
    fs::set_permissions(log_file(state.path()), fs::Permissions::from_mode(0o666)).unwrap();
    let refused = AuditLog::open(state.path()).err().expect("refused");
    assert!(matches!(refused, AuditError::NotPrivate { .. }));
    assert!(refused.to_string().ends_with("can be written by others: give it to the host's user and take it from the others (chown, chmod 600)"), "{refused}");
}

#[test]
fn a_directory_that_others_can_write_is_refused() {
    let state = tempdir().unwrap();
    drop(AuditLog::open(state.path()).unwrap());
    fs::set_permissions(directory(state.path()), fs::Permissions::from_mode(0o777)).unwrap();
    assert!(matches!(AuditLog::open(state.path()), Err(AuditError::NotPrivate { mode: 0o700, .. })));
}

#[test]
fn a_log_that_is_a_symbolic_link_is_refused() {
    let state = tempdir().unwrap();
    drop(AuditLog::open(state.path()).unwrap());
    let elsewhere = state.path().join("elsewhere");
    fs::write(&elsewhere, "").unwrap();
    fs::remove_file(log_file(state.path())).unwrap();
    std::os::unix::fs::symlink(&elsewhere, log_file(state.path())).unwrap();
    assert!(matches!(AuditLog::open(state.path()), Err(AuditError::Io { action: "open", .. })));
}

#[test]
fn equal_arguments_have_equal_hashes_however_they_are_spelled() {
    let state = tempdir().unwrap();
    let log = AuditLog::open(state.path()).unwrap();
    let hash = log.hash(r#"{"a":1,"b":{"x":true,"y":[1,2]}}"#);
    assert_eq!(hash, log.hash(r#"{ "b": {"y": [1, 2], "x": true}, "a": 1 }"#));
    assert_ne!(hash, log.hash(r#"{"a":1,"b":{"x":true,"y":[2,1]}}"#));
    assert_eq!(hash.len(), "hmac-sha256:".len() + 64);
}

#[test]
fn a_hash_outlives_the_process_but_says_nothing_on_another_machine() {
    let (here, there) = (tempdir().unwrap(), tempdir().unwrap());
    let hash = |state: &tempfile::TempDir| AuditLog::open(state.path()).unwrap().hash(r#"{"pin":"1234"}"#);
    assert_eq!(hash(&here), hash(&here));
    assert_ne!(hash(&here), hash(&there));
}

#[test]
fn a_key_that_others_can_read_is_refused() {
    let state = tempdir().unwrap();
    drop(AuditLog::open(state.path()).unwrap());
    fs::set_permissions(state.path().join("audit.key"), fs::Permissions::from_mode(0o644)).unwrap();
    let refused = AuditLog::open(state.path()).err().expect("refused");
    assert!(refused.to_string().contains("is open to others"), "{refused}");
}

#[test]
fn a_key_of_another_length_is_refused() {
    let state = tempdir().unwrap();
    let path = state.path().join("audit.key");
    fs::write(&path, "short").unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    assert!(matches!(AuditLog::open(state.path()), Err(AuditError::Key(KeyFailed::BadKey { .. }))));
}

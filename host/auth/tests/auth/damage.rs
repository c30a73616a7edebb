use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;

use fleetgate_auth::audit::{AuditLog, Damaged, Filter, Found, directory, find};
use fleetgate_core::audit::Audit;
use tempfile::tempdir;

use crate::sample::{log_file, reboot};

fn append(state: &Path, bytes: &[u8]) {
    OpenOptions::new().append(true).open(log_file(state)).unwrap().write_all(bytes).unwrap();
}

fn all(state: &Path) -> Found {
    find(&directory(state), &Filter::default()).unwrap()
}

#[test]
fn a_torn_last_line_is_reported_and_the_rest_is_read() {
    let state = tempdir().unwrap();
    AuditLog::open(state.path()).unwrap().intent(&reboot("c1", "pump-7")).unwrap();
    append(state.path(), br#"{"at":"2026-03-01T10:11:12.123Z","kind":"int"#);
    let found = all(state.path());
    assert_eq!(found.calls.len(), 1);
    assert_eq!(found.damaged, [Damaged { file: log_file(state.path()), line: 2 }]);
}

#[test]
fn the_record_after_a_torn_line_stands_on_a_line_of_its_own() {
    let state = tempdir().unwrap();
    AuditLog::open(state.path()).unwrap().intent(&reboot("c1", "pump-7")).unwrap();
    append(state.path(), br#"{"at":"2026-03-01T10:11:12.123Z","kind":"int"#);
    AuditLog::open(state.path()).unwrap().intent(&reboot("c2", "pump-7")).unwrap();
    let found = all(state.path());
    assert_eq!((found.calls.len(), found.damaged.len()), (2, 1));
}

#[test]
fn a_record_on_the_line_that_another_host_left_torn_is_read() {
    let state = tempdir().unwrap();
    let log = AuditLog::open(state.path()).unwrap();
    log.intent(&reboot("c1", "pump-7")).unwrap();
    // The other host dies while this one has the file open and knows nothing of it.
    append(state.path(), br#"{"at":"2026-03-01T10:11:12.123Z","kind":"int"#);
    log.intent(&reboot("c2", "pump-7")).unwrap();
    let found = all(state.path());
    assert_eq!((found.calls.len(), found.damaged.len()), (2, 1));
}

#[test]
fn what_is_no_text_at_all_is_reported_and_passed_over() {
    let state = tempdir().unwrap();
    let log = AuditLog::open(state.path()).unwrap();
    log.intent(&reboot("c1", "pump-7")).unwrap();
    append(state.path(), b"\xff\xfe\x00garbage\n\n{}\n");
    log.intent(&reboot("c2", "pump-7")).unwrap();
    let found = all(state.path());
    assert_eq!(found.calls.len(), 2);
    let lines: Vec<_> = found.damaged.iter().map(|damaged| damaged.line).collect();
    assert_eq!(lines, [2, 4]);
}

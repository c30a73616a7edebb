use fleetgate_auth::audit::{AuditLog, AuditOptions, Line, Rotation, Tail, directory};
use fleetgate_core::audit::Audit;
use tempfile::tempdir;

use crate::sample::reboot;

fn names(lines: &[Line]) -> Vec<&str> {
    lines.iter().map(|line| line.intent().call.as_str()).collect()
}

#[test]
fn the_newest_records_come_first_and_then_what_follows_them() {
    let state = tempdir().unwrap();
    let log = AuditLog::open(state.path()).unwrap();
    for call in ["c1", "c2", "c3"] {
        log.intent(&reboot(call, "pump-7")).unwrap();
    }
    let (lines, mut tail) = Tail::open(&directory(state.path()), 2).unwrap();
    assert_eq!(names(&lines), ["c2", "c3"]);
    assert!(tail.newer().unwrap().is_empty());
    log.intent(&reboot("c4", "pump-7")).unwrap();
    assert_eq!(names(&tail.newer().unwrap()), ["c4"]);
    assert!(tail.newer().unwrap().is_empty());
}

#[test]
fn a_rotation_hides_nothing_from_who_follows() {
    let state = tempdir().unwrap();
    let rotation = Rotation { at: 600, keep: None };
    let log = AuditLog::with(AuditOptions { rotation, ..AuditOptions::in_state(state.path()) }).unwrap();
    let (_, mut tail) = Tail::open(&directory(state.path()), 10).unwrap();
    let mut seen = Vec::new();
    for number in 0..20 {
        log.intent(&reboot(&format!("c{number}"), "pump-7")).unwrap();
        seen.extend(tail.newer().unwrap());
    }
    let expected: Vec<_> = (0..20).map(|number| format!("c{number}")).collect();
    assert_eq!(names(&seen), expected);
}

#[test]
fn a_log_that_begins_later_is_followed_from_its_first_record() {
    let state = tempdir().unwrap();
    let (lines, mut tail) = Tail::open(&directory(state.path()), 10).unwrap();
    assert!(lines.is_empty() && tail.newer().unwrap().is_empty());
    AuditLog::open(state.path()).unwrap().intent(&reboot("c1", "pump-7")).unwrap();
    assert_eq!(names(&tail.newer().unwrap()), ["c1"]);
}

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::thread;

use fleetgate_auth::audit::{AuditLog, AuditOptions, Filter, Rotation, directory, find, why};
use fleetgate_core::audit::Audit;
use tempfile::tempdir;

use crate::sample::{ended, look, reboot};

fn small(state: &Path, keep: Option<usize>) -> Arc<AuditLog> {
    let rotation = Rotation { at: 2_000, keep };
    AuditLog::with(AuditOptions { rotation, ..AuditOptions::in_state(state) }).unwrap()
}

fn files(state: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory(state)).unwrap();
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.retain(|name| name.ends_with(".jsonl"));
    names.sort();
    names
}

#[test]
fn a_full_file_is_rotated_and_no_record_is_lost() {
    let state = tempdir().unwrap();
    let log = small(state.path(), None);
    for number in 0..60 {
        log.intent(&reboot(&format!("c{number}"), "pump-7")).unwrap();
        log.outcome(&ended(reboot(&format!("c{number}"), "pump-7"), "ok")).unwrap();
    }
    log.flush().unwrap();
    let names = files(state.path());
    assert!(names.len() > 5, "{names:?}");
    assert_eq!(names[0], "audit.000001.jsonl");
    assert_eq!(names.last().unwrap(), "audit.jsonl");
    for name in &names {
        assert!(
            fs::metadata(directory(state.path()).join(name)).unwrap().len() <= 2_000,
            "{name} is too large"
        );
    }
    let found = find(&directory(state.path()), &Filter::default()).unwrap();
    assert_eq!(found.calls.len(), 60);
    assert!(found.calls.iter().all(|call| call.outcome.as_deref() == Some("ok")));
    assert!(why(&directory(state.path()), "c0").unwrap().is_some(), "the oldest is found too");
}

#[test]
fn hosts_that_rotate_one_log_at_once_lose_nothing() {
    let state = tempdir().unwrap();
    let logs = [small(state.path(), None), small(state.path(), None), small(state.path(), None)];
    thread::scope(|scope| {
        for (host, log) in logs.iter().enumerate() {
            scope.spawn(move || {
                for number in 0..100 {
                    log.intent(&reboot(&format!("h{host}-{number}"), "pump-7")).unwrap();
                }
            });
        }
    });
    let found = find(&directory(state.path()), &Filter::default()).unwrap();
    assert_eq!((found.calls.len(), found.damaged.len()), (300, 0));
}

#[test]
fn only_as_many_rotated_files_stay_as_were_asked_for() {
    let state = tempdir().unwrap();
    let log = small(state.path(), Some(2));
    for number in 0..100 {
        log.outcome(&ended(look(&format!("c{number}")), "ok")).unwrap();
    }
    log.flush().unwrap();
    let names = files(state.path());
    assert_eq!(names.len(), 3, "{names:?}");
    assert!(why(&directory(state.path()), "c99").unwrap().is_some());
    assert!(why(&directory(state.path()), "c0").unwrap().is_none());
}

#[test]
fn a_record_larger_than_a_file_is_kept_whole() {
    let state = tempdir().unwrap();
    let log = small(state.path(), None);
    log.intent(&reboot("large", &"x".repeat(10_000))).unwrap();
    log.intent(&reboot("next", "pump-7")).unwrap();
    let large = why(&directory(state.path()), "large").unwrap().unwrap();
    assert_eq!(large.arguments["identifier"].as_str().unwrap().len(), 10_000);
    assert_eq!(files(state.path()).len(), 2);
}

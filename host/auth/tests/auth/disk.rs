//! A disk that takes nothing more. `/dev/full` answers every write with "no space left"; a limit on the size of
//! files cuts a record off in its middle, as a disk does that fills up while it is written.

use std::env;
use std::path::Path;
use std::process::Command;

use fleetgate_auth::audit::{AuditLog, AuditOptions, Rotation, find};
use fleetgate_auth::audit::{Filter, directory};
use fleetgate_core::audit::Audit;
use tempfile::tempdir;

use crate::sample::{ended, lines, look, reboot};

#[cfg(target_os = "linux")]
#[test]
fn on_a_full_disk_an_intent_fails_and_says_why() {
    let state = tempdir().unwrap();
    let key = state.path().join("audit.key");
    let options = AuditOptions { file: "/dev/full".into(), key, rotation: Rotation::default() };
    let log = AuditLog::with(options).unwrap();
    for _ in 0..3 {
        let failed = log.intent(&reboot("c1", "pump-7")).unwrap_err();
        assert!(failed.to_string().starts_with("the audit log cannot be written: No space left"), "{failed}");
    }
    // The outcome of what was allowed anyway is no reason to stop.
    log.outcome(&ended(look("c2"), "ok")).unwrap();
}

#[test]
fn a_log_in_a_place_that_is_no_directory_is_refused_at_the_start() {
    let state = tempdir().unwrap();
    std::fs::write(directory(state.path()), "a file").unwrap();
    let refused = AuditLog::open(state.path()).err().expect("refused");
    assert!(refused.to_string().starts_with("cannot create "), "{refused}");
}

/// The variable that turns the test below into the host whose disk fills up.
const STATE: &str = "FLEETGATE_TEST_STATE";

/// Runs under a limit of 1 KiB per file, see below.
fn fills_up(state: &Path) {
    let log = AuditLog::open(state).unwrap();
    let mut failed = 0;
    for number in 0..10 {
        if log.intent(&reboot(&format!("c{number}"), "pump-7")).is_err() {
            failed += 1;
        }
    }
    assert!((1..10).contains(&failed), "some fit and some do not: {failed} failed");
}

#[test]
fn a_record_cut_off_by_a_full_disk_spoils_neither_those_before_nor_those_after() {
    if let Some(state) = env::var_os(STATE) {
        return fills_up(Path::new(&state));
    }
    let state = tempdir().unwrap();
    let name = "disk::a_record_cut_off_by_a_full_disk_spoils_neither_those_before_nor_those_after";
    let host = Command::new("sh")
        // dash counts in blocks of 512 bytes, bash in 1,024.
        .args([
            "-c",
            "trap '' XFSZ; ulimit -f 1; exec \"$0\" --exact \"$1\"",
            env::current_exe().unwrap().to_str().unwrap(),
            name,
        ])
        .env(STATE, state.path())
        .output()
        .unwrap();
    assert!(host.status.success(), "{}", String::from_utf8_lossy(&host.stdout));

    // There is room again.
    let log = AuditLog::open(state.path()).unwrap();
    log.intent(&reboot("later", "pump-8")).unwrap();
    let found = find(&directory(state.path()), &Filter::default()).unwrap();
    let calls: Vec<_> = found.calls.iter().map(|call| call.call.as_str()).collect();
    assert_eq!(calls.first(), Some(&"c0"));
    assert_eq!(calls.last(), Some(&"later"));
    assert_eq!(found.damaged.len(), 1, "the cut record: {:?}", found.damaged);
}

/// A pipe takes nothing more when it is full, and goes on when somebody reads: a disk as slow as a test wants.
#[cfg(target_os = "linux")]
#[test]
fn an_intent_that_waits_for_the_disk_does_not_stop_the_other_tasks_of_its_worker() {
    use std::io::{BufRead, BufReader};

    let state = tempdir().unwrap();
    let file = state.path().join("pipe");
    rustix::fs::mknodat(rustix::fs::CWD, &file, rustix::fs::FileType::Fifo, 0o600.into(), 0).unwrap();
    let key = state.path().join("audit.key");
    let log =
        AuditLog::with(AuditOptions { file: file.clone(), key, rotation: Rotation::default() }).unwrap();

    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let call = runtime.spawn(async move {
        let other = tokio::spawn(async move {
            let mut line = String::new();
            BufReader::new(std::fs::File::open(file).unwrap()).read_line(&mut line).unwrap();
            line.len()
        });
        log.intent(&reboot("c1", &"x".repeat(1 << 20))).unwrap();
        other.await.unwrap()
    });
    let guarded = async { tokio::time::timeout(std::time::Duration::from_secs(60), call).await };
    let read = runtime.block_on(guarded).expect("the other task never ran").unwrap();
    assert!(read > 1 << 20);
}

#[test]
fn a_log_that_somebody_moved_away_begins_anew() {
    let state = tempdir().unwrap();
    let log = AuditLog::open(state.path()).unwrap();
    log.intent(&reboot("c1", "pump-7")).unwrap();
    let file = crate::sample::log_file(state.path());
    std::fs::rename(&file, state.path().join("taken-away")).unwrap();
    log.intent(&reboot("c2", "pump-7")).unwrap();
    let lines = lines(state.path());
    assert_eq!((lines.len(), &lines[0]["call"]), (1, &"c2".into()));
}

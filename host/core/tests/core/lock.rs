//! `fleetgate.lock`.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;

use fleetgate_core::artifact::Digest;
use fleetgate_core::catalog::{Approved, Lock, LockFailed, NotAlone};
use tempfile::TempDir;

fn approved(manifest: &str) -> Approved {
    Approved {
        version: "0.1.0".into(),
        digest: Digest::of(manifest.as_bytes()),
        approved_at: "2026-01-02T03:04:05Z".parse().expect("a time"),
        by: "ann".into(),
        manifest: manifest.into(),
    }
}

#[test]
fn what_was_written_is_read_again_whatever_a_manifest_holds() {
    let directory = TempDir::new().expect("a directory");
    let path = directory.path().join("fleetgate.lock");
    let plugins: BTreeMap<String, Approved> = [
        ("plain", "[plugin]\nid = \"a\"\n"),
        ("quotes", "a = '''x'''\nb = \"\"\"y\"\"\"\n"),
        ("strange", "tab\there\r\nand \u{7f}\u{1b}[31m \u{202e} \\ \" '"),
        ("empty", ""),
    ]
    .map(|(id, manifest)| (id.to_owned(), approved(manifest)))
    .into();
    let written = Lock::change(&path, |lock| lock.plugins = plugins.clone()).expect("it is written");
    assert_eq!(written, Lock::read(&path).expect("it is read"));
    assert_eq!(written.plugins, plugins);
}

#[test]
fn a_lock_that_is_not_there_is_empty_and_one_without_a_change_is_not_written() {
    let directory = TempDir::new().expect("a directory");
    let path = directory.path().join("fleetgate.lock");
    assert_eq!(Lock::read(&path).expect("empty"), Lock::default());
    Lock::change(&path, |_| {}).expect("nothing to do");
    assert!(!path.exists());
}

#[test]
fn a_lock_that_others_can_write_is_refused() {
    let directory = TempDir::new().expect("a directory");
    let path = directory.path().join("fleetgate.lock");
    Lock::change(&path, |lock| lock.plugins = [("a".to_owned(), approved(""))].into())
        .expect("it is written");
    assert_eq!(fs::metadata(&path).expect("it is there").permissions().mode() & 0o777, 0o644);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o666)).expect("its mode");
    let failed = Lock::read(&path).expect_err("others can write it");
    assert!(matches!(failed, LockFailed::Refused(_)), "{failed}");
    assert!(failed.to_string().contains("chmod go-w"), "{failed}");
}

#[test]
fn a_lock_with_anything_unknown_is_refused_and_left_alone() {
    let directory = TempDir::new().expect("a directory");
    let path = directory.path().join("fleetgate.lock");
    for text in
        ["not toml", "format = 2\n", "format = 1\nextra = 1\n", "format = 1\n[plugins.a]\nversion = \"1\"\n"]
    {
        fs::write(&path, text).expect("it is written");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).expect("its mode");
        assert!(matches!(Lock::read(&path), Err(LockFailed::Malformed { .. })), "{text}");
        let changed = Lock::change(&path, |lock| lock.plugins.clear());
        assert!(matches!(changed, Err(LockFailed::Malformed { .. })), "{text}");
        assert_eq!(fs::read_to_string(&path).expect("it is there"), text);
    }
}

#[test]
fn changes_made_at_once_are_all_kept() {
    let directory = TempDir::new().expect("a directory");
    let path = directory.path().join("fleetgate.lock");
    std::thread::scope(|threads| {
        for number in 0..16 {
            let path = &path;
            threads.spawn(move || {
                Lock::change(path, |lock| {
                    lock.plugins.insert(format!("p{number}"), approved("x"));
                })
                .expect("it is written");
            });
        }
    });
    assert_eq!(Lock::read(&path).expect("it is read").plugins.len(), 16);
}

const GUARD: &str = ".fleetgate.alone";

#[test]
fn a_lock_that_somebody_keeps_ends_in_an_error_and_not_in_waiting() {
    let directory = TempDir::new().expect("a directory");
    let path = directory.path().join("fleetgate.lock");
    Lock::change(&path, |_| {}).expect("nothing to do");
    let guard = fs::File::open(directory.path().join(GUARD)).expect("it stays");
    guard.lock().expect("locked");
    let failed = Lock::change(&path, |lock| lock.plugins = [("a".to_owned(), approved(""))].into())
        .expect_err("another process holds it");
    assert!(matches!(failed, LockFailed::NotAlone(NotAlone::Busy(_))), "{failed}");
    assert!(failed.to_string().contains("nothing is changed"), "{failed}");
    assert!(!path.exists());
    guard.unlock().expect("unlocked");
    Lock::change(&path, |lock| lock.plugins = [("a".to_owned(), approved(""))].into()).expect("it is free");
}

#[test]
fn a_lock_on_the_directory_stops_nobody() {
    let directory = TempDir::new().expect("a directory");
    let path = directory.path().join("fleetgate.lock");
    let opened = fs::File::open(directory.path()).expect("whoever can read it can open it");
    opened.lock().expect("locked");
    Lock::change(&path, |lock| lock.plugins = [("a".to_owned(), approved(""))].into())
        .expect("it is written");
    let mode = fs::metadata(directory.path().join(GUARD)).expect("it stays").permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "nobody else can open what is locked");
}

#[test]
fn a_guard_that_others_can_open_or_that_leads_elsewhere_is_refused() {
    let directory = TempDir::new().expect("a directory");
    let path = directory.path().join("fleetgate.lock");
    let guard = directory.path().join(GUARD);
    let refused = || {
        let failed = Lock::change(&path, |lock| lock.plugins.clear()).expect_err("it is refused");
        assert!(matches!(failed, LockFailed::NotAlone(NotAlone::Foreign(_))), "{failed}");
        assert!(failed.to_string().contains("delete it"), "{failed}");
    };
    fs::write(&guard, "").expect("it is written");
    fs::set_permissions(&guard, fs::Permissions::from_mode(0o644)).expect("its mode");
    refused();
    fs::remove_file(&guard).expect("it was there");
    std::os::unix::fs::symlink(directory.path().join("other"), &guard).expect("a link");
    refused();
    fs::remove_file(&guard).expect("it was there");
    Lock::change(&path, |lock| lock.plugins.clear()).expect("it is made anew");
}

//! The file: whose it is, and what a start says when it cannot be used.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::PathBuf;

use fleetgate_core::store::{Batch, Key, Space, Store};
use fleetgate_store::{Embedded, OpenFailed, open_first_free};
use tempfile::TempDir;

struct Place(TempDir);

impl Place {
    fn new() -> Self {
        Self(TempDir::new().expect("a directory"))
    }
    fn file(&self) -> PathBuf {
        self.0.path().join("store").join("serve.redb")
    }
}

fn space() -> Space {
    Space::new("test").expect("a name")
}

fn key() -> Key {
    Key::new("k").expect("a key")
}

#[tokio::test]
async fn the_file_and_its_directory_are_private() {
    let place = Place::new();
    let store = Embedded::open(&place.file()).expect("a store");
    store.write(&space(), Batch::new().put(key(), "x", None)).await.expect("written");
    let mode = |path: PathBuf| fs::metadata(path).expect("it is there").mode() & 0o777;
    assert_eq!(mode(place.file()), 0o600);
    assert_eq!(mode(place.0.path().join("store")), 0o700);
}

#[tokio::test]
async fn what_was_written_is_there_when_it_is_opened_again() {
    let place = Place::new();
    let store = Embedded::open(&place.file()).expect("a store");
    let first = store.write(&space(), Batch::new().put(key(), "x", None)).await.expect("written");
    drop(store);
    let store = Embedded::open(&place.file()).expect("the same store");
    let found = store.get(&space(), &key()).await.expect("read").expect("it is there");
    assert_eq!((found.value.as_slice(), vec![found.revision]), (&b"x"[..], first.clone()));
    let second = store.write(&space(), Batch::new().put(key(), "y", None)).await.expect("written");
    assert!(second > first, "{second:?}");
}

#[test]
fn a_file_that_another_has_is_named() {
    let place = Place::new();
    let _first = Embedded::open(&place.file()).expect("a store");
    let refused = Embedded::open(&place.file()).expect_err("it is taken");
    assert!(matches!(refused, OpenFailed::InUse(_)));
    assert!(refused.to_string().contains("serve.redb is in use by another process"), "{refused}");
}

#[test]
fn hosts_that_share_a_state_directory_take_a_file_each() {
    let place = Place::new();
    let directory = place.0.path().join("store");
    let open = || open_first_free(&directory, "stdio").expect("a store");
    let (first, second) = (open(), open());
    assert_eq!(first.path(), directory.join("stdio.redb"));
    assert_eq!(second.path(), directory.join("stdio.1.redb"));
    drop(first);
    assert_eq!(open().path(), directory.join("stdio.redb"));
}

#[test]
fn a_crowd_of_hosts_is_told_what_to_do() {
    let place = Place::new();
    let all: Vec<_> = (0..16).map(|_| open_first_free(place.0.path(), "stdio").expect("a store")).collect();
    let refused = open_first_free(place.0.path(), "stdio").expect_err("all are taken");
    assert!(refused.to_string().contains("[serve] state"), "{refused}");
    assert_eq!(all.len(), 16);
}

#[test]
fn a_file_that_is_no_store_is_named_and_left_alone() {
    for content in ["not a store".to_owned(), "x".repeat(100_000), "redb".into()] {
        let place = Place::new();
        fs::create_dir(place.0.path().join("store")).expect("a directory");
        fs::write(place.file(), &content).expect("a file");
        fs::set_permissions(place.file(), Permissions::from_mode(0o600)).expect("its mode");
        let refused = Embedded::open(&place.file()).expect_err("it is none");
        assert!(matches!(refused, OpenFailed::Damaged { .. }), "{refused}");
        let said = refused.to_string();
        assert!(said.contains("serve.redb") && said.contains("move it away"), "{said}");
        assert_eq!(fs::read_to_string(place.file()).expect("it is there"), content);
    }
}

#[tokio::test]
async fn a_damaged_file_is_a_clear_error_or_keeps_what_it_says() {
    let whole = {
        let place = Place::new();
        let store = Embedded::open(&place.file()).expect("a store");
        store.write(&space(), Batch::new().put(key(), vec![b'x'; 5_000], None)).await.expect("written");
        drop(store);
        fs::read(place.file()).expect("the file")
    };
    let step = whole.len() / 97;
    for at in (0..whole.len()).step_by(step) {
        let place = Place::new();
        fs::create_dir(place.0.path().join("store")).expect("a directory");
        let mut damaged = whole.clone();
        damaged[at..(at + 16).min(whole.len())].fill(0xa5);
        fs::write(place.file(), damaged).expect("a file");
        fs::set_permissions(place.file(), Permissions::from_mode(0o600)).expect("its mode");
        match Embedded::open(&place.file()) {
            Err(refused) => {
                assert!(matches!(refused, OpenFailed::Damaged { .. } | OpenFailed::Later { .. }), "{refused}")
            }
            // The damage is where nothing of ours stands, or shows when it is read. It never ends the process.
            Ok(store) => drop(store.get(&space(), &key()).await),
        }
    }
}

#[test]
fn a_file_that_others_can_read_is_refused() {
    let place = Place::new();
    drop(Embedded::open(&place.file()).expect("a store"));
    fs::set_permissions(place.file(), Permissions::from_mode(0o644)).expect("its mode");
    let refused = Embedded::open(&place.file()).expect_err("others can read it");
    assert!(refused.to_string().contains("chmod 600"), "{refused}");

    fs::set_permissions(place.file(), Permissions::from_mode(0o600)).expect("its mode");
    fs::set_permissions(place.0.path().join("store"), Permissions::from_mode(0o777)).expect("its mode");
    let refused = Embedded::open(&place.file()).expect_err("others can replace it");
    assert!(refused.to_string().contains("chmod 700"), "{refused}");
}

#[test]
fn a_link_is_not_followed() {
    let place = Place::new();
    fs::create_dir(place.0.path().join("store")).expect("a directory");
    symlink(place.0.path().join("elsewhere"), place.file()).expect("a link");
    let refused = Embedded::open(&place.file()).expect_err("it leads elsewhere");
    assert!(matches!(refused, OpenFailed::Io { .. }), "{refused}");
    assert!(!place.0.path().join("elsewhere").exists());
}

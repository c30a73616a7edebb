//! What happens when the medium fails, with a medium that fails when it is told to.

use std::io;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use fleetgate_core::store::{Batch, Key, Space, Store, StoreError};
use redb::StorageBackend;
use redb::backends::InMemoryBackend;

use super::*;

/// Memory that outlives its database, and refuses to grow or to be written while it is full.
#[derive(Debug, Clone, Default)]
struct Medium {
    memory: Arc<Memory>,
    full: Arc<AtomicBool>,
    /// Of the syncs from now on, the one that fails. 0: none.
    sync_that_fails: Arc<AtomicUsize>,
}

#[derive(Debug)]
struct Memory(InMemoryBackend);

impl Default for Memory {
    fn default() -> Self {
        Self(InMemoryBackend::new())
    }
}

impl Medium {
    fn room(&self) -> io::Result<()> {
        if self.full.load(Ordering::SeqCst) { Err(io::ErrorKind::StorageFull.into()) } else { Ok(()) }
    }

    fn store(&self) -> Arc<Embedded> {
        Embedded::over("medium".as_ref(), opener(self)).expect("a store")
    }
}

fn opener(medium: &Medium) -> Opener {
    let medium = medium.clone();
    Box::new(move || {
        let opened = Database::builder().create_with_backend(medium.clone());
        opened.map_err(|error| file::refused("medium".as_ref(), error))
    })
}

impl StorageBackend for Medium {
    fn len(&self) -> io::Result<u64> {
        self.memory.0.len()
    }
    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.memory.0.read(offset, out)
    }
    fn set_len(&self, len: u64) -> io::Result<()> {
        self.room()?;
        self.memory.0.set_len(len)
    }
    fn sync_data(&self) -> io::Result<()> {
        self.memory.0.sync_data()?;
        // It is written all the same, as far as anybody can tell.
        let left = self.sync_that_fails.load(Ordering::SeqCst);
        self.sync_that_fails.store(left.saturating_sub(1), Ordering::SeqCst);
        if left == 1 { Err(io::Error::other("the disk says no")) } else { Ok(()) }
    }
    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.room()?;
        self.memory.0.write(offset, data)
    }
}

fn space() -> Space {
    Space::new("test").expect("a name")
}

fn key(name: &str) -> Key {
    Key::new(name).expect("a key")
}

fn put(name: &str) -> Batch {
    Batch::new().put(key(name), vec![7; 100_000], None)
}

#[tokio::test]
async fn a_full_disk_refuses_the_write_and_loses_nothing() {
    let medium = Medium::default();
    let store = medium.store();
    store.write(&space(), put("before")).await.expect("there is room");

    medium.full.store(true, Ordering::SeqCst);
    // A file that cannot be opened anew for want of room cannot say what became of the write that was cut short.
    let refused = store.write(&space(), put("while")).await.expect_err("there is none");
    assert!(
        matches!(refused, StoreError::Full { .. } | StoreError::Unavailable { unknown: true, .. }),
        "{refused}"
    );
    assert!(refused.to_string().contains("there is no room"), "{refused}");
    let refused = store.write(&space(), put("while")).await.expect_err("there is still none");
    assert!(matches!(refused, StoreError::Full { .. }), "{refused}");

    medium.full.store(false, Ordering::SeqCst);
    store.write(&space(), put("after")).await.expect("there is room again");
    for (name, kept) in [("before", true), ("while", false), ("after", true)] {
        let found = store.get(&space(), &key(name)).await.expect("it can be read");
        assert_eq!(found.is_some(), kept, "{name}");
    }
}

#[tokio::test]
async fn what_was_kept_before_a_full_disk_is_there_after_a_restart() {
    let medium = Medium::default();
    let store = medium.store();
    store.write(&space(), put("before")).await.expect("there is room");
    medium.full.store(true, Ordering::SeqCst);
    store.write(&space(), put("while")).await.expect_err("there is none");
    drop(store);

    medium.full.store(false, Ordering::SeqCst);
    let store = medium.store();
    assert!(store.get(&space(), &key("before")).await.expect("it can be read").is_some());
    assert!(store.get(&space(), &key("while")).await.expect("it can be read").is_none());
}

#[tokio::test]
async fn a_commit_that_fails_and_took_effect_all_the_same_is_not_done_again() {
    let medium = Medium::default();
    let store = medium.store();
    let mut took_effect = 0;
    for sync in 1..=6 {
        let names = [format!("{sync}-a"), format!("{sync}-b")];
        medium.sync_that_fails.store(sync, Ordering::SeqCst);
        // Only if it is not there: done twice, it would be a conflict.
        let absent = |name: &String| {
            Batch::new().put_when(key(name), fleetgate_core::store::Condition::Absent, "x", None)
        };
        let writes = names.iter().map(|name| store.write(&space(), absent(name)));
        let written = futures_util::future::join_all(writes).await;
        let failed = medium.sync_that_fails.swap(0, Ordering::SeqCst) == 0;
        for (name, written) in names.iter().zip(written) {
            let there = store.get(&space(), &key(name)).await.expect("it can be read").is_some();
            match written {
                Ok(_) => {
                    assert!(there, "{name} was acknowledged and is lost");
                    took_effect += usize::from(failed);
                }
                Err(StoreError::Unavailable { unknown: true, .. }) => {}
                Err(error) => {
                    assert!(!there && !matches!(error, StoreError::Conflict { .. }), "{name}: {error}")
                }
            }
        }
    }
    assert!(took_effect > 0, "no failing sync came behind what it was for");
}

#[tokio::test]
async fn what_a_full_part_swept_is_gone_although_nothing_was_written() {
    let store = Medium::default().store();
    let past = Some(std::time::SystemTime::now() - Duration::from_secs(1));
    // More than goes with one commit.
    for begin in [0, 900, 1_800] {
        let batch = (begin..begin + 900)
            .fold(Batch::new(), |batch, number| batch.put(key(&format!("p/{number}")), "x", past));
        store.write(&space(), batch.put(key("keeps"), "x", None)).await.expect("written");
    }
    let quota = fleetgate_core::store::Quota { part: String::new(), most: Default::default() };
    let batch = Batch::new().put(key("p/new"), "x", None).within(quota);
    store.write(&space(), batch).await.expect_err("there is no room at all");
    assert_eq!(store.usage(&space(), "p").await.expect("counted").entries, 0);
}

#[tokio::test]
async fn writes_that_share_a_commit_fail_one_by_one() {
    let store = Medium::default().store();
    let absent =
        |name: &str| Batch::new().put_when(key(name), fleetgate_core::store::Condition::Absent, "x", None);
    let writes = (0..64).map(|number| store.write(&space(), absent(&format!("{}", number % 32))));
    let written = futures_util::future::join_all(writes).await;
    let conflicts =
        written.iter().filter(|written| matches!(written, Err(StoreError::Conflict { .. }))).count();
    assert_eq!((written.len(), conflicts), (64, 32));
}

#[tokio::test]
async fn a_write_after_the_store_was_dropped_is_an_error() {
    let store = Medium::default().store();
    let write = store.write(&space(), put("late"));
    drop(store);
    let refused = write.await.expect_err("nobody writes any more");
    assert!(matches!(refused, StoreError::Broken { .. }), "{refused}");
}

#[tokio::test]
async fn a_write_that_is_asked_again_by_its_name_is_done_once() {
    let store = Medium::default().store();
    let absent = || {
        Batch::new().put_when(key("k"), fleetgate_core::store::Condition::Absent, "x", None).delete(key("l"))
    };
    let first = store.write_once(&space(), absent(), Some(key("client-1"))).await.expect("it is absent");
    let again = store.write_once(&space(), absent(), Some(key("client-1"))).await.expect("it was done");
    assert_eq!((first.len(), &again), (1, &first));
    store.write_once(&space(), absent(), Some(key("client-2"))).await.expect_err("it is there by now");
    store.write(&space(), absent()).await.expect_err("it is there by now");
    // What was refused was not done: it may be asked again.
    store.write(&space(), Batch::new().delete(key("k"))).await.expect("written");
    store.write_once(&space(), absent(), Some(key("client-2"))).await.expect("it is absent now");
}

/// Sets the format of a store that nobody has open, as another version would have left it.
fn set_format(medium: &Medium, format: u64, counted: bool) {
    let database = Database::builder().create_with_backend(medium.clone()).expect("a store");
    let transaction = database.begin_write().expect("nobody else writes");
    if !counted {
        let sizes = redb::TableDefinition::<(&str, &str), (u64, u64)>::new("sizes");
        assert!(transaction.delete_table(sizes).expect("a table"));
    }
    let meta = redb::TableDefinition::<&str, u64>::new("meta");
    transaction.open_table(meta).expect("a table").insert("format", format).expect("written");
    transaction.commit().expect("written");
}

#[tokio::test]
async fn a_store_of_an_earlier_version_is_counted_when_it_is_opened() {
    let medium = Medium::default();
    let store = medium.store();
    let batch =
        Batch::new().put(key("p/1"), "12345", None).put(key("p/2"), "", None).put(key("q"), "1", None);
    store.write(&space(), batch).await.expect("written");
    drop(store);
    set_format(&medium, 1, false);
    let store = medium.store();
    for (part, entries, bytes) in [("", 3, 13), ("p", 2, 11), ("q", 0, 0)] {
        let used = store.usage(&space(), part).await.expect("counted");
        assert_eq!((used.entries, used.bytes), (entries, bytes), "{part:?}");
    }
    drop(store);
    set_format(&medium, 4, true);
    let opened = Embedded::over("medium".as_ref(), opener(&medium));
    assert!(matches!(opened, Err(OpenFailed::Later { format: 4, .. })));
}

#[tokio::test]
async fn in_a_store_of_an_earlier_version_no_revision_is_used_again() {
    for format in [1, 2] {
        let medium = Medium::default();
        let store = medium.store();
        let put = |name: &str| Batch::new().put(key(name), "x", None);
        let old = store.write(&space(), put("p/k")).await.expect("written")[0];
        store.write(&space(), Batch::new().delete(key("p/k"))).await.expect("written");
        drop(store);
        // All parts together had been written forty times.
        set_format(&medium, format, format > 1);
        counted_together(&medium, 40);
        let store = medium.store();
        let write = async |name: &str| store.write(&space(), put(name)).await.expect("written")[0];
        assert_eq!((old, write("p/k").await), (1, 41), "{format}");
        assert_eq!((write("q/k").await, write("p/k").await), (41, 42), "each part goes on for itself");
        drop(store);
        let store = medium.store();
        assert_eq!(store.write(&space(), put("q/k")).await.expect("written"), [42], "opened again");
    }
}

/// Makes a store that nobody has open one whose space has one last revision.
fn counted_together(medium: &Medium, last: u64) {
    let database = Database::builder().create_with_backend(medium.clone()).expect("a store");
    let transaction = database.begin_write().expect("nobody else writes");
    let parts = redb::TableDefinition::<(&str, &str), u64>::new("part-revisions");
    assert!(transaction.delete_table(parts).expect("a table"));
    let revisions = redb::TableDefinition::<&str, u64>::new("revisions");
    transaction.open_table(revisions).expect("a table").insert(space().name(), last).expect("written");
    transaction.commit().expect("written");
}

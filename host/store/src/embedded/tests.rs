//! What happens when the medium fails, with a medium that fails when it is told to.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};

use fleetgate_core::store::{Batch, Key, Space, Store, StoreError};
use redb::StorageBackend;
use redb::backends::InMemoryBackend;

use super::*;

/// Memory that outlives its database, and refuses to grow or to be written while it is full.
#[derive(Debug, Clone, Default)]
struct Medium {
    memory: Arc<Memory>,
    full: Arc<AtomicBool>,
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
        self.memory.0.sync_data()
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
    let refused = store.write(&space(), put("while")).await.expect_err("there is none");
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
    set_format(&medium, 3, true);
    let opened = Embedded::over("medium".as_ref(), opener(&medium));
    assert!(matches!(opened, Err(OpenFailed::Later { format: 3, .. })));
}

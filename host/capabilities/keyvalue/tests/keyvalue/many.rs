//! Many at once, on a disk, and a store that fails.

use std::sync::Arc;
use std::time::{Duration, Instant};

use fleetgate_core::store::{Batch, Entry, Key, Listed, Memory, Page, Space, Store, StoreError, Usage};
use fleetgate_store::{Embedded, StateStore};
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, join_all, ready};

use crate::world::{FOR_ALL, World, call, code, keys, put, set, storing_in, text};

#[tokio::test(flavor = "multi_thread")]
async fn increments_of_many_calls_at_once_are_all_there() {
    let directory = tempfile::tempdir().unwrap();
    let world = storing_in(Embedded::open(&directory.path().join("state.redb")).unwrap(), FOR_ALL);
    // Two versions of the binding, as while one replaces the other.
    let bindings = [world.bind(), world.bind()];
    let add = async |number: usize| {
        let bucket = call().by(&format!("caller {number}")).to(&bindings[number % 2]).open();
        bucket.increment("n", 1).await
    };
    let sums = join_all((0..100).map(add)).await;
    let mut sums: Vec<i64> =
        sums.into_iter().map(|sum| sum.unwrap_or_else(|failure| panic!("{failure}"))).collect();
    sums.sort_unstable();
    assert_eq!(sums, (1..=100).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hosts_count_together() {
    let directory = tempfile::tempdir().unwrap();
    let stores = [0; 2].map(|_| Arc::new(StateStore::new(directory.path())));
    let worlds = stores.map(|store| storing_in(store, FOR_ALL));
    let bindings = worlds.each_ref().map(World::bind);
    let add = async |number: usize| call().to(&bindings[number % 2]).open().increment("n", 1).await;
    for sum in join_all((0..100).map(add)).await {
        sum.unwrap_or_else(|failure| panic!("{failure}"));
    }
    assert_eq!(text(&call().to(&bindings[0]).open(), "n").await.as_deref(), Some("100"));
}

#[tokio::test(flavor = "multi_thread")]
async fn writers_at_once_share_the_disk() {
    let directory = tempfile::tempdir().unwrap();
    let world = storing_in(Embedded::open(&directory.path().join("state.redb")).unwrap(), FOR_ALL);
    let binding = world.bind();
    let write = async |writer: usize| {
        let bucket = call().to(&binding).open();
        for number in 0..20 {
            set(&bucket, &format!("{writer}/{number}"), "21.5").await.unwrap();
        }
    };
    let begun = Instant::now();
    join_all((0..100).map(write)).await;
    let rate = 2_000.0 / begun.elapsed().as_secs_f64();
    println!("{rate:.0} durable writes a second");
    let used = fleetgate_keyvalue::kept::buckets(&*world.store).await.unwrap();
    assert_eq!(used[0].entries, 2_000);
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_is_there_after_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("state.redb");
    {
        let world = storing_in(Embedded::open(&file).unwrap(), "");
        let bucket = call().to(&world.bind()).open();
        bucket.batch((0..100).map(|number| put(&format!("{number:02}"), "x")).collect()).await.unwrap();
        bucket.set("timed".into(), b"x".to_vec(), Some(3_600_000)).await.unwrap();
    }
    let world = storing_in(Embedded::open(&file).unwrap(), "").granting("entries = 101");
    let bucket = call().to(&world.bind()).open();
    assert_eq!(keys(&bucket, "").await.len(), 101);
    assert!(bucket.get("timed").await.unwrap().unwrap().expires_ms.is_some());
    assert_eq!(code(set(&bucket, "more", "x").await), "quota");
}

/// A store that does not answer as it should.
#[derive(Debug)]
struct Failing(Memory, StoreError);

impl Store for Failing {
    fn get(&self, space: &Space, key: &Key) -> BoxFuture<'static, Result<Option<Entry>, StoreError>> {
        self.0.get(space, key)
    }
    fn list(&self, space: &Space, page: Page) -> BoxFuture<'static, Result<Listed, StoreError>> {
        self.0.list(space, page)
    }
    fn write(&self, _: &Space, _: Batch) -> BoxFuture<'static, Result<Vec<u64>, StoreError>> {
        ready(Err(self.1.clone())).boxed()
    }
    fn usage(&self, space: &Space, part: &str) -> BoxFuture<'static, Result<Usage, StoreError>> {
        self.0.usage(space, part)
    }
    fn spaces(&self, after: Option<&Space>) -> BoxFuture<'static, Result<Vec<Space>, StoreError>> {
        self.0.spaces(after)
    }
}

#[tokio::test]
async fn a_store_that_fails_says_whether_it_may_be_tried_again_and_not_where_it_is() {
    let place = || "/var/lib/fleetgate/state.redb".to_owned();
    let reason = || "the disk is on fire".to_owned();
    for (error, retryable) in [
        (StoreError::Full { place: place(), reason: reason() }, true),
        (StoreError::Broken { place: place(), reason: reason() }, true),
        (StoreError::Unavailable { place: place(), reason: reason(), unknown: false }, true),
        (StoreError::Unavailable { place: place(), reason: reason(), unknown: true }, false),
    ] {
        let world = storing_in(Arc::new(Failing(Memory::new(), error)), FOR_ALL);
        let failure = set(&call().to(&world.bind()).open(), "k", "x").await.unwrap_err().guest();
        assert_eq!((failure.code, failure.retryable), ("unavailable", retryable));
        assert_eq!(failure.details.is_some(), !retryable);
        assert!(
            !failure.message.contains("/var") && !failure.message.contains("fire"),
            "{}",
            failure.message
        );
    }
}

/// Conflicts that the guest did not ask for are tried again, and are never its answer.
#[tokio::test]
async fn an_entry_that_others_change_all_the_time_is_no_conflict_of_who_increments() {
    let world = storing_in(
        Arc::new(Failing(
            Memory::new(),
            StoreError::Conflict { space: Space::new("kv").unwrap(), key: Key::new("shared/n").unwrap() },
        )),
        FOR_ALL,
    );
    let bucket = call().to(&world.bind()).open();
    assert_eq!(code(bucket.increment("n", 1).await), "unavailable");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_call_waits_for_nothing_that_only_reads() {
    #[derive(Debug)]
    struct Stuck;
    impl Store for Stuck {
        fn get(&self, _: &Space, _: &Key) -> BoxFuture<'static, Result<Option<Entry>, StoreError>> {
            std::future::pending().boxed()
        }
        fn list(&self, _: &Space, _: Page) -> BoxFuture<'static, Result<Listed, StoreError>> {
            std::future::pending().boxed()
        }
        fn write(&self, _: &Space, _: Batch) -> BoxFuture<'static, Result<Vec<u64>, StoreError>> {
            std::future::pending().boxed()
        }
        fn usage(&self, _: &Space, _: &str) -> BoxFuture<'static, Result<Usage, StoreError>> {
            std::future::pending().boxed()
        }
        fn spaces(&self, _: Option<&Space>) -> BoxFuture<'static, Result<Vec<Space>, StoreError>> {
            std::future::pending().boxed()
        }
    }
    let world = storing_in(Arc::new(Stuck), FOR_ALL);
    let caller = call().to(&world.bind());
    let bucket = caller.open();
    let cancel = async {
        tokio::time::sleep(Duration::from_millis(20)).await;
        caller.call.cancel.cancel();
    };
    let waiting = async {
        tokio::join!(bucket.get("k"), bucket.list("", None, 1, false), bucket.increment("n", 1), cancel)
    };
    let (got, listed, added, ()) =
        tokio::time::timeout(Duration::from_secs(60), waiting).await.expect("it ends");
    assert_eq!((code(got), code(listed), code(added)), ("cancelled", "cancelled", "cancelled"));
}

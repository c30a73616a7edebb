//! The promises of `fleetgate_core::store::Store`, kept by each implementation.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use fleetgate_core::store::{
    Batch, Condition, Entry, Key, MAX_CHANGES, MAX_VALUE, Memory, Page, Space, Store, StoreError,
};
use fleetgate_store::Embedded;
use futures_util::future::join_all;
use tempfile::TempDir;

fn space(name: &str) -> Space {
    Space::new(name).expect("a name")
}

fn key(name: &str) -> Key {
    Key::new(name).expect("a key")
}

async fn value(store: &dyn Store, of: &Space, name: &str) -> Option<String> {
    let found = store.get(of, &key(name)).await.expect("it can be read");
    found.map(|entry| String::from_utf8(entry.value).expect("text"))
}

fn keys(entries: &[Entry]) -> Vec<&str> {
    entries.iter().map(|entry| &*entry.key).collect()
}

/// One module for each promise, with one test for each store.
macro_rules! promises {
    ($($name:ident)*) => {
        mod memory {
            $(#[tokio::test] async fn $name() { super::$name(super::Arc::new(super::Memory::new())).await })*
        }
        mod embedded {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)] async fn $name() {
                let directory = super::TempDir::new().expect("a directory");
                let store = super::Embedded::open(&directory.path().join("store.redb")).expect("a store");
                super::$name(store).await
            })*
        }
    };
}

promises! {
    what_was_put_is_got_until_it_is_deleted
    spaces_do_not_see_each_other
    revisions_grow_and_are_never_used_twice
    a_condition_holds_or_nothing_changes
    a_batch_is_whole
    of_many_at_once_one_wins
    lists_are_sorted_and_begin_with_their_prefix
    pages_follow_each_other_without_gap
    a_page_of_large_values_ends_early
    what_has_expired_is_not_there
    values_are_bytes_of_any_length
    what_is_too_large_is_refused
    a_batch_names_a_key_once
}

async fn what_was_put_is_got_until_it_is_deleted(store: Arc<dyn Store>) {
    let space = space("a");
    assert_eq!(value(&*store, &space, "k").await, None);
    store.write(&space, Batch::new().put(key("k"), "1", None)).await.expect("written");
    assert_eq!(value(&*store, &space, "k").await.as_deref(), Some("1"));
    store.write(&space, Batch::new().put(key("k"), "2", None)).await.expect("written");
    assert_eq!(value(&*store, &space, "k").await.as_deref(), Some("2"));
    store.write(&space, Batch::new().delete(key("k"))).await.expect("written");
    assert_eq!(value(&*store, &space, "k").await, None);
    store.write(&space, Batch::new().delete(key("k"))).await.expect("deleting nothing is no error");
}

async fn spaces_do_not_see_each_other(store: Arc<dyn Store>) {
    // Names of which one begins with the other, and a key that looks like the rest of it.
    let (a, ab) = (space("a"), space("ab"));
    store.write(&a, Batch::new().put(key("bk"), "of a", None)).await.expect("written");
    store.write(&ab, Batch::new().put(key("k"), "of ab", None)).await.expect("written");
    assert_eq!(value(&*store, &a, "bk").await.as_deref(), Some("of a"));
    assert_eq!(value(&*store, &a, "k").await, None);
    let listed = store.list(&a, Page::of("")).await.expect("listed");
    assert_eq!(keys(&listed.entries), ["bk"]);
}

async fn revisions_grow_and_are_never_used_twice(store: Arc<dyn Store>) {
    let space = space("a");
    let mut last = 0;
    for round in 0..5 {
        let batch = Batch::new().put(key("k"), "x", None).put(key("l"), "y", None);
        let revisions = store.write(&space, batch).await.expect("written");
        assert_eq!(revisions.len(), 2);
        assert!(last < revisions[0] && revisions[0] < revisions[1], "round {round}: {revisions:?}");
        let found = store.get(&space, &key("l")).await.expect("read").expect("it is there");
        assert_eq!(found.revision, revisions[1]);
        last = revisions[1];
        // What is made anew is not what was there before.
        store.write(&space, Batch::new().delete(key("k")).delete(key("l"))).await.expect("written");
    }
}

async fn a_condition_holds_or_nothing_changes(store: Arc<dyn Store>) {
    let space = space("a");
    let conflicts = async |batch: Batch| {
        let refused = store.write(&space, batch).await.expect_err("the condition does not hold");
        assert!(matches!(&refused, StoreError::Conflict { key, .. } if &**key == "k"), "{refused}");
    };
    conflicts(Batch::new().put_when(key("k"), Condition::Revision(1), "x", None)).await;
    let first = Batch::new().put_when(key("k"), Condition::Absent, "1", None);
    let revision = store.write(&space, first).await.expect("it is absent")[0];
    conflicts(Batch::new().put_when(key("k"), Condition::Absent, "x", None)).await;
    conflicts(Batch::new().delete_when(key("k"), Condition::Revision(revision + 1))).await;
    let second = Batch::new().put_when(key("k"), Condition::Revision(revision), "2", None);
    store.write(&space, second).await.expect("it is that revision");
    conflicts(Batch::new().put_when(key("k"), Condition::Revision(revision), "x", None)).await;
    assert_eq!(value(&*store, &space, "k").await.as_deref(), Some("2"));
}

async fn a_batch_is_whole(store: Arc<dyn Store>) {
    let space = space("a");
    store.write(&space, Batch::new().put(key("there"), "0", None)).await.expect("written");
    let batch = Batch::new().put(key("before"), "x", None).delete(key("there")).put_when(
        key("last"),
        Condition::Revision(77),
        "x",
        None,
    );
    store.write(&space, batch).await.expect_err("the last condition does not hold");
    assert_eq!(value(&*store, &space, "before").await, None);
    assert_eq!(value(&*store, &space, "there").await.as_deref(), Some("0"));
}

async fn of_many_at_once_one_wins(store: Arc<dyn Store>) {
    let space = space("a");
    store.write(&space, Batch::new().put(key("count"), "0", None)).await.expect("written");
    // Everybody adds one, and tries again when another was quicker.
    let add = async || {
        loop {
            let found = store.get(&space, &key("count")).await.expect("read").expect("it is there");
            let count: u64 = String::from_utf8(found.value).expect("text").parse().expect("a number");
            let when = Condition::Revision(found.revision);
            let batch = Batch::new().put_when(key("count"), when, (count + 1).to_string(), None);
            match store.write(&space, batch).await {
                Ok(_) => return,
                Err(StoreError::Conflict { .. }) => {}
                Err(other) => panic!("{other}"),
            }
        }
    };
    join_all((0..20).map(|_| add())).await;
    assert_eq!(value(&*store, &space, "count").await.as_deref(), Some("20"));
}

async fn lists_are_sorted_and_begin_with_their_prefix(store: Arc<dyn Store>) {
    let space = space("a");
    let names = ["job/b", "job", "job/", "job/ä", "job/a", "jo", "k", "job0", "i"];
    let batch = names.iter().fold(Batch::new(), |batch, name| batch.put(key(name), *name, None));
    store.write(&space, batch).await.expect("written");
    let listed = store.list(&space, Page::of("job/")).await.expect("listed");
    assert_eq!(keys(&listed.entries), ["job/", "job/a", "job/b", "job/ä"]);
    assert!(listed.entries.iter().all(|entry| entry.value == entry.key.as_bytes()) && !listed.more);
    let listed = store.list(&space, Page::of("")).await.expect("listed");
    assert_eq!(keys(&listed.entries), ["i", "jo", "job", "job/", "job/a", "job/b", "job/ä", "job0", "k"]);
    let listed = store.list(&space, Page::of("nothing")).await.expect("listed");
    assert!(listed.entries.is_empty() && !listed.more);
}

async fn pages_follow_each_other_without_gap(store: Arc<dyn Store>) {
    let space = space("a");
    let batch =
        (0..25).fold(Batch::new(), |batch, number| batch.put(key(&format!("k{number:02}")), "x", None));
    store.write(&space, batch.put(key("a"), "x", None).put(key("z"), "x", None)).await.expect("written");
    let (mut seen, mut page) = (Vec::new(), Page { limit: 7, ..Page::of("k") });
    loop {
        let listed = store.list(&space, page.clone()).await.expect("listed");
        assert!(listed.entries.len() == 7 || !listed.more);
        page.after = listed.entries.last().map(|entry| entry.key.clone());
        seen.extend(listed.entries.into_iter().map(|entry| entry.key.to_string()));
        if !listed.more {
            break;
        }
    }
    assert_eq!(seen, (0..25).map(|number| format!("k{number:02}")).collect::<Vec<_>>());
    // A cursor from before the prefix is its beginning.
    let page = Page { after: Some(key("a")), ..Page::of("k") };
    assert_eq!(store.list(&space, page).await.expect("listed").entries.len(), 25);
}

async fn a_page_of_large_values_ends_early(store: Arc<dyn Store>) {
    let space = space("a");
    for number in 0..4 {
        let batch = Batch::new().put(key(&format!("k{number}")), vec![0; 5 << 20], None);
        store.write(&space, batch).await.expect("written");
    }
    let first = store.list(&space, Page::of("k")).await.expect("listed");
    assert!(first.more && first.entries.len() < 4, "{}", first.entries.len());
    let after = first.entries.last().map(|entry| entry.key.clone());
    let rest = store.list(&space, Page { after, ..Page::of("k") }).await.expect("listed");
    assert_eq!(first.entries.len() + rest.entries.len(), 4);
}

async fn what_has_expired_is_not_there(store: Arc<dyn Store>) {
    let space = space("a");
    let (past, future) = (
        Some(SystemTime::now() - Duration::from_secs(1)),
        Some(SystemTime::now() + Duration::from_secs(3600)),
    );
    let batch = Batch::new().put(key("gone"), "x", past).put(key("here"), "y", future);
    store.write(&space, batch).await.expect("written");
    assert_eq!(value(&*store, &space, "gone").await, None);
    let found = store.get(&space, &key("here")).await.expect("read").expect("it is there");
    let apart = found.expires.expect("it expires").duration_since(future.expect("a time"));
    assert!(apart.is_ok_and(|apart| apart.is_zero()) || apart_by_less_than_a_millisecond(&found, future));
    assert_eq!(keys(&store.list(&space, Page::of("")).await.expect("listed").entries), ["here"]);
    // It counts as absent, and can be made anew, to stay.
    let batch = Batch::new().put_when(key("gone"), Condition::Absent, "z", None);
    store.write(&space, batch).await.expect("it is absent");
    assert_eq!(value(&*store, &space, "gone").await.as_deref(), Some("z"));
    // An expiry ends with the entry that had it.
    store.write(&space, Batch::new().put(key("here"), "stays", None)).await.expect("written");
    let found = store.get(&space, &key("here")).await.expect("read").expect("it is there");
    assert_eq!((found.value.as_slice(), found.expires), (&b"stays"[..], None));
}

fn apart_by_less_than_a_millisecond(entry: &Entry, wanted: Option<SystemTime>) -> bool {
    let (kept, wanted) = (entry.expires.expect("it expires"), wanted.expect("a time"));
    wanted.duration_since(kept).is_ok_and(|apart| apart < Duration::from_millis(1))
}

async fn values_are_bytes_of_any_length(store: Arc<dyn Store>) {
    let space = space("a");
    for (name, bytes) in [("none", Vec::new()), ("some", vec![0, 255, 10, 0]), ("many", vec![3; 9 << 20])] {
        store.write(&space, Batch::new().put(key(name), bytes.clone(), None)).await.expect("written");
        let found = store.get(&space, &key(name)).await.expect("read").expect("it is there");
        assert!(found.value == bytes, "{name}");
    }
}

async fn what_is_too_large_is_refused(store: Arc<dyn Store>) {
    let space = space("a");
    let batch = Batch::new().put(key("small"), "x", None).put(key("large"), vec![0; MAX_VALUE + 1], None);
    let refused = store.write(&space, batch).await.expect_err("it is too large");
    assert!(matches!(refused, StoreError::TooLarge { max: MAX_VALUE, .. }), "{refused}");
    let batch = (0..=MAX_CHANGES).fold(Batch::new(), |batch, number| batch.delete(key(&number.to_string())));
    let refused = store.write(&space, batch).await.expect_err("there are too many");
    assert!(matches!(refused, StoreError::Batch { .. }), "{refused}");
    assert_eq!(value(&*store, &space, "small").await, None);
}

async fn a_batch_names_a_key_once(store: Arc<dyn Store>) {
    let space = space("a");
    let batch = Batch::new().put(key("k"), "x", None).delete(key("k"));
    let refused = store.write(&space, batch).await.expect_err("which of the two?");
    assert!(refused.to_string().contains("\"k\" is there twice"), "{refused}");
}

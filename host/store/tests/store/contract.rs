//! The promises of `fleetgate_core::store::Store`, kept by each implementation.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use fleetgate_core::store::{
    Batch, Condition, Entry, Key, MAX_CHANGES, MAX_VALUE, Memory, Page, Quota, Space, Store, StoreError,
    Usage,
};
use fleetgate_store::{Embedded, StateStore};
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
        mod shared_by_its_holder {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)] async fn $name() {
                let directory = super::TempDir::new().expect("a directory");
                let store = super::StateStore::new(directory.path());
                super::$name(super::Arc::new(store)).await
            })*
        }
        mod shared_by_who_asks {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)] async fn $name() {
                let directory = super::TempDir::new().expect("a directory");
                let (holder, asks) =
                    (super::StateStore::new(directory.path()), super::StateStore::new(directory.path()));
                super::Store::spaces(&holder, None).await.expect("it holds the file");
                super::$name(super::Arc::new(asks.clone())).await;
                assert!(holder.holds().await && !asks.holds().await);
            })*
        }
    };
}

promises! {
    what_was_put_is_got_until_it_is_deleted
    spaces_do_not_see_each_other
    revisions_grow_and_are_never_used_twice
    revisions_of_a_part_say_nothing_of_what_is_written_to_others
    what_was_there_before_is_not_what_is_made_anew
    a_condition_holds_or_nothing_changes
    a_batch_is_whole
    of_many_at_once_one_wins
    lists_are_sorted_and_begin_with_their_prefix
    pages_follow_each_other_without_gap
    pages_go_back_as_they_go_forward
    what_is_held_is_counted_by_space_and_part
    a_quota_holds_whoever_writes_at_the_same_time
    what_has_expired_gives_its_room_back
    spaces_that_hold_something_are_listed
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

async fn revisions_of_a_part_say_nothing_of_what_is_written_to_others(store: Arc<dyn Store>) {
    let space = space("a");
    let write = async |batch: Batch| store.write(&space, batch).await.expect("written");
    let mut last = write(Batch::new().put(key("p/k"), "x", None)).await[0];
    for round in 0..5 {
        for number in 0..round {
            write(Batch::new().put(key(&format!("q/{number}")), "x", None).put(key("r/k"), "x", None)).await;
            write(Batch::new().put(key("k"), "x", None).delete(key("q/0"))).await;
        }
        // Also where one batch writes to several.
        let several =
            Batch::new().put(key("q/k"), "x", None).put(key("p/l"), "x", None).put(key("p/k"), "x", None);
        let revisions = write(several).await;
        assert_eq!(revisions[1..], [last + 1, last + 2], "round {round}");
        last = revisions[2];
        let found = store.get(&space, &key("p/k")).await.expect("read").expect("it is there");
        assert_eq!(found.revision, last);
    }
}

async fn what_was_there_before_is_not_what_is_made_anew(store: Arc<dyn Store>) {
    let space = space("a");
    let write = async |batch: Batch| store.write(&space, batch).await;
    let old = write(Batch::new().put(key("p/k"), "x", None)).await.expect("written")[0];
    // The part is empty, then the space.
    write(Batch::new().put(key("q/k"), "x", None).delete(key("p/k"))).await.expect("written");
    write(Batch::new().delete(key("q/k"))).await.expect("written");
    let new =
        write(Batch::new().put_when(key("p/k"), Condition::Absent, "x", None)).await.expect("written")[0];
    assert!(new > old, "{new}");
    for change in [
        Batch::new().put_when(key("p/k"), Condition::Revision(old), "y", None),
        Batch::new().delete_when(key("p/k"), Condition::Revision(old)),
    ] {
        let refused = write(change).await.expect_err("it is another");
        assert!(matches!(refused, StoreError::Conflict { .. }), "{refused}");
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

async fn all(store: &dyn Store, of: &Space, mut page: Page) -> Vec<String> {
    let mut seen = Vec::new();
    loop {
        let listed = store.list(of, page.clone()).await.expect("listed");
        page.after = listed.entries.last().map(|entry| entry.key.clone());
        seen.extend(listed.entries.into_iter().map(|entry| entry.key.to_string()));
        if !listed.more {
            return seen;
        }
    }
}

async fn pages_go_back_as_they_go_forward(store: Arc<dyn Store>) {
    let (before, space, behind) = (space("a"), space("b"), space("b-"));
    let last = char::MAX.to_string();
    let names = ["k", "k/", "k/1", "k/2", "k/\u{d7ff}", "k/\u{e000}", "k0", &last, "i", "j", "ka"];
    for of in [&before, &space, &behind] {
        let batch = names.iter().fold(Batch::new(), |batch, name| batch.put(key(name), "x", None));
        store.write(of, batch).await.expect("written");
    }
    for prefix in ["", "k", "k/", "k/\u{d7ff}", &last, "nothing", "a", "z"] {
        for limit in [1, 2, 100] {
            let mut forward = all(&*store, &space, Page { limit, ..Page::of(prefix) }).await;
            let back = all(&*store, &space, Page { limit, back: true, ..Page::of(prefix) }).await;
            assert_eq!(
                forward.len(),
                names.iter().filter(|name| name.starts_with(prefix)).count(),
                "{prefix:?}"
            );
            forward.reverse();
            assert_eq!(back, forward, "{prefix:?} by {limit}");
        }
    }
    // A cursor that is not in the prefix is an end of it.
    let page = |after: &str, back| Page { after: Some(key(after)), back, ..Page::of("k/") };
    for (after, back, found) in
        [("a", false, 5), ("z", false, 0), ("a", true, 0), ("z", true, 5), ("k/", true, 0)]
    {
        assert_eq!(all(&*store, &space, page(after, back)).await.len(), found, "{after} {back}");
    }
}

async fn what_is_held_is_counted_by_space_and_part(store: Arc<dyn Store>) {
    let (space, other) = (space("a"), space("ab"));
    let used = async |of: &Space, part: &str| {
        let used = store.usage(of, part).await.expect("counted");
        (used.entries, used.bytes)
    };
    assert_eq!(used(&space, "").await, (0, 0));
    let batch =
        Batch::new().put(key("p/1"), "12345", None).put(key("p/2"), "", None).put(key("q"), "1", None);
    store.write(&space, batch).await.expect("written");
    store.write(&other, Batch::new().put(key("p/1"), "1", None)).await.expect("written");
    assert_eq!((used(&space, "").await, used(&space, "p").await), ((3, 13), (2, 11)));
    // What replaces is not counted twice, and neither is what is not there.
    let batch = Batch::new().put(key("p/1"), "1", None).delete(key("p/3")).put(key("pp/1"), "1", None);
    store.write(&space, batch).await.expect("written");
    assert_eq!((used(&space, "").await, used(&space, "p").await), ((4, 14), (2, 7)));
    let batch = Batch::new().put(key("x"), "1", None).put_when(key("p/1"), Condition::Absent, "1", None);
    store.write(&space, batch).await.expect_err("it is there");
    assert_eq!(used(&space, "").await, (4, 14));
    let batch = ["p/1", "p/2", "q", "pp/1"].iter().fold(Batch::new(), |batch, name| batch.delete(key(name)));
    store.write(&space, batch).await.expect("written");
    assert_eq!(
        (used(&space, "").await, used(&space, "p").await, used(&other, "p").await),
        ((0, 0), (0, 0), (1, 4))
    );
}

fn at_most(part: &str, entries: u64, bytes: u64) -> Quota {
    Quota { part: part.into(), most: Usage { entries, bytes } }
}

async fn a_quota_holds_whoever_writes_at_the_same_time(store: Arc<dyn Store>) {
    let space = space("a");
    let write = async |number: usize| {
        let batch = Batch::new().put(key(&format!("p/{number:02}")), "123456", None);
        store.write(&space, batch.within(at_most("p", 20, 1 << 20)).within(at_most("", 1000, 1 << 20))).await
    };
    let written = join_all((0..50).map(write)).await;
    assert_eq!(written.iter().filter(|written| written.is_ok()).count(), 20);
    for refused in written.into_iter().filter_map(Result::err) {
        let StoreError::OverQuota { part, used, most, .. } = refused else { panic!("{refused}") };
        assert_eq!((&*part, used.entries, used.bytes, most.entries), ("p", 20, 200, 20));
    }
    // By bytes, to the last one; a part of it is nothing.
    let bytes = |most: u64, value: &str| {
        Batch::new().put(key("q/a"), value, None).put(key("q/b"), value, None).within(at_most("q", 100, most))
    };
    store.write(&space, bytes(15, "12345")).await.expect_err("16 bytes");
    assert_eq!(store.usage(&space, "q").await.expect("counted"), Usage::default());
    store.write(&space, bytes(16, "12345")).await.expect("16 bytes");
    // Where there is too much already, it may become less, and other things may change.
    store.write(&space, bytes(10, "1234")).await.expect("it becomes less");
    store.write(&space, bytes(10, "4321")).await.expect("it stays as much");
    store.write(&space, bytes(10, "54321")).await.expect_err("it becomes more");
    let replaces =
        Batch::new().put(key("q/a"), "1234567", None).delete(key("q/b")).within(at_most("q", 1, 10));
    store.write(&space, replaces).await.expect("it is 10 bytes then");
}

async fn what_has_expired_gives_its_room_back(store: Arc<dyn Store>) {
    let space = space("a");
    let soon = || Some(SystemTime::now() + Duration::from_millis(30));
    let quota = || at_most("p", 3, 1 << 20);
    let batch =
        (0..3).fold(Batch::new(), |batch, number| batch.put(key(&format!("p/{number}")), "x", soon()));
    store.write(&space, batch.within(quota())).await.expect("there is room");
    let deadline = std::time::Instant::now() + Duration::from_secs(10);
    while store.write(&space, Batch::new().put(key("p/new"), "x", None).within(quota())).await.is_err() {
        assert!(std::time::Instant::now() < deadline, "it never gives its room back");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(store.usage(&space, "p").await.expect("counted"), Usage { entries: 1, bytes: 6 });
    // What replaces something that has expired counts once.
    store
        .write(&space, Batch::new().put(key("p/0"), "x", None).within(quota()))
        .await
        .expect("there is room");
    assert_eq!(store.usage(&space, "p").await.expect("counted"), Usage { entries: 2, bytes: 10 });
    assert_eq!(store.usage(&space, "").await.expect("counted"), Usage { entries: 2, bytes: 10 });
}

async fn spaces_that_hold_something_are_listed(store: Arc<dyn Store>) {
    for name in ["b", "a", "a-", "a_b", "gone"] {
        store
            .write(&space(name), Batch::new().put(key("p/k"), "x", None).put(key("k"), "x", None))
            .await
            .expect("written");
    }
    store.write(&space("gone"), Batch::new().delete(key("p/k")).delete(key("k"))).await.expect("written");
    let listed = async |after: Option<&Space>| {
        // A shared store notes what it was asked to write, in a space of its own.
        let spaces = store.spaces(after).await.expect("listed");
        let names = spaces.iter().map(|space| space.name().to_owned());
        names.filter(|name| name != "once").collect::<Vec<_>>()
    };
    assert_eq!(listed(None).await, ["a", "a-", "a_b", "b"]);
    assert_eq!(listed(Some(&space("a-"))).await, ["a_b", "b"]);
    assert!(listed(Some(&space("z"))).await.is_empty());
}

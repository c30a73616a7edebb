//! What the operator sees and deletes.

use fleetgate_core::store::Page;
use fleetgate_keyvalue::kept::{self, Scope};

use crate::world::{FOR_ALL, asking, call, keys, put, set, storing_in};

#[tokio::test]
async fn the_operator_sees_every_bucket_and_whose_it_is() {
    let world = asking("").granting("quota = \"1MiB\"\nentries = 50");
    set(&call().to(&world.bind()).open(), "k", "12345").await.unwrap();
    call().by("bob").to(&world.bind()).open().batch(vec![put("a", "1"), put("b", "2")]).await.unwrap();
    let shared = storing_in(world.store.clone(), FOR_ALL);
    set(&call().to(&shared.bind_as("plant-2")).open(), "k", "1").await.unwrap();
    // What the host keeps beside them is none of them.
    let jobs = fleetgate_core::store::Space::new("jobs").unwrap();
    let key = fleetgate_core::store::Key::new("k").unwrap();
    world.store.write(&jobs, fleetgate_core::store::Batch::new().put(key, "x", None)).await.unwrap();

    let buckets = kept::buckets(&*world.store).await.unwrap();
    let names: Vec<_> = buckets.iter().map(|kept| (&*kept.binding, &*kept.bucket, kept.entries)).collect();
    assert_eq!(names, [("lab", "history", 3), ("plant-2", "history", 1)]);
    let about = buckets[0].about.unwrap();
    assert_eq!((about.scope, about.room.quota, about.room.entries), (Scope::Principal, 1 << 20, 50));
    assert_eq!(about.total.unwrap().entries, 800);
    assert_eq!(buckets[1].about.unwrap().total, None);
    let said = serde_json::to_value(&buckets[0]).unwrap();
    assert_eq!(
        (&said["entries"], &said["granted"]["entries"]),
        (&serde_json::json!(3), &serde_json::json!(50))
    );

    let mut parts = kept::parts(&*world.store, "lab", "history").await.unwrap();
    parts.sort_by(|one, other| one.principal.cmp(&other.principal));
    let parts: Vec<_> = parts.iter().map(|part| (part.principal.as_deref(), part.entries)).collect();
    assert_eq!(parts, [(Some("ann"), 1), (Some("bob"), 2)]);
    let page = Page { limit: 1, ..Page::of("") };
    let (entries, more) = kept::entries(&*world.store, "lab", "history", Some("bob"), page).await.unwrap();
    assert_eq!((entries[0].0.as_str(), more), ("a", true));
}

#[tokio::test]
async fn what_is_written_after_a_delete_is_seen_whoever_wrote_it() {
    let world = asking("");
    let bucket = call().to(&world.bind()).open();
    set(&bucket, "k", "x").await.unwrap();
    set(&call().by("bob").to(&world.bind()).open(), &"\u{10ffff}".repeat(64), "x").await.unwrap();
    assert_eq!(kept::delete(&*world.store, "lab", "history", Some("ann")).await.unwrap(), 1);
    // The same call goes on, and has no reason to say again whose it is.
    set(&bucket, "k", "x").await.unwrap();
    let parts = kept::parts(&*world.store, "lab", "history").await.unwrap();
    assert_eq!(
        parts.iter().map(|part| (part.entries, part.shared)).collect::<Vec<_>>(),
        [(1, false), (1, false)]
    );
    assert_eq!(kept::delete(&*world.store, "lab", "history", Some("ann")).await.unwrap(), 1);
    // A new version of the binding says it.
    set(&call().to(&world.bind()).open(), "k", "x").await.unwrap();
    let parts = kept::parts(&*world.store, "lab", "history").await.unwrap();
    let mut names: Vec<_> = parts.into_iter().filter_map(|part| part.principal).collect();
    names.sort_unstable();
    assert_eq!(names, ["ann", "bob"]);
}

#[tokio::test]
async fn deleting_a_bucket_deletes_nothing_else() {
    let world = asking("").granting("entries = 2000");
    let binding = world.bind();
    let many = |begin: usize| (0..400).map(|number| put(&format!("{}", begin + number), "x")).collect();
    for who in ["ann", "bob"] {
        let bucket = call().by(who).to(&binding).open();
        for begin in [0, 1000, 2000] {
            bucket.batch(many(begin)).await.unwrap();
        }
    }
    let other = call().to(&world.bind_as("lab-2")).open();
    set(&other, "k", "x").await.unwrap();
    assert_eq!(kept::delete(&*world.store, "lab", "history", Some("bob")).await.unwrap(), 1200);
    assert_eq!(kept::parts(&*world.store, "lab", "history").await.unwrap().len(), 1);
    assert_eq!(kept::delete(&*world.store, "lab", "history", None).await.unwrap(), 1200);
    assert_eq!(kept::delete(&*world.store, "lab", "history", None).await.unwrap(), 0);
    let left = kept::buckets(&*world.store).await.unwrap();
    assert_eq!(left.iter().map(|kept| &*kept.binding).collect::<Vec<_>>(), ["lab-2"]);
    assert_eq!(keys(&other, "").await, ["k"]);
    // What holds nothing more is none that holds something.
    assert!(other.delete("k".into()).await.unwrap());
    assert!(kept::buckets(&*world.store).await.unwrap().is_empty());
    set(&other, "k", "x").await.unwrap();
    // The binding goes on, and is seen again.
    set(&call().to(&world.bind()).open(), "k", "x").await.unwrap();
    assert_eq!(kept::buckets(&*world.store).await.unwrap().len(), 2);
}

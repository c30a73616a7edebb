//! Whose an entry is.

use crate::world::{FOR_ALL, asking, call, code, for_all, keys, set, storing_in, text};

/// Names that look like others, like paths, like the host's own words, or like the same in another spelling.
const PRINCIPALS: [&str; 12] = [
    "ann",
    "Ann",
    "ann ",
    "ann/",
    "ann/k",
    "../bob",
    "bob",
    "shared",
    "owners",
    "a\u{301}nn",
    "\u{e1}nn",
    "p-",
];

#[tokio::test]
async fn each_caller_has_entries_of_its_own() {
    let binding = asking("").bind();
    for who in PRINCIPALS {
        let bucket = call().by(who).to(&binding).open();
        assert!(keys(&bucket, "").await.is_empty(), "{who} sees something");
        set(&bucket, "k", who).await.unwrap();
        bucket.increment("n", 1).await.unwrap();
    }
    for who in PRINCIPALS {
        let bucket = call().by(who).to(&binding).open();
        assert_eq!(text(&bucket, "k").await.as_deref(), Some(who));
        assert_eq!(text(&bucket, "n").await.as_deref(), Some("1"));
        assert_eq!(keys(&bucket, "").await, ["k", "n"]);
        assert!(bucket.delete("k".into()).await.unwrap());
        assert!(!bucket.delete("k".into()).await.unwrap(), "{who} deleted another's");
    }
}

#[tokio::test]
async fn a_revision_says_nothing_of_what_other_callers_write() {
    let binding = asking("").bind();
    let (ann, bob) = (call().to(&binding).open(), call().by("bob").to(&binding).open());
    let mut last = set(&ann, "k", "x").await.unwrap();
    for _ in 0..3 {
        for number in 0..7 {
            set(&bob, &format!("k{number}"), "x").await.unwrap();
            bob.increment("n", 1).await.unwrap();
        }
        let next = set(&ann, "k", "x").await.unwrap();
        assert_eq!(next, last + 1, "as if nobody else were there");
        last = next;
    }
    // Nor does it come again, when there was nothing of hers for a while.
    assert!(ann.delete("k".into()).await.unwrap());
    set(&bob, "k0", "x").await.unwrap();
    assert_eq!(code(ann.compare_and_swap("k".into(), Some(last), b"x".into(), None).await), "conflict");
    assert_eq!(ann.compare_and_swap("k".into(), None, b"x".into(), None).await.unwrap(), last + 1);
}

#[tokio::test]
async fn no_key_prefix_or_cursor_leads_to_another_callers_entries() {
    let world = asking("");
    let binding = world.bind();
    let bob = call().by("bob").to(&binding).open();
    set(&bob, "secret", "of bob").await.unwrap();
    let ann = call().to(&binding).open();
    set(&ann, "mine", "of ann").await.unwrap();
    // With the part of bob as the store names it.
    let space = fleetgate_keyvalue::testing::space("lab", "history");
    let stored = world.store.list(&space, fleetgate_core::store::Page::of("p-")).await.unwrap().entries;
    let stored: Vec<&str> = stored.iter().map(|entry| &*entry.key).collect();
    assert_eq!(stored.len(), 2);
    let mut tricks: Vec<String> = stored.iter().map(|key| (*key).to_owned()).collect();
    tricks.extend(stored.iter().map(|key| format!("../{key}")));
    tricks.extend(
        [
            "..",
            "../",
            "/",
            "/secret",
            "../secret",
            "./secret",
            "*",
            "%",
            "secret/..",
            "owners/",
            "about/grant",
        ]
        .map(String::from),
    );
    for trick in &tricks {
        assert_eq!(text(&ann, trick).await, None, "{trick}");
        assert!(keys(&ann, trick).await.is_empty(), "{trick}");
        for back in [false, true] {
            let listed = ann.list("", Some(trick), 1000, back).await.unwrap();
            assert!(listed.entries.iter().all(|found| found.key == "mine"), "{trick}");
        }
        set(&ann, trick, "of ann").await.unwrap();
        assert_eq!(text(&ann, trick).await.as_deref(), Some("of ann"));
        assert!(ann.delete(trick.clone()).await.unwrap());
    }
    for prefix in ["", "\u{10ffff}", "m", "s"] {
        for back in [false, true] {
            let listed = ann.list(prefix, None, 1000, back).await.unwrap();
            assert!(listed.entries.iter().all(|found| found.key == "mine"), "{prefix:?}");
        }
    }
    assert_eq!(keys(&bob, "").await, ["secret"]);
    assert_eq!(text(&bob, "secret").await.as_deref(), Some("of bob"));
}

#[tokio::test]
async fn bindings_do_not_see_each_other_whatever_they_are_called() {
    let world = for_all();
    let names = ["lab", "lab-", "lab-history", "la", "b"];
    for name in names {
        let bucket = call().to(&world.bind_as(name)).open();
        assert!(keys(&bucket, "").await.is_empty(), "{name} sees something");
        set(&bucket, "k", name).await.unwrap();
    }
    for name in names {
        let bucket = call().to(&world.bind_as(name)).open();
        assert_eq!(text(&bucket, "k").await.as_deref(), Some(name));
        assert_eq!(keys(&bucket, "").await, ["k"]);
    }
}

#[tokio::test]
async fn keys_are_bytes_and_no_two_spellings_are_one() {
    let binding = for_all().bind();
    let bucket = call().to(&binding).open();
    let names = ["\u{e9}", "e\u{301}", "E", "e", "e ", " e", "e/", "\u{200b}e", "\u{202e}e", "ｅ"];
    for name in names {
        set(&bucket, name, name).await.unwrap();
    }
    for name in names {
        assert_eq!(text(&bucket, name).await.as_deref(), Some(name));
    }
    assert_eq!(keys(&bucket, "").await.len(), names.len());
}

#[tokio::test]
async fn a_plugin_that_changes_its_scope_opens_nothing_that_was_kept_before() {
    let world = asking("");
    set(&call().to(&world.bind()).open(), "k", "of ann").await.unwrap();
    let shared = storing_in(world.store.clone(), FOR_ALL);
    let bucket = call().by("bob").to(&shared.bind()).open();
    assert!(keys(&bucket, "").await.is_empty());
    set(&bucket, "k", "of all").await.unwrap();
    assert_eq!(text(&call().to(&world.bind()).open(), "k").await.as_deref(), Some("of ann"));
}

#[tokio::test]
async fn what_has_no_caller_has_no_part_of_its_own() {
    let own = asking("").bind();
    let handler = call().handling("plugins.lab.grant.events.telemetry").to(&own);
    assert_eq!(handler.refused(), "denied");
    let said = handler.call.used.refused().join("\n");
    assert!(said.contains("this call has no caller"), "{said}");
    // What all share it reads and writes.
    let shared = for_all().bind();
    let bucket = call().handling("plugins.lab.grant.events.telemetry").to(&shared).open();
    set(&bucket, "t", "1").await.unwrap();
    assert_eq!(text(&call().to(&shared).open(), "t").await.as_deref(), Some("1"));
}

#[tokio::test]
async fn without_a_grant_there_is_no_bucket() {
    let ungranted = call().to(&for_all().ungranted().bind());
    assert_eq!(ungranted.refused(), "denied");
    let said = ungranted.call.used.refused().join("\n");
    assert!(said.contains("to allow it: [plugins.lab.grant.keyvalue.history]"), "{said}");
    // Nor during the probe, nor under a name that the plugin did not ask for.
    assert_eq!(call().without_grants().to(&for_all().bind()).refused(), "denied");
    let binding = for_all().bind();
    for name in ["", "keyvalue", "history", "keyvalue.other", "keyvalue.history/", "kv-lab_history", "\0"] {
        let caller = call().to(&binding);
        assert_eq!(code(caller.session.open(name)), "denied", "{name}");
        let failure = caller.session.open(name).err().unwrap().guest();
        assert_eq!(failure.message, "this is not granted");
    }
}

#[tokio::test]
async fn a_read_only_tool_writes_where_its_reach_says_so() {
    let world = for_all();
    let binding = world.bind();
    set(&call().to(&binding).open(), "k", "1").await.unwrap();
    let reading = call().read_only();
    let looking = call().reaching(world.reach("write = false"));
    let writing = call().read_only().reaching(world.reach("write = true"));
    let silent = call().read_only().reaching(world.reach(""));
    for (caller, may) in [(reading, false), (looking, false), (silent, false), (writing, true)] {
        let caller = caller.to(&binding);
        let bucket = caller.open();
        assert_eq!(text(&bucket, "k").await.as_deref(), Some("1"));
        let expected = if may { "ok" } else { "denied" };
        assert_eq!(code(set(&bucket, "new", "x").await), expected);
        assert_eq!(code(bucket.increment("n", 1).await), expected);
        assert_eq!(code(bucket.batch(Vec::new()).await), expected);
        assert_eq!(code(bucket.delete("nothing".into()).await), expected);
        assert_eq!(code(bucket.compare_and_swap("c".into(), None, Vec::new(), None).await), expected);
        assert_eq!(code(bucket.delete("new".into()).await), expected);
        assert_eq!(keys(&bucket, "new").await.len(), 0);
        assert_eq!(caller.call.used.refused().is_empty(), may);
    }
}

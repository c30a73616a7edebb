//! How much is kept, and what it costs.

use futures_util::future::join_all;
use serde_json::{Value, json};

use super::{Attacked, code, done, memory, set};

const MIB: u64 = 1 << 20;

#[tokio::test]
async fn a_full_part_refuses_and_shrinks_again_and_others_go_on() {
    let attacked = Attacked::new("quota = \"8KiB\"\nentries = 50", "quota = \"1MiB\"");
    let client = attacked.client();
    let flood = |bucket: &str, count: usize, size: usize| {
        client.call("flood", json!({ "bucket": bucket, "count": count, "size": size }))
    };
    let bytes = flood("keyvalue.own", 1_000, 1_000).await;
    let told = bytes.structured();
    assert!(told["written"].as_u64().is_some_and(|written| (1..=8).contains(&written)), "{told}");
    assert_eq!((code(told), &told["error"]["retryable"]), (Some("quota"), &json!(false)));
    assert_eq!(told["error"]["details"]["quota"], json!(8 << 10));
    assert!(told["error"]["details"]["used"].as_u64().is_some_and(|used| used <= 8 << 10), "{told}");
    // The shared one has room of its own, and what is full takes less again.
    assert_eq!(attacked.acts("keyvalue.shared", json!([set("a", "x")])).await.len(), 1);
    let acts = json!([{ "set": { "key": "00000000", "size": 10 } }, set("new", "x"), { "get": "new" }]);
    let told = attacked.acts("keyvalue.own", acts).await;
    assert!(told[0].is_u64() && told[1].is_u64() && told[2]["value"] == "x", "{told:?}");

    let keys: Vec<_> = (0..8).map(|n| format!("{n:08}")).chain(["new".into()]).collect();
    attacked.acts("keyvalue.own", json!([{ "delete-all": keys }])).await;
    let entries = flood("keyvalue.own", 1_000, 1).await;
    assert_eq!(entries.structured()["written"], json!(50), "{entries:?}");
    assert_eq!(code(entries.structured()), Some("quota"));
}

#[tokio::test]
async fn what_is_too_much_at_once_is_refused_as_a_whole() {
    let attacked = Attacked::new("", "quota = \"64MiB\"");
    let client = attacked.client();
    for (count, size) in [(501, 1), (5, 1 << 20), (1, 5 << 20), (20_000, 1)] {
        let much = json!({ "bucket": "keyvalue.shared", "count": count, "size": size });
        let told = client.call("huge_batch", much).await;
        assert!(
            matches!(code(told.structured()), Some("too-much" | "invalid")),
            "{count} of {size}: {told:?}"
        );
    }
    let large = attacked.acts("keyvalue.shared", json!([{ "set": { "key": "a", "size": 17 << 20 } }])).await;
    assert!(matches!(code(&large[0]), Some("too-much" | "invalid" | "quota")), "{large:?}");
    let all = attacked.acts("keyvalue.shared", json!([{ "list": { "limit": 1000 } }])).await;
    assert_eq!(all[0]["entries"], json!([]), "nothing of it was written");
}

#[tokio::test(flavor = "multi_thread")]
async fn floods_are_ended_and_the_hosts_memory_stays_where_it_was() {
    let attacked = Attacked::new("", "quota = \"64MiB\"");
    let client = attacked.client();
    let much =
        |count: usize, size: usize| json!({ "bucket": "keyvalue.shared", "count": count, "size": size });
    // Fill it, so that lists have something to carry.
    let filled = client.call("flood", much(200, 256 << 10)).await;
    assert!(filled.structured()["written"].as_u64().is_some_and(|written| written > 0), "{filled:?}");

    // One call does so much, and no more.
    let gets = json!({ "bucket": "keyvalue.shared", "acts": vec![json!({ "get": "none" }); 10_001] });
    let told = done(client.call("act", gets).await.structured());
    assert_eq!((code(&told[9_999]), code(&told[10_000])), (None, Some("too-much")));

    // Many calls at once, each with more of the largest lists than one may have.
    let list = json!({ "list": { "limit": 1000 } });
    let lists = json!({ "bucket": "keyvalue.shared", "acts": vec![list; 80] });
    let flood = async || {
        let mut answered = 0;
        for answer in join_all((0..16).map(|_| client.call("act", lists.clone()))).await {
            // Where the host has no place for so many, it says so.
            if answer.succeeded() {
                let told = done(answer.structured());
                assert!(told[0]["entries"].as_array().is_some_and(|page| !page.is_empty()), "{}", told[0]);
                assert_eq!(code(&told[79]), Some("too-much"), "{}", told[79]);
                answered += 1;
            }
        }
        assert!(answered > 0, "none was served");
    };
    flood().await;
    let before = memory(&attacked.server);
    for _ in 0..2 {
        flood().await;
    }
    let hoarded = client.call("hoard", much(1_000_000, 0)).await;
    let ended = !hoarded.succeeded() || code(hoarded.structured()).is_some();
    assert!(ended, "a million handles are too many: {hoarded:?}");
    let after = memory(&attacked.server);
    assert!(after < before + 128 * MIB, "from {} MiB to {} MiB", before / MIB, after / MIB);
    // And it still works.
    let told = attacked.acts("keyvalue.own", json!([set("a", "fine"), { "get": "a" }])).await;
    assert_eq!(told[1]["value"], "fine");
    println!("{} MiB before, {} MiB after", before / MIB, after / MIB);
}

#[tokio::test]
async fn a_guest_that_breaks_the_interface_breaks_its_own_call() {
    let attacked = Attacked::new("", "");
    let client = attacked.client();
    for tool in ["swapped_handle", "broken_text"] {
        let answer = client.call(tool, json!({})).await;
        assert!(!answer.succeeded(), "{tool}: {answer:?}");
    }
    let all = attacked.acts("keyvalue.shared", json!([{ "list": { "limit": 10 } }, set("a", "fine")])).await;
    assert_eq!(all[0]["entries"], json!([]));
    assert!(all[1].is_u64(), "{all:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_many_calls_count_at_once_is_counted_once_each() {
    let attacked = Attacked::new("", "");
    let client = attacked.client();
    let count = json!({
        "bucket": "keyvalue.shared",
        "acts": vec![json!({ "increment": ["n", 1] }); 10],
    });
    let mut counted = 0;
    for answer in join_all((0..20).map(|_| client.call("act", count.clone()))).await {
        counted += done(answer.structured()).iter().filter(|told| told.is_i64()).count();
    }
    let told = attacked.acts("keyvalue.shared", json!([{ "get": "n" }])).await;
    assert_eq!(told[0]["value"], Value::from(counted.to_string()));
    assert_eq!(counted, 200, "all of them came through");
}

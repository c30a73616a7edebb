//! What a guest may ask for, and how much of it.

use fleetgate_keyvalue::testing::MOST_BATCH;
use fleetgate_keyvalue::{MOST_BYTES, MOST_OPERATIONS};

use crate::world::{call, code, for_all, keys, put, set, text};

#[tokio::test]
async fn keys_that_are_none_are_refused_whatever_is_done_with_them() {
    let binding = for_all().bind();
    let bucket = call().to(&binding).open();
    let long = "k".repeat(257);
    for wrong in ["", "\0", "a\0b", "a\nb", "\u{7f}", "\u{85}", &long, &"ä".repeat(129)] {
        assert_eq!(code(bucket.get(wrong).await), "invalid", "{wrong:?}");
        assert_eq!(code(set(&bucket, wrong, "x").await), "invalid");
        assert_eq!(code(bucket.delete(wrong.into()).await), "invalid");
        assert_eq!(code(bucket.increment(wrong, 1).await), "invalid");
        assert_eq!(code(bucket.compare_and_swap(wrong.into(), None, Vec::new(), None).await), "invalid");
        assert_eq!(code(bucket.batch(vec![put("fine", "x"), put(wrong, "x")]).await), "invalid");
        assert_eq!(code(bucket.list("", Some(wrong), 10, false).await), "invalid");
        if !wrong.is_empty() {
            assert_eq!(code(bucket.list(wrong, None, 10, true).await), "invalid");
        }
    }
    let longest = "k".repeat(256);
    set(&bucket, &longest, "x").await.unwrap();
    assert_eq!(keys(&bucket, &longest).await, [longest]);
    assert_eq!(text(&bucket, "fine").await, None);
}

#[tokio::test]
async fn times_and_pages_that_are_none_are_refused() {
    let binding = for_all().bind();
    let bucket = call().to(&binding).open();
    for ttl in [0, u64::MAX, i64::MAX as u64, 200 * 365 * 24 * 3600 * 1000] {
        assert_eq!(code(bucket.set("k".into(), Vec::new(), Some(ttl)).await), "invalid", "{ttl}");
    }
    bucket.set("k".into(), Vec::new(), Some(365 * 24 * 3600 * 1000)).await.unwrap();
    for limit in [0, 1001, u32::MAX] {
        assert_eq!(code(bucket.list("", None, limit, false).await), "invalid", "{limit}");
    }
    assert_eq!(code(bucket.batch(vec![put("k", "1"), put("k", "2")]).await), "invalid");
}

#[tokio::test]
async fn a_batch_and_a_value_have_a_size() {
    let binding = for_all().bind();
    let bucket = call().to(&binding).open();
    let many = |count: usize| (0..count).map(|number| put(&number.to_string(), "x")).collect::<Vec<_>>();
    assert_eq!(code(bucket.batch(many(MOST_BATCH + 1)).await), "too-much");
    assert_eq!(bucket.batch(many(MOST_BATCH)).await.unwrap().len(), MOST_BATCH);
    assert_eq!(code(bucket.set("large".into(), vec![0; 4 << 20], None).await), "too-much");
    bucket.set("large".into(), vec![0; (4 << 20) - 5], None).await.unwrap();
    let halves = ["a", "b"].map(|key| put(key, &"x".repeat(2 << 20)));
    assert_eq!(code(bucket.batch(halves.to_vec()).await), "too-much");
    assert_eq!(text(&bucket, "a").await, None);
}

#[tokio::test]
async fn a_page_of_large_values_ends_early() {
    let binding = for_all().bind();
    let bucket = call().to(&binding).open();
    for name in ["a", "b", "c"] {
        bucket.set(name.into(), vec![0; 700 << 10], None).await.unwrap();
    }
    let page = bucket.list("", None, 1000, false).await.unwrap();
    assert_eq!((page.entries.len(), page.more), (2, true));
}

#[tokio::test]
async fn a_call_does_so_much_and_the_next_one_again() {
    let binding = for_all().bind();
    let bucket = call().to(&binding).open();
    for _ in 0..MOST_OPERATIONS {
        bucket.get("k").await.unwrap();
    }
    assert_eq!(code(bucket.get("k").await), "too-much");
    assert_eq!(code(set(&bucket, "k", "x").await), "too-much");
    let bucket = call().to(&binding).open();
    set(&bucket, "k", "x").await.unwrap();

    // What is read counts as what is written.
    let value = vec![0; 1 << 20];
    let mut moved = 0;
    bucket.set("large".into(), value, None).await.unwrap();
    while bucket.get("large").await.is_ok() {
        moved += 1_u64 << 20;
        assert!(moved <= MOST_BYTES, "{moved} bytes");
    }
    assert_eq!(code(bucket.list("", None, 10, false).await), "too-much");
    assert!(moved >= MOST_BYTES - (3 << 20), "{moved} bytes");
}

#[tokio::test]
async fn the_record_counts_what_was_done_and_lists_no_keys() {
    let binding = for_all().bind();
    let caller = call().to(&binding);
    let bucket = caller.open();
    for number in 0..500 {
        set(&bucket, &format!("secret {number}"), "x").await.unwrap();
        bucket.get("secret").await.unwrap();
    }
    set(&bucket, "", "x").await.unwrap_err();
    let used = caller.call.used.used();
    assert_eq!(
        used,
        [
            "keyvalue.history set ok, 500 times",
            "keyvalue.history get ok, 500 times",
            "keyvalue.history set invalid"
        ]
    );
}

//! What a bucket does.

use fleetgate_core::store::Condition;
use fleetgate_keyvalue::testing::Write;
use serde_json::json;

use crate::world::{call, code, for_all, keys, put, set, text};

#[tokio::test]
async fn what_was_set_is_got_until_it_is_deleted() {
    let binding = for_all().bind();
    let bucket = call().to(&binding).open();
    assert_eq!(text(&bucket, "k").await, None);
    let first = set(&bucket, "k", "1").await.unwrap();
    let second = set(&bucket, "k", "2").await.unwrap();
    let found = bucket.get("k").await.unwrap().unwrap();
    assert!(0 < first && first < second);
    assert_eq!((found.key.as_str(), found.value.as_slice(), found.revision), ("k", &b"2"[..], second));
    assert!(bucket.delete("k".into()).await.unwrap());
    assert!(!bucket.delete("k".into()).await.unwrap());
    assert_eq!(text(&bucket, "k").await, None);
}

#[tokio::test]
async fn a_later_call_finds_it_and_so_does_a_later_version() {
    let world = for_all();
    set(&call().to(&world.bind()).open(), "k", "1").await.unwrap();
    assert_eq!(text(&call().by("bob").to(&world.bind()).open(), "k").await.as_deref(), Some("1"));
}

#[tokio::test]
async fn a_swap_happens_at_its_revision_alone() {
    let binding = for_all().bind();
    let bucket = call().to(&binding).open();
    let swap =
        async |expected, value: &str| bucket.compare_and_swap("k".into(), expected, value.into(), None).await;
    assert_eq!(code(swap(Some(1), "x").await), "conflict");
    let first = swap(None, "1").await.unwrap();
    let failure = swap(None, "x").await.unwrap_err().guest();
    assert_eq!(
        (failure.code, failure.retryable, failure.details),
        ("conflict", false, Some(json!({"key": "k"})))
    );
    assert_eq!(code(swap(Some(0), "x").await), "conflict");
    let second = swap(Some(first), "2").await.unwrap();
    assert_eq!(code(swap(Some(first), "x").await), "conflict");
    assert_eq!(bucket.get("k").await.unwrap().unwrap().revision, second);
}

#[tokio::test]
async fn numbers_are_decimal_text_and_grow_from_nothing() {
    let binding = for_all().bind();
    let bucket = call().to(&binding).open();
    assert_eq!(bucket.increment("n", 5).await.unwrap(), 5);
    assert_eq!(bucket.increment("n", -7).await.unwrap(), -2);
    assert_eq!(text(&bucket, "n").await.as_deref(), Some("-2"));
    set(&bucket, "n", "40").await.unwrap();
    assert_eq!(bucket.increment("n", 2).await.unwrap(), 42);
    for wrong in ["", "1.5", "one", " 1", "99999999999999999999", "0x1"] {
        set(&bucket, "n", wrong).await.unwrap();
        let failure = bucket.increment("n", 1).await.unwrap_err().guest();
        assert_eq!((failure.code, failure.details), ("not-a-number", Some(json!({"key": "n"}))), "{wrong}");
        assert_eq!(text(&bucket, "n").await.as_deref(), Some(wrong));
    }
    set(&bucket, "n", &i64::MAX.to_string()).await.unwrap();
    assert_eq!(code(bucket.increment("n", 1).await), "invalid");
    assert_eq!(text(&bucket, "n").await, Some(i64::MAX.to_string()));
}

#[tokio::test]
async fn an_entry_goes_when_its_time_is_over_and_an_increment_keeps_that_time() {
    let binding = for_all().bind();
    let bucket = call().to(&binding).open();
    bucket.set("n".into(), b"1".to_vec(), Some(3_600_000)).await.unwrap();
    let expires = bucket.get("n").await.unwrap().unwrap().expires_ms.unwrap();
    assert_eq!(bucket.increment("n", 1).await.unwrap(), 2);
    assert_eq!(bucket.get("n").await.unwrap().unwrap().expires_ms, Some(expires));
    bucket.set("gone".into(), b"1".to_vec(), Some(1)).await.unwrap();
    let begun = std::time::Instant::now();
    while text(&bucket, "gone").await.is_some() {
        assert!(begun.elapsed().as_secs() < 10, "it stays");
    }
    assert_eq!(keys(&bucket, "").await, ["n"]);
    // It is absent then, whatever asks.
    bucket.compare_and_swap("gone".into(), None, b"2".to_vec(), None).await.unwrap();
    assert_eq!(bucket.get("gone").await.unwrap().unwrap().expires_ms, None);
    assert_eq!(text(&bucket, "gone").await.as_deref(), Some("2"));
}

#[tokio::test]
async fn a_batch_is_whole_and_answers_with_the_revision_of_each_set() {
    let binding = for_all().bind();
    let bucket = call().to(&binding).open();
    set(&bucket, "old", "x").await.unwrap();
    let delete = |key: &str| Write { key: key.into(), when: Condition::Any, value: None };
    let revisions = bucket.batch(vec![put("a", "1"), delete("old"), put("b", "2")]).await.unwrap();
    assert_eq!(revisions.len(), 2);
    assert_eq!(bucket.get("b").await.unwrap().unwrap().revision, revisions[1]);
    assert_eq!(keys(&bucket, "").await, ["a", "b"]);
    let absent = Write { when: Condition::Absent, ..put("b", "x") };
    let failure = bucket.batch(vec![put("c", "1"), delete("a"), absent]).await.unwrap_err().guest();
    assert_eq!((failure.code, failure.details), ("conflict", Some(json!({"key": "b"}))));
    assert_eq!(keys(&bucket, "").await, ["a", "b"]);
    assert!(bucket.batch(Vec::new()).await.unwrap().is_empty());
}

#[tokio::test]
async fn lists_go_forward_and_back_page_by_page() {
    let binding = for_all().bind();
    let bucket = call().to(&binding).open();
    let names: Vec<String> = (0..25).map(|number| format!("t/{number:03}")).collect();
    bucket.batch(names.iter().map(|name| put(name, name)).collect()).await.unwrap();
    bucket.batch(vec![put("s", ""), put("t", ""), put("u", "")]).await.unwrap();
    for back in [false, true] {
        let (mut seen, mut cursor) = (Vec::new(), None::<String>);
        loop {
            let page = bucket.list("t/", cursor.as_deref(), 7, back).await.unwrap();
            seen.extend(page.entries.into_iter().map(|found| found.key));
            cursor = seen.last().cloned();
            if !page.more {
                break;
            }
        }
        if back {
            seen.reverse();
        }
        assert_eq!(seen, names, "back: {back}");
    }
    let newest = bucket.list("t/", None, 1, true).await.unwrap();
    assert_eq!((newest.entries[0].key.as_str(), newest.more), ("t/024", true));
    assert_eq!(keys(&bucket, "").await.len(), 28);
    assert!(keys(&bucket, "t/9").await.is_empty());
}

//! How much there may be.

use serde_json::json;

use crate::world::{asking, call, code, for_all, keys, put, set};

#[tokio::test]
async fn a_full_part_takes_no_more_until_something_is_deleted() {
    let binding = for_all().granting("quota = \"2KiB\"\nentries = 3").bind();
    let bucket = call().to(&binding).open();
    for name in ["a", "b", "c"] {
        set(&bucket, name, "1").await.unwrap();
    }
    let failure = set(&bucket, "d", "1").await.unwrap_err().guest();
    assert_eq!((failure.code, failure.retryable), ("quota", false));
    // With the word that the host puts in front of each key.
    let details = json!({"used": 3 * 9, "quota": 2048, "used_entries": 3, "entries": 3});
    assert_eq!(failure.details, Some(details));
    set(&bucket, "a", "another").await.unwrap();
    assert!(bucket.delete("b".into()).await.unwrap());
    set(&bucket, "d", "1").await.unwrap();
    assert_eq!(code(set(&bucket, "d", &"x".repeat(2048)).await), "quota");
    assert_eq!(code(bucket.batch(vec![put("d", "x"), put("e", "x")]).await), "quota");
    assert_eq!(code(bucket.increment("n", 1).await), "quota");
    assert_eq!(keys(&bucket, "").await, ["a", "c", "d"]);
}

#[tokio::test]
async fn what_has_expired_gives_its_room_back() {
    let binding = for_all().granting("entries = 2").bind();
    let bucket = call().to(&binding).open();
    for round in 0..5 {
        for name in ["a", "b"] {
            bucket.set(format!("{name}{round}"), b"x".to_vec(), Some(1)).await.unwrap();
        }
        let begun = std::time::Instant::now();
        while !keys(&bucket, "").await.is_empty() {
            assert!(begun.elapsed().as_secs() < 10, "they stay");
        }
    }
}

#[tokio::test]
async fn a_caller_that_fills_its_part_leaves_room_to_the_others() {
    let binding = asking("").granting("entries = 5\ntotal_entries = 30").bind();
    for who in ["ann", "bob"] {
        let bucket = call().by(who).to(&binding).open();
        for number in 0..5 {
            set(&bucket, &number.to_string(), "x").await.unwrap();
        }
        let failure = set(&bucket, "5", "x").await.unwrap_err();
        assert!(failure.to_string().starts_with("this part of the bucket is full"), "{failure}");
    }
}

#[tokio::test]
async fn all_callers_together_have_no_more_than_the_whole_bucket() {
    let binding = asking("").granting("quota = \"1KiB\"\ntotal_quota = \"3KiB\"").bind();
    let mut full = 0;
    for number in 0..10 {
        let bucket = call().by(&format!("caller {number}")).to(&binding).open();
        if let Err(failure) = set(&bucket, "k", &"x".repeat(900)).await {
            assert!(failure.to_string().starts_with("the bucket is full"), "{failure}");
            full += 1;
        }
    }
    assert!((7..9).contains(&full), "{full} found no room");
}

#[tokio::test]
async fn a_smaller_grant_keeps_what_is_there_and_takes_no_more() {
    let world = for_all();
    let bucket = call().to(&world.bind()).open();
    for number in 0..10 {
        set(&bucket, &number.to_string(), "x").await.unwrap();
    }
    let binding = world.granting("entries = 5").bind();
    let bucket = call().to(&binding).open();
    assert_eq!(keys(&bucket, "").await.len(), 10);
    assert_eq!(code(set(&bucket, "new", "x").await), "quota");
    set(&bucket, "1", "y").await.unwrap();
    assert!(bucket.delete("2".into()).await.unwrap());
}

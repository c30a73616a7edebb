//! What a plugin remembers, with the store of the harness.

use std::time::{Duration, SystemTime};

use fleetgate_sdk::keyvalue::{Bucket, Condition, KeyValueError, Write};
use fleetgate_sdk::prelude::*;
use fleetgate_sdk::testing::{self, Harness};

const HOUR: Duration = Duration::from_secs(3600);

fn host() -> Harness {
    Harness::new().principal("ann").granted("keyvalue.notes")
}

fn open() -> Result<Bucket, KeyValueError> {
    Bucket::open("keyvalue.notes")
}

fn notes() -> Bucket {
    open().expect("it is granted")
}

fn keys(entries: fleetgate_sdk::keyvalue::Entries<'_>) -> Vec<String> {
    entries.map(|entry| entry.expect("it can be read").key).collect()
}

#[test]
fn a_bucket_that_is_not_granted_is_denied() {
    let denied = Harness::new().principal("ann").run(|| open().unwrap_err());
    assert!(denied.is("denied") && !denied.retryable, "{denied:?}");
    assert!(open().unwrap_err().is("denied"), "without a harness nothing is granted");
}

#[test]
fn what_was_set_is_there_in_the_next_call_until_it_is_deleted() {
    let host = host();
    let revision = host.run(|| notes().set("a", "one").unwrap());
    host.run(|| {
        let entry = notes().get("a").unwrap().unwrap();
        assert_eq!((entry.text().as_str(), entry.revision, entry.expires_ms), ("one", revision, None));
        assert_ne!(notes().set("a", "two").unwrap(), revision);
        assert_eq!((notes().delete("a"), notes().delete("a")), (Ok(true), Ok(false)));
        assert_eq!(notes().get("a"), Ok(None));
    });
}

#[test]
fn each_caller_has_a_part_of_its_own_unless_the_bucket_is_shared() {
    let host = host();
    host.run(|| notes().set("a", "ann's").unwrap());
    assert_eq!(host.run_as("bob", || notes().get("a")), Ok(None));
    assert!(host.run_as("", || open().unwrap_err()).is("denied"), "nobody has no part");
    let host = host.shared("keyvalue.notes");
    host.run(|| notes().set("a", "ours").unwrap());
    assert_eq!(host.run_as("bob", || notes().get("a").unwrap().unwrap().text()), "ours");
    assert!(host.run_as("", || notes().get("a").unwrap().is_some()));
}

#[test]
fn what_has_a_time_goes_when_it_is_over() {
    let begin = SystemTime::UNIX_EPOCH + 1000 * HOUR;
    let host = host().begins(begin);
    host.run(|| notes().set_for("a", "1", HOUR).unwrap());
    let expires = host.run(|| notes().get("a").unwrap().unwrap().expires_ms);
    assert_eq!(expires, Some(1001 * 3_600_000));
    assert_eq!(host.run(|| notes().increment("a", 1)), Ok(2));
    host.passes(HOUR - Duration::from_millis(1));
    assert!(host.run(|| notes().get("a").unwrap().is_some()), "counting does not make it last");
    host.passes(Duration::from_millis(1));
    host.run(|| {
        assert_eq!((notes().get("a"), notes().delete("a")), (Ok(None), Ok(false)));
        assert!(notes().set_for("a", "1", Duration::ZERO).unwrap_err().is("invalid"));
    });
}

#[test]
fn json_goes_in_and_comes_out_and_something_else_is_malformed() {
    host().run(|| {
        notes().set_json("a", &json!({ "on": true })).unwrap();
        assert_eq!(notes().get_json::<Value>("a"), Ok(Some(json!({ "on": true }))));
        assert_eq!(notes().get_json::<Value>("b"), Ok(None));
        let malformed = notes().get_json::<u32>("a").unwrap_err();
        assert!(malformed.is("malformed") && malformed.message.contains("\"a\""), "{malformed:?}");
        notes().set_json_for("c", &1, HOUR).unwrap();
        assert_eq!(notes().get_json("c"), Ok(Some(1)));
    });
}

#[test]
fn a_list_goes_through_the_keys_of_a_prefix_in_either_direction() {
    host().run(|| {
        let notes = notes();
        for key in ["b/1", "a/2", "a/1", "a/3", "a"] {
            notes.set(key, key).unwrap();
        }
        let page = notes.list("a/", None, 2).unwrap();
        assert_eq!((page.entries[0].key.as_str(), page.entries.len(), page.more), ("a/1", 2, true));
        let rest = notes.list("a/", Some("a/2"), 2).unwrap();
        assert_eq!((rest.entries[0].key.as_str(), rest.entries.len(), rest.more), ("a/3", 1, false));
        let newest = notes.list_back("a/", None, 1).unwrap();
        assert_eq!((newest.entries[0].key.as_str(), newest.more), ("a/3", true));
        assert_eq!(keys(notes.entries("a/").page(1)), ["a/1", "a/2", "a/3"]);
        assert_eq!(keys(notes.entries_back("a/").page(2)), ["a/3", "a/2", "a/1"]);
        assert_eq!(keys(notes.entries("").behind("a/2")), ["a/3", "b/1"]);
        assert_eq!(keys(notes.entries_back("").behind("a/2")), ["a/1", "a"]);
        assert!(notes.list("", None, 0).unwrap_err().is("invalid"));
        assert!(notes.list("", None, 1_001).unwrap_err().is("invalid"));
    });
}

#[test]
fn a_page_ends_where_its_values_are_large() {
    host().run(|| {
        let notes = notes();
        for key in ["a", "b", "c"] {
            notes.set(key, vec![0; 600 << 10]).unwrap();
        }
        let page = notes.list("", None, 10).unwrap();
        assert_eq!((page.entries.len(), page.more), (1, true));
        assert_eq!(keys(notes.entries("")), ["a", "b", "c"]);
    });
}

#[test]
fn an_iteration_ends_with_the_error_that_stopped_it() {
    let host = host();
    host.run(|| notes().set("a", "1").unwrap());
    host.break_bucket("keyvalue.notes", Some(KeyValueError::new("unavailable", "it is locked").retryable()));
    host.run(|| {
        let notes = notes();
        let mut entries = notes.entries("");
        assert!(entries.next().unwrap().unwrap_err().is("unavailable"));
        assert_eq!(entries.next(), None);
    });
    host.break_bucket("keyvalue.notes", None);
    assert!(host.run(|| notes().get("a").unwrap().is_some()));
}

#[test]
fn a_swap_happens_only_at_the_revision_that_was_seen() {
    host().run(|| {
        let first = notes().compare_and_swap("a", None, "1").unwrap();
        assert!(notes().compare_and_swap("a", None, "2").unwrap_err().is("conflict"));
        let second = notes().compare_and_swap_for("a", Some(first), "2", HOUR).unwrap();
        assert!(notes().compare_and_swap("a", Some(first), "3").unwrap_err().is("conflict"));
        assert_eq!(notes().get("a").unwrap().unwrap().revision, second);
    });
}

#[test]
fn a_counter_is_its_decimal_text() {
    host().run(|| {
        assert_eq!(notes().increment("n", 5), Ok(5));
        assert_eq!(notes().increment("n", -7), Ok(-2));
        assert_eq!(notes().get("n").unwrap().unwrap().text(), "-2");
        notes().set("n", i64::MAX.to_string()).unwrap();
        assert!(notes().increment("n", 1).unwrap_err().is("invalid"));
        notes().set("n", "many").unwrap();
        assert!(notes().increment("n", 1).unwrap_err().is("not-a-number"));
    });
}

#[test]
fn a_batch_happens_as_a_whole_or_not_at_all() {
    host().run(|| {
        let notes = notes();
        let revisions = notes.batch().set("a", "1").delete("z").set_json("b", &2).write().unwrap();
        assert_eq!(revisions.len(), 2);
        let failed = notes.batch().set("a", "9").set("b", "9").if_at(revisions[0]).write().unwrap_err();
        assert!(failed.is("conflict") && failed.details.unwrap()["key"] == "b");
        assert_eq!(notes.get("a").unwrap().unwrap().text(), "1");
        assert!(notes.batch().delete("a").set("b", "0").if_absent().write().unwrap_err().is("conflict"));
        let write = Write {
            key: "a".into(),
            when: Condition::Revision(revisions[0]),
            change: fleetgate_sdk::keyvalue::Change::Delete,
        };
        assert_eq!(notes.batch().push(write).write(), Ok(vec![]));
        assert_eq!(keys(notes.entries("")), ["b"]);
    });
}

#[test]
fn a_batch_that_cannot_be_changes_nothing() {
    host().run(|| {
        let notes = notes();
        assert!(notes.batch().set("a", "1").delete("a").write().unwrap_err().is("invalid"));
        let many = (0..501).fold(notes.batch(), |batch, n| batch.set(&n.to_string(), ""));
        assert_eq!(many.len(), 501);
        assert!(many.write().unwrap_err().is("too-much"));
        let large = (0..5).fold(notes.batch(), |batch, n| batch.set(&n.to_string(), vec![0; 1 << 20]));
        assert!(large.write().unwrap_err().is("too-much"));
        let no_json = std::collections::BTreeMap::from([((1, 2), 3)]);
        assert!(notes.batch().set("a", "1").set_json("b", &no_json).set("c", "1").write().is_err());
        assert_eq!(notes.batch().write(), Ok(vec![]));
        assert_eq!(keys(notes.entries("")), [""; 0]);
    });
}

#[test]
fn keys_that_cannot_be_are_refused() {
    host().run(|| {
        for key in ["", "a\nb", "a\u{7f}", &"a".repeat(257)] {
            assert!(notes().set(key, "").unwrap_err().is("invalid"), "{key:?}");
            assert!(notes().get(key).unwrap_err().is("invalid"), "{key:?}");
        }
        assert!(notes().set(&"é".repeat(128), "").is_ok());
    });
}

#[test]
fn a_full_bucket_takes_no_more_and_what_it_holds_can_shrink() {
    host().quota("keyvalue.notes", 100, 2).run(|| {
        notes().set("a", vec![0; 60]).unwrap();
        let full = notes().set("b", vec![0; 60]).unwrap_err();
        let details = full.details.clone().unwrap();
        assert!(full.is("quota") && details["used"] == 61 && details["quota"] == 100, "{full:?}");
        notes().set("a", vec![0; 10]).unwrap();
        notes().set("b", vec![0; 60]).unwrap();
        assert!(notes().increment("c", 1).unwrap_err().is("quota"), "two entries are the most");
        assert!(notes().delete("a").unwrap());
        assert_eq!(notes().increment("c", 1), Ok(1));
    });
}

/// Counts.
#[tool(requires = "any", read_only)]
fn counts() -> Result<i64, Fault> {
    Ok(notes().increment("n", 1)?)
}

/// Counts, and says so.
#[tool(requires = "any", read_only, reach = { "keyvalue.notes" = { write = true } })]
fn counts_on() -> Result<i64, Fault> {
    Ok(notes().increment("n", 1)?)
}

#[test]
fn a_tool_that_is_read_only_writes_only_where_its_reach_says_so() {
    let host = host();
    let denied = host.run(|| testing::call::<counts>(json!({}))).unwrap_err();
    assert!(denied.is("denied") && denied.details.unwrap()["keyvalue"] == "denied");
    assert_eq!(host.run(|| notes().get("n")), Ok(None));
    assert!(host.run(|| testing::call::<counts_on>(json!({}))).is_ok());
    let host = host.read_only();
    host.run(|| {
        assert!(notes().get("n").unwrap().is_some());
        assert!(notes().delete("n").unwrap_err().is("denied"));
        assert!(notes().batch().delete("n").write().unwrap_err().is("denied"));
        assert!(notes().set("n", "").unwrap_err().is("denied"));
    });
}

#[test]
fn a_failure_becomes_a_fault_that_keeps_its_code() {
    for (code, expected) in [
        ("denied", "denied"),
        ("invalid", "invalid-arguments"),
        ("conflict", "unavailable"),
        ("quota", "unavailable"),
        ("cancelled", "cancelled"),
        ("malformed", "internal"),
        ("of-tomorrow", "internal"),
    ] {
        let fault = Fault::from(KeyValueError::new(code, "it failed").detail("key", "a"));
        let details = fault.details.as_deref().unwrap();
        assert_eq!(
            (fault.code.as_str(), &details["keyvalue"], &details["key"]),
            (expected, &json!(code), &json!("a"))
        );
    }
    assert!(Fault::from(KeyValueError::new("unavailable", "later").retryable()).retryable);
    let broken = KeyValueError::new("unavailable", "it broke");
    assert!(!broken.unknown() && broken.detail("unknown", true).unknown());
}

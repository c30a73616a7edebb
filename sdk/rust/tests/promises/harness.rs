//! The host of a test.

use std::panic::{AssertUnwindSafe, catch_unwind};

use fleetgate_sdk::prelude::*;
use fleetgate_sdk::testing::{Harness, Request, Response};

#[test]
fn a_harness_is_the_host_of_its_closure_alone() {
    let ann = Harness::new().principal("ann");
    let bob = Harness::new().principal("bob");
    ann.run(|| {
        bob.run(|| assert_eq!(call::principal(), "bob"));
        assert_eq!(call::principal(), "ann");
    });
    assert_eq!(call::principal(), "");
}

#[test]
fn a_harness_is_put_away_when_the_closure_panics() {
    let host = Harness::new().principal("ann");
    let panicked = catch_unwind(AssertUnwindSafe(|| host.run(|| panic!("as tests do"))));
    assert!(panicked.is_err());
    assert_eq!(call::principal(), "");
}

#[test]
fn another_thread_has_no_host() {
    Harness::new().principal("ann").run(|| {
        let seen = std::thread::spawn(call::principal).join().expect("the thread ends");
        assert_eq!(seen, "");
    });
}

#[test]
fn a_responder_sees_the_whole_request() {
    let host = Harness::new().granted("http.api").respond(|request: &Request| {
        Response::json(201, json!({ "path": request.segments(), "was": request.json::<Value>() }))
    });
    let echoed: Value = host
        .run(|| http::upstream("api").put(["a b", "c"]).json(&json!([1])).send()?.ok()?.json())
        .expect("it answers");
    assert_eq!(echoed, json!({ "path": ["a b", "c"], "was": [1] }));
}

#[test]
fn records_of_several_runs_add_up() {
    let host = Harness::new();
    host.run(|| log::info("one"));
    host.run(|| log::info("two"));
    assert_eq!(host.logs().len(), 2);
}

#[test]
fn a_request_without_a_responder_is_denied() {
    let host = Harness::new().granted("http.api");
    assert!(host.run(|| http::upstream("api").get(["a"]).send()).expect_err("nobody answers").is("denied"));
    assert!(http::upstream("api").get(["a"]).send().expect_err("there is no host").is("denied"));
}

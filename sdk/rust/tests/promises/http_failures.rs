//! No answer.

use fleetgate_sdk::prelude::*;
use fleetgate_sdk::testing::{self, Failure, Harness, Request, Response};

#[track_caller]
fn failing(failure: Failure) -> Fault {
    let host =
        Harness::new().granted("http.api").respond(move |_: &Request| Response::fails(failure.clone()));
    host.run(|| http::upstream("api").get(["a"]).send()).expect_err("there is no answer")
}

#[test]
fn each_failure_has_its_code_and_says_whether_to_try_again() {
    let cases = [
        (Failure::Denied, "denied", false),
        (Failure::Timeout, "timeout", true),
        (Failure::Unreachable("the connection was refused".into()), "unavailable", true),
        (Failure::TooLarge("its body is over the limit".into()), "upstream", false),
        (Failure::Malformed("it is not proper HTTP".into()), "upstream", false),
        (Failure::Unsendable("the method is refused".into()), "internal", false),
    ];
    for (failure, code, retryable) in cases {
        let fault = failing(failure.clone());
        assert_eq!((fault.code.as_str(), fault.retryable), (code, retryable), "{failure:?}");
        assert!(fault.message.contains("`api`"), "{fault}");
    }
}

#[test]
fn the_message_says_what_happened() {
    let fault = failing(Failure::Unreachable("the connection was refused".into()));
    assert_eq!(fault.message, "`api` cannot be reached: the connection was refused.");
}

#[test]
fn a_wait_that_ends_because_the_call_does_is_cancelled() {
    let host = Harness::new().granted("http.api").respond(|_: &Request| {
        testing::cancel();
        Response::fails(Failure::Unreachable("the connection was closed".into()))
    });
    let fault = host.run(|| http::upstream("api").get(["a"]).send()).expect_err("it is cancelled");
    assert_eq!(fault, Fault::cancelled());
}

#[test]
fn what_is_sent_for_cleaning_up_after_the_cancel_works() {
    let host =
        Harness::new().granted("http.api").cancelled().respond(|request: &Request| match request.method() {
            "DELETE" => Response::status(204),
            _ => Response::fails(Failure::Timeout),
        });
    let cleaned = host.run(|| http::upstream("api").delete(["locks", "1"]).send());
    assert_eq!(cleaned.map(|response| response.status()), Ok(204));
    let failed = host.run(|| http::upstream("api").get(["a"]).send()).expect_err("there is no answer");
    assert!(failed.is("timeout"), "its own reason: {failed}");
}

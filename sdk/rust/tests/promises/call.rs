//! The call that is going on.

use std::time::Duration;

use fleetgate_sdk::prelude::*;
use fleetgate_sdk::testing::{Harness, Progress};

#[test]
fn the_tool_learns_who_calls_and_on_what() {
    let host = Harness::new()
        .principal("ann")
        .roles(["view", "operator"])
        .session("s1")
        .binding("naas-lab")
        .client_capabilities(json!({ "elicitation": {} }))
        .granted("ssh.devices");
    host.run(|| {
        assert_eq!(call::principal(), "ann");
        assert_eq!(call::roles(), ["view", "operator"]);
        assert!(call::has_role("operator") && !call::has_role("admin"));
        assert_eq!(call::session(), "s1");
        assert_eq!(call::binding(), "naas-lab");
        assert_eq!(call::client_capabilities(), json!({ "elicitation": {} }));
        assert!(granted("ssh.devices") && !granted("http.api"));
    });
}

#[test]
fn without_a_caller_everything_is_empty_and_nothing_is_granted() {
    assert_eq!((call::principal(), call::session(), call::binding()), Default::default());
    assert!(call::roles().is_empty());
    assert_eq!(call::client_capabilities(), json!({}));
    assert!(!granted("http.api") && !call::cancelled());
    assert!(call::answers().is_empty());
}

#[test]
fn progress_that_does_not_grow_is_dropped() {
    let host = Harness::new();
    host.run(|| {
        call::progress(1.0, Some(2.0), Some("half"));
        call::progress(1.0, Some(2.0), Some("again"));
        call::progress(0.5, None, None);
        call::progress(2.0, None, None);
    });
    assert_eq!(
        host.progress(),
        [
            Progress { done: 1.0, total: Some(2.0), message: Some("half".into()) },
            Progress { done: 2.0, total: None, message: None },
        ]
    );
}

#[test]
fn waiting_in_a_test_takes_no_time_and_uses_up_the_deadline() {
    let host = Harness::new().deadline(Duration::from_secs(10));
    host.run(|| {
        assert_eq!(call::deadline(), Duration::from_secs(10));
        assert_eq!(call::sleep(Duration::from_secs(4)), Ok(()));
        assert_eq!(call::deadline(), Duration::from_secs(6));
        assert_eq!(call::check_cancelled(), Ok(()));
        assert_eq!(call::sleep(Duration::from_secs(60)), Err(Fault::cancelled()), "the deadline came");
        assert!(call::cancelled());
        assert_eq!(call::check_cancelled(), Err(Fault::cancelled()));
    });
    assert_eq!(host.slept(), Duration::from_secs(10));
}

#[test]
fn a_cancelled_call_does_not_wait() {
    let host = Harness::new().cancelled();
    assert_eq!(host.run(|| call::sleep(Duration::from_secs(1))), Err(Fault::cancelled()));
    assert_eq!(host.slept(), Duration::ZERO);
}

#[test]
fn announcements_reach_the_host() {
    let host = Harness::new();
    host.run(|| {
        call::tools_changed();
        call::prompts_changed();
        call::resources_changed();
        call::resource_updated("naas://jobs/1");
    });
    assert_eq!(host.changes(), ["tools", "prompts", "resources", "naas://jobs/1"]);
}

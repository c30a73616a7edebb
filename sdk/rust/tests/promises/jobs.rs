//! Work that outlives a call.

use std::time::Duration;

use fleetgate_sdk::jobs::{self, Job};
use fleetgate_sdk::prelude::*;
use fleetgate_sdk::testing::{self, Harness};

/// Starts.
#[tool(requires = "operator")]
fn start() -> Result<Job, Fault> {
    jobs::submit("push", &json!({ "host": "r1" }))?.keep_for(Duration::from_secs(60)).send()
}

/// Looks.
#[tool(requires = "operator")]
fn look() -> Result<ToolResult, Fault> {
    jobs::outcome("job-1")
}

#[test]
fn a_job_is_submitted_with_its_arguments_and_how_long_it_is_kept() {
    let host = Harness::new();
    let result = host.run(|| testing::call::<start>(json!({}))).expect("it is submitted");
    assert_eq!(result.structured.expect("a job")["id"], "job-1");
    let submitted = &host.submitted()[0];
    assert_eq!((submitted.tool.as_str(), &submitted.arguments), ("push", &json!({ "host": "r1" })));
    assert_eq!(submitted.options, Some(json!({ "ttlMs": 60_000 })));
}

#[test]
fn a_job_ends_as_the_test_says() {
    let host = Harness::new();
    host.run(|| {
        let job = jobs::submit("push", &json!({})).and_then(jobs::Submission::send).expect("it is submitted");
        assert!(!job.has_ended());
        assert!(testing::call::<look>(json!({})).expect_err("it runs").is("unavailable"));
        host.end_job(&job.id, Ok(ToolResult::text("pushed")));
        assert_eq!(testing::call::<look>(json!({})), Ok(ToolResult::text("pushed")));
        assert_eq!(jobs::get(&job.id).expect("it is kept").status, "completed");

        let second =
            jobs::submit("push", &json!({})).and_then(jobs::Submission::send).expect("it is submitted");
        host.end_job(&second.id, Err(Fault::upstream("no")));
        assert_eq!(jobs::get(&second.id).expect("it is kept").message.as_deref(), Some("no"));
        let (all, next) = jobs::list(None).expect("they are listed");
        assert_eq!(all.iter().map(|job| job.id.as_str()).collect::<Vec<_>>(), ["job-2", "job-1"]);
        assert_eq!(next, None);
    });
}

#[test]
fn a_cancelled_job_has_ended_and_cancelling_an_ended_one_changes_nothing() {
    Harness::new().run(|| {
        let job = jobs::submit("push", &json!({})).and_then(jobs::Submission::send).expect("it is submitted");
        assert_eq!(jobs::cancel(&job.id).expect("it is there").status, "cancelled");
        assert_eq!(jobs::cancel(&job.id).expect("it is there").status, "cancelled");
        assert!(jobs::outcome(&job.id).expect_err("it was cancelled").is("cancelled"));
    });
}

#[test]
fn what_is_not_there_is_unknown_and_without_a_host_nothing_is_kept() {
    Harness::new().run(|| assert!(jobs::get("job-9").expect_err("there is none").is("unknown")));
    assert!(jobs::list(None).expect_err("nobody keeps jobs").is("unavailable"));
}

#[test]
fn a_call_knows_the_job_that_it_runs_in() {
    assert_eq!(Harness::new().job("job-3").run(call::job).as_deref(), Some("job-3"));
    assert_eq!(Harness::new().run(call::job), None);
}

#[test]
fn attributes_come_back_with_the_job() {
    let host = Harness::new();
    host.run(|| {
        let submission =
            jobs::submit("push", &json!({})).expect("arguments").attributes(json!({ "host": "r1" }));
        let job = submission.send().expect("it is submitted");
        let kept = jobs::get(&job.id).expect("it is kept").extra.expect("attributes");
        assert_eq!(kept["attributes"], json!({ "host": "r1" }));
    });
    assert_eq!(host.submitted()[0].options, Some(json!({ "attributes": { "host": "r1" } })));
}

#[test]
fn a_test_says_beforehand_how_jobs_end_or_that_there_is_no_room_for_them() {
    let ends = Harness::new().run_jobs(|job| (job.tool == "push").then(|| Ok(ToolResult::text("pushed"))));
    ends.run(|| {
        let push =
            jobs::submit("push", &json!({})).and_then(jobs::Submission::send).expect("it is submitted");
        assert_eq!(jobs::outcome(&push.id), Ok(ToolResult::text("pushed")));
        let pull =
            jobs::submit("pull", &json!({})).and_then(jobs::Submission::send).expect("it is submitted");
        assert!(jobs::outcome(&pull.id).expect_err("it runs").is("unavailable"));
    });
    let full = Harness::new().refuse_jobs(Fault::unavailable("There are too many jobs."));
    let refused = full.run(|| jobs::submit("push", &json!({})).and_then(jobs::Submission::send));
    assert!(refused.expect_err("there is no room").is("unavailable"));
}

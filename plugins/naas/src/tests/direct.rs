//! Jobs without a server: the host's own.

use std::time::Duration;

use fleetgate_sdk::prelude::*;
use fleetgate_sdk::testing::{self, Harness, Submitted};

use super::played::{PASSWORD, Played, show, show_with};
use crate::job::{DeviceJob, ErrorCode, JobResult, Kind};

fn host() -> Harness {
    Harness::new()
        .binding("naas")
        .principal("ann")
        .roles(["operator", "viewer"])
        .granted("ssh.devices")
        .deadline(Duration::from_secs(900))
}

fn job() -> DeviceJob {
    DeviceJob {
        host: "192.0.2.1".into(),
        platform: "cisco_ios".into(),
        commands: vec!["show clock".into()],
        username: None,
        password: None,
        enable: None,
        port: 22,
        tags: None,
        commit: false,
        save_config: false,
        kind: Kind::Command,
    }
}

/// A device that answers.
fn answers(submitted: &Submitted) -> Option<Result<ToolResult, Fault>> {
    let result = JobResult::finished(&job(), json!({ "show clock": "12:00" }));
    Some(JobResult { job_id: submitted.id.clone(), ..result }.to_tool_result())
}

/// A device that refuses.
fn refuses(submitted: &Submitted) -> Option<Result<ToolResult, Fault>> {
    let result = JobResult::refused(&job(), ErrorCode::AuthFailure, "Authentication to device failed.");
    Some(JobResult { job_id: submitted.id.clone(), ..result }.to_tool_result())
}

fn played(host: Harness) -> Played {
    Played { host }
}

#[test]
fn a_send_tool_submits_itself_and_gives_what_its_job_returned() {
    let direct = played(host().run_jobs(answers));
    let with = json!({ "tags": { "env": "lab" }, "password": PASSWORD, "username": "netops" });
    let job = direct.data("send_command", show_with(with));
    assert_eq!((&job["job_id"], &job["status"]), (&json!("job-1"), &json!("finished")));
    assert_eq!(job["results"]["show clock"], "12:00");
    let [submitted] = &direct.host.submitted()[..] else { panic!("one job") };
    assert_eq!(submitted.tool, "send_command");
    let expected = show_with(json!({
        "tags": { "env": "lab" }, "password": PASSWORD, "username": "netops", "port": 22
    }));
    assert_eq!(submitted.arguments, expected);
    let attributes = json!({
        "host": "192.0.2.1", "platform": "cisco_ios", "port": 22, "tags": { "env": "lab" }
    });
    assert_eq!(submitted.options, Some(json!({ "attributes": attributes })));
}

#[test]
fn the_largest_attributes_are_within_what_the_host_keeps() {
    let tags: serde_json::Map<_, _> =
        (0..10).map(|n| (format!("{n}{}", "k".repeat(63)), json!("v".repeat(64)))).collect();
    let host_name = format!("{}.b", vec!["a".repeat(62); 4].join("."));
    assert_eq!(host_name.len(), 253);
    let direct = played(host().run_jobs(answers));
    direct.data(
        "send_command",
        show_with(json!({ "tags": tags, "host": host_name, "platform": "juniper_junos" })),
    );
    let attributes = direct.host.submitted()[0].options.as_ref().expect("options")["attributes"].to_string();
    assert!(attributes.len() <= 2048, "{}", attributes.len());
}

#[test]
fn what_a_device_refuses_is_an_error_with_its_code() {
    let direct = played(host().run_jobs(refuses));
    let (text, job) = direct.failure("send_config", show());
    assert!(text.contains("error_code: AUTH_FAILURE"), "{text}");
    assert_eq!((&job["status"], &job["error_retryable"]), (&json!("finished"), &json!(false)));
    // The job itself is there, and no error.
    let job = direct.data("get_job_result", json!({ "job_id": "job-1" }));
    assert_eq!(job["error_code"], "AUTH_FAILURE");
}

#[test]
fn in_its_job_the_tool_drives_the_device() {
    let direct = played(host().job("job-7"));
    // No device is there.
    let (_, job) = direct.failure("send_command", show());
    assert_eq!((&job["job_id"], &job["status"]), (&json!("job-7"), &json!("finished")));
    assert!(job["error_code"].is_string());
    assert!(direct.host.submitted().is_empty());
}

#[test]
fn a_job_that_takes_too_long_is_named_and_goes_on() {
    let direct = played(host().config("job_timeout", "10s"));
    let fault = direct.fault("send_command", show());
    assert_eq!((fault.code.as_str(), fault.retryable), ("timeout", false));
    assert!(fault.message.starts_with("Job job-1 did not complete within 10s"), "{fault}");
    assert_eq!(fault.details.expect("details")["job_id"], "job-1");
    assert_eq!(direct.data("get_job_result", json!({ "job_id": "job-1" }))["status"], "queued");
    let reports = direct.host.progress();
    assert!(reports.len() > 3 && reports.iter().all(|report| report.message.is_some()), "{reports:?}");
}

#[test]
fn a_client_that_gives_up_ends_the_session() {
    let direct = played(host().run_jobs(|_| {
        testing::cancel();
        None
    }));
    assert_eq!(direct.fault("send_command", show()).code, "cancelled");
    let later = direct.host.run(|| fleetgate_sdk::jobs::get("job-1")).expect("the job");
    assert_eq!(later.status, "cancelled");
}

#[test]
fn a_job_is_cancelled_in_the_servers_words_and_not_after_its_end() {
    let direct = played(host().config("job_timeout", "1s"));
    let _ = direct.fault("send_command", show());
    assert_eq!(direct.text("cancel_job", json!({ "job_id": "job-1" })), "Job job-1 cancelled.");
    assert_eq!(direct.data("get_job_result", json!({ "job_id": "job-1" }))["status"], "canceled");
    assert!(direct.text("cancel_job", json!({ "job_id": "job-1" })).ends_with(" cancelled."));

    let ended = played(host().run_jobs(answers));
    ended.data("send_command", show());
    let fault = ended.fault("cancel_job", json!({ "job_id": "job-1" }));
    assert_eq!((fault.code.as_str(), fault.message.as_str()), ("conflict", "Job job-1 already finished."));
}

#[test]
fn a_job_that_is_not_there_is_unknown() {
    let direct = played(host());
    for tool in ["get_job_result", "cancel_job"] {
        let fault = direct.fault(tool, json!({ "job_id": "job-9" }));
        assert_eq!((fault.code.as_str(), fault.field.as_deref()), ("unknown", Some("/job_id")));
    }
}

#[test]
fn a_job_of_the_host_that_failed_is_a_failed_one() {
    let direct =
        played(host().run_jobs(|_| Some(Err(Fault::custom("interrupted", "The host stopped.").retryable()))));
    let (text, job) = direct.failure("send_command", show());
    assert!(text.starts_with("The host stopped."), "{text}");
    assert_eq!(
        (&job["status"], &job["error_code"], &job["error_retryable"]),
        (&json!("failed"), &json!("UNKNOWN"), &json!(true))
    );
    let failed = direct.read("naas://jobs/failed");
    assert_eq!(failed["total"], 1);
    let failed = &failed["jobs"][0];
    assert_eq!((&failed["host"], &failed["port"]), (&json!("192.0.2.1"), &json!(22)));
    assert_eq!((&failed["error"], &failed["func"]), (&json!("The host stopped."), &json!("send_command")));
}

#[test]
fn lists_are_in_the_servers_order_by_state_and_page() {
    let direct = played(host().config("job_timeout", "1s").run_jobs(|job| match job.id.as_str() {
        "job-1" | "job-4" => answers(job),
        "job-2" => Some(Err(Fault::internal("crashed"))),
        _ => None,
    }));
    for _ in 0..4 {
        let _ = direct.call("send_command", show());
    }
    let ids = |arguments: Value| -> Vec<String> {
        let list = direct.data("list_jobs", arguments);
        let jobs = list["jobs"].as_array().expect("jobs").clone();
        jobs.iter().map(|job| job["job_id"].as_str().expect("an id").to_owned()).collect()
    };
    assert_eq!(ids(json!({})), ["job-4", "job-1", "job-2", "job-3"]);
    assert_eq!(ids(json!({ "status": "queued" })), ["job-3"]);
    assert_eq!(ids(json!({ "status": "started" })), [""; 0]);
    assert_eq!(ids(json!({ "per_page": 3, "page": 2 })), ["job-3"]);
    let list = direct.data("list_jobs", json!({ "per_page": 3, "page": 2 }));
    assert_eq!(list["pagination"], json!({ "page": 2, "per_page": 3, "total": 4, "pages": 2 }));
    assert_eq!(direct.read("naas://jobs")["pagination"]["total"], 4);
    assert!(direct.text("cancel_job", json!({ "job_id": "job-3" })).ends_with(" cancelled."));
    assert_eq!(ids(json!({})), ["job-4", "job-1", "job-2"]);
}

#[test]
fn where_the_host_keeps_no_jobs_the_call_drives_the_device_itself() {
    let direct = played(host().refuse_jobs(Fault::unavailable("This host keeps no jobs.")));
    // No device is there.
    let (text, job) = direct.failure("send_command", show());
    assert_eq!(job["job_id"].as_str().map(str::len), Some(36));
    assert!(text.contains("This host keeps no jobs"), "{text}");
    let denied = played(host().refuse_jobs(Fault::denied("No.")));
    assert_eq!(denied.fault("send_command", show()).code, "denied");
}

#[test]
fn health_and_contexts_are_the_plugins_own() {
    let direct = played(host().config("job_timeout", "1s"));
    let _ = direct.fault("send_command", show());
    let health = direct.read("naas://health");
    assert_eq!((&health["status"], &health["mode"]), (&json!("healthy"), &json!("direct")));
    assert_eq!(health["components"]["queue"]["depth"], 1);
    let contexts = direct.read("naas://contexts");
    assert_eq!(contexts, json!({ "contexts": [{ "name": "default", "workers": null, "queue_depth": 1 }] }));
}

//! Lists and health, with their quirks.

use std::time::Duration;

use fleet_sim::naas::{Running, known};
use serde_json::{Value, json};

use crate::client::{Api, server, show, with};

fn ids(body: &Value) -> Vec<String> {
    let rows = body["jobs"].as_array().unwrap_or_else(|| panic!("rows: {body}"));
    rows.iter().map(|row| row["job_id"].as_str().unwrap().to_owned()).collect()
}

/// One finished, one failed, one started and one queued job, in that order, and one of another context.
async fn four(server: &Running) -> Vec<String> {
    let api = Api::of(server, known::OPERATOR);
    let tags = |env: &str| json!({"tags": {"env": env}});
    let mut jobs = Vec::new();
    for (host, env) in [(known::IOS, "lab"), (known::CRASHES, "prod")] {
        jobs.push(api.command(&with(show(host, "show clock"), tags(env))).await.job());
    }
    let elsewhere = with(show(known::IOS, "show version"), json!({"context": known::LAB}));
    api.command(&elsewhere).await.job();
    server.state().pass(Duration::from_secs(5));
    jobs.push(api.command(&with(show(known::SLOW, "show clock"), tags("lab"))).await.job());
    server.state().pass(Duration::from_secs(1));
    jobs.push(api.command(&show(known::IOS, "show version 2")).await.job());
    jobs
}

#[tokio::test]
async fn jobs_come_finished_failed_started_queued_of_the_default_context_only() {
    let server = server().await;
    let api = Api::of(&server, known::VIEWER);
    let none = json!({"page": 1, "per_page": 20, "total": 0, "pages": 0});
    let empty = json!({"jobs": [], "pagination": none, "app": "naas", "version": "2.1.0"});
    assert_eq!(api.get("/v2/jobs").await.of(200), empty);

    let jobs = four(&server).await;
    let list = api.get("/v2/jobs").await.of(200);
    assert_eq!(ids(&list), jobs);
    assert_eq!(list["pagination"], json!({"page": 1, "per_page": 20, "total": 4, "pages": 1}));
    assert_eq!(
        list["jobs"][0],
        json!({
            "job_id": jobs[0], "status": "finished", "created_at": "2026-11-20T09:32:38.426023+00:00",
            "ended_at": "2026-11-20T09:32:38.926023+00:00", "tags": {"env": "lab"},
        })
    );
    assert_eq!((&list["jobs"][3]["ended_at"], &list["jobs"][3]["tags"]), (&json!(null), &json!(null)));
    for (status, job) in ["finished", "failed", "started", "queued"].into_iter().zip(&jobs) {
        let list = api.get(&format!("/v2/jobs?status={status}")).await.of(200);
        assert_eq!(ids(&list), std::slice::from_ref(job));
        assert_eq!(list["pagination"]["total"], 1);
    }
}

#[tokio::test]
async fn pages_are_cut_first_and_tags_looked_at_then() {
    let server = server().await;
    let jobs = four(&server).await;
    let api = Api::of(&server, known::VIEWER);
    for (query, found, pagination) in [
        ("page=2&per_page=3", vec![3], json!({"page": 2, "per_page": 3, "total": 4, "pages": 2})),
        ("page=9&per_page=3", vec![], json!({"page": 9, "per_page": 3, "total": 4, "pages": 2})),
        ("tag=env:lab", vec![0, 2], json!({"page": 1, "per_page": 20, "total": 4, "pages": 1})),
        ("tag=env%3Alab&per_page=2", vec![0], json!({"page": 1, "per_page": 2, "total": 4, "pages": 2})),
        ("tag=env:nowhere", vec![], json!({"page": 1, "per_page": 20, "total": 4, "pages": 1})),
    ] {
        let list = api.get(&format!("/v2/jobs?{query}")).await.of(200);
        let expected: Vec<String> = found.into_iter().map(|at: usize| jobs[at].clone()).collect();
        assert_eq!(ids(&list), expected, "{query}");
        assert_eq!(list["pagination"], pagination, "{query}");
    }
}

#[tokio::test]
async fn a_bad_query_is_422_by_field() {
    let server = server().await;
    let api = Api::of(&server, known::VIEWER);
    for (query, field, kind) in [
        ("page=0", "page", "greater_than_equal"),
        ("page=two", "page", "int_parsing"),
        ("per_page=101", "per_page", "less_than_equal"),
        ("per_page=0", "per_page", "greater_than_equal"),
        ("per_page=", "per_page", "int_parsing"),
        ("status=canceled", "status", "literal_error"),
        ("tag=env", "tag", "value_error"),
    ] {
        let body = api.get(&format!("/v2/jobs?{query}")).await.of(422);
        assert_eq!((&body[0]["loc"], &body[0]["type"]), (&json!([field]), &json!(kind)), "{query}");
    }
    let status = api.get("/v2/jobs?status=x").await.of(422);
    assert_eq!(status[0]["msg"], "Input should be 'queued', 'started', 'finished' or 'failed'");
}

#[tokio::test]
async fn failed_jobs_are_those_whose_worker_died() {
    let server = server().await;
    let jobs = four(&server).await;
    let api = Api::of(&server, known::OPERATOR);
    api.command(&show(known::UNREACHABLE, "show clock")).await.job();
    server.state().pass(Duration::from_secs(5));
    let failed = api.get("/v2/jobs/failed").await.of(200);
    let error = failed["jobs"][0]["error"].as_str().unwrap();
    assert!(error.starts_with("Traceback"), "{error}");
    assert_eq!(
        failed,
        json!({
            "jobs": [{
                "job_id": jobs[1], "host": known::CRASHES, "platform": "cisco_ios", "port": 22,
                "failed_at": "2026-11-20T09:32:38.926023+00:00", "error": error, "error_code": "UNKNOWN",
                "error_retryable": false, "func": "naas.library.netmiko_lib.netmiko_send_command",
            }],
            "total": 1, "app": "naas", "version": "2.1.0",
        })
    );
}

#[tokio::test]
async fn contexts_come_by_name_with_their_workers_and_queues() {
    let server = server().await;
    let api = Api::of(&server, known::VIEWER);
    Api::of(&server, known::OPERATOR).command(&show(known::IOS, "show clock")).await.job();
    assert_eq!(
        api.get("/v2/contexts").await.of(200)["contexts"],
        json!([
            {"name": "default", "workers": 10, "queue_depth": 1},
            {"name": "idle", "workers": 0, "queue_depth": 0},
            {"name": "lab", "workers": 2, "queue_depth": 0},
        ])
    );
}

#[tokio::test]
async fn health_counts_workers_queue_and_failures() {
    let server = server().await;
    four(&server).await;
    let nobody = Api::with(&server, None);
    let healthy = nobody.get("/healthcheck").await.of(200);
    assert_eq!(
        healthy,
        json!({
            "status": "healthy", "version": "2.1.0", "uptime_seconds": 6,
            "components": {
                "redis": {"status": "healthy"},
                "queue": {"status": "healthy", "depth": 1},
                "workers": {"status": "healthy", "count": 12, "active_jobs": 1},
                "failed_jobs": 1,
            },
        })
    );
    server.state().set_backend_up(false);
    assert_eq!(nobody.get("/healthcheck").await.of(200)["status"], "degraded");
    server.state().set_backend_up(true);
    for context in [known::DEFAULT, known::LAB] {
        assert!(server.state().set_workers(context, 0));
    }
    assert_eq!(nobody.get("/healthcheck").await.of(200)["status"], "no_workers");
}

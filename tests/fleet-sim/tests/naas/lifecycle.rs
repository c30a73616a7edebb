//! The life of a job: it waits, runs, ends and is forgotten.

use std::time::Duration;

use fleet_sim::naas::{Context, Naas, Running, Seed, known};
use serde_json::{Value, json};

use crate::client::{Api, NOT_ALLOWED, seeded, server, server_of, show};

fn pass(server: &Running, millis: u64) {
    server.state().pass(Duration::from_millis(millis));
}

async fn status(server: &Running, job: &str) -> Value {
    Api::owner(server).result(job).await.of(200)["status"].clone()
}

#[tokio::test]
async fn a_job_is_queued_then_started_then_finished() {
    let server = server().await;
    let job = Api::of(&server, known::OPERATOR).command(&show(known::IOS, "show clock")).await.job();
    let waiting = Api::owner(&server).result(&job).await.of(200);
    assert_eq!(
        waiting,
        json!({
            "job_id": job, "status": "queued", "results": null, "error": null, "error_code": null,
            "error_retryable": null, "detected_platform": null, "tags": null, "app": "naas", "version": "2.1.0",
        })
    );
    pass(&server, 99);
    assert_eq!(status(&server, &job).await, "queued");
    pass(&server, 1);
    assert_eq!(status(&server, &job).await, "started");
    pass(&server, 399);
    assert_eq!(status(&server, &job).await, "started");
    pass(&server, 1);
    assert_eq!(status(&server, &job).await, "finished");
}

#[tokio::test]
async fn a_slow_device_keeps_its_job_running() {
    let server = server().await;
    let job = Api::of(&server, known::OPERATOR).command(&show(known::SLOW, "show clock")).await.job();
    pass(&server, 20_000);
    assert_eq!(status(&server, &job).await, "started");
    pass(&server, 500);
    assert_eq!(status(&server, &job).await, "finished");
}

#[tokio::test]
async fn jobs_wait_for_a_free_worker_of_their_context() {
    let contexts = vec![
        Context { name: known::DEFAULT.into(), workers: 1 },
        Context { name: known::LAB.into(), workers: 1 },
    ];
    let server = seeded(Seed { contexts, ..Seed::default() }).await;
    let api = Api::of(&server, known::OPERATOR);
    let mut jobs = Vec::new();
    for number in 0..3 {
        jobs.push(api.command(&show(known::IOS, &format!("show {number}"))).await.job());
    }
    let mut lab = show(known::IOS, "show clock");
    lab["context"] = known::LAB.into();
    jobs.push(api.command(&lab).await.job());
    for expected in [
        ["started", "queued", "queued", "started"],
        ["finished", "started", "queued", "finished"],
        ["finished", "finished", "started", "finished"],
        ["finished", "finished", "finished", "finished"],
    ] {
        pass(&server, if expected[0] == "started" { 100 } else { 400 });
        for (job, expected) in jobs.iter().zip(expected) {
            assert_eq!(status(&server, job).await, expected);
        }
    }
}

#[tokio::test]
async fn it_is_the_same_whether_anybody_looks_meanwhile_or_not() {
    let times = async |look: bool| {
        let contexts = vec![Context { name: known::DEFAULT.into(), workers: 2 }];
        let server = seeded(Seed { contexts, ..Seed::default() }).await;
        let api = Api::of(&server, known::OPERATOR);
        for number in 0..7 {
            api.command(&show(known::IOS, &format!("show {number}"))).await.job();
            pass(&server, 30);
        }
        for _ in 0..300 {
            pass(&server, 10);
            if look {
                server.state().jobs();
            }
        }
        let jobs = server.state().jobs();
        jobs.iter().map(|job| (job.started_at, job.ended_at)).collect::<Vec<_>>()
    };
    let seen = times(true).await;
    assert!(seen.iter().all(|(started, ended)| started.is_some() && ended.is_some()));
    assert_eq!(seen, times(false).await);
}

#[tokio::test]
async fn without_a_stopped_clock_jobs_end_by_themselves() {
    let seed =
        Seed { queued: Duration::from_millis(20), running: Duration::from_millis(20), ..Seed::default() };
    let server = Naas::start(seed).await;
    let job = Api::of(&server, known::OPERATOR).command(&show(known::IOS, "show clock")).await.job();
    let ended = async {
        while status(&server, &job).await != "finished" {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), ended).await.expect("the job ends");
}

#[tokio::test]
async fn a_finished_job_is_forgotten_after_a_day_and_a_failed_one_after_a_week() {
    let server = server_of(fleet_sim::naas::Behaviour::StrictUpstream).await;
    let (api, owner) = (Api::of(&server, known::OPERATOR), Api::owner(&server));
    let finished = api.command(&show(known::IOS, "show clock")).await.job();
    let failed = api.command(&show(known::CRASHES, "show clock")).await.job();
    pass(&server, 86_400_000);
    assert_eq!(status(&server, &finished).await, "finished");
    pass(&server, 1_000);
    owner.result(&finished).await.refused(403, NOT_ALLOWED);
    assert_eq!(status(&server, &failed).await, "failed");
    pass(&server, (604_800 - 86_400) * 1_000);
    owner.result(&failed).await.refused(403, NOT_ALLOWED);
}

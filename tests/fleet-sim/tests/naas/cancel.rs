//! Cancelling jobs.

use std::time::Duration;

use fleet_sim::naas::{Behaviour, Running, known};
use serde_json::json;

use crate::client::{Api, BOTH, server, server_of, show, with};

async fn status(server: &Running, job: &str) -> String {
    Api::owner(server).result(job).await.of(200)["status"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_queued_job_never_runs() {
    for behaviour in BOTH {
        let server = server_of(behaviour).await;
        let body = with(show(known::IOS, "hostname changed"), json!({}));
        let job = Api::of(&server, known::OPERATOR).post("/v2/send-config", &body).await.job();
        Api::owner(&server).cancel(&job).await.empty();
        assert_eq!(status(&server, &job).await, "canceled");
        server.state().pass(Duration::from_secs(60));
        assert_eq!(status(&server, &job).await, "canceled");
        assert!(server.state().device(known::IOS).unwrap().config.is_empty());
        Api::owner(&server).cancel(&job).await.empty();
    }
}

#[tokio::test]
async fn a_running_job_stops_in_the_documents_and_runs_on_in_the_source() {
    for behaviour in BOTH {
        let server = server_of(behaviour).await;
        let body = show(known::IOS, "hostname changed");
        let job = Api::of(&server, known::OPERATOR).post("/v2/send-config", &body).await.job();
        server.state().pass(Duration::from_millis(200));
        assert_eq!(status(&server, &job).await, "started");
        Api::owner(&server).cancel(&job).await.empty();
        assert_eq!(status(&server, &job).await, "canceled");
        server.state().pass(Duration::from_secs(60));
        let config = server.state().device(known::IOS).unwrap().config;
        match behaviour {
            Behaviour::AsDocumented => {
                assert_eq!(status(&server, &job).await, "canceled");
                assert!(config.is_empty());
            }
            Behaviour::StrictUpstream => {
                assert_eq!(status(&server, &job).await, "finished");
                assert_eq!(config, ["hostname changed"]);
            }
        }
    }
}

#[tokio::test]
async fn a_job_that_is_over_is_409_and_one_that_is_not_there_404() {
    for behaviour in BOTH {
        let server = server_of(behaviour).await;
        let (api, owner) = (Api::of(&server, known::OPERATOR), Api::owner(&server));
        for (host, how) in [(known::IOS, "finished"), (known::CRASHES, "failed")] {
            let job = api.command(&show(host, "show clock")).await.job();
            server.state().pass(Duration::from_secs(5));
            let body = json!({"message": format!("Job {job} already {how}")});
            assert_eq!(owner.cancel(&job).await.of(409), body);
        }
        let id = "6fd2bbc8-52b8-4826-8c2a-189968d0de23";
        let body = json!({"job_id": id, "status": "not_found", "app": "naas", "version": "2.1.0"});
        assert_eq!(owner.cancel(id).await.of(404), body);
        assert_eq!(api.cancel(id).await.of(404), body);
    }
}

#[tokio::test]
async fn cancelled_jobs_are_in_no_list() {
    let server = server().await;
    let api = Api::of(&server, known::OPERATOR);
    let job = api.command(&show(known::IOS, "show clock")).await.job();
    api.cancel(&job).await.empty();
    assert_eq!(api.get("/v2/jobs").await.of(200)["jobs"], json!([]));
}

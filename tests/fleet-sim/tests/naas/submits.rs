//! What a submit is answered.

use fleet_sim::naas::{known, model::Func};
use reqwest::Method;
use serde_json::json;

use crate::client::{Api, server, show, with};

#[tokio::test]
async fn a_submit_is_202_with_a_job_in_body_and_header() {
    let server = server().await;
    for path in ["send-command", "send-command-structured", "send-config"] {
        let body = show(known::IOS, &format!("do {path}"));
        let answer = Api::of(&server, known::OPERATOR).post(&format!("/v2/{path}"), &body).await;
        let job = answer.job();
        assert_eq!(
            answer.json(),
            json!({
                "job_id": job, "message": "Job enqueued", "queue_position": answer.json()["queue_position"],
                "enqueued_at": "2026-11-20T09:32:38.426023+00:00", "timeout": 120,
                "idempotent": false, "deduplicated": false, "app": "naas", "version": "2.1.0",
            })
        );
        assert_eq!(answer.headers["x-request-id"], *job);
        assert_eq!(answer.headers["x-api-version"], "v2");
        assert_eq!(uuid::Uuid::parse_str(&job).unwrap().get_version_num(), 4);
    }
    let funcs: Vec<Func> = server.state().jobs().iter().map(|job| job.request.func).collect();
    assert_eq!(funcs, [Func::Command, Func::Structured, Func::Config]);
}

#[tokio::test]
async fn the_position_counts_the_jobs_in_front() {
    let server = server().await;
    let api = Api::of(&server, known::OPERATOR);
    for position in 0..3 {
        let answer = api.command(&show(known::IOS, &format!("show {position}"))).await;
        assert_eq!(answer.of(202)["queue_position"], position);
    }
}

#[tokio::test]
async fn a_request_id_becomes_the_jobs_and_only_once() {
    let server = server().await;
    let api = Api::of(&server, known::OPERATOR);
    let id = "84a2acc9-7156-43d9-ae7d-d17168a00c94";
    let submit = |id: &str, command: &str| {
        let request = api.request(Method::POST, "/v2/send-command").header("x-request-id", id);
        api.send(request.json(&show(known::IOS, command)))
    };
    assert_eq!(submit(id, "show clock").await.job(), id);
    submit(id, "show version").await.refused(400, "Please provide a unique X-Request-ID");
    for bad in ["7", "84a2acc9-7156-13d9-ae7d-d17168a00c94", ""] {
        submit(bad, "show version").await.refused(400, "Invalid syntax in request");
    }
    assert_eq!(server.state().jobs().len(), 1);
}

#[tokio::test]
async fn with_a_bearer_the_login_comes_from_the_body_and_with_basic_from_the_header() {
    let server = server().await;
    let body = json!({"host": known::IOS, "platform": "cisco_ios", "commands": ["show clock"]});
    let bearer = Api::of(&server, known::OPERATOR);
    for partly in [json!({}), json!({"username": known::USER}), json!({"password": known::PASSWORD})] {
        let answer = bearer.command(&with(body.clone(), partly)).await;
        answer.refused(422, "Invalid type of data in request payload, please see documentation");
    }
    let basic = Api::owner(&server);
    let ignored = with(body, json!({"username": "ignored", "password": "ignored"}));
    assert_eq!(basic.run("/v2/send-command", &ignored).await["error"], json!(null));
    let [job] = &server.state().jobs()[..] else { panic!("one job") };
    assert_eq!(
        (job.request.username.as_str(), job.request.password.as_str()),
        (known::USER, known::PASSWORD)
    );
}

#[tokio::test]
async fn what_is_optional_is_kept_with_the_job() {
    let server = server().await;
    let more = json!({
        "port": 2222, "enable": "more", "tags": {"env": "lab"}, "commit": true, "save_config": true,
        "context": known::LAB, "read_timeout": 60, "conn_timeout": 2.5,
    });
    let body = with(show(known::IOS, "interface Vlan20"), more);
    let job = Api::of(&server, known::OPERATOR).post("/v2/send-config", &body).await.job();
    let job = server.state().job(&job).unwrap();
    let request = &job.request;
    assert_eq!(
        (request.port, request.enable.as_deref(), request.context.as_str()),
        (2222, Some("more"), "lab")
    );
    assert_eq!((request.commit, request.save_config), (true, true));
    assert_eq!((request.read_timeout.as_secs_f64(), request.conn_timeout.as_secs_f64()), (60.0, 2.5));
    assert_eq!(request.tags.as_ref().unwrap()["env"], "lab");
}

#[tokio::test]
async fn everything_under_v2_says_its_version() {
    let server = server().await;
    let api = Api::with(&server, None);
    for path in ["/v2/jobs", "/v2/no/such/route"] {
        assert_eq!(api.get(path).await.headers["x-api-version"], "v2", "{path}");
    }
    assert!(!api.get("/healthcheck").await.headers.contains_key("x-api-version"));
}

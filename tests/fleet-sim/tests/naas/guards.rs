//! Rate limits, lockouts, circuit breakers, full queues and a missing backend.

use std::time::Duration;

use fleet_sim::faults::{Fault, Matcher};
use fleet_sim::naas::{Running, Seed, known};
use serde_json::json;

use crate::client::{Answer, Api, noon, seeded, server, show, with};

fn rate(answer: &Answer) -> [Option<i64>; 3] {
    ["limit", "remaining", "reset"].map(|name| {
        let value = answer.headers.get(format!("x-ratelimit-{name}"))?;
        value.to_str().ok()?.parse().ok()
    })
}

async fn fail(server: &Running, host: &str, times: usize) {
    for number in 0..times {
        let body = show(host, &format!("show {number}"));
        // Basic callers are not limited in rate.
        Api::owner(server).command(&body).await.job();
        server.state().pass(Duration::from_secs(1));
    }
}

#[tokio::test]
async fn a_bearer_has_twenty_submits_per_device_and_minute() {
    let server = server().await;
    let api = Api::of(&server, known::OPERATOR);
    let reset = noon().as_second() + 60;
    for number in 0..20 {
        let answer = api.command(&show(known::IOS, &format!("show {number}"))).await;
        assert_eq!(
            (answer.status.as_u16(), rate(&answer)),
            (202, [Some(20), Some(19 - number), Some(reset)])
        );
    }
    server.state().pass(Duration::from_secs(18));
    let refused = api.command(&show(known::IOS, "show 20")).await;
    let body = json!({"error": "Rate limit exceeded", "retry_after": 42, "app": "naas", "version": "2.1.0"});
    assert_eq!(refused.of(429), body);
    assert_eq!(refused.headers["retry-after"], "42");
    assert_eq!(rate(&refused), [Some(20), Some(0), Some(reset)]);

    assert_eq!(api.command(&show(known::EOS, "show 20")).await.status, 202, "another device");
    let other = Api::of(&server, known::OTHER_OPERATOR);
    assert_eq!(other.command(&show(known::IOS, "show 20")).await.status, 202, "another caller");
    server.state().pass(Duration::from_secs(42));
    assert_eq!(api.command(&show(known::IOS, "show 20")).await.status, 202, "another minute");
    assert_eq!(rate(&api.get("/v2/jobs").await), [None; 3], "reading is free");
}

#[tokio::test]
async fn a_bearer_has_so_many_submits_over_all_devices() {
    let server = seeded(Seed { caller_rate: 2, ..Seed::default() }).await;
    let api = Api::of(&server, known::OPERATOR);
    for host in [known::IOS, known::EOS] {
        assert_eq!(api.command(&show(host, "show clock")).await.status, 202);
    }
    let refused = api.command(&show(known::NXOS, "show clock")).await;
    assert_eq!(refused.of(429)["retry_after"], 60);
    assert_eq!(rate(&refused)[0], Some(2));
}

#[tokio::test]
async fn admins_and_basic_callers_are_not_limited() {
    let server = seeded(Seed { caller_rate: 1, device_rate: 1, ..Seed::default() }).await;
    for api in [Api::of(&server, known::ADMIN), Api::owner(&server)] {
        for number in 0..3 {
            let answer = api.command(&show(known::IOS, &format!("show {number}"))).await;
            assert_eq!((answer.status.as_u16(), rate(&answer)), (202, [None; 3]));
        }
    }
}

#[tokio::test]
async fn five_failures_open_a_hosts_breaker_for_five_minutes_on_all_ports() {
    let server = server().await;
    let api = Api::of(&server, known::OPERATOR);
    fail(&server, known::UNREACHABLE, 5).await;
    let body = with(show(known::UNREACHABLE, "show clock"), json!({"port": 2222}));
    let result = api.run("/v2/send-command", &body).await;
    let error = format!("Circuit breaker open for device {} - too many recent failures", known::UNREACHABLE);
    assert_eq!(
        [&result["status"], &result["error"], &result["error_code"], &result["error_retryable"]],
        [&json!("finished"), &json!(error), &json!("CIRCUIT_OPEN"), &json!(true)]
    );
    assert_eq!(api.run("/v2/send-command", &show(known::IOS, "show clock")).await["error"], json!(null));
    server.state().pass(Duration::from_secs(300));
    let again = api.run("/v2/send-command", &show(known::UNREACHABLE, "show clock")).await;
    assert_eq!(again["error_code"], "CONNECTION_TIMEOUT");
}

#[tokio::test]
async fn an_answer_closes_the_count_of_failures() {
    let server = server().await;
    let heal = |manner| {
        assert!(server.state().change_device(known::UNREACHABLE, |device| device.manner = manner));
    };
    fail(&server, known::UNREACHABLE, 4).await;
    heal(fleet_sim::naas::model::Manner::Well);
    fail(&server, known::UNREACHABLE, 1).await;
    heal(fleet_sim::naas::model::Manner::Unreachable);
    fail(&server, known::UNREACHABLE, 4).await;
    let api = Api::of(&server, known::OPERATOR);
    let result = api.run("/v2/send-command", &show(known::UNREACHABLE, "show clock")).await;
    assert_eq!(result["error_code"], "CONNECTION_TIMEOUT");
}

const LOCKED_OUT: &str = "You are currently locked out for excessive login failures, please try again later";

#[tokio::test]
async fn ten_refused_logins_lock_the_user_out_for_ten_minutes_everywhere() {
    let server = server().await;
    fail(&server, known::LOCKED, 10).await;
    let api = Api::of(&server, known::OPERATOR);
    api.command(&show(known::IOS, "show clock")).await.refused(403, LOCKED_OUT);
    let other = with(show(known::IOS, "show clock"), json!({"username": "somebody-else"}));
    assert_eq!(api.command(&other).await.status, 202);
    server.state().pass(Duration::from_secs(600));
    assert_eq!(api.command(&show(known::IOS, "show clock")).await.status, 202);
}

#[tokio::test]
async fn ten_failures_of_a_device_lock_everybody_out_of_it() {
    let server = server().await;
    fail(&server, known::UNREACHABLE, 5).await;
    server.state().pass(Duration::from_secs(300));
    // One attempt after each pause of the breaker.
    fail(&server, known::UNREACHABLE, 1).await;
    server.state().pass(Duration::from_secs(299));
    let api = Api::of(&server, known::OPERATOR);
    assert_eq!(api.command(&show(known::UNREACHABLE, "show clock")).await.status, 202, "six are not ten");

    let seed = Seed { running: Duration::from_secs(3), ..Seed::default() };
    let busy = seeded(seed).await;
    for number in 0..10 {
        let body = show(known::UNREACHABLE, &format!("show {number}"));
        Api::owner(&busy).command(&body).await.job();
    }
    busy.state().pass(Duration::from_secs(5));
    let api = Api::of(&busy, known::OPERATOR);
    let other = with(show(known::UNREACHABLE, "show clock"), json!({"username": "somebody-else"}));
    api.command(&other).await.refused(403, LOCKED_OUT);
    assert_eq!(api.command(&show(known::IOS, "show clock")).await.status, 202);
}

#[tokio::test]
async fn a_full_queue_is_503() {
    let server = seeded(Seed { queue_limit: 2, ..Seed::default() }).await;
    let api = Api::of(&server, known::OPERATOR);
    for host in [known::IOS, known::EOS] {
        assert_eq!(api.command(&show(host, "show clock")).await.status, 202);
    }
    let full = api.command(&show(known::NXOS, "show clock")).await;
    full.refused(503, "Queue depth limit reached, please retry later");
    server.state().pass(Duration::from_secs(1));
    assert_eq!(api.command(&show(known::NXOS, "show clock")).await.status, 202);
}

#[tokio::test]
async fn without_its_backend_everything_but_health_is_503_with_retry_after() {
    let server = server().await;
    let api = Api::of(&server, known::ADMIN);
    server.state().set_backend_up(false);
    for answer in [
        api.command(&show(known::IOS, "show clock")).await,
        api.get("/v2/jobs").await,
        api.get("/v2/contexts").await,
        api.post("/v2/api-keys", &json!({})).await,
    ] {
        assert_eq!(answer.of(503), json!({"error": "Queue backend unavailable", "status": 503}));
        assert_eq!(answer.headers["retry-after"], "10");
    }
    server.state().set_backend_up(true);
    assert_eq!(api.get("/v2/jobs").await.status, 200);
}

#[tokio::test]
async fn faults_and_the_journal_work_here_as_with_any_backend() {
    let server = server().await;
    let api = Api::of(&server, known::OPERATOR);
    server.fault(Matcher::path("/v2/send-command").once(), Fault::DropAfter);
    let lost = api.request(reqwest::Method::POST, "/v2/send-command").json(&show(known::IOS, "show clock"));
    assert!(lost.send().await.is_err());
    assert_eq!(server.state().jobs().len(), 1, "it was submitted all the same");
    assert_eq!(server.requests()[0].json().unwrap()["host"], known::IOS);
    server.forget_requests();
    server.clear_faults();
    assert!(server.requests().is_empty());
    server.stop().await;
}

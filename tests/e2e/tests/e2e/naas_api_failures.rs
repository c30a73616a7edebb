//! What goes wrong at devices and at the NAAS server is told with its code, and nothing is done twice.

use std::time::Duration;

use axum::http::Method;
use fleet_sim::faults::{Fault, Matcher};
use fleet_sim::naas::{Behaviour, Seed, known};
use fleetgate_e2e::Network;
use fleetgate_e2e::network::{on, quick, show};
use serde_json::{Value, json};

#[tokio::test]
async fn every_way_in_which_a_device_fails_has_its_code() {
    let seed = Seed { device_rate: 1_000, ..quick(Behaviour::StrictUpstream) };
    let network = Network::grown(seed, known::OPERATOR, "operator", "").await;
    for (host, tool, code, retryable) in [
        (known::UNREACHABLE, "send_command", "CONNECTION_TIMEOUT", true),
        (known::LOCKED, "send_command", "AUTH_FAILURE", false),
        (known::BROKEN, "send_command_structured", "SSH_ERROR", true),
        (known::UNPRIVILEGED, "send_config", "SSH_ERROR", true),
        (known::CRASHES, "send_command", "UNKNOWN", false),
    ] {
        let answer = network.call(tool, on(host, "cisco_ios", &["hostname x"])).await;
        let result = answer.result();
        assert_eq!(result["isError"], true, "{answer:?}");
        let job = &result["structuredContent"];
        assert_eq!(
            (&job["error_code"], &job["error_retryable"]),
            (&json!(code), &json!(retryable)),
            "{host}"
        );
        assert!(answer.text().contains(&format!("error_code: {code}")), "{answer:?}");
        assert_eq!(job["results"], Value::Null, "{host}");
    }
}

#[tokio::test]
async fn a_line_that_is_refused_is_told_and_the_lines_before_it_stay() {
    let network = Network::of(Behaviour::AsDocumented).await;
    let lines = ["interface Loopback9", "bogus line", "interface Loopback10"];
    let answer = network.call("send_config", on(known::IOS, "cisco_ios", &lines)).await;
    assert_eq!(answer.result()["structuredContent"]["error_code"], "CONFIG_REJECTED", "{answer:?}");
    assert!(answer.text().contains("bogus line"), "{answer:?}");
    let config = network.naas.state().device(known::IOS).expect("the switch").config.join("\n");
    assert!(config.contains("Loopback9") && !config.contains("Loopback10"), "{config}");
}

#[tokio::test]
async fn a_breaker_that_is_open_is_retryable() {
    let network = Network::of(Behaviour::AsDocumented).await;
    let mut last = Value::Null;
    for number in 0..6 {
        let command = format!("show interfaces {number}");
        let answer = network.call("send_command", on(known::UNREACHABLE, "cisco_ios", &[&command])).await;
        last = answer.result()["structuredContent"].clone();
    }
    assert_eq!(
        (&last["error_code"], &last["error_retryable"]),
        (&json!("CIRCUIT_OPEN"), &json!(true)),
        "{last}"
    );
}

#[tokio::test]
async fn autodetection_tells_what_it_found_or_that_it_found_nothing() {
    let network = Network::of(Behaviour::AsDocumented).await;
    let answer = network.call("send_command", on(known::EOS, "autodetect", &["show version"])).await;
    assert_eq!(answer.structured()["detected_platform"], "arista_eos");
    let answer = network.call("send_command", on(known::MYSTERY, "autodetect", &["show version"])).await;
    assert_eq!(answer.result()["structuredContent"]["error_code"], "AUTODETECT_FAILED", "{answer:?}");
}

#[tokio::test]
async fn refusals_of_the_server_are_told_with_their_status() {
    for (key, status, code) in [
        (known::EXPIRED, 401, "denied"),
        (known::REVOKED, 401, "denied"),
        (known::VIEWER, 403, "denied"),
        (known::ROLELESS, 403, "denied"),
    ] {
        let network = Network::grown(quick(Behaviour::AsDocumented), key, "operator", "").await;
        let answer = network.call("send_command", show(json!({}))).await;
        let fault = answer.fault();
        assert_eq!((&fault["code"], &fault["retryable"]), (&json!(code), &json!(false)), "{key}");
        assert_eq!(fault["details"]["http_status"], status, "{key}");
        assert!(answer.text().starts_with(&format!("NAAS HTTP {status}: ")), "{answer:?}");
    }
}

#[tokio::test]
async fn what_the_server_cannot_take_now_is_retryable() {
    let seed = Seed { device_rate: 1, ..quick(Behaviour::AsDocumented) };
    let network = Network::grown(seed, known::OPERATOR, "operator", "").await;
    network.call("send_command", show(json!({}))).await.structured();
    let answer = network.call("send_command", show(json!({"commands": ["show clock"]}))).await;
    assert_eq!(
        (&answer.fault()["details"]["http_status"], &answer.fault()["retryable"]),
        (&json!(429), &json!(true))
    );
    assert!(answer.fault()["retryAfterMs"].as_u64().is_some_and(|wait| wait > 0), "{answer:?}");

    network.naas.state().set_backend_up(false);
    let answer = network.call("list_jobs", json!({"status": "failed"})).await;
    assert_eq!(answer.fault()["details"]["http_status"], 503, "{answer:?}");
    assert_eq!(answer.fault()["retryAfterMs"], 10_000, "{answer:?}");
}

#[tokio::test]
async fn a_login_that_is_missing_is_asked_for_as_arguments() {
    let network = Network::of(Behaviour::AsDocumented).await;
    let arguments = json!({"host": known::IOS, "platform": "cisco_ios", "commands": ["show version"]});
    let answer = network.call("send_command", arguments).await;
    assert!(answer.text().starts_with("NAAS HTTP 422: "), "{answer:?}");
    assert!(answer.text().contains("username"), "{answer:?}");
}

#[tokio::test]
async fn a_job_whose_answer_was_lost_is_taken_once() {
    let network = Network::of(Behaviour::AsDocumented).await;
    network.naas.fault(Matcher::path("/v2/send-config").method(Method::POST).once(), Fault::DropAfter);
    let answer = network.call("send_config", on(known::IOS, "cisco_ios", &["interface Loopback3"])).await;
    let submits = network.arrived().iter().filter(|request| request.starts_with("POST ")).count();
    assert_eq!(network.naas.state().jobs().len(), 1, "{answer:?}");
    if answer.succeeded() {
        assert_eq!(submits, 2, "repeated under the same key");
    } else {
        assert_eq!((submits, &answer.fault()["retryable"]), (1, &json!(false)), "{answer:?}");
    }
}

#[tokio::test]
async fn looks_that_fail_for_a_moment_do_not_lose_the_job() {
    let network = Network::of(Behaviour::AsDocumented).await;
    let looks = || Matcher::starting_with("/v2/send-command/").method(Method::GET);
    network.naas.fault(looks().times(2), Fault::Drop);
    network.naas.fault(looks().once(), Fault::Unavailable { retry_after: 1 });
    let answer = network.call("send_command", show(json!({}))).await;
    assert_eq!(answer.structured()["status"], "finished");
}

#[tokio::test]
async fn an_answer_that_is_broken_or_too_large_is_a_fault_and_the_host_goes_on() {
    let network = Network::of(Behaviour::AsDocumented).await;
    let looks = Matcher::starting_with("/v2/send-command/").method(Method::GET);
    for (fault, named) in
        [(Fault::MalformedJson, true), (Fault::HugeBody { bytes: 64 << 20 }, false), (Fault::CutBody, true)]
    {
        network.naas.fault(looks.clone(), fault.clone());
        let answer = network.call("send_command", show(json!({}))).await;
        assert_eq!(answer.result()["isError"], true, "{fault:?}: {answer:?}");
        assert!(!named || answer.fault()["details"]["job_id"].is_string(), "{fault:?}: {answer:?}");
        network.naas.clear_faults();
        network.naas.state().pass(Duration::from_secs(300));
    }
    assert!(network.call("send_command", show(json!({}))).await.succeeded());
}

#[tokio::test]
async fn a_job_like_one_under_way_is_told_to_be_that_one() {
    let seed = Seed {
        running: Duration::from_secs(3600),
        job_timeout: Duration::from_secs(7200),
        ..quick(Behaviour::AsDocumented)
    };
    let network = Network::grown(seed, known::OPERATOR, "operator", "").await;
    let both_are_submitted = async {
        let accepted = || {
            let requests = network.naas.requests();
            requests.iter().filter(|request| request.method == "POST" && request.status == Some(202)).count()
        };
        network.server.until("both are submitted", || async { accepted() == 2 }).await;
        network.naas.state().pass(Duration::from_secs(4000));
    };
    let (first, second, ()) = tokio::join!(
        network.call("send_command", show(json!({}))),
        network.call("send_command", show(json!({"port": 2222}))),
        both_are_submitted,
    );
    let (first, second) = (first.structured().clone(), second.structured().clone());
    assert_eq!(first["job_id"], second["job_id"]);
    let warned = [&first, &second].iter().filter(|job| job.get("warnings").is_some()).count();
    assert_eq!(warned, 1, "{first} {second}");
}

#[tokio::test]
async fn bad_arguments_are_refused_before_the_server_hears_of_them() {
    let network = Network::of(Behaviour::AsDocumented).await;
    for more in [
        json!({"host": "a b"}),
        json!({"commands": []}),
        json!({"commands": [" "]}),
        json!({"commands": ["show version\nreload"]}),
        json!({"port": 0}),
        json!({"port": "22"}),
        json!({"tags": {"a b": "c"}}),
        json!({"ip": "10.0.0.1"}),
    ] {
        let answer = network.call("send_command", show(more.clone())).await;
        assert_eq!(answer.fault()["code"], "invalid-arguments", "{more}: {answer:?}");
    }
    assert!(network.arrived().is_empty(), "{:?}", network.arrived());
}

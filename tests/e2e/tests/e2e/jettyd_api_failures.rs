//! What goes wrong at the platform is told as what it is, once, and no command is sent twice.

use std::time::Duration;

use fleet_sim::faults::{Fault, Matcher};
use fleet_sim::jettyd::api::{Manner, Seed, refusal};
use fleet_sim::jettyd::known;
use fleetgate_e2e::Platform;
use fleetgate_e2e::platform::every_role;
use serde_json::{Value, json};

async fn short() -> Platform {
    let config = "command_timeout = \"1s\"";
    Platform::grown(Seed::default(), known::ALL, &every_role("jettyd"), config).await
}

fn ping(device: &str) -> Value {
    json!({"device_id": device, "command": "ping"})
}

/// Commands that reached the platform.
fn posted(platform: &Platform) -> usize {
    platform.arrived().iter().filter(|line| line.starts_with("POST ")).count()
}

#[tokio::test]
async fn a_device_that_refuses_fails_or_is_silent_is_told_apart_and_told_once() {
    // Those that answer have time to do so; nobody waits long for the others.
    let (platform, short) = (Platform::of(Seed::default()).await, short().await);
    let stuck = Manner::Fails("Valve stuck".into());
    platform.jettyd.state().change_device(known::RELAYS, |device| device.manner = stuck);
    let cases = [
        (&platform, known::GREENHOUSE, "set_relay", "rejected", "Unknown system command"),
        (&platform, known::RELAYS, "ch1.on", "failed", "Valve stuck"),
        (&short, known::SILENT, "valve.on", "timeout", "not known"),
        (&short, known::OFFLINE, "valve.on", "timeout", "not known"),
    ];
    for (platform, device, command, status, why) in cases {
        let before = posted(platform);
        let answer = platform.call("send_command", json!({"device_id": device, "command": command})).await;
        assert!(!answer.succeeded(), "{answer:?}");
        let result = &answer.result()["structuredContent"];
        assert_eq!((&result["status"], &result["retryable"]), (&json!(status), &json!(false)), "{result}");
        assert!(answer.text().contains(why), "{}", answer.text());
        assert_eq!(posted(platform) - before, 1, "sent once, whatever became of it");
    }
}

#[tokio::test]
async fn a_command_is_not_sent_again_when_nobody_knows_whether_it_arrived() {
    let platform = short().await;
    for fault in [Fault::DropAfter, refusal(503, "try later", Some(1)), refusal(500, "oops", None)] {
        let before = posted(&platform);
        platform.jettyd.clear_faults();
        platform.jettyd.fault(Matcher::ending_with("/commands").method(reqwest::Method::POST), fault);
        let answer = platform.call("send_command", ping(known::GREENHOUSE)).await;
        assert!(!answer.succeeded(), "{answer:?}");
        assert_eq!(posted(&platform) - before, 1, "{answer:?}");
    }
}

#[tokio::test]
async fn looking_at_a_command_may_fail_for_a_while() {
    let platform = Platform::of(Seed::default()).await;
    let looks = Matcher::ending_with("/commands").method(reqwest::Method::GET).times(2);
    platform.jettyd.fault(looks, refusal(502, "bad gateway", None));
    let answer = platform.call("send_command", ping(known::GREENHOUSE)).await;
    assert_eq!(answer.structured()["status"], "acked");
}

#[tokio::test]
async fn every_refusal_of_the_platform_is_passed_on_with_its_words() {
    let platform = Platform::of(Seed::default()).await;
    let cases = [
        (400, "invalid-arguments", false),
        (401, "denied", false),
        (403, "denied", false),
        (404, "unknown", false),
        (409, "conflict", false),
        (422, "invalid-arguments", false),
        (429, "unavailable", true),
        (503, "unavailable", true),
    ];
    for (status, code, retryable) in cases {
        platform.jettyd.clear_faults();
        platform.jettyd.fault(Matcher::any(), refusal(status, "words of the platform", Some(7)));
        let answer = platform.call("list_devices", json!({})).await;
        let fault = answer.fault();
        assert_eq!(
            (&fault["code"], fault["retryable"] == true),
            (&json!(code), retryable),
            "{status} {fault}"
        );
        let said = answer.text();
        assert!(
            said.contains(&format!("jettyd API error {status}")) && said.contains("words of the platform"),
            "{said}"
        );
    }
    platform.jettyd.clear_faults();
    platform.call("list_devices", json!({})).await.structured();
}

#[tokio::test]
async fn answers_that_are_no_answers_end_the_call_and_nothing_else() {
    let platform = Platform::of(Seed::default()).await;
    for fault in [Fault::MalformedJson, Fault::CutBody, Fault::Drop, Fault::HugeBody { bytes: 64 << 20 }] {
        platform.jettyd.clear_faults();
        platform.jettyd.fault(Matcher::path("/v1/devices"), fault);
        let answer = platform.call("list_devices", json!({})).await;
        assert!(!answer.succeeded(), "{answer:?}");
        platform.call("list_alerts", json!({})).await.structured();
    }
}

#[tokio::test]
async fn what_makes_no_sense_is_refused_before_anything_is_sent() {
    let platform = Platform::of(Seed::default()).await;
    let history = |from: &str, more: Value| {
        let mut arguments =
            json!({"device_id": known::GREENHOUSE, "sensor_key": "temperature", "from": from});
        arguments.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        ("get_history", arguments)
    };
    let configure =
        |config: Value| ("configure_device", json!({"device_id": known::GREENHOUSE, "config": config}));
    let cases = [
        history("yesterday", json!({})),
        history("2026-05-20T12:00:00Z", json!({"to": "2026-05-20T11:00:00Z"})),
        history("2126-05-20T12:00:00Z", json!({})),
        history("2026-05-20T12:00:00Z", json!({"resolution": "7m"})),
        configure(json!({})),
        configure(json!({"telemetry_interval_s": 5})),
        configure(json!({"telemetry_interval_s": 3_601})),
        configure(json!({"rules": vec![json!({}); 17]})),
        configure(json!({"version": 2, "rules": []})),
        configure(json!({"rules": [], "heartbeats": [{"every": 1}]})),
        ("send_command", json!({"device_id": known::GREENHOUSE, "command": " "})),
        ("send_command", json!({"device_id": known::GREENHOUSE, "command": "ping", "params": "x"})),
        ("get_device", json!({"device_id": "a\u{0}b"})),
        ("list_alerts", json!({"state": "maybe"})),
    ];
    for (tool, arguments) in cases {
        let answer = platform.call(tool, arguments.clone()).await;
        assert!(!answer.succeeded(), "{tool} {arguments}: {answer:?}");
    }
    assert_eq!(platform.arrived(), Vec::<String>::new());
}

#[tokio::test]
async fn an_unknown_device_and_one_that_is_not_there_yet_are_told_apart() {
    let platform = short().await;
    let unknown = platform.call("send_command", ping("nobody")).await;
    assert_eq!(
        (&unknown.fault()["code"], &unknown.fault()["field"]),
        (&json!("unknown"), &json!("/device_id"))
    );
    let new = platform.call("send_command", ping(known::PROVISIONING)).await;
    assert_eq!(new.fault()["code"], "conflict");
    // A name says which device is looked at, and never which one is acted on.
    let named = platform.call("send_command", ping("greenhouse-1")).await;
    assert_eq!(named.fault()["code"], "unknown");
    assert!(platform.jettyd.state().commands().is_empty());
}

#[tokio::test]
async fn a_token_that_was_taken_back_or_lacks_a_scope_is_said_to_be_that() {
    let platform = Platform::grown(Seed::default(), known::NO_COMMANDS, &every_role("jettyd"), "").await;
    let refused = platform.call("send_command", ping(known::GREENHOUSE)).await;
    assert_eq!(refused.fault()["code"], "denied");
    assert!(refused.text().contains("commands:write"), "{}", refused.text());
    platform.jettyd.state().revoke(platform.jettyd.token(known::NO_COMMANDS));
    let refused = platform.call("list_devices", json!({})).await;
    assert!(refused.text().contains("401"), "{}", refused.text());
    assert!(!refused.text().contains(platform.jettyd.token(known::NO_COMMANDS)));
}

#[tokio::test]
async fn a_slow_platform_is_waited_for_as_long_as_was_said() {
    let config = "timeout = \"300ms\"";
    let platform = Platform::grown(Seed::default(), known::ALL, &every_role("jettyd"), config).await;
    platform.jettyd.fault(Matcher::path("/v1/devices"), Fault::Delay(Duration::from_secs(30)));
    let answer = platform.call("list_devices", json!({})).await;
    assert!(!answer.succeeded(), "{answer:?}");
}

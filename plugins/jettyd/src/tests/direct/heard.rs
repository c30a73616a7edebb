//! The handler: what is wrong costs itself and nothing else.

use std::time::Duration;

use fleetgate_sdk::keyvalue::KeyValueError;
use fleetgate_sdk::prelude::*;

use super::{Direct, TOPIC, event, telemetry};

fn good(device: &str) -> Event {
    event(&format!("jettyd/acme/{device}/telemetry"), &telemetry(json!({ "t": 1 })).to_string(), 0)
}

#[test]
fn malformed_telemetry_is_refused_for_good_and_the_others_are_kept() {
    let direct = Direct::new();
    let wrong = event(&format!("{TOPIC}/telemetry"), "{\"readings\":", 0);
    let answers = direct.deliver(vec![good("d1"), wrong, good("d2"), good("d1")]);
    assert!(answers[0].is_ok() && answers[2].is_ok() && answers[3].is_ok());
    let fault = answers[1].as_ref().expect_err("it is malformed");
    assert_eq!((fault.code.as_str(), fault.retryable), ("malformed-telemetry", false));
    assert_eq!(direct.data("list_devices", json!({}))["count"], 2);
    assert_eq!(direct.kept("h/").len(), 3);
    let log = direct.host.logs().into_iter().find(|log| log.level == "warning").expect("it is logged");
    let data = log.data.expect("data");
    assert_eq!(
        (&data["code"], &data["topic"]),
        (&json!("malformed-telemetry"), &json!("jettyd/acme/d1/telemetry"))
    );
}

#[test]
fn every_channel_refuses_what_is_none_of_its_messages() {
    for (channel, data, code) in [
        ("telemetry", "[]", "malformed-telemetry"),
        ("status", "{}", "malformed-status"),
        ("shadow/report", "7", "malformed-shadow"),
        ("alert", "{}", "malformed-alert"),
        ("command/response", "no json", "malformed-answer"),
        ("config", "[]", "malformed-config"),
    ] {
        let direct = Direct::new();
        let answers = direct.deliver(vec![event(&format!("{TOPIC}/{channel}"), data, 0)]);
        let fault = answers[0].as_ref().expect_err("it is malformed");
        assert_eq!((fault.code.as_str(), fault.retryable), (code, false), "{channel}");
        assert!(direct.kept("").is_empty(), "{channel}");
    }
}

#[test]
fn a_topic_that_is_none_of_a_devices_is_refused() {
    let direct = Direct::new();
    for topic in [
        "other/acme/d1/telemetry",
        "jettyd/acme/d1/firmware",
        "jettyd/telemetry",
        &format!("jettyd/acme/{}/telemetry", "x".repeat(200)),
    ] {
        let answers = direct.deliver(vec![event(topic, &telemetry(json!({ "t": 1 })).to_string(), 0)]);
        assert!(
            answers[0].as_ref().is_err_and(|fault| fault.is("foreign-topic") && !fault.retryable),
            "{topic}"
        );
    }
    assert!(direct.kept("").is_empty());
}

#[test]
fn topics_may_begin_as_the_operator_says() {
    let direct = Direct { host: Direct::new().host.config("topic_prefix", "{site}/devices/{device_id}") };
    direct.said("berlin/devices/d7/telemetry", telemetry(json!({ "t": 1 })), 0);
    assert_eq!(direct.data("list_devices", json!({}))["devices"][0]["id"], "d7");
}

#[test]
fn a_setting_that_is_no_prefix_fails_every_event_until_it_is_put_right_and_says_why() {
    let direct = Direct { host: Direct::new().host.config("topic_prefix", "jettyd/#") };
    let answers = direct.deliver(vec![good("d1"), good("d2")]);
    assert!(answers.iter().all(|answer| {
        answer.as_ref().is_err_and(|fault| fault.retryable && fault.message.contains("topic_prefix"))
    }));
}

#[test]
fn two_devices_of_one_id_are_not_mixed() {
    let direct = Direct::with_device();
    let other = event("jettyd/other/d1/telemetry", &telemetry(json!({ "t": 666 })).to_string(), 0);
    let answers = direct.deliver(vec![good("d1"), other]);
    assert!(answers[0].is_ok() && answers[1].as_ref().is_err_and(|fault| fault.is("foreign-topic")));
    assert_eq!(direct.data("read_sensor", json!({ "device_id": "d1", "sensor_key": "t" }))["value"], 1);
}

#[test]
fn a_large_batch_of_many_devices_is_kept_whole() {
    let direct = Direct::new();
    let batch: Vec<_> = (0..1000).map(|n| good(&format!("dev_{}", n % 300))).collect();
    assert!(direct.deliver(batch).iter().all(Result::is_ok));
    assert_eq!(direct.kept("h/").len(), 1000);
    assert_eq!(direct.data("list_devices", json!({}))["count"], 300);
}

#[test]
fn a_store_that_cannot_be_written_now_fails_the_events_so_that_they_come_again() {
    let direct = Direct::new();
    let broken = KeyValueError::new("unavailable", "the disk is full").retryable();
    direct.host.break_bucket("keyvalue.history", Some(broken));
    let answers = direct.deliver(vec![good("d1"), good("d2")]);
    assert!(answers.iter().all(|answer| answer.as_ref().is_err_and(|fault| fault.retryable)));
    direct.host.break_bucket("keyvalue.history", None);
    assert!(direct.deliver(vec![good("d1"), good("d2")]).iter().all(Result::is_ok));
    assert_eq!(direct.data("list_devices", json!({}))["count"], 2);
}

#[test]
fn a_device_that_is_silent_for_long_is_forgotten() {
    let direct = Direct { host: Direct::new().host.config("forget_after", "1h") };
    assert!(direct.deliver(vec![good("d1")])[0].is_ok());
    direct.host.passes(Duration::from_secs(3700));
    assert_eq!(direct.data("list_devices", json!({}))["count"], 0);
}

#[test]
fn a_handler_publishes_nothing() {
    let direct = Direct::with_device();
    direct.says("alert", json!({ "message": "Hot" }));
    assert!(direct.host.published().is_empty());
}

#[test]
fn a_clock_that_was_set_back_holds_nothing_up() {
    let direct = Direct::new();
    let ahead = Event { time_ms: super::ms(0) + 86_400_000, ..good("d1") };
    let mut gone = event("jettyd/acme/d1/status", r#"{"status":"offline"}"#, 0);
    gone.time_ms = ahead.time_ms;
    assert!(direct.deliver(vec![ahead, gone]).iter().all(Result::is_ok));
    direct.said("jettyd/acme/d1/telemetry", telemetry(json!({ "t": 2 })), 0);
    assert_eq!(direct.data("read_sensor", json!({ "device_id": "d1", "sensor_key": "t" }))["value"], 2);
    assert_eq!(direct.data("get_device", json!({ "device_id": "d1" }))["status"], "online");
}

#[test]
fn where_two_devices_have_one_id_neither_is_acted_on_until_the_operator_says_which() {
    let direct = Direct::with_device();
    let other = event("jettyd/other/d1/telemetry", &telemetry(json!({ "t": 1 })).to_string(), 0);
    assert!(direct.deliver(vec![other])[0].is_err());
    for (tool, arguments) in [
        ("send_command", json!({ "device_id": "d1", "command": "ping" })),
        ("configure_device", json!({ "device_id": "d1", "config": { "tags": ["a"] } })),
    ] {
        let fault = direct.fault(tool, arguments);
        assert!(fault.is("conflict") && fault.message.contains("`tenant_id`"), "{fault}");
    }
    assert!(direct.host.published().is_empty());
    let direct = Direct { host: direct.host.config("tenant_id", "acme").config("command_timeout", "1s") };
    assert_eq!(
        direct.failure("send_command", json!({ "device_id": "d1", "command": "ping" })).1["status"],
        "timeout"
    );
}

#[test]
fn a_store_that_does_not_say_whether_it_kept_something_is_asked_again() {
    for code in ["unavailable", "cancelled"] {
        let direct = Direct::new();
        direct.host.break_bucket("keyvalue.history", Some(KeyValueError::new(code, "it is not known")));
        assert!(direct.deliver(vec![good("d1")])[0].as_ref().is_err_and(|fault| fault.retryable), "{code}");
    }
}

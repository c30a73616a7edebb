//! configure_device: a script to `config`, wishes to `shadow/desired`.

use std::time::Duration;

use fleetgate_sdk::mqtt::MqttError;
use fleetgate_sdk::prelude::*;
use fleetgate_sdk::testing::{Broker, Published, Reaction};

use super::{Direct, TOPIC, broker};

const SECOND: Duration = Duration::from_secs(1);

fn script() -> Value {
    json!({ "rules": [{ "id": "r1" }], "heartbeats": [{ "id": "h1", "every": 60, "metrics": [] }] })
}

/// A device that answers a script with this.
fn answering(channel: &'static str, answer: Value) -> Broker {
    broker().on("jettyd/acme/+/config", move |_: &Published| {
        Reaction::new().after(SECOND).says(&format!("{TOPIC}/{channel}"), answer.to_string())
    })
}

fn configure(direct: &Direct, config: Value) -> Value {
    direct.data("configure_device", json!({ "device_id": "d1", "config": config }))
}

#[test]
fn a_script_is_published_whole_and_accepted_on_any_of_three_topics() {
    for (channel, answer) in [
        ("command/response", json!({ "type": "config_accepted", "rules": 1, "heartbeats": 1 })),
        ("config/ack", json!({ "status": "accepted" })),
        ("alert", json!({ "type": "config_accepted", "rules": 1, "heartbeats": 1 })),
    ] {
        let direct = Direct::beside(answering(channel, answer));
        let done = configure(&direct, script());
        assert_eq!(done["status"], "accepted", "{channel}");
        let published = direct.host.published();
        assert_eq!(
            (published[0].topic.as_str(), published[0].qos, published[0].retain),
            ("jettyd/acme/d1/config", 1, false)
        );
        assert_eq!(
            published[0].json(),
            json!({ "version": 1, "rules": [{ "id": "r1" }], "heartbeats": [{ "id": "h1", "every": 60, "metrics": [] }] })
        );
    }
}

#[test]
fn a_rejection_is_an_error_with_what_the_device_does_not_like() {
    let rejected = json!({ "type": "config_rejected", "errors": [{ "rule": "r1", "error": "Unknown sensor: soil.ph" }] });
    for channel in ["alert", "command/response", "config/ack"] {
        let direct = Direct::beside(answering(channel, rejected.clone()));
        let (text, data) =
            direct.failure("configure_device", json!({ "device_id": "d1", "config": script() }));
        assert_eq!(
            data["errors"],
            json!([{ "rule": "r1", "error": "Unknown sensor: soil.ph" }]),
            "{channel}"
        );
        assert_eq!(data["status"], "rejected");
        assert!(text.contains("Unknown sensor: soil.ph"), "{text}");
    }
}

#[test]
fn what_is_no_answer_to_this_script_is_left_alone() {
    let broker = broker().on("jettyd/acme/+/config", |_: &Published| {
        Reaction::new()
            .says(&format!("{TOPIC}/alert"), json!({ "message": "Dry", "severity": "info" }).to_string())
            .says(
                &format!("{TOPIC}/command/response"),
                json!({ "id": "c1", "status": "rejected" }).to_string(),
            )
            .says(
                &format!("{TOPIC}/command/response"),
                json!({ "type": "config_accepted", "rules": 9 }).to_string(),
            )
            .says(&format!("{TOPIC}/command/response"), "no json")
    });
    let done = configure(&Direct::beside(broker), script());
    assert_eq!(done["status"], "pending");
    assert!(done["note"].as_str().is_some_and(|note| note.contains("did not answer")));
}

#[test]
fn a_device_that_is_away_is_pending_after_the_operators_patience() {
    let direct = Direct { host: Direct::beside(broker()).host.config("command_timeout", "4s") };
    assert_eq!(configure(&direct, script())["status"], "pending");
    assert_eq!(direct.host.slept(), 4 * SECOND);
}

#[test]
fn the_broker_keeps_a_script_where_the_operator_says_so() {
    let direct = Direct::beside(broker().retaining());
    let direct = Direct { host: direct.host.config("retain_config", "true") };
    let done = configure(&direct, script());
    assert!(direct.host.published()[0].retain);
    assert!(done["note"].as_str().is_some_and(|note| note.contains("keeps the script")));
}

#[test]
fn an_interval_alone_is_refused_while_the_script_is_not_known() {
    let direct = Direct::beside(broker());
    let fault = direct
        .fault("configure_device", json!({ "device_id": "d1", "config": { "telemetry_interval_s": 60 } }));
    assert_eq!(
        (fault.code.as_str(), fault.field.as_deref()),
        ("config-unknown", Some("/config/telemetry_interval_s"))
    );
    assert!(fault.message.contains("replaced as a whole"), "{fault}");
    assert!(direct.host.published().is_empty());
    // Sent is not taken.
    direct.says("config", json!({ "version": 1, "rules": [], "heartbeats": [] }));
    assert!(
        direct
            .fault("configure_device", json!({ "device_id": "d1", "config": { "telemetry_interval_s": 60 } }))
            .is("config-unknown")
    );
}

#[test]
fn an_interval_changes_the_script_that_was_heard_and_leaves_the_rest() {
    let accepts = || answering("command/response", json!({ "type": "config_accepted" }));
    for (heartbeats, expected) in [
        (
            json!([{ "id": "h0", "every": 10 }, { "id": "h1", "every": 300, "metrics": ["t"] }]),
            json!([{ "id": "h0", "every": 10 }, { "id": "h1", "every": 60, "metrics": ["t"] }]),
        ),
        (json!([{ "id": "x", "every": 300 }]), json!([{ "id": "x", "every": 60 }])),
        (json!([]), json!([{ "id": "h1", "every": 60, "metrics": [] }])),
    ] {
        let direct = Direct::beside(accepts());
        direct.says("config", json!({ "version": 1, "rules": [{ "id": "r1" }], "heartbeats": heartbeats }));
        direct.says("command/response", json!({ "type": "config_accepted", "rules": 1 }));
        let done = configure(&direct, json!({ "telemetry_interval_s": 60 }));
        assert_eq!(
            (&done["status"], &done["config"]),
            (&json!("accepted"), &json!({ "telemetry_interval_s": 60 }))
        );
        let published = direct.host.published()[0].json();
        assert_eq!(published, json!({ "version": 1, "rules": [{ "id": "r1" }], "heartbeats": expected }));
    }
}

#[test]
fn a_script_that_was_accepted_here_is_known_from_then_on() {
    let direct = Direct::beside(answering("command/response", json!({ "type": "config_accepted" })));
    configure(&direct, script());
    configure(&direct, json!({ "telemetry_interval_s": 120 }));
    assert_eq!(direct.host.published()[1].json()["heartbeats"][0]["every"], 120);
    assert_eq!(direct.host.published()[1].json()["rules"], json!([{ "id": "r1" }]));
}

#[test]
fn a_script_that_the_broker_kept_is_known() {
    let direct = Direct::beside(answering("config/ack", json!({})));
    let mut kept = super::event(
        &format!("{TOPIC}/config"),
        &json!({ "version": 1, "rules": [], "heartbeats": [] }).to_string(),
        0,
    );
    kept.attributes.insert("retained".into(), json!(true));
    assert_eq!(direct.deliver(vec![kept]), [Ok(())]);
    assert_eq!(configure(&direct, json!({ "telemetry_interval_s": 60 }))["status"], "accepted");
}

#[test]
fn a_script_that_was_rejected_is_not_known() {
    let direct = Direct::beside(broker());
    direct.says("config", json!({ "version": 1, "rules": [], "heartbeats": [] }));
    direct.says("alert", json!({ "type": "config_rejected", "errors": [] }));
    direct.says("command/response", json!({ "type": "config_accepted" }));
    assert!(
        direct
            .fault("configure_device", json!({ "device_id": "d1", "config": { "telemetry_interval_s": 60 } }))
            .is("config-unknown")
    );
}

/// A device that reports this after a wish.
fn reporting(report: Value) -> Broker {
    broker().on("jettyd/acme/+/shadow/desired", move |_: &Published| {
        Reaction::new().after(SECOND).says(&format!("{TOPIC}/shadow/report"), report.to_string())
    })
}

#[test]
fn wishes_go_to_the_shadow_and_are_applied_when_the_device_reports_them() {
    let direct = Direct::beside(reporting(
        json!({ "reported": { "dimmer.level": 40.0, "valve.state": true }, "desired": null }),
    ));
    let done = configure(&direct, json!({ "dimmer.level": 40, "valve.state": true }));
    assert_eq!(done["status"], "applied");
    let published = direct.host.published();
    assert_eq!(published[0].topic, "jettyd/acme/d1/shadow/desired");
    assert_eq!(published[0].json(), json!({ "dimmer.level": 40, "valve.state": true }));
}

#[test]
fn wishes_of_which_a_device_reports_some_are_accepted_and_others_are_pending() {
    let direct = Direct::beside(reporting(json!({ "reported": { "dimmer.level": 40 }, "desired": null })));
    assert_eq!(configure(&direct, json!({ "dimmer.level": 40, "thresholds": {} }))["status"], "accepted");
    for report in [
        json!({ "reported": { "air.temperature": 20 }, "desired": null }),
        json!({ "reported": {}, "desired": { "thresholds": {} } }),
    ] {
        let direct = Direct::beside(reporting(report));
        assert_eq!(configure(&direct, json!({ "thresholds": { "t": { "max": 30 } } }))["status"], "pending");
    }
}

#[test]
fn tags_are_remembered_here_since_devices_know_none() {
    let direct = Direct::beside(broker());
    assert_eq!(configure(&direct, json!({ "tags": ["greenhouse"] }))["status"], "accepted");
    assert_eq!(direct.host.slept(), Duration::ZERO);
    assert_eq!(direct.data("list_devices", json!({}))["devices"][0]["tags"], json!(["greenhouse"]));
}

#[test]
fn script_and_wishes_go_one_after_the_other_and_a_rejected_script_ends_it() {
    let direct = Direct::beside(answering("config/ack", json!({})));
    let mut both = script();
    both["dimmer.level"] = json!(40);
    let done = configure(&direct, both.clone());
    assert_eq!(done["status"], "pending", "the worse of the two");
    assert_eq!(direct.host.published().len(), 2);
    let direct = Direct::beside(answering("config/ack", json!({ "status": "rejected" })));
    let (text, _) = direct.failure("configure_device", json!({ "device_id": "d1", "config": both }));
    assert!(text.contains("Nothing else was configured"), "{text}");
    assert_eq!(direct.host.published().len(), 1);
}

#[test]
fn what_no_device_takes_is_refused_before_anything_is_sent() {
    let direct = Direct::beside(broker());
    for config in [json!({ "note": "x".repeat(520) }), json!({ "rules": [{ "id": "x".repeat(520) }] })] {
        let fault = direct.fault("configure_device", json!({ "device_id": "d1", "config": config }));
        assert_eq!((fault.code.as_str(), fault.field.as_deref()), ("invalid-arguments", Some("/config")));
    }
    assert!(direct.host.published().is_empty());
}

#[test]
fn answers_that_are_not_granted_are_done_without() {
    let answers = answering("command/response", json!({ "type": "config_accepted" }));
    let direct = Direct::beside(answers.may_subscribe(&["jettyd/acme/+/command/response"]));
    assert_eq!(configure(&direct, script())["status"], "accepted");
    let direct = Direct::beside(broker().may_subscribe(&["jettyd/acme/+/telemetry"]));
    assert!(direct.fault("configure_device", json!({ "device_id": "d1", "config": script() })).is("denied"));
    assert!(direct.host.published().is_empty());
}

#[test]
fn an_interval_alone_is_refused_while_another_script_is_under_way() {
    let direct = Direct::beside(broker());
    direct.says("config", json!({ "version": 1, "rules": [], "heartbeats": [] }));
    direct.says("command/response", json!({ "type": "config_accepted", "rules": 0, "heartbeats": 0 }));
    direct.says("config", json!({ "version": 1, "rules": [{ "id": "new" }], "heartbeats": [] }));
    let fault = direct
        .fault("configure_device", json!({ "device_id": "d1", "config": { "telemetry_interval_s": 60 } }));
    assert!(fault.is("config-unknown"), "{fault}");
    assert!(direct.host.published().is_empty(), "the newer rules would be lost");
}

#[test]
fn a_device_that_counts_other_rules_has_a_script_that_is_not_known() {
    let direct = Direct::beside(broker());
    direct.says("config", json!({ "version": 1, "rules": [], "heartbeats": [] }));
    direct.says("command/response", json!({ "type": "config_accepted", "rules": 0, "heartbeats": 0 }));
    direct.says("command/response", json!({ "type": "config_accepted", "rules": 3, "heartbeats": 0 }));
    let fault = direct
        .fault("configure_device", json!({ "device_id": "d1", "config": { "telemetry_interval_s": 60 } }));
    assert!(fault.is("config-unknown"), "{fault}");
}

#[test]
fn what_was_done_before_the_second_half_failed_is_said() {
    let broker = answering("config/ack", json!({})).may_publish(&["jettyd/acme/+/config"]);
    let mut both = script();
    both["dimmer.level"] = json!(40);
    let fault =
        Direct::beside(broker).fault("configure_device", json!({ "device_id": "d1", "config": both }));
    assert!(fault.is("denied") && fault.message.contains("script was taken before"), "{fault}");
    assert_eq!(fault.details.expect("details")["script"], "accepted");
}

#[test]
fn a_client_that_gives_up_is_told_that_the_script_was_sent() {
    let broker = broker().on("jettyd/acme/+/config", |_: &Published| {
        fleetgate_sdk::testing::cancel();
        Reaction::new()
    });
    let fault =
        Direct::beside(broker).fault("configure_device", json!({ "device_id": "d1", "config": script() }));
    assert!(fault.is("cancelled"), "{fault}");
    assert_eq!(fault.details.expect("details")["side_effect"], "unknown");
}

#[test]
fn a_broker_that_is_down_or_refuses_the_credential_is_a_fault_and_nothing_was_sent() {
    for (error, code) in [
        (MqttError::new("unreachable", "the connection was refused").retryable(), "unavailable"),
        (MqttError::new("credential", "the broker refuses the credential"), "unavailable"),
    ] {
        let direct = Direct::with_device();
        let direct = Direct { host: direct.host.broker("mqtt.broker", Broker::refusing(error)) };
        for config in [script(), json!({ "dimmer.level": 40 })] {
            let fault = direct.fault("configure_device", json!({ "device_id": "d1", "config": config }));
            assert!(fault.is(code), "{fault}");
        }
        assert!(direct.host.published().is_empty());
    }
}

#[test]
fn a_topic_that_is_not_granted_is_denied() {
    let direct = Direct::beside(broker().may_publish(&["jettyd/acme/+/command", "jettyd/acme/d2/config"]));
    for config in [script(), json!({ "dimmer.level": 40 })] {
        assert!(
            direct.fault("configure_device", json!({ "device_id": "d1", "config": config })).is("denied")
        );
    }
    assert!(direct.host.published().is_empty());
}

#[test]
fn an_id_that_would_be_another_topic_is_refused_before_it_is_sent() {
    for id in ["+", "#", "d1/config", "../d1", "a/b"] {
        let direct = Direct::beside(broker());
        let fault = direct.fault("configure_device", json!({ "device_id": id, "config": script() }));
        assert_eq!(
            (fault.code.as_str(), fault.field.as_deref()),
            ("invalid-arguments", Some("/device_id")),
            "{id}"
        );
        assert!(direct.host.published().is_empty());
    }
}

#[test]
fn what_another_device_says_of_its_script_is_no_answer() {
    let broker = broker().on("jettyd/acme/+/config", |_: &Published| {
        let accepted = json!({ "type": "config_accepted", "rules": 1, "heartbeats": 1 }).to_string();
        let rejected = json!({ "type": "config_rejected", "errors": ["no"] }).to_string();
        Reaction::new()
            .says("jettyd/acme/d2/command/response", accepted)
            .says("jettyd/acme/d2/alert", rejected)
            .says(
                &format!("{TOPIC}/command/response"),
                json!({ "id": "cmd_1", "status": "failed" }).to_string(),
            )
    });
    assert_eq!(configure(&Direct::beside(broker), script())["status"], "pending");
}

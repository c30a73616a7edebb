//! send_command: published once, answered or not.

use std::time::Duration;

use fleetgate_sdk::mqtt::MqttError;
use fleetgate_sdk::prelude::*;
use fleetgate_sdk::testing::{self, Broker, Published, Reaction};

use super::{Direct, TOPIC, broker, host};

const SECOND: Duration = Duration::from_secs(1);

fn valve() -> Value {
    json!({ "device_id": "d1", "command": "valve.on", "params": { "duration": 300 } })
}

/// A device that answers a command with this, to the command's own id.
fn answering(status: &'static str, result: Value) -> Broker {
    broker().on("jettyd/acme/+/command", move |command: &Published| {
        let answer = json!({ "id": command.json()["id"], "status": status, "result": result });
        Reaction::new().after(SECOND).says(&format!("{TOPIC}/command/response"), answer.to_string())
    })
}

#[test]
fn a_command_is_published_with_an_id_and_its_answer_is_waited_for() {
    let direct =
        Direct::beside(answering("acked", json!({ "valve.state": true, "will_auto_off_at": 1_710_763_500 })));
    let done = direct.data("send_command", valve());
    let published = direct.host.published();
    assert_eq!(published.len(), 1);
    assert_eq!(
        (published[0].topic.as_str(), published[0].qos, published[0].retain),
        ("jettyd/acme/d1/command", 1, false)
    );
    let body = published[0].json();
    assert_eq!(
        body,
        json!({ "id": body["id"], "action": "valve.on", "params": { "duration": 300 }, "timeout": 30 })
    );
    assert_eq!(
        done,
        json!({
            "command_id": body["id"], "device_id": "d1", "command": "valve.on", "status": "acked",
            "result": { "valve.state": true, "will_auto_off_at": 1_710_763_500 }
        })
    );
    assert_eq!(direct.host.slept(), SECOND);
}

#[test]
fn each_command_has_an_id_of_its_own() {
    let direct = Direct::beside(answering("acked", json!({})));
    let ids = [(); 3].map(|()| direct.data("send_command", valve())["command_id"].clone());
    assert!(ids[0] != ids[1] && ids[1] != ids[2] && ids[0] != ids[2]);
}

#[test]
fn the_other_dialect_has_the_other_keys_and_never_both() {
    let direct = Direct::beside(answering("ok", json!({})));
    let direct = Direct { host: direct.host.config("command_dialect", "command_type") };
    assert_eq!(direct.data("send_command", valve())["status"], "acked");
    let body = direct.host.published()[0].json();
    assert_eq!(body, json!({ "id": body["id"], "command_type": "valve.on", "payload": { "duration": 300 } }));
}

#[test]
fn what_the_device_does_not_do_is_an_error_with_its_reason() {
    for (said, status, retryable) in [
        ("failed", "failed", false),
        ("error", "failed", false),
        ("rejected", "rejected", false),
        ("busy", "busy", true),
    ] {
        let direct = Direct::beside(answering(said, json!({ "error": "Unknown action" })));
        let (text, data) = direct.failure("send_command", valve());
        assert_eq!(
            (&data["status"], &data["retryable"], &data["error"]),
            (&json!(status), &json!(retryable), &json!("Unknown action"))
        );
        assert!(text.contains("Unknown action"), "{text}");
    }
}

#[test]
fn answers_to_other_commands_and_what_is_no_answer_are_left_alone() {
    let broker = broker().on("jettyd/acme/+/command", |command: &Published| {
        let topic = format!("{TOPIC}/command/response");
        let id = command.json()["id"].clone();
        Reaction::new()
            .says(&topic, json!({ "id": "cmd_other", "status": "acked" }).to_string())
            .says(&topic, json!({ "type": "config_accepted", "rules": 1 }).to_string())
            .says(&topic, "no json")
            .says(&topic, json!({ "id": id, "status": "running" }).to_string())
            .says(&topic, json!({ "id": id }).to_string())
            .says("jettyd/acme/d2/command/response", json!({ "id": id, "status": "acked" }).to_string())
            .after(2 * SECOND)
            .says(&topic, json!({ "id": id, "status": "rejected", "result": {} }).to_string())
    });
    let (_, data) = Direct::beside(broker).failure("send_command", valve());
    assert_eq!((&data["status"], &data["result"]), (&json!("rejected"), &json!({})));
}

#[test]
fn an_answer_that_the_broker_kept_from_before_is_none() {
    let kept = json!({ "id": "cmd_1", "status": "acked" }).to_string();
    let direct = Direct::beside(broker().retains(&format!("{TOPIC}/command/response"), kept));
    assert_eq!(direct.failure("send_command", valve()).1["status"], "timeout");
}

#[test]
fn a_device_that_does_not_answer_is_a_timeout_with_an_unknown_effect_and_nothing_is_sent_again() {
    let direct = Direct::beside(broker());
    let (text, data) = direct.failure("send_command", valve());
    assert_eq!(
        (&data["status"], &data["retryable"], &data["result"]),
        (&json!("timeout"), &json!(false), &Value::Null)
    );
    assert!(text.contains("whether it was done is not known"), "{text}");
    assert_eq!((direct.host.published().len(), direct.host.slept()), (1, 30 * SECOND));
}

#[test]
fn how_long_to_wait_is_the_operators_and_never_longer_than_the_call() {
    let direct = Direct { host: Direct::beside(broker()).host.config("command_timeout", "5s") };
    direct.failure("send_command", valve());
    assert_eq!(direct.host.slept(), 5 * SECOND);
    let direct = Direct { host: Direct::beside(broker()).host.deadline(10 * SECOND) };
    direct.failure("send_command", valve());
    assert_eq!(direct.host.slept(), 7 * SECOND);
}

#[test]
fn a_broker_that_is_down_or_refuses_the_credential_is_a_fault_and_nothing_was_sent() {
    for (error, code) in [
        (MqttError::new("unreachable", "the connection was refused").retryable(), "unavailable"),
        (MqttError::new("credential", "the broker refuses the credential"), "unavailable"),
    ] {
        let direct = Direct::with_device();
        let direct = Direct { host: direct.host.broker("mqtt.broker", Broker::refusing(error)) };
        let fault = direct.fault("send_command", valve());
        assert!(fault.is(code), "{fault}");
        assert!(direct.host.published().is_empty());
    }
}

#[test]
fn a_publication_that_may_have_arrived_is_waited_for_and_one_that_did_not_is_a_fault() {
    let lost = |error: MqttError, answers: bool| {
        broker().on("jettyd/acme/+/command", move |command: &Published| {
            let reaction = Reaction::new().fails(error.clone());
            let answer = json!({ "id": command.json()["id"], "status": "acked" }).to_string();
            if answers { reaction.says(&format!("{TOPIC}/command/response"), answer) } else { reaction }
        })
    };
    let timeout = MqttError::new("timeout", "the broker did not acknowledge it").sent();
    assert_eq!(Direct::beside(lost(timeout.clone(), true)).data("send_command", valve())["status"], "acked");
    let (_, data) = Direct::beside(lost(timeout, false)).failure("send_command", valve());
    assert_eq!((&data["status"], &data["retryable"]), (&json!("timeout"), &json!(false)));
    let full = MqttError::new("too-much", "over the rate").retryable();
    let fault = Direct::beside(lost(full, false)).fault("send_command", valve());
    assert!(fault.is("unavailable") && fault.retryable, "{fault}");
}

#[test]
fn a_client_that_gives_up_is_told_that_the_command_was_sent() {
    let broker = broker().on("jettyd/acme/+/command", |_: &Published| {
        testing::cancel();
        Reaction::new()
    });
    let fault = Direct::beside(broker).fault("send_command", valve());
    assert!(fault.is("cancelled") && !fault.retryable, "{fault}");
    assert_eq!(fault.details.expect("details")["side_effect"], "unknown");
}

#[test]
fn a_message_that_no_device_takes_is_refused_before_it_is_sent() {
    let direct = Direct::beside(broker());
    let long = json!({ "device_id": "d1", "command": "display.set", "params": { "text": "x".repeat(500) } });
    let fault = direct.fault("send_command", long.clone());
    assert_eq!((fault.code.as_str(), fault.field.as_deref()), ("invalid-arguments", Some("/params")));
    assert_eq!(fault.details.expect("details")["most"], 512);
    let id = "x".repeat(110);
    direct.said(&format!("jettyd/acme/{id}/status"), json!({ "status": "online" }), 0);
    let fault = direct.fault("send_command", json!({ "device_id": id, "command": "ping" }));
    assert_eq!(fault.field.as_deref(), Some("/device_id"));
    assert!(direct.host.published().is_empty());
    let direct =
        Direct { host: Direct::beside(answering("acked", json!({}))).host.config("max_payload", "2KiB") };
    assert_eq!(direct.data("send_command", long)["status"], "acked");
}

#[test]
fn an_id_that_would_be_another_topic_is_refused_before_it_is_sent() {
    for id in ["+", "#", "d1/command", "../d1", "a/b"] {
        let direct = Direct::beside(broker());
        let fault = direct.fault("send_command", json!({ "device_id": id, "command": "ping" }));
        assert_eq!(
            (fault.code.as_str(), fault.field.as_deref()),
            ("invalid-arguments", Some("/device_id")),
            "{id}"
        );
        assert!(direct.host.published().is_empty());
    }
}

#[test]
fn a_topic_that_is_not_granted_is_denied() {
    let direct = Direct::beside(broker().may_publish(&["jettyd/acme/d2/command"]));
    assert!(direct.fault("send_command", valve()).is("denied"));
    let direct = Direct::beside(broker().may_subscribe(&["jettyd/acme/d2/command/response"]));
    assert!(direct.fault("send_command", valve()).is("denied"));
    assert!(direct.host.published().is_empty(), "what cannot be heard is not asked");
}

/// A host that grants the broker and nothing else.
fn deaf() -> fleetgate_sdk::testing::Harness {
    fleetgate_sdk::testing::Harness::new()
        .roles(super::SCOPES)
        .granted("mqtt.broker")
        .broker("mqtt.broker", answering("acked", json!({})))
        .deadline(120 * SECOND)
}

#[test]
fn where_nothing_is_remembered_the_settings_say_where_a_device_is() {
    let fault = Direct { host: deaf() }.fault("send_command", valve());
    assert!(fault.is("denied") && fault.message.contains("`tenant_id`"), "{fault}");
    let direct = Direct { host: deaf().config("tenant_id", "acme") };
    assert_eq!(direct.data("send_command", valve())["status"], "acked");
    let direct = Direct { host: deaf().config("topic_prefix", "jettyd/acme/{device_id}") };
    assert_eq!(direct.data("send_command", valve())["status"], "acked");
}

#[test]
fn the_api_comes_first_where_both_are_granted() {
    let host = host(broker())
        .granted("http.api")
        .respond(|_| fleetgate_sdk::testing::Response::json(200, json!({ "id": "c", "status": "acked" })));
    let outcome = host.run(|| testing::call_tool::<crate::Exported>("send_command", valve()));
    assert!(outcome.is_ok() && host.published().is_empty());
    assert_eq!(host.requests().len(), 1);
}

#[test]
fn an_answer_with_a_value_that_is_no_number_is_an_answer() {
    let broker = broker().on("jettyd/acme/+/command", |command: &Published| {
        let answer =
            format!("{{\"id\":{},\"status\":\"acked\",\"result\":{{\"t\":nan}}}}", command.json()["id"]);
        Reaction::new().says(&format!("{TOPIC}/command/response"), answer)
    });
    let done = Direct::beside(broker).data("send_command", valve());
    assert_eq!((&done["status"], &done["result"]), (&json!("acked"), &json!({ "t": null })));
}

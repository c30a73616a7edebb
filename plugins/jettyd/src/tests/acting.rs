//! send_command and configure_device by the API.

use std::cell::Cell;
use std::time::Duration;

use fleetgate_sdk::prelude::*;
use fleetgate_sdk::testing::{self, Failure, Request, Response};

use super::played::{ID, Played, holding, host};

/// Takes a command and gives these answers to the looks at it, the last one again and again.
fn looks(looks: impl IntoIterator<Item = Response>) -> Played {
    let (looks, at): (Vec<_>, _) = (looks.into_iter().collect(), Cell::new(0));
    Played::new(move |request: &Request| match request.method() {
        "POST" => Response::json(201, json!({ "id": "cmd_1", "status": "pending" })),
        _ => {
            let look = looks[at.get().min(looks.len() - 1)].clone();
            at.set(at.get() + 1);
            look
        }
    })
}

fn listed(with: Value) -> Response {
    let mut entry = json!({ "id": "cmd_1", "status": "sent" });
    for (key, value) in with.as_object().expect("an object") {
        entry[key] = value.clone();
    }
    Response::json(200, json!([{ "id": "cmd_0", "status": "acked" }, entry]))
}

fn relay() -> Value {
    json!({ "device_id": ID, "command": "set_relay", "params": { "channel": 1, "state": "on" } })
}

#[test]
fn a_command_is_sent_once_and_looked_at_until_it_is_acknowledged() {
    let played = looks([
        Response::json(200, json!([])),
        listed(json!({})),
        listed(json!({ "status": "acked", "result": { "valve.state": true } })),
    ]);
    assert_eq!(
        played.data("send_command", relay()),
        json!({
            "command_id": "cmd_1", "device_id": ID, "command": "set_relay", "status": "acked",
            "result": { "valve.state": true }
        })
    );
    let path = format!("/devices/{ID}/commands");
    assert_eq!(
        played.asked(),
        [format!("POST {path}"), format!("GET {path}"), format!("GET {path}"), format!("GET {path}")]
    );
    assert_eq!(
        played.requests()[0].json::<Value>(),
        json!({ "action": "set_relay", "params": { "channel": 1, "state": "on" } })
    );
    assert_eq!(played.host.slept(), Duration::from_secs(2));
}

#[test]
fn the_other_dialect_has_the_other_keys_and_never_both() {
    let played = Played::with(host().config("command_dialect", "command_type"), |_: &Request| {
        Response::json(200, json!({ "data": { "id": "cmd_1", "status": "acked", "result": null } }))
    });
    let done = played.data("send_command", json!({ "device_id": ID, "command": "ping" }));
    assert_eq!((&done["status"], &done["result"]), (&json!("acked"), &Value::Null));
    assert_eq!(played.requests()[0].json::<Value>(), json!({ "command_type": "ping", "payload": {} }));
    assert_eq!(played.asked().len(), 1, "what has ended is not looked at");
}

#[test]
fn a_setting_that_is_no_dialect_is_told_to_the_operator() {
    let played = Played::with(host().config("command_dialect", "both"), |_: &Request| Response::status(500));
    let fault = played.fault("send_command", relay());
    assert!(fault.is("internal") && fault.message.contains("action, command_type"), "{fault}");
    assert!(played.asked().is_empty());
}

#[test]
fn what_the_device_does_not_do_is_an_error_with_its_reason() {
    for (status, word, retryable) in
        [("failed", "failed", false), ("rejected", "rejected", false), ("busy", "busy", true)]
    {
        let played = looks([listed(json!({ "status": status, "result": { "error": "Unknown action" } }))]);
        let (text, data) = played.failure("send_command", relay());
        assert_eq!(
            (&data["status"], &data["error"], &data["retryable"]),
            (&json!(word), &json!("Unknown action"), &json!(retryable))
        );
        assert!(text.contains("Unknown action"), "{text}");
    }
    // A driver that fails says nothing.
    let played = looks([listed(json!({ "status": "rejected", "result": {} }))]);
    assert_eq!(played.failure("send_command", relay()).1["result"], json!({}));
}

#[test]
fn a_device_that_does_not_answer_is_a_timeout_with_an_unknown_effect_and_nothing_is_sent_again() {
    let played = looks([listed(json!({}))]);
    let (text, data) = played.failure("send_command", relay());
    assert_eq!(
        (&data["status"], &data["retryable"], &data["result"]),
        (&json!("timeout"), &json!(false), &Value::Null)
    );
    assert!(text.contains("whether it was done is not known"), "{text}");
    assert_eq!(played.asked().iter().filter(|asked| asked.starts_with("POST")).count(), 1);
    assert_eq!(played.host.slept(), Duration::from_secs(30));
}

#[test]
fn how_long_to_wait_is_the_operators_and_never_longer_than_the_call() {
    let played = looks([listed(json!({}))]);
    let played =
        Played { host: played.host.config("command_timeout", "5s").config("poll_interval", "500ms") };
    played.failure("send_command", relay());
    assert_eq!(played.host.slept(), Duration::from_secs(5));
    let played = looks([listed(json!({}))]);
    let played = Played { host: played.host.deadline(Duration::from_secs(10)) };
    played.failure("send_command", relay());
    assert!(played.host.slept() < Duration::from_secs(8));
}

#[test]
fn looks_that_fail_are_passed_over_and_after_five_in_a_row_it_is_said_that_the_command_was_taken() {
    let busy = || Response::json(503, json!({ "error": "x" })).header("retry-after", "3");
    let played = looks([busy(), busy(), listed(json!({ "status": "acked" }))]);
    assert_eq!(played.data("send_command", relay())["status"], "acked");
    assert_eq!(played.host.slept(), Duration::from_secs(6));
    let played = looks([Response::status(503)]);
    let fault = played.fault("send_command", relay());
    assert!(!fault.retryable && fault.message.contains("not known"), "{fault}");
    let details = fault.details.expect("details");
    assert_eq!((&details["command_id"], &details["side_effect"]), (&json!("cmd_1"), &json!("unknown")));
}

#[test]
fn a_command_that_may_have_arrived_is_not_to_be_repeated() {
    for failure in [Failure::Timeout, Failure::Unreachable("the connection was closed".into())] {
        let played = Played::new(move |_: &Request| Response::fails(failure.clone()));
        let fault = played.fault("send_command", relay());
        assert!(!fault.retryable, "{fault}");
        assert_eq!(fault.details.expect("details")["side_effect"], "unknown");
        assert_eq!(played.asked().len(), 1);
    }
    let played = Played::new(|_: &Request| Response::text(201, "<html>"));
    assert_eq!(played.fault("send_command", relay()).details.expect("details")["side_effect"], "unknown");
    for status in [500, 502, 504] {
        let played = Played::new(move |_: &Request| Response::status(status));
        assert!(!played.fault("send_command", relay()).retryable, "{status}");
        assert_eq!(played.asked().len(), 1);
    }
}

#[test]
fn a_command_that_the_server_did_not_take_may_be_sent_again_when_it_says_so() {
    let played = Played::new(|_: &Request| {
        Response::json(429, json!({ "error": "slow down" })).header("retry-after", "7")
    });
    let fault = played.fault("send_command", relay());
    assert_eq!((fault.code.as_str(), fault.retry_after), ("unavailable", Some(Duration::from_secs(7))));
    assert_eq!(fault.message, "jettyd API error 429: {\"error\":\"slow down\"}");
}

#[test]
fn a_client_that_gives_up_is_told_that_the_command_was_taken() {
    let played = Played::new(|request: &Request| match request.method() {
        "POST" => Response::json(201, json!({ "id": "cmd_1", "status": "pending" })),
        _ => {
            testing::cancel();
            listed(json!({}))
        }
    });
    let fault = played.fault("send_command", relay());
    assert!(fault.is("cancelled"));
    assert_eq!(fault.details.expect("details")["command_id"], "cmd_1");
}

#[test]
fn a_command_that_is_none_is_refused_before_anything_is_sent() {
    for (arguments, field) in [
        (json!({ "device_id": ID, "command": "" }), "/command"),
        (json!({ "device_id": ID, "command": "a\nb" }), "/command"),
        (json!({ "device_id": "", "command": "ping" }), "/device_id"),
        (json!({ "device_id": ID, "command": "ping", "params": [1] }), "/params"),
    ] {
        let played = looks([listed(json!({}))]);
        let fault = played.fault("send_command", arguments.clone());
        assert_eq!(
            (fault.code.as_str(), fault.field.as_deref()),
            ("invalid-arguments", Some(field)),
            "{arguments}"
        );
        assert!(played.asked().is_empty());
    }
}

fn configured(path: &str, config: Value, answer: Response) -> (Played, Value) {
    let host = holding(&["devices:write"]).config("configure_path", path);
    let played = Played::with(host, move |_: &Request| answer.clone());
    let data = played.data("configure_device", json!({ "device_id": ID, "config": config }));
    (played, data)
}

#[test]
fn wishes_go_to_the_shadow() {
    let config =
        json!({ "telemetry_interval_s": 60, "thresholds": { "t": { "max": 30 } }, "tags": ["a"], "x": 1 });
    let (played, data) = configured("auto", config.clone(), Response::status(200));
    assert_eq!(data, json!({ "device_id": ID, "status": "accepted", "config": config }));
    assert_eq!(played.asked(), [format!("PATCH /devices/{ID}/shadow")]);
    let body = played.requests()[0].json::<Value>();
    assert_eq!(
        body,
        json!({ "desired": { "telemetry_interval_s": 60, "thresholds": { "t": { "max": 30 } }, "tags": ["a"], "x": 1 } })
    );
}

#[test]
fn a_script_goes_to_the_config_and_its_answer_says_what_it_replaces() {
    let config = json!({ "rules": [], "heartbeats": [{ "id": "h1", "every": 60, "metrics": [] }] });
    let (played, data) = configured("auto", config.clone(), Response::status(202));
    assert_eq!((&data["status"], &data["config"]), (&json!("accepted"), &config));
    assert!(data["note"].as_str().is_some_and(|note| note.contains("replaces all rules")));
    assert_eq!(played.asked(), [format!("PUT /devices/{ID}/config")]);
    assert_eq!(
        played.requests()[0].json::<Value>(),
        json!({ "version": 1, "rules": [], "heartbeats": [{ "id": "h1", "every": 60, "metrics": [] }] })
    );
}

#[test]
fn the_operator_decides_where_a_configuration_goes() {
    let (played, data) = configured("config", json!({ "telemetry_interval_s": 60 }), Response::status(202));
    assert_eq!(played.asked(), [format!("PUT /devices/{ID}/config")]);
    assert_eq!(played.requests()[0].json::<Value>(), json!({ "config": { "telemetry_interval_s": 60 } }));
    assert_eq!(data["status"], "accepted");
    let (played, _) = configured("shadow", json!({ "rules": [{ "id": "r1" }] }), Response::status(200));
    assert_eq!(played.requests()[0].json::<Value>(), json!({ "desired": { "rules": [{ "id": "r1" }] } }));
}

#[test]
fn what_the_server_says_about_a_configuration_counts() {
    for (answer, status) in [
        (json!({ "status": "pending" }), "pending"),
        (json!({ "data": { "status": "applied" } }), "applied"),
        (json!({ "ok": true }), "accepted"),
    ] {
        let (_, data) = configured("auto", json!({ "x": 1 }), Response::json(200, answer));
        assert_eq!(data["status"], status);
    }
    let rejected =
        json!({ "status": "rejected", "errors": [{ "rule": "r1", "error": "Unknown sensor: soil.ph" }] });
    let played = Played::new(move |_: &Request| Response::json(200, rejected.clone()));
    let (text, data) = played
        .failure("configure_device", json!({ "device_id": ID, "config": { "rules": [{ "id": "r1" }] } }));
    assert_eq!((&data["status"], &data["errors"][0]["rule"]), (&json!("rejected"), &json!("r1")));
    assert!(text.contains("Unknown sensor: soil.ph"), "{text}");
}

#[test]
fn a_configuration_that_the_server_calls_invalid_is_an_invalid_argument() {
    for status in [400, 422] {
        let played = Played::new(move |_: &Request| Response::json(status, json!({ "error": "bad" })));
        let fault = played.fault("configure_device", json!({ "device_id": ID, "config": { "x": 1 } }));
        assert_eq!((fault.code.as_str(), fault.field.as_deref()), ("invalid-arguments", Some("/config")));
    }
}

#[test]
fn script_and_wishes_together_are_refused_since_half_could_fail() {
    let played = Played::new(|_: &Request| Response::status(200));
    let config = json!({ "rules": [], "tags": ["a"] });
    assert_eq!(
        played.fault("configure_device", json!({ "device_id": ID, "config": config })).field.as_deref(),
        Some("/config")
    );
    assert!(played.asked().is_empty());
}

#[test]
fn every_refusal_of_the_server_has_its_code_whichever_tool_acts() {
    for (status, code, retryable, field) in [
        (400, "invalid-arguments", false, None),
        (401, "denied", false, None),
        (403, "denied", false, None),
        (404, "unknown", false, Some("/device_id")),
        (409, "conflict", false, None),
        (422, "invalid-arguments", false, None),
        (429, "unavailable", true, None),
        (503, "unavailable", true, None),
    ] {
        for (tool, arguments) in [
            ("send_command", relay()),
            ("configure_device", json!({ "device_id": ID, "config": { "x": 1 } })),
        ] {
            let played =
                Played::new(move |_: &Request| Response::json(status, json!({ "error": "because" })));
            let fault = played.fault(tool, arguments);
            assert_eq!((fault.code.as_str(), fault.retryable), (code, retryable), "{tool} {status}");
            let said = format!("jettyd API error {status}: {{\"error\":\"because\"}}");
            assert!(fault.message.starts_with(&said), "{tool}: {}", fault.message);
            if field.is_some() {
                assert_eq!(fault.field.as_deref(), field, "{tool} {status}");
            }
            assert_eq!(played.asked().len(), 1, "{tool} {status}: it is sent once");
        }
    }
}

#[test]
fn a_configuration_that_no_device_takes_is_refused_before_anything_is_sent() {
    for (config, field) in [
        (json!({}), "/config"),
        (json!({ "telemetry_interval_s": 9 }), "/config/telemetry_interval_s"),
        (json!({ "telemetry_interval_s": 3601 }), "/config/telemetry_interval_s"),
        (json!({ "telemetry_interval_s": "60" }), "/config/telemetry_interval_s"),
        (json!({ "telemetry_interval_s": 60, "rules": [] }), "/config/telemetry_interval_s"),
        (json!({ "thresholds": 3 }), "/config/thresholds"),
        (json!({ "tags": ["ok", " "] }), "/config/tags/1"),
        (json!({ "rules": vec![json!({ "id": "r" }); 17] }), "/config/rules"),
        (json!({ "heartbeats": vec![json!({ "id": "h", "every": 60 }); 9] }), "/config/heartbeats"),
        (json!({ "heartbeats": [{ "id": "h1", "every": 5 }] }), "/config/heartbeats/0/every"),
        (json!({ "version": 2, "rules": [] }), "/config/version"),
        (json!({ "note": "x".repeat(5000) }), "/config"),
    ] {
        let played = Played::new(|_: &Request| Response::status(200));
        let fault = played.fault("configure_device", json!({ "device_id": ID, "config": config }));
        assert_eq!(
            (fault.code.as_str(), fault.field.as_deref()),
            ("invalid-arguments", Some(field)),
            "{config}"
        );
        assert!(played.asked().is_empty(), "{config}");
    }
    for id in ["", " ", "a\nb", "../other", "a/b"] {
        let played = Played::new(|_: &Request| Response::status(200));
        let fault = played.fault("configure_device", json!({ "device_id": id, "config": { "x": 1 } }));
        assert_eq!(fault.field.as_deref(), Some("/device_id"), "{id:?}");
        assert!(played.asked().is_empty(), "{id:?}");
    }
}

#[test]
fn another_commands_end_is_not_this_ones() {
    let others = json!([
        { "id": "cmd_0", "status": "acked", "result": { "valve.state": true } },
        { "id": "cmd_10", "status": "failed" },
        { "id": "CMD_1", "status": "rejected" },
        { "status": "acked" },
        "cmd_1"
    ]);
    let played = looks([Response::json(200, others), listed(json!({ "status": "busy" }))]);
    let (_, data) = played.failure("send_command", relay());
    assert_eq!((&data["command_id"], &data["status"]), (&json!("cmd_1"), &json!("busy")));
}

#[test]
fn a_command_is_found_on_a_later_page_where_the_server_makes_pages() {
    let played =
        Played::new(|request: &Request| match (request.method(), request.query("cursor").as_deref()) {
            ("POST", _) => Response::json(201, json!({ "id": "cmd_1", "status": "pending" })),
            (_, None) => Response::json(
                200,
                json!({ "data": [{ "id": "cmd_0", "status": "acked" }], "next_cursor": "2" }),
            ),
            (_, Some("2")) => Response::json(200, json!({ "data": [{ "id": "cmd_1", "status": "acked" }] })),
            other => panic!("{other:?}"),
        });
    assert_eq!(played.data("send_command", relay())["status"], "acked");
    let circles = Played::new(|request: &Request| match request.method() {
        "POST" => Response::json(201, json!({ "id": "cmd_1", "status": "pending" })),
        _ => Response::json(200, json!({ "data": [], "next_cursor": "2" })),
    });
    assert_eq!(circles.failure("send_command", relay()).1["status"], "timeout");
    assert!(circles.asked().len() <= 64, "two pages a second: {}", circles.asked().len());
}

#[test]
fn a_reason_in_plain_words_is_passed_on() {
    for entry in [
        json!({ "status": "failed", "result": "no relay" }),
        json!({ "status": "failed", "error": "no relay" }),
    ] {
        let played = looks([listed(entry)]);
        let (text, result) = played.failure("send_command", relay());
        assert!(text.contains("no relay"), "{text}");
        assert_eq!(result["error"], "no relay");
    }
}

#[test]
fn a_command_that_was_lost_between_servers_may_have_arrived() {
    for status in [408, 520, 522, 524] {
        let fault = Played::new(move |_: &Request| Response::status(status)).fault("send_command", relay());
        assert_eq!(fault.details.expect("details")["side_effect"], "unknown", "{status}");
        assert!(!fault.retryable, "{status}");
    }
}

#[test]
fn a_success_in_plain_words_is_one_and_a_page_for_people_is_not() {
    let config = json!({ "tags": ["a"] });
    let (_, done) = configured("auto", config.clone(), Response::text(200, "OK"));
    assert_eq!(done["status"], "accepted");
    let played = Played::new(|_: &Request| Response::text(200, "<html>Sign in</html>"));
    let fault = played.fault("configure_device", json!({ "device_id": ID, "config": config }));
    assert!(fault.is("upstream"), "{fault}");
}

#[test]
fn a_server_that_knows_no_such_path_leads_the_operator_to_the_setting() {
    for status in [404, 405, 501] {
        let played = Played::new(move |_: &Request| Response::status(status));
        let fault = played.fault("configure_device", json!({ "device_id": ID, "config": { "tags": ["a"] } }));
        assert!(fault.message.contains("`configure_path`"), "{fault}");
    }
}

#[test]
fn a_server_that_says_ok_to_a_command_has_taken_it_and_the_device_has_not_acknowledged_it() {
    for (looked_at, ended) in [("acked", true), ("sent", false)] {
        let played = Played::new(move |request: &Request| match request.method() {
            "POST" => Response::json(200, json!({ "id": "c1", "status": "OK" })),
            _ => Response::json(200, json!([{ "id": "c1", "status": looked_at }])),
        });
        let result = played.call("send_command", relay()).expect("a result");
        let status = result.structured.expect("data")["status"].clone();
        assert_eq!(status, if ended { "acked" } else { "timeout" });
    }
}

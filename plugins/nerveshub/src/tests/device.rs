//! get_device, and the two tools whose answer NervesHub keeps to itself.

use fleetgate_sdk::prelude::*;

use super::{DEVICE, Played, device, error, fault_of, ok};

fn at() -> Value {
    json!({ "org": "acme", "product": "kiosk", "identifier": "sn-1" })
}

fn served(otherwise: Value) -> Played {
    Played::table([("GET", DEVICE, ok(device(otherwise)))])
}

#[test]
fn a_device_is_given_in_full() {
    let answer = served(json!({})).call("get_device", at()).unwrap();
    assert_eq!(answer["identifier"], "sn-1");
    assert_eq!(answer["tags"], json!(["beta", "beta-edge"]));
    assert_eq!(answer["connection_status"], "connected");
    assert_eq!(answer["last_communication"], "2026-08-20T10:11:12.123456Z");
    assert_eq!(answer["firmware"]["platform"], "rpi4");
    assert_eq!(answer["deployment_group"]["name"], "production");
    assert_eq!(answer["in_penalty_box"], false);
    assert_eq!((&answer["org"], &answer["product"]), (&json!("acme"), &json!("kiosk")));
}

#[test]
fn a_device_that_was_never_seen_has_nulls_instead_of_words_for_nothing() {
    let never = json!({
        "connection_status": "not_seen", "online": "not_seen", "firmware_metadata": null, "version": "unknown",
        "deployment_group": null, "last_communication": "never", "tags": null, "description": null
    });
    let answer = served(never).call("get_device", at()).unwrap();
    assert_eq!(answer["connection_status"], "not_seen");
    for empty in ["firmware", "version", "deployment_group", "last_communication", "description"] {
        assert_eq!(answer[empty], Value::Null, "{empty}");
    }
    assert_eq!(answer["tags"], json!([]));
}

#[test]
fn the_penalty_box_is_told_by_the_clock() {
    let until = |instant: Value| {
        served(json!({ "updates_blocked_until": instant })).call("get_device", at()).unwrap()["in_penalty_box"].clone()
    };
    assert_eq!(until(json!("2999-01-01T00:00:00Z")), true);
    assert_eq!(until(json!("2001-01-01T00:00:00Z")), false);
    assert_eq!(until(json!("2999-01-01 00:00:00.123456Z")), true);
    assert_eq!(until(json!("soon")), Value::Null);
}

#[test]
fn a_server_that_follows_its_own_specification_instead_is_understood() {
    let mut odd = json!({ "identifier": "sn-1", "online": true, "tags": "a, b", "deleted": "false", "extra": { "x": 1 } });
    let server = Played::table([("GET", DEVICE, ok(odd.clone()))]);
    let answer = server.call("get_device", at()).unwrap();
    assert_eq!(answer["connection_status"], "connected");
    assert_eq!(answer["tags"], json!(["a", "b"]));
    assert_eq!(answer["in_penalty_box"], Value::Null);
    odd["online"] = json!(false);
    let server = Played::table([("GET", DEVICE, ok(odd))]);
    assert_eq!(server.call("get_device", at()).unwrap()["connection_status"], "disconnected");
    let server = Played::table([("GET", DEVICE, ok(json!({ "identifier": "sn-1" })))]);
    assert_eq!(server.call("get_device", at()).unwrap()["connection_status"], "unknown");
}

#[test]
fn a_deleted_device_is_shown_as_deleted() {
    assert_eq!(served(json!({ "deleted": true })).call("get_device", at()).unwrap()["deleted"], true);
}

#[test]
fn a_device_of_another_product_is_unknown_to_every_look_at_it() {
    for tool in ["get_device", "get_device_health", "get_device_activity", "get_device_logs"] {
        let server = served(json!({ "product_name": "turbine" }));
        let fault = fault_of(server.call(tool, at()));
        assert_eq!((fault.code.as_str(), fault.field.as_deref()), ("unknown", Some("/product")), "{tool}");
        assert!(!fault.message.contains("turbine"), "{tool} tells what was not asked: {fault}");
    }
}

#[test]
fn another_device_than_was_asked_for_is_the_servers_mistake() {
    assert_eq!(fault_of(served(json!({ "identifier": "sn-2" })).call("get_device", at())).code, "upstream");
    assert_eq!(fault_of(served(json!({ "identifier": null })).call("get_device", at())).code, "upstream");
}

#[test]
fn activity_and_logs_are_not_available_and_never_an_empty_list() {
    for (tool, why) in [("get_device_activity", "audit log"), ("get_device_logs", "analytics")] {
        let server = served(json!({}));
        let answer = server.call(tool, at()).unwrap();
        assert_eq!(answer["available"], false, "{tool}");
        assert_eq!(answer["entries"], Value::Null, "{tool}");
        assert!(answer["reason"].as_str().unwrap().contains(why), "{tool}: {answer}");
        assert!(answer["where_to_look"].as_str().unwrap().contains("device sn-1"), "{tool}: {answer}");
        let known = &answer["what_is_known"];
        assert_eq!(known["connection_status"], "connected", "{tool}");
        assert_eq!(known["last_communication"], "2026-08-20T10:11:12.123456Z", "{tool}");
        assert_eq!(known["runs_group_firmware"], true, "{tool}");
        assert_eq!(server.asked(), [format!("GET {DEVICE}")], "{tool}");
    }
}

#[test]
fn activity_and_logs_of_a_device_that_does_not_exist_are_a_failure() {
    for tool in ["get_device_activity", "get_device_logs"] {
        let server = Played::table([("GET", DEVICE, error(404))]);
        assert_eq!(fault_of(server.call(tool, at())).code, "unknown", "{tool}");
    }
}

#[test]
fn whether_the_groups_firmware_runs_is_null_where_it_cannot_be_told() {
    let runs = |otherwise| {
        served(otherwise).call("get_device_activity", at()).unwrap()["what_is_known"]["runs_group_firmware"]
            .clone()
    };
    assert_eq!(runs(json!({ "deployment_group": null })), Value::Null);
    assert_eq!(runs(json!({ "firmware_metadata": null })), Value::Null);
    assert_eq!(runs(json!({ "deployment_group": { "name": "p", "firmware_uuid": "other" } })), false);
}

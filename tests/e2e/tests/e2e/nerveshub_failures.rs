//! What the nerveshub plugin's tools say when what was asked for cannot be, and that they did nothing then.

use std::time::Duration;

use fleet_sim::nerveshub::{NoAnswer, Seed, known};
use fleetgate_e2e::{Answer, Fleet, kiosk, with};
use serde_json::{Value, json};

/// A fault's code, and whether the same call may succeed later; after looking that the answer stays small.
pub(crate) fn told(answer: &Answer) -> (String, bool) {
    let fault = answer.fault();
    let size = answer.message.to_string().len();
    assert!(size < 16 << 10, "{size} bytes of refusal");
    assert!(!answer.text().is_empty());
    let code = fault["code"].as_str().expect("a code").to_owned();
    (code, fault["retryable"].as_bool().expect("retryable or not"))
}

#[track_caller]
pub(crate) fn is(answer: &Answer, code: &str, retryable: bool) {
    assert_eq!(told(answer), (code.to_owned(), retryable), "{answer:?}");
}

pub(crate) fn product() -> Value {
    json!({"org": known::KIOSK.0, "product": known::KIOSK.1})
}

/// The tools that change something, with arguments that would do for this device.
pub(crate) fn changes(fleet: &Fleet, identifier: &str) -> Vec<(&'static str, Value)> {
    let uuid = firmware(fleet, "2.0.2", "rpi4");
    vec![
        ("set_device_tags", with(kiosk(identifier), json!({"tags": ["a"]}))),
        ("reboot_device", kiosk(identifier)),
        ("reconnect_device", kiosk(identifier)),
        ("upgrade_device", with(kiosk(identifier), json!({ "firmware_uuid": uuid }))),
        ("clear_penalty_box", kiosk(identifier)),
        ("run_script", with(kiosk(identifier), json!({"script": known::QUICK_SCRIPT}))),
    ]
}

fn firmware(fleet: &Fleet, version: &str, platform: &str) -> String {
    let all = fleet.hub.state().firmware(known::KIOSK.0, known::KIOSK.1);
    let mut found = all.into_iter().filter(|row| row.version == version && row.platform == platform);
    found.next().expect("the catalog has it").uuid
}

#[tokio::test]
async fn a_bad_token_is_the_operators_to_mend_and_never_shown() {
    let fleet = Fleet::of(known::MANAGE).await;
    let bad = "nhu_badbadbadbadbadbadbadbadbadbadbadbad";
    fleet.installation.secret("token", bad);
    // A rotated secret may go unseen for a second.
    tokio::time::sleep(Duration::from_millis(1_200)).await;
    let before = fleet.snapshot();
    let mut calls = changes(&fleet, known::CONNECTED);
    calls.extend([("whoami", json!({})), ("list_orgs", json!({})), ("list_devices", product())]);
    for (tool, arguments) in calls {
        let answer = fleet.call(tool, arguments).await;
        is(&answer, "upstream", false);
        assert_eq!(answer.fault()["details"]["status"], 401, "{tool}");
        assert!(answer.text().contains("token") && !answer.message.to_string().contains(bad), "{tool}");
    }
    assert_eq!(fleet.snapshot(), before);
    assert_eq!(fleet.changes(), [""; 0]);
}

#[tokio::test]
async fn a_token_with_too_low_a_role_is_told_apart_from_a_bad_one() {
    let fleet = Fleet::of(known::VIEW).await;
    let before = fleet.snapshot();
    for (tool, arguments) in changes(&fleet, known::CONNECTED) {
        if tool == "run_script" {
            continue; // NervesHub itself asks only for `view`; the host asks for `manage`.
        }
        let answer = fleet.call(tool, arguments).await;
        is(&answer, "denied", false);
        assert_eq!(answer.fault()["details"]["status"], 401, "{tool}");
        assert!(answer.text().contains("manage role"), "{tool}: {}", answer.text());
    }
    assert_eq!(fleet.snapshot(), before);
    let (tool, script) = changes(&fleet, known::CONNECTED).remove(5);
    assert!(fleet.call(tool, script).await.succeeded());
}

#[tokio::test]
async fn what_does_not_exist_is_unknown_and_the_field_is_named() {
    let fleet = Fleet::of(known::MANAGE).await;
    let before = fleet.snapshot();
    let nowhere = json!({"org": "nowhere", "product": "kiosk"});
    let nothing = json!({"org": known::ACME, "product": "nothing"});
    let mut calls = vec![("list_products", json!({"org": "nowhere"}), "/org")];
    for tool in
        ["list_devices", "get_product_summary", "list_firmware", "list_deployment_groups", "list_scripts"]
    {
        calls.extend([(tool, nowhere.clone(), "/product"), (tool, nothing.clone(), "/product")]);
    }
    for tool in ["get_device", "get_device_health", "get_device_activity", "get_device_logs"] {
        calls.push((tool, kiosk("sn-9999"), "/identifier"));
    }
    calls.extend(changes(&fleet, "sn-9999").into_iter().map(|(tool, args)| (tool, args, "/identifier")));
    let of = |more: Value| with(kiosk(known::CONNECTED), more);
    let uuid = "00000000-0000-4000-8000-000000000000";
    calls.push(("upgrade_device", of(json!({ "firmware_uuid": uuid })), "/firmware_uuid"));
    for (tool, arguments, field) in calls {
        let answer = fleet.call(tool, arguments.clone()).await;
        is(&answer, "unknown", false);
        assert_eq!(answer.fault()["field"], field, "{tool} {arguments}");
    }
    assert_eq!(fleet.changes(), [""; 0]);
    // Whether a script exists is found out by running it.
    for script in [json!("No such script"), json!(424_242)] {
        let answer = fleet.call("run_script", of(json!({ "script": script }))).await;
        is(&answer, "unknown", false);
        assert_eq!(answer.fault()["field"], "/script");
    }
    assert_eq!(fleet.snapshot(), before);
}

#[tokio::test]
async fn a_device_of_another_product_does_not_exist_here() {
    let fleet = Fleet::of(known::MANAGE).await;
    let before = fleet.snapshot();
    let mut calls = changes(&fleet, known::CONNECTED);
    for tool in ["get_device", "get_device_health", "get_device_activity", "get_device_logs"] {
        calls.push((tool, kiosk(known::CONNECTED)));
    }
    for (tool, mut arguments) in calls {
        arguments["product"] = json!(known::GATEWAY.1);
        is(&fleet.call(tool, arguments).await, "unknown", false);
    }
    assert_eq!(fleet.changes(), [""; 0]);
    assert_eq!(fleet.snapshot(), before);
}

#[tokio::test]
async fn a_deleted_device_is_shown_as_such_and_left_alone() {
    let fleet = Fleet::of(known::MANAGE).await;
    assert_eq!(fleet.call("get_device", kiosk(known::DELETED)).await.structured()["deleted"], true);
    let before = fleet.snapshot();
    for (tool, arguments) in changes(&fleet, known::DELETED) {
        is(&fleet.call(tool, arguments).await, "unknown", false);
    }
    assert_eq!(fleet.changes(), [""; 0]);
    assert_eq!(fleet.snapshot(), before);
}

#[tokio::test]
async fn a_device_that_is_not_connected_is_told_nothing() {
    let fleet = Fleet::of(known::MANAGE).await;
    let before = fleet.snapshot();
    for identifier in [known::OFFLINE, known::CONNECTING, known::NEVER_SEEN, known::FORGOTTEN] {
        for (tool, arguments) in changes(&fleet, identifier) {
            if tool == "set_device_tags" || tool == "clear_penalty_box" {
                continue; // These change the hub's record, and need no device.
            }
            let answer = fleet.call(tool, arguments).await;
            is(&answer, "unavailable", true);
            assert!(answer.text().contains("not connected"), "{tool} {identifier}");
        }
    }
    assert_eq!(fleet.changes(), [""; 0]);
    assert_eq!(fleet.snapshot(), before);
}

#[tokio::test]
async fn arguments_that_the_hub_would_misread_are_refused_before_anything_is_sent() {
    let fleet = Fleet::of(known::MANAGE).await;
    let of = |more: Value| with(kiosk(known::CONNECTED), more);
    let list = |more: Value| with(product(), more);
    let filter = |filter: Value| list(json!({ "filters": filter }));
    let long = "x".repeat(256);
    for (tool, arguments, field) in [
        ("set_device_tags", of(json!({"tags": ["fine", "not fine"]})), "/tags/1"),
        ("set_device_tags", of(json!({"tags": ["a,b"]})), "/tags/0"),
        ("set_device_tags", of(json!({"tags": [""]})), "/tags/0"),
        ("set_device_tags", of(json!({"tags": ["a", "b", "a"]})), "/tags/2"),
        ("set_device_tags", of(json!({"tags": "a"})), "/tags"),
        ("list_devices", filter(json!({"connection": "online"})), "/filters/connection"),
        ("list_devices", filter(json!({"connection_type": "5g"})), "/filters/connection_type"),
        ("list_devices", filter(json!({"health_status": "poorly"})), "/filters/health_status"),
        ("list_devices", filter(json!({"updates": "penalty_box"})), "/filters/updates"),
        ("list_devices", filter(json!({"alarm_status": true})), "/filters/alarm_status"),
        ("list_devices", filter(json!({"tags": ["two words"]})), "/filters/tags/0"),
        ("list_devices", filter(json!({"search": ""})), "/filters/search"),
        ("list_devices", filter(json!({ "search": long })), "/filters/search"),
        ("list_devices", list(json!({"page_size": 0})), "/page_size"),
        ("list_devices", list(json!({"page_size": 101})), "/page_size"),
        ("list_devices", list(json!({"page": 0})), "/page"),
        ("list_devices", list(json!({"page": -1})), "/page"),
        ("list_devices", list(json!({"sort": "secret"})), "/sort"),
        ("list_devices", list(json!({"sort_direction": "up"})), "/sort_direction"),
        ("list_scripts", list(json!({"page_size": 101})), "/page_size"),
        ("list_scripts", filter(json!({"tags": ["two words"]})), "/filters/tags/0"),
        ("list_firmware", list(json!({"limit": 0})), "/limit"),
        ("list_firmware", list(json!({"limit": 501})), "/limit"),
        ("upgrade_device", of(json!({"firmware_uuid": "2.0.2"})), "/firmware_uuid"),
        ("run_script", of(json!({"script": "Uptime", "timeout_ms": 15_001})), "/timeout_ms"),
        ("run_script", of(json!({"script": "Uptime", "timeout_ms": 0})), "/timeout_ms"),
        ("get_device", kiosk(&long), "/identifier"),
        ("get_device", kiosk(""), "/identifier"),
    ] {
        let answer = fleet.call(tool, arguments.clone()).await;
        is(&answer, "invalid-arguments", false);
        assert_eq!(answer.fault()["field"], field, "{tool} {arguments}: {}", answer.text());
    }
    // What has no field of its own: an argument too many, and one too few.
    for (tool, arguments) in [
        ("list_devices", filter(json!({"colour": "red"}))),
        ("reboot_device", of(json!({"force": true}))),
        ("reboot_device", product()),
    ] {
        is(&fleet.call(tool, arguments).await, "invalid-arguments", false);
    }
    assert_eq!(fleet.arrived(), [""; 0]);
}

#[tokio::test]
async fn a_script_that_brings_no_output_may_have_run_and_is_not_to_be_repeated_blindly() {
    let seed =
        Seed { script_limit: Duration::from_millis(300), no_answer: NoAnswer::AtOnce, ..Seed::default() };
    let fleet = Fleet::grown(seed, known::MANAGE, "").await;
    for (identifier, script, timeout) in [
        (known::CONNECTED, known::SLOW_SCRIPT, 15_000),
        (known::CONNECTED, known::HALF_SECOND_SCRIPT, 100),
        (known::HUNG, known::QUICK_SCRIPT, 1_000),
    ] {
        let arguments = with(kiosk(identifier), json!({"script": script, "timeout_ms": timeout}));
        let answer = fleet.call("run_script", arguments).await;
        is(&answer, "no-answer", false);
        assert_eq!(answer.fault()["details"]["status"], 403);
        assert!(answer.text().contains("may have run"), "{}", answer.text());
    }
}

#[tokio::test]
async fn an_update_in_flight_is_not_joined_by_another() {
    let fleet = Fleet::of(known::MANAGE).await;
    let before = fleet.snapshot();
    let running = fleet.hub.state().update_in_flight(known::ACME, known::UPDATING);
    let arguments = with(kiosk(known::UPDATING), json!({"firmware_uuid": firmware(&fleet, "2.0.2", "rpi4")}));
    let answer = fleet.call("upgrade_device", arguments).await;
    is(&answer, "update-in-flight", false);
    assert_eq!(answer.fault()["details"]["status"], 500);
    assert_eq!(fleet.hub.state().update_in_flight(known::ACME, known::UPDATING), running);
    assert_eq!(fleet.snapshot(), before);
}

#[tokio::test]
async fn firmware_for_another_board_is_never_sent() {
    let fleet = Fleet::of(known::MANAGE).await;
    let before = fleet.snapshot();
    let uuid = firmware(&fleet, "2.0.3", "x86_64");
    let answer =
        fleet.call("upgrade_device", with(kiosk(known::CONNECTED), json!({ "firmware_uuid": uuid }))).await;
    is(&answer, "invalid-arguments", false);
    assert_eq!(answer.fault()["field"], "/firmware_uuid");
    assert_eq!(answer.fault()["details"]["device"]["platform"], "rpi4");
    assert_eq!(answer.fault()["details"]["firmware"]["platform"], "x86_64");
    // Another product's firmware is none of this one's.
    let gateway = fleet.hub.state().firmware(known::GATEWAY.0, known::GATEWAY.1).remove(0).uuid;
    let answer = fleet
        .call("upgrade_device", with(kiosk(known::CONNECTED), json!({ "firmware_uuid": gateway })))
        .await;
    is(&answer, "unknown", false);
    assert_eq!(fleet.changes(), [""; 0]);
    assert_eq!(fleet.snapshot(), before);
}

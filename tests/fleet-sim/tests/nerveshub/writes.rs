//! The writes and what they leave behind: 204, events, audit rows, and switches they flip on the way.

use fleet_sim::nerveshub::model::EventKind;
use fleet_sim::nerveshub::{Running, known};
use serde_json::json;

use crate::client::{Api, device, hub, segment};

const FAULT: &str = "Sorry, an unexpected error occurred. The masters of the web have been notified.";

fn kinds(hub: &Running) -> Vec<EventKind> {
    hub.state().events().into_iter().map(|event| event.kind).collect()
}

fn sentences(hub: &Running) -> Vec<String> {
    hub.state().audit().into_iter().map(|row| row.description).collect()
}

#[tokio::test]
async fn a_reboot_is_told_and_audited_by_either_address() {
    let hub = hub().await;
    let manage = Api::of(&hub, known::MANAGE);
    let short = format!("/api/devices/{}", segment(known::CONNECTED));
    for address in [device(known::KIOSK, known::CONNECTED), short] {
        hub.state().forget_history();
        manage.post(&format!("{address}/reboot")).await.empty();
        let [event] = hub.state().events().try_into().unwrap();
        assert_eq!(
            (event.kind, event.org.as_str(), event.device.as_str()),
            (EventKind::Reboot, "acme", "sn-0001")
        );
        let [row] = hub.state().audit().try_into().unwrap();
        assert_eq!(row.description, "User Marco Silva rebooted device sn-0001");
        assert_eq!((row.user.as_str(), row.device.as_str()), ("marco.silva@acme.example", "sn-0001"));
    }
}

#[tokio::test]
async fn a_reconnect_leaves_no_audit_row() {
    let hub = hub().await;
    let path = device(known::KIOSK, known::CONNECTED);
    let before = hub.state().device(known::ACME, known::CONNECTED).unwrap().connection.unwrap();
    Api::of(&hub, known::MANAGE).post(&format!("{path}/reconnect")).await.empty();
    assert_eq!(kinds(&hub), [EventKind::Disconnect]);
    assert!(hub.state().audit().is_empty());
    let after = hub.state().device(known::ACME, known::CONNECTED).unwrap().connection.unwrap();
    assert!(after.established_at > before.established_at, "the device is back");
}

#[tokio::test]
async fn a_device_that_is_away_takes_reboot_and_reconnect_with_204_all_the_same() {
    let hub = hub().await;
    let manage = Api::of(&hub, known::MANAGE);
    for identifier in [known::OFFLINE, known::NEVER_SEEN, known::CONNECTING, known::DELETED] {
        let path = device(known::KIOSK, identifier);
        let before = manage.get(&path).await.data();
        manage.post(&format!("{path}/reboot")).await.empty();
        manage.post(&format!("{path}/reconnect")).await.empty();
        assert_eq!(manage.get(&path).await.data(), before, "{identifier}");
    }
}

#[tokio::test]
async fn an_upgrade_switches_automatic_updates_off() {
    let hub = hub().await;
    let manage = Api::of(&hub, known::MANAGE);
    let path = device(known::KIOSK, known::CONNECTED);
    let firmware = hub.state().firmware(known::ACME, known::KIOSK.1)[0].clone();
    manage.post_json(&format!("{path}/upgrade"), json!({"uuid": firmware.uuid})).await.empty();

    assert_eq!(hub.state().update_in_flight(known::ACME, known::CONNECTED), Some(firmware.uuid.clone()));
    assert_eq!(kinds(&hub).pop(), Some(EventKind::Update { firmware_uuid: firmware.uuid.clone() }));
    let pushed = format!("User Marco Silva pushed firmware 2.1.0-rc.1 {} to device sn-0001", firmware.uuid);
    assert_eq!(sentences(&hub), ["User Marco Silva disabled updates for device sn-0001", &pushed]);
    let data = manage.get(&path).await.data();
    assert_eq!((&data["updates_enabled"], &data["version"]), (&json!(false), &json!("2.0.3")));

    assert!(hub.state().finish_update(known::ACME, known::CONNECTED));
    let data = manage.get(&path).await.data();
    assert_eq!(
        (&data["version"], &data["firmware_metadata"]["uuid"]),
        (&json!("2.1.0-rc.1"), &json!(firmware.uuid))
    );
    assert!(!hub.state().finish_update(known::ACME, known::CONNECTED), "it was the only one");
}

#[tokio::test]
async fn a_second_upgrade_in_flight_fails_and_so_does_unknown_or_foreign_firmware() {
    let hub = hub().await;
    let manage = Api::of(&hub, known::MANAGE);
    let upgrade = async |identifier: &str, uuid: serde_json::Value| {
        let path = format!("{}/upgrade", device(known::KIOSK, identifier));
        manage.post_json(&path, json!({"uuid": uuid})).await
    };
    let kiosk = hub.state().firmware(known::ACME, known::KIOSK.1)[2].uuid.clone();
    let gateway = hub.state().firmware(known::ACME, known::GATEWAY.1)[0].uuid.clone();
    upgrade(known::UPDATING, json!(kiosk)).await.refused(500, FAULT);
    upgrade(known::CONNECTED, json!("6fd2bbc8-52b8-4826-8c2a-189968d0de23")).await.refused(500, FAULT);
    upgrade(known::CONNECTED, json!("not a uuid")).await.refused(500, FAULT);
    upgrade(known::CONNECTED, json!(gateway)).await.refused(500, FAULT);
    upgrade(known::CONNECTED, json!(null)).await.refused(500, FAULT);
    assert_eq!(upgrade(known::CONNECTED, json!(5)).await.status, 400);
    assert!(hub.state().events().is_empty() && hub.state().audit().is_empty());

    upgrade(known::CONNECTED, json!(kiosk)).await.empty();
    upgrade(known::CONNECTED, json!(kiosk)).await.refused(500, FAULT);
    assert_eq!(hub.state().update_in_flight(known::ACME, known::CONNECTED), Some(kiosk));
}

#[tokio::test]
async fn the_penalty_call_clears_the_box_and_switches_updates_on() {
    let hub = hub().await;
    let manage = Api::of(&hub, known::MANAGE);
    for identifier in [known::PENALTY, known::CONNECTED, known::UPDATING] {
        hub.state().forget_history();
        manage.delete(&format!("{}/penalty", device(known::KIOSK, identifier))).await.empty();
        let device = hub.state().device(known::ACME, identifier).unwrap();
        assert!(device.updates_enabled && device.update_attempts.is_empty(), "{identifier}");
        assert_eq!(device.updates_blocked_until, None);
        let sentence = format!("User Marco Silva removed device {identifier} from the penalty box");
        assert_eq!(sentences(&hub), [sentence]);
        assert_eq!(kinds(&hub), [EventKind::Updated]);
    }
    assert!(hub.state().update_in_flight(known::ACME, known::UPDATING).is_some(), "the update goes on");
}

#[tokio::test]
async fn code_reaches_the_console_without_an_answer() {
    let hub = hub().await;
    let path = format!("{}/code", device(known::KIOSK, known::CONNECTED));
    Api::of(&hub, known::MANAGE).post_json(&path, json!({"code": "Nerves.Runtime.reboot()"})).await.empty();
    assert_eq!(kinds(&hub), [EventKind::Console { code: "Nerves.Runtime.reboot()".to_owned() }]);
}

#[tokio::test]
async fn a_move_needs_manage_in_the_new_org_too() {
    let hub = hub().await;
    let both = Api::of(&hub, known::BOTH);
    let path = format!("{}/move", device(known::KIOSK, known::CONNECTED));
    let to = |org: &str, product: &str| json!({"new_org_name": org, "new_product_name": product});
    assert_eq!(both.post_json(&path, to(known::ROBOTICS, known::KIOSK_V2.1)).await.status, 401);
    assert_eq!(both.post_json(&path, to("no-such-org", "x")).await.status, 404);
    assert_eq!(both.post_json(&path, to(known::ACME, "no-such-product")).await.status, 404);
    assert_eq!(both.post_json(&path, json!({"new_org_name": known::ACME})).await.status, 400);
    let moved = both.post_json(&path, to(known::ACME, known::GATEWAY.1)).await.data();
    assert_eq!((&moved["product_name"], &moved["deployment_group"]), (&json!("gateway"), &json!(null)));
}

#[tokio::test]
async fn a_test_can_change_a_device_as_the_device_itself_would() {
    let hub = hub().await;
    assert!(hub.state().change_device(known::ACME, known::CONNECTED, |device| device.connection = None));
    assert!(!hub.state().change_device(known::ACME, "no-such-device", |_| ()));
    let data = Api::of(&hub, known::VIEW).get(&device(known::KIOSK, known::CONNECTED)).await.data();
    assert_eq!(data["connection_status"], "not_seen");
}

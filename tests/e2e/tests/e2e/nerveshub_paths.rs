//! What names a thing is one segment of one path, whatever characters it has.

use fleet_sim::nerveshub::known;
use fleetgate_e2e::{Fleet, kiosk};
use serde_json::{Value, json};

const ESCAPES: [&str; 14] = [
    "../../x",
    "..",
    ".",
    "%2e%2e",
    "%2E.",
    ".%2e",
    "a/b",
    "a%2fb",
    "a;b",
    "a\\b",
    "a%5Cb",
    "%252e%252e",
    "a\u{0}b",
    "sn-0001/reboot",
];

/// Every tool that takes a name, with arguments that would do.
fn calls() -> Vec<(&'static str, Value)> {
    let device = kiosk(known::CONNECTED);
    let product = json!({"org": known::KIOSK.0, "product": known::KIOSK.1});
    let more = |more: Value| fleetgate_e2e::with(device.clone(), more);
    vec![
        ("list_products", json!({"org": known::ACME})),
        ("get_product_summary", product.clone()),
        ("list_devices", product.clone()),
        ("list_firmware", product.clone()),
        ("list_deployment_groups", product.clone()),
        ("list_scripts", product),
        ("get_device", device.clone()),
        ("get_device_health", device.clone()),
        ("get_device_activity", device.clone()),
        ("get_device_logs", device.clone()),
        ("reboot_device", device.clone()),
        ("reconnect_device", device.clone()),
        ("clear_penalty_box", device.clone()),
        ("set_device_tags", more(json!({"tags": ["a"]}))),
        ("upgrade_device", more(json!({"firmware_uuid": "00000000-0000-0000-0000-000000000000"}))),
        ("run_script", more(json!({"script": "Uptime"}))),
    ]
}

#[tokio::test]
async fn no_argument_leaves_its_segment_and_nothing_is_sent() {
    let fleet = Fleet::of(known::MANAGE).await;
    let before = fleet.snapshot();
    let mut tried = 0;
    for (tool, arguments) in calls() {
        let keys: Vec<_> = arguments.as_object().expect("an object").keys().cloned().collect();
        for key in keys.iter().filter(|key| *key != "tags") {
            for escape in ESCAPES {
                let mut arguments = arguments.clone();
                arguments[key] = json!(escape);
                let answer = fleet.call(tool, arguments).await;
                assert_eq!(answer.fault()["code"], "invalid-arguments", "{tool} {key} {escape}: {answer:?}");
                assert_eq!(answer.fault()["field"], format!("/{key}"), "{tool} {key} {escape}: {answer:?}");
                assert_eq!(answer.fault()["retryable"], false);
                tried += 1;
            }
        }
    }
    assert_eq!(tried, (1 + 2 * 5 + 3 * 7 + 3 + 4 * 2) * ESCAPES.len());
    assert_eq!(fleet.arrived(), [""; 0]);
    assert_eq!(fleet.snapshot(), before);
}

#[tokio::test]
async fn odd_names_arrive_as_the_one_segment_that_they_are() {
    let fleet = Fleet::of(known::MANAGE).await;
    for identifier in [known::PERCENT, known::RESERVED, known::UNICODE] {
        fleet.hub.forget_requests();
        fleet.hub.state().forget_history();
        let answer = fleet.call("reboot_device", kiosk(identifier)).await;
        assert_eq!(answer.structured()["identifier"], identifier);
        let events = fleet.hub.state().events();
        assert_eq!((events.len(), events[0].device.as_str()), (1, identifier));
        for request in fleet.hub.requests() {
            assert_eq!(request.query, "");
            let segments = request.path.split('/').count();
            assert!(segments == 8 || request.path.ends_with("/reboot") && segments == 9, "{}", request.path);
        }
    }
    let answer = fleet.call("get_device", kiosk("sn-0001?x=1#y")).await;
    assert_eq!(answer.fault()["code"], "unknown", "{answer:?}");
    assert!(
        fleet.arrived().iter().any(|path| path.ends_with("/devices/sn-0001%3Fx%3D1%23y")
            || path.ends_with("/devices/sn-0001%3Fx=1%23y")),
        "{:?}",
        fleet.arrived()
    );
    let answer =
        fleet.call("list_devices", json!({"org": known::KIOSK_V2.0, "product": known::KIOSK_V2.1})).await;
    assert_eq!(answer.fault()["code"], "unknown", "not a member of {}", known::ROBOTICS);
    assert!(
        fleet.arrived().contains(&"GET /api/orgs/Acme%20Robotics/products/kiosk%20v2/devices".to_owned())
    );
}

//! upgrade_device, and everything that is checked before it.

use fleetgate_sdk::prelude::*;
use fleetgate_sdk::testing::Response;

use super::{DEVICE, PRODUCT, Played, device, error, fault_of, ok};

const UUID: &str = "d9f8c63a-1234-5678-abcd-ef0123456789";

fn to(uuid: &str) -> Value {
    json!({ "org": "acme", "product": "kiosk", "identifier": "sn-1", "firmware_uuid": uuid })
}

fn firmware(otherwise: Value) -> Value {
    let mut firmware = json!({
        "uuid": UUID, "version": "2.0.0", "architecture": "arm", "platform": "rpi4", "author": "me",
        "product": "kiosk", "tool": "fwup"
    });
    for (key, value) in otherwise.as_object().expect("fields") {
        firmware[key] = value.clone();
    }
    firmware
}

/// A server with this device and this firmware, where a push gets this answer.
fn served(device_otherwise: Value, firmware_answer: Response, push: Response) -> Played {
    let firmware_path = format!("{PRODUCT}/firmwares/{UUID}");
    Played::new(move |request| match (request.method(), request.path()) {
        ("GET", DEVICE) => ok(device(device_otherwise.clone())),
        ("GET", path) if path == firmware_path => firmware_answer.clone(),
        ("POST", _) => push.clone(),
        _ => error(404),
    })
}

fn good(device_otherwise: Value, firmware_otherwise: Value) -> Played {
    served(device_otherwise, ok(firmware(firmware_otherwise)), Response::status(204))
}

#[test]
fn a_firmware_that_fits_is_pushed_and_the_side_effect_is_said() {
    let server = good(json!({}), json!({}));
    let answer = server.call("upgrade_device", to(UUID)).unwrap();
    assert_eq!(answer["requested"], true);
    assert_eq!(answer["firmware"]["version"], "2.0.0");
    assert_eq!(answer["previous_version"], "1.2.3");
    assert_eq!(answer["previous_firmware_uuid"], "6fd2bbc8-52b8-4826-8c2a-189968d0de23");
    assert_eq!(answer["warnings"], json!([]));
    assert!(answer["side_effect"].as_str().unwrap().contains("updates_enabled is false"));
    let asked = [
        format!("GET {DEVICE}"),
        format!("GET {PRODUCT}/firmwares/{UUID}"),
        format!("POST {DEVICE}/upgrade"),
    ];
    assert_eq!(server.asked(), asked);
    assert_eq!(server.requests()[2].json::<Value>(), json!({ "uuid": UUID }));
}

#[test]
fn what_is_not_a_uuid_is_refused_and_nothing_is_sent() {
    let wrong = [
        "latest",
        "d9f8c63a12345678abcdef0123456789",
        "d9f8c63a-1234-5678-abcd-ef012345678",
        "d9f8c63a-1234-5678-abcd-ef01234567890",
        "g9f8c63a-1234-5678-abcd-ef0123456789",
        "{d9f8c63a-1234-5678-abcd-ef0123456789}",
        "d9f8c63a-1234-5678-abcd-ef0123456789-",
        " d9f8c63a-1234-5678-abcd-ef0123456789",
    ];
    for uuid in wrong {
        let server = Played::new(|_| panic!("something was sent"));
        let fault = fault_of(server.call("upgrade_device", to(uuid)));
        assert_eq!(
            (fault.code.as_str(), fault.field.as_deref()),
            ("invalid-arguments", Some("/firmware_uuid")),
            "{uuid}"
        );
    }
}

#[test]
fn a_firmware_that_the_product_does_not_have_is_unknown_and_nothing_is_pushed() {
    let server = served(json!({}), error(404), Response::status(204));
    let fault = fault_of(server.call("upgrade_device", to(UUID)));
    assert_eq!((fault.code.as_str(), fault.field.as_deref()), ("unknown", Some("/firmware_uuid")));
    assert!(!server.asked().iter().any(|request| request.starts_with("POST")));
}

#[test]
fn a_firmware_of_another_product_or_another_uuid_is_not_pushed() {
    let server = good(json!({}), json!({ "product": "turbine" }));
    let fault = fault_of(server.call("upgrade_device", to(UUID)));
    assert_eq!((fault.code.as_str(), fault.field.as_deref()), ("unknown", Some("/firmware_uuid")));
    assert_eq!(server.requests().len(), 2);
    let server = good(json!({}), json!({ "uuid": "6fd2bbc8-52b8-4826-8c2a-189968d0de23" }));
    assert_eq!(fault_of(server.call("upgrade_device", to(UUID))).code, "upstream");
    assert_eq!(server.requests().len(), 2);
}

#[test]
fn firmware_for_other_hardware_is_refused_and_nothing_is_pushed() {
    for (what, other) in [("platform", "bbb"), ("architecture", "x86_64")] {
        let server = good(json!({}), json!({ what: other }));
        let fault = fault_of(server.call("upgrade_device", to(UUID)));
        assert_eq!(
            (fault.code.as_str(), fault.field.as_deref()),
            ("invalid-arguments", Some("/firmware_uuid"))
        );
        assert!(fault.message.contains(what) && fault.message.contains(other), "{fault}");
        assert_eq!(fault.details.unwrap()["firmware"], json!({ what: other }));
        assert_eq!(server.requests().len(), 2, "{what}");
    }
}

#[test]
fn what_cannot_be_compared_is_a_warning() {
    let server = good(json!({ "firmware_metadata": null, "version": "unknown" }), json!({}));
    let answer = server.call("upgrade_device", to(UUID)).unwrap();
    assert_eq!(answer["warnings"].as_array().unwrap().len(), 2);
    assert!(answer["warnings"][0].as_str().unwrap().contains("platform could not be compared"));
    assert_eq!(
        (&answer["previous_version"], &answer["previous_firmware_uuid"]),
        (&Value::Null, &Value::Null)
    );
    let server = good(json!({}), json!({ "platform": null }));
    assert_eq!(server.call("upgrade_device", to(UUID)).unwrap()["warnings"].as_array().unwrap().len(), 1);
}

#[test]
fn pushing_what_already_runs_is_a_warning() {
    let metadata = json!({ "uuid": UUID, "version": "2.0.0", "architecture": "arm", "platform": "rpi4" });
    let server = good(json!({ "firmware_metadata": metadata }), json!({}));
    let answer = server.call("upgrade_device", to(UUID)).unwrap();
    assert!(answer["warnings"][0].as_str().unwrap().contains("already ran this firmware"));
}

#[test]
fn a_500_is_explained_as_an_update_in_flight_and_not_retried() {
    let server = served(json!({}), ok(firmware(json!({}))), error(500));
    let fault = fault_of(server.call("upgrade_device", to(UUID)));
    assert_eq!((fault.code.as_str(), fault.retryable), ("update-in-flight", false));
    assert!(fault.message.contains("already in flight"), "{fault}");
    assert_eq!(fault.details.unwrap()["status"], 500);
}

#[test]
fn a_failure_of_the_firmware_check_pushes_nothing_and_may_be_repeated() {
    let server = served(json!({}), error(503), Response::status(204));
    let fault = fault_of(server.call("upgrade_device", to(UUID)));
    assert_eq!((fault.code.as_str(), fault.retryable), ("upstream", true));
    assert_eq!(server.requests().len(), 2);
}

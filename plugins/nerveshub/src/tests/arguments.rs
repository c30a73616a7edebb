//! What arguments can do: nothing outside of their place.

use fleetgate_sdk::prelude::*;
use fleetgate_sdk::testing::Response;

use super::{DEVICE, Played, device, fault_of, ok};

/// Spellings of "somewhere else", plain, encoded, twice encoded, and in ways that only some servers undo.
const ESCAPES: [&str; 40] = [
    "",
    ".",
    "..",
    "/",
    "//",
    "a/b",
    "/etc",
    "../..",
    "a/../b",
    "\\",
    "..\\",
    "a\\b",
    ";",
    "a;b",
    "..;",
    "%2e",
    "%2E",
    "%2e%2e",
    ".%2e",
    "%2e.",
    "%2f",
    "%2F",
    "a%2fb",
    "..%2f..",
    "%5c",
    "%5C",
    "%3b",
    "a%3Bb",
    "%252e",
    "%252e%252e",
    "%252f",
    "%255c",
    "%25252f",
    "%u002e",
    "%u002f",
    "%c0%ae",
    "a\u{0}b",
    "a\nb",
    "a\r\nb",
    "\u{7f}",
];

/// Each tool that takes arguments for a path, with arguments that are right.
fn tools() -> Vec<(&'static str, Value)> {
    let org = json!({ "org": "acme" });
    let product = json!({ "org": "acme", "product": "kiosk" });
    let at = json!({ "org": "acme", "product": "kiosk", "identifier": "sn-1" });
    let with = |mut base: Value, key: &str, value: Value| {
        base[key] = value;
        base
    };
    let uuid = "d9f8c63a-1234-5678-abcd-ef0123456789";
    vec![
        ("list_products", org),
        ("get_product_summary", product.clone()),
        ("list_devices", product.clone()),
        ("list_firmware", product.clone()),
        ("list_deployment_groups", product.clone()),
        ("list_scripts", product),
        ("get_device", at.clone()),
        ("get_device_health", at.clone()),
        ("get_device_activity", at.clone()),
        ("get_device_logs", at.clone()),
        ("set_device_tags", with(at.clone(), "tags", json!(["a"]))),
        ("reboot_device", at.clone()),
        ("reconnect_device", at.clone()),
        ("upgrade_device", with(at.clone(), "firmware_uuid", json!(uuid))),
        ("run_script", with(at.clone(), "script", json!("Clean Disk"))),
        ("clear_penalty_box", at),
    ]
}

#[test]
fn no_spelling_of_another_path_leaves_its_argument_and_nothing_is_sent() {
    let mut tried = 0;
    for (tool, right) in tools() {
        for field in ["org", "product", "identifier", "script", "firmware_uuid"] {
            if right.get(field).is_none() {
                continue;
            }
            for escape in ESCAPES {
                let mut arguments = right.clone();
                arguments[field] = json!(escape);
                let server = Played::new(|_| panic!("something was sent"));
                let fault = fault_of(server.call(tool, arguments));
                assert_eq!(fault.code, "invalid-arguments", "{tool} {field} {escape:?}: {fault}");
                assert_eq!(fault.field, Some(format!("/{field}")), "{tool} {escape:?}: {fault}");
                assert!(server.requests().is_empty());
                tried += 1;
            }
        }
    }
    assert_eq!(tried, ESCAPES.len() * (16 + 15 + 10 + 1 + 1));
}

#[test]
fn a_missing_argument_is_refused_by_name_and_nothing_is_sent() {
    for (tool, right) in tools() {
        for field in right.as_object().expect("arguments").keys() {
            let mut arguments = right.clone();
            arguments.as_object_mut().expect("arguments").remove(field);
            let server = Played::new(|_| panic!("something was sent"));
            let fault = fault_of(server.call(tool, arguments));
            assert_eq!(
                (fault.code.as_str(), fault.field),
                ("invalid-arguments", Some(format!("/{field}"))),
                "{tool}"
            );
        }
    }
}

#[test]
fn an_unknown_argument_is_refused_by_every_tool() {
    for (tool, right) in tools().into_iter().chain([("list_orgs", json!({})), ("whoami", json!({}))]) {
        let mut arguments = right;
        arguments["sudo"] = json!(true);
        let server = Played::new(|_| panic!("something was sent"));
        let fault = fault_of(server.call(tool, arguments));
        assert_eq!(
            (fault.code.as_str(), fault.field.as_deref()),
            ("invalid-arguments", Some("/sudo")),
            "{tool}"
        );
    }
}

#[test]
fn names_with_spaces_and_other_letters_are_encoded_and_reach_their_object() {
    let answer =
        json!({ "identifier": "Gerät 1?#&=+", "product_name": "Kiosk & Co", "org_name": "Acme, Inc." });
    let server = Played::new(move |_| ok(device(answer.clone())));
    let arguments = json!({ "org": "Acme, Inc.", "product": "Kiosk & Co", "identifier": "Gerät 1?#&=+" });
    server.call("get_device", arguments).unwrap();
    let request = &server.requests()[0];
    assert_eq!(
        request.segments(),
        ["api", "orgs", "Acme, Inc.", "products", "Kiosk & Co", "devices", "Gerät 1?#&=+"]
    );
    assert_eq!(request.query_string(), "");
}

#[test]
fn only_the_long_form_of_a_device_path_is_used() {
    let server = Played::new(|_| ok(device(json!({}))));
    server.call("get_device", json!({ "org": "acme", "product": "kiosk", "identifier": "sn-1" })).unwrap();
    assert_eq!(server.asked(), [format!("GET {DEVICE}")]);
}

#[test]
fn without_a_grant_every_tool_says_what_the_operator_has_to_do() {
    use fleetgate_sdk::testing::Harness;
    for (tool, arguments) in tools().into_iter().chain([("list_orgs", json!({})), ("whoami", json!({}))]) {
        let server = Played::with(Harness::new(), |_| Response::status(200));
        let fault = fault_of(server.call(tool, arguments));
        assert_eq!(fault.code, "denied", "{tool}");
        assert!(fault.message.contains("[plugins.nerveshub.grant.http.api]"), "{tool}: {fault}");
        assert!(server.requests().is_empty(), "{tool}");
    }
}

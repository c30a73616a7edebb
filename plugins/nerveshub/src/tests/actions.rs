//! set_device_tags, reboot_device, reconnect_device, clear_penalty_box, and what is checked before any change.

use fleetgate_sdk::prelude::*;
use fleetgate_sdk::testing::{Request, Response};

use super::{DEVICE, PRODUCT, Played, device, fault_of, ok};

const LIST: &str = "/api/orgs/acme/products/kiosk/devices";

const UUID: &str = "d9f8c63a-1234-5678-abcd-ef0123456789";

fn at() -> Value {
    json!({ "org": "acme", "product": "kiosk", "identifier": "sn-1" })
}

fn tags(tags: Value) -> Value {
    let mut arguments = at();
    arguments["tags"] = tags;
    arguments
}

/// Every tool that changes something, with arguments that are right.
fn changes() -> Vec<(&'static str, Value)> {
    let with = |key: &str, value: Value| {
        let mut arguments = at();
        arguments[key] = value;
        arguments
    };
    vec![
        ("set_device_tags", with("tags", json!(["a"]))),
        ("clear_penalty_box", at()),
        ("reboot_device", at()),
        ("reconnect_device", at()),
        ("upgrade_device", with("firmware_uuid", json!(UUID))),
        ("run_script", with("script", json!("Clean Disk"))),
    ]
}

/// A look at a device: at itself, or in the list of its product.
fn look(request: &Request, device: Value) -> Response {
    assert_eq!(request.method(), "GET", "something was changed");
    if request.path() == DEVICE {
        return ok(device);
    }
    assert_eq!(request.path(), LIST);
    ok(json!([device]))
}

/// A device as told, on a server that must not be asked for anything but a look at it.
fn only_looked_at(otherwise: Value) -> Played {
    Played::new(move |request| look(request, device(otherwise.clone())))
}

#[test]
fn tags_are_replaced_with_a_flat_body_that_holds_nothing_else() {
    let server = Played::new(|request| {
        if request.method() == "GET" {
            return ok(device(json!({})));
        }
        let body: Value = request.json();
        Response::json(201, json!({ "data": device(json!({ "tags": body["tags"] })) }))
    });
    let answer = server.call("set_device_tags", tags(json!(["new", "äpfel"]))).unwrap();
    let expected =
        json!({ "identifier": "sn-1", "tags": ["new", "äpfel"], "previous_tags": ["beta", "beta-edge"] });
    assert_eq!(answer, expected);
    assert_eq!(server.asked(), [format!("GET {DEVICE}"), format!("PUT {DEVICE}")]);
    assert_eq!(server.requests()[1].json::<Value>(), json!({ "tags": ["new", "äpfel"] }));
}

#[test]
fn an_empty_list_removes_all_tags() {
    let server = Played::new(|request| {
        let tags = if request.method() == "PUT" { json!([]) } else { json!(["a"]) };
        Response::json(
            if request.method() == "PUT" { 201 } else { 200 },
            json!({ "data": device(json!({ "tags": tags })) }),
        )
    });
    assert_eq!(server.call("set_device_tags", tags(json!([]))).unwrap()["tags"], json!([]));
    assert_eq!(server.requests()[1].json::<Value>(), json!({ "tags": [] }));
}

#[test]
fn tags_that_nerveshub_would_refuse_or_split_are_refused_and_nothing_is_sent() {
    let many: Vec<String> = (0..101).map(|n| n.to_string()).collect();
    let wrong = [
        (json!(["ok", "with space"]), "/tags/1"),
        (json!(["tab\tbed"]), "/tags/0"),
        (json!(["line\nbreak"]), "/tags/0"),
        (json!(["a,b"]), "/tags/0"),
        (json!([""]), "/tags/0"),
        (json!(["x".repeat(256)]), "/tags/0"),
        (json!(["a", "b", "a"]), "/tags/2"),
        (json!(many), "/tags"),
        (json!("a,b"), "/tags"),
        (json!([1]), "/tags/0"),
        (json!(null), "/tags"),
    ];
    for (list, field) in wrong {
        let server = Played::new(|_| panic!("something was sent"));
        let fault = fault_of(server.call("set_device_tags", tags(list.clone())));
        assert_eq!(
            (fault.code.as_str(), fault.field.as_deref()),
            ("invalid-arguments", Some(field)),
            "{list}"
        );
    }
}

#[test]
fn a_reboot_and_a_reconnect_are_passed_on_and_promise_no_more() {
    for (tool, word) in [("reboot_device", "reboot"), ("reconnect_device", "reconnect")] {
        let server = Played::new(|request| {
            if request.method() == "POST" { Response::status(204) } else { ok(device(json!({}))) }
        });
        let answer = server.call(tool, at()).unwrap();
        assert_eq!((&answer["identifier"], &answer["requested"]), (&json!("sn-1"), &json!(true)), "{tool}");
        assert_eq!(server.asked(), [format!("GET {DEVICE}"), format!("POST {DEVICE}/{word}")]);
        assert!(server.requests()[1].body().is_empty(), "{tool}");
    }
}

#[test]
fn a_command_for_a_device_that_is_not_connected_is_refused_and_nothing_is_sent() {
    for (tool, arguments) in changes().into_iter().skip(2) {
        for state in ["disconnected", "connecting", "not_seen", "something-new"] {
            let server = only_looked_at(json!({ "connection_status": state, "online": state }));
            let fault = fault_of(server.call(tool, arguments.clone()));
            assert_eq!((fault.code.as_str(), fault.retryable), ("unavailable", true), "{tool} {state}");
            assert_eq!(fault.field.as_deref(), Some("/identifier"), "{tool}");
            assert!(fault.message.contains("Nothing was sent"), "{tool}: {fault}");
            assert_eq!(fault.details.unwrap()["connection_status"], state, "{tool}");
        }
    }
}

#[test]
fn tags_and_the_penalty_box_need_no_connection() {
    for (tool, arguments) in changes().into_iter().take(2) {
        let server = Played::new(|request| match request.method() {
            "DELETE" => Response::status(204),
            "PUT" => ok(device(json!({}))),
            _ => look(
                request,
                device(json!({ "connection_status": "disconnected", "online": "disconnected" })),
            ),
        });
        server.call(tool, arguments).unwrap();
    }
}

#[test]
fn a_device_of_another_product_is_never_changed() {
    for (tool, arguments) in changes() {
        let server = only_looked_at(json!({ "product_name": "turbine" }));
        let fault = fault_of(server.call(tool, arguments));
        assert_eq!((fault.code.as_str(), fault.field.as_deref()), ("unknown", Some("/product")), "{tool}");
    }
}

#[test]
fn a_device_whose_product_is_not_told_is_never_changed() {
    for (tool, arguments) in changes() {
        let fault = fault_of(only_looked_at(json!({ "product_name": null })).call(tool, arguments));
        assert_eq!(fault.code, "upstream", "{tool}");
        assert!(fault.message.contains("Nothing was changed"), "{tool}: {fault}");
    }
}

#[test]
fn a_deleted_device_is_never_changed() {
    for (tool, arguments) in changes() {
        let fault = fault_of(only_looked_at(json!({ "deleted": true })).call(tool, arguments));
        assert_eq!((fault.code.as_str(), fault.field.as_deref()), ("unknown", Some("/identifier")), "{tool}");
    }
}

#[test]
fn the_penalty_box_is_cleared_and_its_side_effect_is_said() {
    let server = Played::new(|request| {
        if request.method() == "DELETE" {
            return Response::status(204);
        }
        look(
            request,
            device(json!({ "updates_blocked_until": "2999-01-01T00:00:00Z", "updates_enabled": false })),
        )
    });
    let answer = server.call("clear_penalty_box", at()).unwrap();
    assert_eq!(answer["was_in_penalty_box"], true);
    assert_eq!(answer["was_blocked_until"], "2999-01-01T00:00:00Z");
    assert_eq!(answer["updates_were_enabled"], false);
    assert!(answer["effect"].as_str().unwrap().contains("updates_enabled is true"));
    assert_eq!(server.asked(), [format!("GET {PRODUCT}/devices"), format!("DELETE {DEVICE}/penalty")]);
}

#[test]
fn only_the_very_device_is_taken_out_of_the_penalty_box() {
    let server = Played::new(|request| {
        assert_eq!(request.method(), "GET", "something was changed");
        ok(json!([device(json!({ "identifier": "sn-10" })), device(json!({ "identifier": "SN-1" }))]))
    });
    let fault = fault_of(server.call("clear_penalty_box", at()));
    assert_eq!((fault.code.as_str(), fault.field.as_deref()), ("unknown", Some("/identifier")));
    assert_eq!(server.requests()[0].query("filters[identifier]").as_deref(), Some("sn-1"));
}

#[test]
fn a_device_that_is_lost_among_too_many_is_not_changed() {
    let server = Played::new(|request| {
        assert_eq!(request.method(), "GET", "something was changed");
        let pagination =
            json!({ "page_number": 1, "page_size": 100, "total_entries": 9000, "total_pages": 90 });
        Response::json(
            200,
            json!({ "data": [device(json!({ "identifier": "sn-10" }))], "pagination": pagination }),
        )
    });
    let fault = fault_of(server.call("clear_penalty_box", at()));
    assert_eq!((fault.code.as_str(), fault.retryable), ("upstream", false));
    assert_eq!(server.requests().len(), 5);
}

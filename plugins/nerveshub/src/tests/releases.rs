//! list_firmware, list_deployment_groups.

use fleetgate_sdk::prelude::*;

use super::{PRODUCT, Played, fault_of, ok};

fn at() -> Value {
    json!({ "org": "acme", "product": "kiosk" })
}

fn build(n: u32) -> Value {
    json!({
        "uuid": format!("d9f8c63a-1234-5678-abcd-{n:012}"), "version": format!("1.0.{n}"), "architecture": "arm",
        "platform": "rpi4", "author": "me", "product": "kiosk", "tool": "fwup"
    })
}

fn builds(number: u32) -> Played {
    let list: Vec<_> = (0..number).map(build).collect();
    Played::table([("GET", "/api/orgs/acme/products/kiosk/firmwares", ok(json!(list)))])
}

#[test]
fn firmware_is_listed_whole_where_it_is_short() {
    let answer = builds(2).call("list_firmware", at()).unwrap();
    assert_eq!(answer["firmware"], json!([build(0), build(1)]));
    assert_eq!((&answer["total"], &answer["truncated"]), (&json!(2), &json!(false)));
}

#[test]
fn a_long_list_is_cut_and_says_so() {
    let answer = builds(60).call("list_firmware", at()).unwrap();
    assert_eq!(answer["firmware"].as_array().unwrap().len(), 50);
    assert_eq!((&answer["total"], &answer["truncated"]), (&json!(60), &json!(true)));
    let answer =
        builds(60).call("list_firmware", json!({ "org": "acme", "product": "kiosk", "limit": 60 })).unwrap();
    assert_eq!(answer["truncated"], false);
}

#[test]
fn a_limit_out_of_range_is_refused_and_nothing_is_sent() {
    for limit in [0, 501] {
        let server = Played::new(|_| panic!("something was sent"));
        let arguments = json!({ "org": "acme", "product": "kiosk", "limit": limit });
        assert_eq!(fault_of(server.call("list_firmware", arguments)).field.as_deref(), Some("/limit"));
    }
}

#[test]
fn firmware_without_its_details_is_listed_and_without_its_uuid_refused() {
    let path = "/api/orgs/acme/products/kiosk/firmwares";
    let server = Played::table([("GET", path, ok(json!([{ "uuid": "u", "tool": null, "size": 7 }])))]);
    assert_eq!(server.call("list_firmware", at()).unwrap()["firmware"][0]["version"], Value::Null);
    let server = Played::table([("GET", path, ok(json!([{ "version": "1.0.0" }])))]);
    assert_eq!(fault_of(server.call("list_firmware", at())).code, "upstream");
}

#[test]
fn deployment_groups_come_with_their_conditions() {
    let group = json!({
        "name": "production", "is_active": true, "state": "on", "firmware_uuid": "d9f8", "archive_uuid": null,
        "current_release": {
            "number": 3, "inserted_at": "2026-01-01T00:00:00", "updated_at": "2026-01-01T00:00:00",
            "firmware": { "version": "1.0.0", "architecture": "arm", "platform": "rpi4", "uuid": "d9f8" }
        },
        "conditions": { "version": ">= 1.0.0", "tags": ["beta"], "tag_operator": "and" },
        "delta_updatable": false, "device_count": 42, "releases_count": 3, "notes": null
    });
    let server = Played::table([("GET", "/api/orgs/acme/products/kiosk/deployments", ok(json!([group])))]);
    let answer = server.call("list_deployment_groups", at()).unwrap();
    let group = &answer["deployment_groups"][0];
    assert_eq!(group["name"], "production");
    assert_eq!(
        group["conditions"],
        json!({ "version": ">= 1.0.0", "tags": ["beta"], "tag_operator": "and" })
    );
    assert_eq!(group["current_release"]["version"], "1.0.0");
    assert_eq!(group["current_release"]["number"], 3);
    assert_eq!(group["device_count"], 42);
    assert_eq!(server.asked(), [format!("GET {PRODUCT}/deployments")]);
}

#[test]
fn a_group_with_little_in_it_is_listed() {
    let group = json!({ "name": "old", "state": "off", "conditions": { "version": "", "tags": null } });
    let server = Played::table([("GET", "/api/orgs/acme/products/kiosk/deployments", ok(json!([group])))]);
    let answer = server.call("list_deployment_groups", at()).unwrap();
    let group = &answer["deployment_groups"][0];
    assert_eq!(group["is_active"], false);
    assert_eq!(group["conditions"], json!({ "version": null, "tags": [], "tag_operator": null }));
    assert_eq!(group["current_release"], Value::Null);
}

//! whoami, list_orgs, list_products.

use fleetgate_sdk::prelude::*;
use fleetgate_sdk::testing::Response;

use super::{Played, error, fault_of, ok};

#[test]
fn whoami_gives_the_user_behind_the_token() {
    let server =
        Played::table([("GET", "/api/users/me", ok(json!({ "name": "Ann", "email": "ann@example.com" })))]);
    let user = server.call("whoami", json!({})).unwrap();
    assert_eq!(user, json!({ "name": "Ann", "email": "ann@example.com" }));
}

#[test]
fn whoami_tolerates_more_and_less_than_was_promised() {
    let server =
        Played::table([("GET", "/api/users/me", ok(json!({ "id": 7, "email": "ann@example.com" })))]);
    assert_eq!(
        server.call("whoami", json!({})).unwrap(),
        json!({ "name": null, "email": "ann@example.com" })
    );
    let server = Played::table([("GET", "/api/users/me", ok(json!({ "id": 7 })))]);
    assert_eq!(fault_of(server.call("whoami", json!({}))).code, "upstream");
}

#[test]
fn a_bad_token_is_told_by_whoami_with_one_request() {
    let server = Played::table([("GET", "/api/users/me", error(401))]);
    let fault = fault_of(server.call("whoami", json!({})));
    assert_eq!(fault.code, "upstream");
    assert!(fault.message.contains("operator must replace the token"), "{fault}");
    assert_eq!(fault.details.unwrap()["status"], 401);
    assert_eq!(server.asked(), ["GET /api/users/me"]);
}

#[test]
fn list_orgs_gives_the_organizations() {
    let org =
        json!({ "name": "acme", "inserted_at": "2026-01-01T00:00:00", "updated_at": "2026-01-02T00:00:00" });
    let server = Played::table([("GET", "/api/orgs", ok(json!([org])))]);
    let answer = server.call("list_orgs", json!({})).unwrap();
    assert_eq!(answer["orgs"][0]["name"], "acme");
    assert_eq!(answer["orgs"][0]["products"], Value::Null);
    assert_eq!(server.requests()[0].query_string(), "");
}

#[test]
fn list_orgs_gives_products_when_asked() {
    let product = json!({
        "name": "kiosk", "require_unique_firmware_version": true, "allowed_update_tools": ["fwup"],
        "allow_unsigned_esp_idf_firmware": false
    });
    let server =
        Played::table([("GET", "/api/orgs", ok(json!([{ "name": "acme", "products": [product] }])))]);
    let answer = server.call("list_orgs", json!({ "include_products": true })).unwrap();
    assert_eq!(answer["orgs"][0]["products"][0], product);
    assert_eq!(server.requests()[0].query("include").as_deref(), Some("products"));
}

#[test]
fn no_organization_is_an_empty_list() {
    let server = Played::table([("GET", "/api/orgs", ok(json!([])))]);
    assert_eq!(server.call("list_orgs", json!({})).unwrap(), json!({ "orgs": [] }));
}

#[test]
fn list_products_gives_the_products() {
    let server =
        Played::table([("GET", "/api/orgs/acme/products", ok(json!([{ "name": "kiosk", "new": 1 }])))]);
    let answer = server.call("list_products", json!({ "org": "acme" })).unwrap();
    assert_eq!(answer["products"][0]["name"], "kiosk");
    assert_eq!(answer["products"][0]["allowed_update_tools"], json!([]));
    assert_eq!(answer["products"][0]["require_unique_firmware_version"], Value::Null);
}

#[test]
fn an_object_without_its_name_is_the_servers_mistake() {
    let server =
        Played::table([("GET", "/api/orgs", Response::json(200, json!({ "data": [{ "title": "acme" }] })))]);
    assert_eq!(fault_of(server.call("list_orgs", json!({}))).code, "upstream");
}

//! The objects have the keys of the contract, all of them and no others.

use fleet_sim::nerveshub::known;
use serde_json::{Value, json};

use crate::client::{Api, device, hub, product};

#[track_caller]
fn has_keys(object: &Value, keys: &[&str]) {
    let mut found: Vec<_> = object.as_object().expect("an object").keys().map(String::as_str).collect();
    let mut keys = keys.to_vec();
    found.sort_unstable();
    keys.sort_unstable();
    assert_eq!(found, keys);
}

/// `0` stands for a digit; everything else for itself.
#[track_caller]
fn looks_like(value: &Value, pattern: &str) {
    let text = value.as_str().expect("a text");
    let shape: String = text.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    assert_eq!(shape, pattern, "{text}");
}

#[tokio::test]
async fn a_device_has_the_keys_and_forms_of_the_contract() {
    let hub = hub().await;
    let view = Api::of(&hub, known::VIEW);
    let data = view.get(&device(known::KIOSK, known::CONNECTED)).await.data();
    has_keys(
        &data,
        &[
            "identifier",
            "description",
            "tags",
            "online",
            "connection_status",
            "firmware_metadata",
            "version",
            "deployment_group",
            "updates_enabled",
            "updates_blocked_until",
            "org_name",
            "product_name",
            "last_communication",
            "deleted",
        ],
    );
    let firmware = &data["firmware_metadata"];
    has_keys(
        firmware,
        &[
            "id",
            "uuid",
            "product",
            "version",
            "architecture",
            "platform",
            "author",
            "description",
            "fwup_version",
            "vcs_identifier",
            "misc",
        ],
    );
    has_keys(&data["deployment_group"], &["name", "is_active", "firmware_uuid", "firmware_version"]);
    assert_eq!(data["description"], "Lobby kiosk");
    assert_eq!(data["tags"], json!(["production", "berlin"]));
    assert_eq!((&data["org_name"], &data["product_name"]), (&json!("acme"), &json!("kiosk")));
    assert_eq!((&data["version"], &firmware["version"]), (&json!("2.0.3"), &json!("2.0.3")));
    assert_eq!(data["deployment_group"]["firmware_uuid"], firmware["uuid"]);
    assert_eq!((&data["deleted"], &data["updates_blocked_until"]), (&json!(false), &Value::Null));
    looks_like(&data["last_communication"], "0000-00-00 00:00:00.000000Z");
}

#[tokio::test]
async fn a_device_that_never_reported_has_the_empty_forms() {
    let hub = hub().await;
    let view = Api::of(&hub, known::VIEW);
    let data = view.get(&device(known::KIOSK, known::NEVER_SEEN)).await.data();
    assert_eq!(data["firmware_metadata"], Value::Null);
    assert_eq!(data["version"], "unknown");
    assert_eq!(data["deployment_group"], Value::Null);
    assert_eq!(data["tags"], Value::Null);
    assert_eq!(data["last_communication"], "never");
}

#[tokio::test]
async fn a_device_in_the_penalty_box_says_until_when() {
    let hub = hub().await;
    let view = Api::of(&hub, known::VIEW);
    let data = view.get(&device(known::KIOSK, known::PENALTY)).await.data();
    looks_like(&data["updates_blocked_until"], "0000-00-00T00:00:00Z");
    let until: jiff::Timestamp = data["updates_blocked_until"].as_str().unwrap().parse().unwrap();
    assert!(until > jiff::Timestamp::now());
    assert_eq!(data["updates_enabled"], false);
}

#[tokio::test]
async fn orgs_and_products_show_no_numbers_and_naive_times() {
    let hub = hub().await;
    let view = Api::of(&hub, known::VIEW);
    let org = &view.get("/api/orgs").await.data()[0];
    has_keys(org, &["name", "inserted_at", "updated_at"]);
    looks_like(&org["inserted_at"], "0000-00-00T00:00:00");
    let products = view.get("/api/orgs/acme/products").await.data();
    assert_eq!(
        products[0],
        json!({"name": "kiosk", "require_unique_firmware_version": true,
            "allowed_update_tools": ["fwup"], "allow_unsigned_esp_idf_firmware": false})
    );
    assert_eq!(products[1]["name"], "gateway");
    assert_eq!(view.get(&product(known::KIOSK)).await.data(), products[0]);
}

#[tokio::test]
async fn firmware_and_deployment_groups_have_the_keys_of_the_contract() {
    let hub = hub().await;
    let api = Api::of(&hub, known::NORTHWIND_MANAGE);
    let firmware = api.get(&format!("{}/firmwares", product(known::COLD_CHAIN))).await.data();
    has_keys(&firmware[0], &["uuid", "version", "architecture", "platform", "author", "product", "tool"]);
    assert_eq!(firmware[0]["product"], "cold-chain");
    let tools: Vec<_> =
        firmware.as_array().unwrap().iter().map(|row| row["tool"].as_str().unwrap()).collect();
    assert!(tools.contains(&"fwup") && tools.contains(&"esp-idf"));

    let view = Api::of(&hub, known::VIEW);
    let group = view.get(&format!("{}/deployments/production", product(known::KIOSK))).await.data();
    has_keys(
        &group,
        &[
            "name",
            "is_active",
            "state",
            "firmware_uuid",
            "archive_uuid",
            "current_release",
            "conditions",
            "delta_updatable",
            "device_count",
            "releases_count",
            "notes",
        ],
    );
    has_keys(&group["current_release"], &["number", "inserted_at", "updated_at", "firmware"]);
    has_keys(&group["current_release"]["firmware"], &["version", "architecture", "platform", "uuid"]);
    looks_like(&group["current_release"]["inserted_at"], "0000-00-00T00:00:00");
    assert_eq!(
        group["conditions"],
        json!({"version": ">= 1.0.0", "tags": ["production"], "tag_operator": "and"})
    );
    assert_eq!((&group["state"], &group["is_active"]), (&json!("on"), &json!(true)));
    let members = hub.state().devices_of(known::ACME, known::KIOSK.1).into_iter();
    let id = hub.state().deployment_groups(known::ACME, known::KIOSK.1)[0].id;
    let living = members.filter(|device| device.deployment == Some(id) && device.deleted_at.is_none());
    assert_eq!(group["device_count"], living.count());
}

#[tokio::test]
async fn a_script_in_a_list_is_short_and_alone_is_whole() {
    let hub = hub().await;
    let view = Api::of(&hub, known::VIEW);
    let scripts = format!("{}/scripts", product(known::KIOSK));
    let list = view.get(&format!("{scripts}?filters[name]=uptime")).await.data();
    assert_eq!(list, json!([{"id": 12, "name": "Uptime", "tags": ["diagnostics"]}]));
    let script = view.get(&format!("{scripts}/12")).await.data();
    has_keys(&script, &["id", "name", "tags", "text", "inserted_at", "updated_at", "created_by"]);
    has_keys(&script["created_by"], &["id", "name", "email"]);
    looks_like(&script["inserted_at"], "0000-00-00T00:00:00");
}

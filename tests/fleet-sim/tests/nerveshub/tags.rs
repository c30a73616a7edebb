//! `PUT` on a device: meant for tags, open for more.

use fleet_sim::nerveshub::known;
use fleet_sim::nerveshub::model::EventKind;
use serde_json::{Value, json};

use crate::client::{Api, device, hub};

#[tokio::test]
async fn tags_are_replaced_with_201_and_the_device_in_the_answer() {
    let hub = hub().await;
    let manage = Api::of(&hub, known::MANAGE);
    let path = device(known::KIOSK, known::CONNECTED);
    for (given, kept) in [
        (json!(["a", "b-c"]), json!(["a", "b-c"])),
        (json!("x, y ,,z"), json!(["x", "y", "z"])),
        (json!([]), json!([])),
        (Value::Null, Value::Null),
    ] {
        let answer = manage.put_json(&path, json!({"tags": given})).await;
        assert_eq!(answer.status, 201, "{given}");
        assert_eq!(answer.json()["data"]["tags"], kept, "{given}");
        assert_eq!(manage.get(&path).await.data(), answer.json()["data"]);
    }
    assert!(hub.state().audit().is_empty(), "no audit row for tags");
    assert!(hub.state().events().iter().all(|event| event.kind == EventKind::Updated));
    assert_eq!(hub.state().events().len(), 4);
}

#[tokio::test]
async fn a_nested_body_changes_nothing_and_still_succeeds() {
    let hub = hub().await;
    let manage = Api::of(&hub, known::MANAGE);
    let path = device(known::KIOSK, known::CONNECTED);
    let before = manage.get(&path).await.data();
    let answer = manage.put_json(&path, json!({"device": {"tags": ["nested"]}})).await;
    assert_eq!((answer.status.as_u16(), &answer.json()["data"]), (201, &before));
}

#[tokio::test]
async fn a_client_that_sends_more_than_tags_changes_more_than_tags() {
    let hub = hub().await;
    let manage = Api::of(&hub, known::MANAGE);
    let path = device(known::KIOSK, known::CONNECTED);
    let answer = manage
        .put_json(
            &path,
            json!({
                "tags": ["a"], "description": "overwritten", "updates_enabled": false, "deployment_id": null,
                "identifier": "renamed", "no_such_field": 1, "product_name": "gateway",
                "updates_blocked_until": "2031-01-02T03:04:05.678Z",
                "firmware_metadata": {"version": "0.0.1"},
            }),
        )
        .await;
    assert_eq!(answer.status, 201, "{answer:?}");
    let data = &answer.json()["data"];
    assert_eq!(data["description"], "overwritten");
    assert_eq!(data["updates_enabled"], false);
    assert_eq!(data["deployment_group"], Value::Null);
    assert_eq!(data["updates_blocked_until"], "2031-01-02T03:04:05Z");
    assert_eq!((&data["version"], &data["firmware_metadata"]["platform"]), (&json!("0.0.1"), &json!("rpi4")));
    assert_eq!(data["identifier"], known::CONNECTED, "the path's identifier wins over the body's");
    assert_eq!(data["product_name"], "kiosk");
}

#[tokio::test]
async fn a_query_is_as_good_as_a_body() {
    let hub = hub().await;
    let manage = Api::of(&hub, known::MANAGE);
    let path = format!("{}?description=from%20the%20query", device(known::KIOSK, known::CONNECTED));
    let data = manage.put_json(&path, json!({"tags": ["a"]})).await.json()["data"].clone();
    assert_eq!((&data["description"], &data["tags"]), (&json!("from the query"), &json!(["a"])));
}

#[tokio::test]
async fn a_device_can_be_deleted_moved_and_brought_back_by_accident() {
    let hub = hub().await;
    let manage = Api::of(&hub, known::MANAGE);
    let path = device(known::KIOSK, known::CONNECTED);
    let gone = manage.put_json(&path, json!({"deleted_at": "2026-01-01T00:00:00"})).await;
    assert_eq!(gone.json()["data"]["deleted"], true);
    let back = manage.put_json(&path, json!({"deleted_at": null})).await;
    assert_eq!((back.status.as_u16(), &back.json()["data"]["deleted"]), (201, &json!(false)));
    let gateway = hub.state().devices_of(known::ACME, known::GATEWAY.1)[0].product;
    let moved = manage.put_json(&path, json!({"product_id": gateway})).await;
    assert_eq!(moved.json()["data"]["product_name"], "gateway");
}

#[tokio::test]
async fn values_of_the_wrong_type_are_refused_by_field() {
    let hub = hub().await;
    let manage = Api::of(&hub, known::MANAGE);
    let path = device(known::KIOSK, known::CONNECTED);
    for (body, errors) in [
        (json!({"description": 5}), json!({"description": ["is invalid"]})),
        (json!({"updates_enabled": "perhaps"}), json!({"updates_enabled": ["is invalid"]})),
        (json!({"deleted_at": "yesterday"}), json!({"deleted_at": ["is invalid"]})),
        (json!({"status": "gone"}), json!({"status": ["is invalid"]})),
        (json!({"org_id": null}), json!({"org_id": ["can't be blank"]})),
        (
            json!({"firmware_metadata": 1, "update_attempts": "x"}),
            json!({"firmware_metadata": ["is invalid"], "update_attempts": ["is invalid"]}),
        ),
    ] {
        let answer = manage.put_json(&path, body.clone()).await;
        assert_eq!((answer.status.as_u16(), answer.json()), (422, json!({"errors": errors})), "{body}");
    }
    for body in [json!({"deployment_id": 999}), json!({"product_id": 999}), json!({"updates_enabled": null})]
    {
        assert_eq!(manage.put_json(&path, body.clone()).await.status, 500, "{body}");
    }
    assert!(hub.state().events().is_empty());
}

#[tokio::test]
async fn an_identifier_in_two_orgs_is_updated_and_answered_500() {
    let hub = hub().await;
    let manage = Api::of(&hub, known::MANAGE);
    let answer = manage.put_json(&device(known::KIOSK, known::SHARED), json!({"tags": ["changed"]})).await;
    assert_eq!(answer.status, 500);
    let tags = |org: &str| hub.state().device(org, known::SHARED).unwrap().tags.unwrap();
    assert_eq!(tags(known::ACME), ["changed"]);
    assert_ne!(tags(known::ROBOTICS), ["changed"]);
}

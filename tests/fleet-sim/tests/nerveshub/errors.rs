//! The error table, row by row, as far as other files have not shown it.

use fleet_sim::nerveshub::known;
use reqwest::Method;
use serde_json::json;

use crate::client::{Api, device, hub, product};

const HIDDEN: &str = "Resource Not Found or Authorization Insufficient";
const FAULT: &str = "Sorry, an unexpected error occurred. The masters of the web have been notified.";

#[tokio::test]
async fn what_does_not_exist_is_404() {
    let hub = hub().await;
    let admin = Api::of(&hub, known::ADMIN);
    let kiosk = product(known::KIOSK);
    for path in [
        "/api/orgs/no-such-org/products".to_owned(),
        product((known::ACME, "no-such-product")),
        device(known::KIOSK, "no-such-device"),
        "/api/devices/no-such-device".to_owned(),
        format!("{kiosk}/firmwares/6fd2bbc8-52b8-4826-8c2a-189968d0de23"),
        format!("{kiosk}/deployments/no-such-group"),
        format!("{kiosk}/scripts/999"),
        format!("{kiosk}/scripts/Uptime"),
        "/api/no/such/route".to_owned(),
    ] {
        admin.get(&path).await.refused(404, HIDDEN);
    }
    admin.send(admin.request(Method::PATCH, "/api/orgs")).await.refused(404, HIDDEN);
}

#[tokio::test]
async fn malformed_json_is_400_in_the_form_the_client_accepts() {
    let hub = hub().await;
    let manage = Api::of(&hub, known::MANAGE);
    let path = device(known::KIOSK, known::CONNECTED);
    let broken = |accept: &str| {
        manage
            .request(Method::PUT, &path)
            .header("accept", accept)
            .header("content-type", "application/json")
            .body(r#"{"tags":["#)
    };
    manage.send(broken("application/json")).await.refused(400, "Invalid request");

    let plain = reqwest::Client::new().put(format!("{}{path}", hub.url()));
    let plain = plain.header("content-type", "application/json").body("{").send().await.unwrap();
    assert_eq!(plain.status(), 400);
    assert!(plain.headers()["content-type"].to_str().unwrap().starts_with("text/html"));
}

#[tokio::test]
async fn a_query_with_a_broken_percent_sequence_is_400() {
    let hub = hub().await;
    let view = Api::of(&hub, known::VIEW);
    view.get(&format!("{}/devices?sort=%zz", product(known::KIOSK))).await.refused(400, "Invalid request");
}

#[tokio::test]
async fn a_body_without_its_required_key_is_400() {
    let hub = hub().await;
    let manage = Api::of(&hub, known::MANAGE);
    let device = device(known::KIOSK, known::CONNECTED);
    manage.post_json(&format!("{device}/upgrade"), json!({})).await.refused(400, "Invalid request");
    manage.post(&format!("{device}/upgrade")).await.refused(400, "Invalid request");
    let untyped = manage.request(Method::POST, &format!("{device}/upgrade")).body(r#"{"uuid":"x"}"#);
    manage.send(untyped).await.refused(400, "Invalid request");
    let code = manage.post_json(&format!("{device}/code"), json!({})).await;
    code.refused(400, "invalid request: code or body parameter required");
}

#[tokio::test]
async fn a_filter_value_that_cannot_be_cast_is_400() {
    let hub = hub().await;
    let view = Api::of(&hub, known::VIEW);
    for filter in ["connection=foo", "health_status=sick", "deployment_id=production"] {
        let (key, value) = filter.split_once('=').unwrap();
        let answer = view.get(&format!("{}/devices?filters[{key}]={value}", product(known::KIOSK))).await;
        assert_eq!(answer.status, 400, "{filter}");
        assert!(answer.json()["errors"]["detail"].as_str().unwrap().contains(value), "{filter}");
    }
}

#[tokio::test]
async fn unknown_keys_enums_and_pages_are_500_even_for_a_product_without_devices() {
    let hub = hub().await;
    for (handle, home) in [(known::VIEW, known::KIOSK), (known::NORTHWIND_MANAGE, known::EMPTY)] {
        let api = Api::of(&hub, handle);
        for query in [
            "filters[no_such_filter]=x",
            "filters[no_such_filter]=",
            "filters=x",
            "filters[updates]=sometimes",
            "filters[connection_type]=pigeon",
            "filters[metrics_key]=cpu_temp&filters[metrics_operator]=gt&filters[metrics_value]=hot",
            "filters[metrics_key]=cpu_temp&filters[metrics_operator]=eq&filters[metrics_value]=1",
            "sort=no_such_column",
            "sort=online",
            "sort=",
            "sort=identifier&sort_direction=up",
            "sort=connection_last_seen_at&sort_direction=asc_nulls_first",
            "pagination[page]=two",
            "pagination[page]=1.5",
            "pagination[page]=0",
            "pagination[page]=",
            "pagination[page_size]=many",
            "pagination[page_size]=-1",
        ] {
            let answer = api.get(&format!("{}/devices?{query}", product(home))).await;
            assert_eq!(answer.status, 500, "{query}");
            answer.refused(500, FAULT);
        }
    }
}

#[tokio::test]
async fn a_tag_with_a_space_is_422_by_field() {
    let hub = hub().await;
    let manage = Api::of(&hub, known::MANAGE);
    let path = device(known::KIOSK, known::CONNECTED);
    for tags in [json!(["good", "not good"]), json!("good, not good")] {
        let answer = manage.put_json(&path, json!({"tags": tags})).await;
        assert_eq!(answer.status, 422);
        assert_eq!(answer.json(), json!({"errors": {"tags": ["tags cannot contain spaces"]}}));
    }
    for tags in [json!(7), json!([1, 2]), json!({"a": 1})] {
        let answer = manage.put_json(&path, json!({"tags": tags})).await;
        assert_eq!(
            (answer.status.as_u16(), answer.json()),
            (422, json!({"errors": {"tags": ["is invalid"]}}))
        );
    }
    assert!(hub.state().events().is_empty());
}

#[tokio::test]
async fn a_soft_deleted_device_shows_but_takes_no_update() {
    let hub = hub().await;
    let manage = Api::of(&hub, known::MANAGE);
    let path = device(known::KIOSK, known::DELETED);
    assert_eq!(manage.get(&path).await.data()["deleted"], true);

    let put = manage.put_json(&path, json!({"tags": ["x"]})).await;
    assert_eq!(put.status, 422);
    assert_eq!(put.json(), json!({"errors": {"deleted_at": ["cannot update while marked as deleted"]}}));

    manage.delete(&format!("{path}/penalty")).await.refused(500, FAULT);
    let uuid = hub.state().firmware(known::ACME, "kiosk")[0].uuid.clone();
    manage.post_json(&format!("{path}/upgrade"), json!({"uuid": uuid})).await.refused(500, FAULT);
    assert!(hub.state().update_in_flight(known::ACME, known::DELETED).is_none());
}

#[tokio::test]
async fn health_needs_no_token() {
    let hub = hub().await;
    let alive = Api::with(&hub, None).get("/status/alive").await;
    assert_eq!((alive.status.as_u16(), alive.text.as_str()), (200, "Hello, Friend!"));
}

#[tokio::test]
async fn there_is_no_way_to_look_inside_over_http() {
    let hub = hub().await;
    let admin = Api::of(&hub, known::ADMIN);
    for path in ["/api/_requests", "/api/_state", "/_requests", "/api/_faults"] {
        admin.get(path).await.refused(404, HIDDEN);
    }
}

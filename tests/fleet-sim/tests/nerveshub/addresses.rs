//! How devices and products are addressed: long and short, odd characters, and the unchecked product.

use fleet_sim::nerveshub::known;

use crate::client::{Api, device, hub, product, segment};

const HIDDEN: &str = "Resource Not Found or Authorization Insufficient";
const FAULT: &str = "Sorry, an unexpected error occurred. The masters of the web have been notified.";

#[tokio::test]
async fn names_and_identifiers_with_any_character_are_reached_percent_encoded() {
    let hub = hub().await;
    let view = Api::of(&hub, known::VIEW);
    for identifier in [known::SLASH, known::PERCENT, known::RESERVED, known::UNICODE] {
        for path in [device(known::KIOSK, identifier), format!("/api/devices/{}", segment(identifier))] {
            assert_eq!(view.get(&path).await.data()["identifier"], identifier, "{path}");
        }
        let reboot = format!("{}/reboot", device(known::KIOSK, identifier));
        Api::of(&hub, known::MANAGE).post(&reboot).await.empty();
        assert_eq!(hub.state().events().pop().unwrap().device, identifier);
    }
    let robotics = Api::of(&hub, known::ROBOTICS_ADMIN);
    for home in [known::KIOSK_V2, known::LAB] {
        assert_eq!(robotics.get(&product(home)).await.data()["name"], home.1);
        assert!(!robotics.get(&format!("{}/devices", product(home))).await.identifiers().is_empty());
    }
}

#[tokio::test]
async fn a_slash_that_is_not_encoded_is_another_route() {
    let hub = hub().await;
    let view = Api::of(&hub, known::VIEW);
    view.get(&format!("{}/devices/sn/0001", product(known::KIOSK))).await.refused(404, HIDDEN);
}

#[tokio::test]
async fn doubled_and_trailing_slashes_mean_nothing() {
    let hub = hub().await;
    let view = Api::of(&hub, known::VIEW);
    assert_eq!(view.get("//api///orgs/").await.names(), [known::ACME]);
    assert!(view.get("/api/orgs//products").await.status == 404);
}

#[tokio::test]
async fn the_short_form_finds_a_device_of_any_of_the_callers_orgs() {
    let hub = hub().await;
    let short = format!("/api/devices/{}", known::SHARED);
    let of = async |handle: &str| Api::of(&hub, handle).get(&short).await;
    assert_eq!(of(known::VIEW).await.data()["org_name"], known::ACME);
    assert_eq!(of(known::ROBOTICS_ADMIN).await.data()["org_name"], known::ROBOTICS);
    of(known::NORTHWIND_MANAGE).await.refused(404, HIDDEN);
}

#[tokio::test]
async fn the_short_form_fails_where_two_of_the_callers_orgs_have_the_identifier() {
    let hub = hub().await;
    let both = Api::of(&hub, known::BOTH);
    let short = format!("/api/devices/{}", known::SHARED);
    both.get(&short).await.refused(500, FAULT);
    both.post(&format!("{short}/reboot")).await.refused(500, FAULT);
    assert!(hub.state().events().is_empty());
    for home in [known::KIOSK, known::KIOSK_V2] {
        assert_eq!(both.get(&device(home, known::SHARED)).await.data()["product_name"], home.1);
    }
}

#[tokio::test]
async fn the_product_has_to_exist_but_need_not_be_the_devices() {
    let hub = hub().await;
    let view = Api::of(&hub, known::VIEW);
    let elsewhere = view.get(&device(known::GATEWAY, known::CONNECTED)).await.data();
    assert_eq!(elsewhere["product_name"], known::KIOSK.1);
    view.get(&device((known::ACME, "no-such-product"), known::CONNECTED)).await.refused(404, HIDDEN);
    view.get(&device((known::ACME, known::KIOSK_V2.1), known::CONNECTED)).await.refused(404, HIDDEN);
}

#[tokio::test]
async fn the_short_form_has_no_update_and_the_long_form_no_list_of_scripts() {
    let hub = hub().await;
    let manage = Api::of(&hub, known::MANAGE);
    let short = format!("/api/devices/{}", known::CONNECTED);
    manage.put_json(&short, serde_json::json!({"tags": []})).await.refused(404, HIDDEN);
    let long = format!("{}/scripts", device(known::KIOSK, known::CONNECTED));
    manage.get(&long).await.refused(404, HIDDEN);
}

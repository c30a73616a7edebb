//! Lists: pages, order, and the lists that have neither.

use fleet_sim::nerveshub::{Running, known};
use serde_json::json;

use crate::client::{Api, hub, product};

/// The identifiers of live devices of a product, in bytewise order.
fn living(hub: &Running, (org, product): (&str, &str)) -> Vec<String> {
    let devices = hub.state().devices_of(org, product).into_iter();
    let mut names: Vec<_> =
        devices.filter(|device| device.deleted_at.is_none()).map(|device| device.identifier).collect();
    names.sort();
    names
}

#[tokio::test]
async fn devices_come_ten_to_a_page_by_identifier_without_the_deleted() {
    let hub = hub().await;
    let view = Api::of(&hub, known::VIEW);
    let all = living(&hub, known::KIOSK);
    let first = view.get(&format!("{}/devices", product(known::KIOSK))).await;
    assert_eq!(first.identifiers(), all[..10]);
    let pages = all.len().div_ceil(10);
    assert_eq!(
        first.json()["pagination"],
        json!({"page_number": 1, "page_size": 10, "total_entries": all.len(), "total_pages": pages})
    );
    assert!(!all.iter().any(|name| name == known::DELETED));
}

#[tokio::test]
async fn walking_the_pages_meets_every_device_once() {
    let hub = hub().await;
    let view = Api::of(&hub, known::VIEW);
    let mut met = Vec::new();
    for page in 1.. {
        let query = format!("pagination%5Bpage%5D={page}&pagination%5Bpage_size%5D=17");
        let answer = view.get(&format!("{}/devices?{query}", product(known::GATEWAY))).await;
        let identifiers = answer.identifiers();
        assert_eq!(answer.json()["pagination"]["page_number"], page);
        if identifiers.is_empty() {
            break;
        }
        met.extend(identifiers);
    }
    assert_eq!(met, living(&hub, known::GATEWAY));
}

#[tokio::test]
async fn a_page_may_be_as_large_as_the_fleet_and_an_empty_product_has_no_page() {
    let hub = hub().await;
    let view = Api::of(&hub, known::VIEW);
    let all = view.get(&format!("{}/devices?pagination[page_size]=100000", product(known::KIOSK))).await;
    assert_eq!(all.identifiers(), living(&hub, known::KIOSK));
    let northwind = Api::of(&hub, known::NORTHWIND_MANAGE);
    let none = northwind.get(&format!("{}/devices", product(known::EMPTY))).await;
    assert_eq!(
        none.json(),
        json!({"data": [], "pagination":
            {"page_number": 1, "page_size": 10, "total_entries": 0, "total_pages": 0}})
    );
}

#[tokio::test]
async fn scripts_come_twenty_five_to_a_page_by_name() {
    let hub = hub().await;
    let view = Api::of(&hub, known::VIEW);
    let mut names: Vec<_> =
        hub.state().scripts(known::ACME, known::KIOSK.1).into_iter().map(|script| script.name).collect();
    names.sort();
    let scripts = format!("{}/scripts", product(known::KIOSK));
    let first = view.get(&scripts).await;
    assert_eq!(first.names(), names[..25]);
    assert_eq!(first.json()["pagination"]["page_size"], 25);
    assert_eq!(first.json()["pagination"]["total_entries"], names.len());
    assert_eq!(view.get(&format!("{scripts}?pagination[page]=2")).await.names(), names[25..]);
    let of_device = format!("/api/devices/{}/scripts", known::CONNECTED);
    assert_eq!(view.get(&of_device).await.json(), first.json());
}

#[tokio::test]
async fn sort_takes_a_column_and_a_direction() {
    let hub = hub().await;
    let view = Api::of(&hub, known::VIEW);
    let sorted = async |query: &str| {
        let query = format!("{query}&pagination[page_size]=1000");
        view.get(&format!("{}/devices?{query}", product(known::KIOSK)))
            .await
            .data()
            .as_array()
            .unwrap()
            .clone()
    };
    let mut expected = living(&hub, known::KIOSK);
    expected.reverse();
    let names: Vec<_> = sorted("sort=identifier&sort_direction=desc").await;
    let names: Vec<_> =
        names.iter().map(|device| device["identifier"].as_str().unwrap().to_owned()).collect();
    assert_eq!(names, expected);
    let enabled = sorted("sort=updates_enabled").await;
    let flags: Vec<_> = enabled.iter().map(|device| device["updates_enabled"].as_bool().unwrap()).collect();
    assert!(flags.is_sorted() && !flags[0] && flags[flags.len() - 1]);
}

#[tokio::test]
async fn sort_by_connection_is_the_wrong_way_round() {
    let hub = hub().await;
    let view = Api::of(&hub, known::VIEW);
    let seen = async |direction: &str| {
        let query =
            format!("sort=connection_last_seen_at&sort_direction={direction}&pagination[page_size]=1000");
        let data = view.get(&format!("{}/devices?{query}", product(known::KIOSK))).await.data();
        let list = data.as_array().unwrap().iter();
        list.map(|device| device["last_communication"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let ascending = seen("asc").await;
    let known: Vec<_> = ascending.iter().take_while(|at| *at != "never").collect();
    assert!(known.len() > 100 && known.iter().rev().is_sorted(), "asc is newest first");
    assert!(ascending[known.len()..].iter().all(|at| at == "never"));
    assert!(known.len() < ascending.len());
    let mut descending = seen("desc").await;
    descending.reverse();
    let without = |list: &[String]| list.iter().filter(|at| *at != "never").cloned().collect::<Vec<_>>();
    assert_eq!(without(&descending), without(&ascending));
    assert_eq!(descending[descending.len() - 1], "never", "desc has the unseen first");
}

#[tokio::test]
async fn orgs_can_bring_their_products() {
    let hub = hub().await;
    let both = Api::of(&hub, known::BOTH);
    let plain = both.get("/api/orgs?include=members").await.data();
    assert!(plain[0].get("products").is_none());
    let full = both.get("/api/orgs?include=members,%20products").await.data();
    assert_eq!(full[1]["name"], known::ROBOTICS);
    assert_eq!(full[1]["products"][0]["name"], known::KIOSK_V2.1);
}

#[tokio::test]
async fn firmware_is_newest_version_first_and_not_paginated() {
    let hub = hub().await;
    let view = Api::of(&hub, known::VIEW);
    let firmwares = format!("{}/firmwares", product(known::GATEWAY));
    let answer = view.get(&format!("{firmwares}?pagination[page_size]=1")).await;
    let data = answer.data();
    let versions: Vec<_> =
        data.as_array().unwrap().iter().map(|row| row["version"].as_str().unwrap()).collect();
    assert_eq!(versions, ["4.10.0", "4.10.0", "4.9.1", "4.9.1", "4.9.0", "4.9.0", "3.14.2", "3.14.2"]);
    assert!(answer.json().get("pagination").is_none());
    let one = view.get(&format!("{firmwares}/{}", data[0]["uuid"].as_str().unwrap())).await.data();
    assert_eq!(one, data[0]);
}

#[tokio::test]
async fn deployment_groups_come_by_name_and_one_by_one() {
    let hub = hub().await;
    let view = Api::of(&hub, known::VIEW);
    let groups = format!("{}/deployments", product(known::KIOSK));
    let answer = view.get(&groups).await;
    assert_eq!(answer.names(), ["beta", "production", "retired / lobby #1", "x86 signage"]);
    let one = view.get(&format!("{groups}/{}", crate::client::segment("retired / lobby #1"))).await.data();
    assert_eq!(one, answer.data()[2]);
}

//! The fleet itself: large, varied, and the same for the same number.

use std::collections::HashSet;

use fleet_sim::nerveshub::{Hub, Seed, known};

use crate::client::{Api, device, hub, product};

#[tokio::test]
async fn there_are_more_than_four_hundred_devices_in_three_orgs() {
    let hub = hub().await;
    let devices: Vec<_> = [known::ACME, known::ROBOTICS, known::NORTHWIND]
        .into_iter()
        .flat_map(|org| {
            let devices = hub.state().devices(org);
            assert!(devices.len() > 50, "{org}");
            let names: HashSet<_> = devices.iter().map(|device| device.identifier.clone()).collect();
            assert_eq!(names.len(), devices.len(), "identifiers are unique in {org}");
            devices
        })
        .collect();
    assert!(devices.len() > 400, "{}", devices.len());
    let mut states: Vec<_> = devices.iter().map(|device| device.connection_status()).collect();
    states.sort_unstable();
    states.dedup();
    assert_eq!(states, ["connected", "connecting", "disconnected", "not_seen"]);
    for mood in ["healthy", "warning", "unhealthy", "unknown"] {
        let some = devices.iter().any(|device| device.health.as_ref().is_some_and(|h| h.status == mood));
        assert!(some, "{mood}");
    }
    assert!(devices.iter().any(|device| device.tags.is_none()));
    assert!(devices.iter().any(|device| device.tags.as_ref().is_some_and(Vec::is_empty)));
    assert!(devices.iter().filter(|device| device.updates_blocked_until.is_some()).count() > 3);
    assert!(hub.state().devices_of(known::NORTHWIND, known::EMPTY.1).is_empty());
}

#[tokio::test]
async fn one_number_is_one_fleet_and_another_number_another() {
    let now = Some("2026-08-20T10:00:00Z".parse().unwrap());
    let list = async |number: u64| {
        let hub = Hub::start(Seed { number, now, ..Seed::default() }).await;
        let path = format!("{}/devices?pagination[page_size]=500", product(known::COLD_CHAIN));
        (Api::of(&hub, known::NORTHWIND_MANAGE).get(&path).await.text, hub.tokens().clone())
    };
    assert_eq!(list(7).await, list(7).await);
    let (one, other) = (list(7).await, list(8).await);
    assert_ne!(one.0, other.0);
    assert_ne!(one.1, other.1);
}

#[tokio::test]
async fn the_named_devices_are_what_their_names_say() {
    let hub = hub().await;
    let view = Api::of(&hub, known::VIEW);
    for (identifier, status) in [
        (known::CONNECTED, "connected"),
        (known::OFFLINE, "disconnected"),
        (known::CONNECTING, "connecting"),
        (known::NEVER_SEEN, "not_seen"),
        (known::HUNG, "connected"),
        (known::FORGOTTEN, "not_seen"),
        (known::STALE, "disconnected"),
    ] {
        let data = view.get(&device(known::KIOSK, identifier)).await.data();
        assert_eq!(
            (&data["connection_status"], &data["online"]),
            (&status.into(), &status.into()),
            "{identifier}"
        );
    }
    assert!(hub.state().update_in_flight(known::ACME, known::UPDATING).is_some());
    assert!(hub.state().update_in_flight(known::ACME, known::CONNECTED).is_none());
    let homebrew = view.get(&device(known::KIOSK, known::HOMEBREW)).await.data();
    let uploaded = hub.state().firmware(known::ACME, known::KIOSK.1);
    assert!(uploaded.iter().all(|firmware| firmware.version != homebrew["version"]));
}

#[tokio::test]
async fn a_stopped_hub_is_gone() {
    let hub = hub().await;
    let api = Api::of(&hub, known::VIEW);
    let (address, url) = (hub.address(), hub.url());
    assert_eq!(url, format!("http://{address}"));
    api.get("/api/orgs").await.data();
    hub.stop().await;
    assert!(tokio::net::TcpStream::connect(address).await.is_err());
    assert!(api.request(reqwest::Method::GET, "/api/orgs").send().await.is_err());
}

#[tokio::test]
async fn the_journal_has_each_request_as_it_came() {
    let hub = hub().await;
    let manage = Api::of(&hub, known::MANAGE);
    hub.forget_requests();
    let path = device(known::KIOSK, known::SLASH);
    manage.put_json(&path, serde_json::json!({"tags": ["a"]})).await;
    manage.get(&format!("{path}?x=%20y")).await;
    let [put, get] = hub.requests().try_into().unwrap();
    assert_eq!((put.method.as_str(), put.path.as_str(), put.status), ("PUT", path.as_str(), Some(201)));
    assert_eq!(put.json().unwrap(), serde_json::json!({"tags": ["a"]}));
    assert_eq!(put.header("Authorization").unwrap(), format!("Bearer {}", hub.token(known::MANAGE)));
    assert_eq!((get.query.as_str(), get.body.len(), get.status), ("x=%20y", 0, Some(200)));
}

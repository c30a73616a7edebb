//! get_product_summary: numbers from many small questions.

use fleetgate_sdk::prelude::*;
use fleetgate_sdk::testing::{Harness, Request, Response};

use super::{PRODUCT, Played, device, error, fault_of, ok};

fn at() -> Value {
    json!({ "org": "acme", "product": "kiosk" })
}

/// A page of a list whose length is told.
fn page(data: Vec<Value>, page: u64, page_size: u64, total: u64) -> Response {
    let pages = total.div_ceil(page_size);
    let pagination =
        json!({ "page_number": page, "page_size": page_size, "total_entries": total, "total_pages": pages });
    Response::json(200, json!({ "data": data, "pagination": pagination }))
}

/// How many devices of a fleet of `total` a filter leaves; without a filter, all of them.
fn count(request: &Request, total: u64) -> u64 {
    let value = |key: &str| request.query(&format!("filters[{key}]"));
    match (value("connection"), value("updates"), value("health_status"), value("firmware_version")) {
        (Some(state), ..) => match state.as_str() {
            "connected" => total / 2,
            "connecting" => 1,
            "disconnected" => total / 3,
            "not_seen" => 2,
            "not_seen_in_seven_days" => 4,
            _ => 3,
        },
        (_, Some(state), ..) => {
            if state == "disabled" {
                5
            } else {
                6
            }
        }
        (_, _, Some(state), _) => match state.as_str() {
            "healthy" => 7,
            "warning" => 8,
            "unhealthy" => 9,
            _ => 10,
        },
        (.., Some(version)) => {
            if version == "1.0.0" {
                1500
            } else {
                400
            }
        }
        _ => total,
    }
}

/// A fleet of which every third device runs 1.1.0, the last one has reported nothing, and the others run 1.0.0.
fn fleet(total: u64) -> impl Fn(&Request) -> Response {
    move |request| {
        let number = |key: &str| request.query(key).unwrap().parse::<u64>().unwrap();
        let (at, size) = (number("pagination[page]"), number("pagination[page_size]"));
        let total = count(request, total);
        if size == 1 {
            return page(vec![device(json!({}))], at, size, total);
        }
        let devices = ((at - 1) * size..(at * size).min(total)).map(|n| {
            let version = if n + 1 == total {
                "unknown"
            } else if n % 3 == 0 {
                "1.1.0"
            } else {
                "1.0.0"
            };
            device(json!({ "identifier": format!("sn-{n:05}"), "version": version }))
        });
        page(devices.collect(), at, size, total)
    }
}

#[test]
fn a_small_fleet_is_counted_and_read() {
    let server = Played::new(fleet(250));
    let answer = server.call("get_product_summary", at()).unwrap();
    let devices = json!({
        "total": 250, "connected": 125, "offline": 125, "connecting": 1, "disconnected": 83, "never_seen": 2,
        "not_seen_in_seven_days": 4, "not_seen_in_fourteen_days": 3
    });
    assert_eq!(answer["devices"], devices);
    assert_eq!(answer["updates"], json!({ "disabled": 5, "in_penalty_box": 6 }));
    assert_eq!(answer["health"], json!({ "healthy": 7, "warning": 8, "unhealthy": 9, "unknown": 10 }));
    let firmware = json!({
        "method": "every_device",
        "versions": [{ "version": "1.0.0", "devices": 166 }, { "version": "1.1.0", "devices": 83 }],
        "unreported_devices": 1, "other_devices": 0, "complete": true, "note": null
    });
    assert_eq!(answer["firmware"], firmware);
    assert_eq!(answer["missing"], json!([]));
    assert_eq!(server.requests().len(), 13 + 3);
    assert_eq!(server.host().progress().len(), 3);
}

#[test]
fn an_empty_product_is_all_zero_and_needs_no_page() {
    let server = Played::new(|_| page(Vec::new(), 1, 1, 0));
    let answer = server.call("get_product_summary", at()).unwrap();
    assert_eq!(answer["devices"]["total"], 0);
    assert_eq!(answer["devices"]["offline"], 0);
    assert_eq!(answer["firmware"]["complete"], true);
    assert_eq!(answer["firmware"]["versions"], json!([]));
    assert_eq!(server.requests().len(), 13);
}

#[test]
fn a_large_fleet_is_counted_by_uploaded_version_and_the_rest_is_said() {
    let server = Played::new(|request| {
        if request.path() == format!("{PRODUCT}/firmwares") {
            let build = |version: &str, platform: &str| json!({ "uuid": "u", "version": version, "platform": platform });
            return ok(json!([build("1.1.0", "a"), build("1.0.0", "a"), build("1.0.0", "b")]));
        }
        fleet(2001)(request)
    });
    let answer = server.call("get_product_summary", at()).unwrap();
    let firmware = &answer["firmware"];
    assert_eq!(firmware["method"], "uploaded_versions");
    let versions = json!([{ "version": "1.0.0", "devices": 1500 }, { "version": "1.1.0", "devices": 400 }]);
    assert_eq!(firmware["versions"], versions);
    assert_eq!((&firmware["other_devices"], &firmware["complete"]), (&json!(101), &json!(false)));
    assert!(firmware["note"].as_str().unwrap().contains("101 devices"));
    assert_eq!(server.requests().len(), 13 + 1 + 2);
}

#[test]
fn more_versions_than_are_counted_are_said() {
    let server = Played::new(|request| {
        if request.path() == format!("{PRODUCT}/firmwares") {
            let builds: Vec<_> =
                (0..50).map(|n| json!({ "uuid": "u", "version": format!("9.0.{n}") })).collect();
            return ok(json!(builds));
        }
        fleet(100_000)(request)
    });
    let answer = server.call("get_product_summary", at()).unwrap();
    let note = answer["firmware"]["note"].as_str().unwrap();
    assert!(note.contains("newest 40 of 50 versions"), "{note}");
    assert_eq!(answer["firmware"]["complete"], false);
    assert_eq!(server.requests().len(), 13 + 1 + 40);
}

#[test]
fn with_the_time_running_out_what_is_there_is_given_and_the_cut_is_said() {
    let host = Harness::new().granted("http.api").deadline(std::time::Duration::from_secs(5));
    let server = Played::with(host, fleet(250));
    let answer = server.call("get_product_summary", at()).unwrap();
    assert_eq!(answer["devices"]["total"], 250);
    assert_eq!(answer["firmware"]["complete"], false);
    assert_eq!(answer["firmware"]["other_devices"], 250);
    assert!(answer["firmware"]["note"].as_str().unwrap().contains("Cut after 0 of 250"));
}

#[test]
fn a_filter_that_the_server_does_not_know_costs_its_number_and_no_more() {
    let server = Played::new(|request| {
        let health = request.query("filters[health_status]").is_some();
        let connected = request.query("filters[connection]").as_deref() == Some("connected");
        if health || connected { error(500) } else { fleet(10)(request) }
    });
    let answer = server.call("get_product_summary", at()).unwrap();
    assert_eq!(
        answer["health"],
        json!({ "healthy": null, "warning": null, "unhealthy": null, "unknown": null })
    );
    assert_eq!(
        (&answer["devices"]["connected"], &answer["devices"]["offline"]),
        (&Value::Null, &Value::Null)
    );
    assert_eq!(answer["devices"]["disconnected"], 3);
    let missing: Vec<&str> =
        answer["missing"].as_array().unwrap().iter().map(|entry| entry["field"].as_str().unwrap()).collect();
    let expected =
        ["/devices/connected", "/health/healthy", "/health/warning", "/health/unhealthy", "/health/unknown"];
    assert_eq!(missing, expected);
}

#[test]
fn without_the_number_of_devices_there_is_no_summary() {
    let server = Played::new(|_| ok(json!([])));
    assert_eq!(fault_of(server.call("get_product_summary", at())).code, "upstream");
    assert_eq!(server.requests().len(), 1);
}

#[test]
fn a_failure_half_way_is_a_failure() {
    let server = Played::new(|request| {
        if request.query("filters[updates]").is_some() { error(404) } else { fleet(10)(request) }
    });
    assert_eq!(fault_of(server.call("get_product_summary", at())).code, "unknown");
}

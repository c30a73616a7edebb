//! Every tool of the nerveshub plugin does what it promises to a fleet.

use fleet_sim::nerveshub::known;
use fleet_sim::nerveshub::model::EventKind;
use fleetgate_e2e::{Fleet, kiosk, with};
use serde_json::{Value, json};

const VIEW: [&str; 12] = [
    "whoami",
    "list_orgs",
    "list_products",
    "get_product_summary",
    "list_devices",
    "get_device",
    "get_device_health",
    "get_device_activity",
    "get_device_logs",
    "list_firmware",
    "list_deployment_groups",
    "list_scripts",
];
const REPEATABLE: [&str; 2] = ["set_device_tags", "clear_penalty_box"];
const DESTRUCTIVE: [&str; 4] = ["reboot_device", "reconnect_device", "upgrade_device", "run_script"];

fn product() -> Value {
    json!({"org": known::KIOSK.0, "product": known::KIOSK.1})
}

#[tokio::test]
async fn eighteen_tools_are_listed_with_titles_schemas_and_true_hints() {
    let fleet = Fleet::of(known::MANAGE).await;
    let tools = fleet.server.client_of("nerveshub").tools().await;
    let mut names: Vec<_> = tools.iter().map(|tool| tool["name"].as_str().expect("a name")).collect();
    let mut expected = [&VIEW[..], &REPEATABLE, &DESTRUCTIVE].concat();
    expected.sort_unstable();
    assert_eq!(names.len(), 18);
    names.sort_unstable();
    assert_eq!(names, expected);
    for tool in &tools {
        let name = tool["name"].as_str().expect("a name");
        assert!(tool["title"].is_string() && tool["description"].is_string(), "{tool}");
        assert_eq!(tool["inputSchema"]["type"], "object", "{name}");
        assert_eq!(tool["outputSchema"]["type"], "object", "{name}");
        let hints = &tool["annotations"];
        assert_eq!(hints["readOnlyHint"] == true, VIEW.contains(&name), "{name}: {hints}");
        if !VIEW.contains(&name) {
            assert_eq!(hints["destructiveHint"], DESTRUCTIVE.contains(&name), "{name}: {hints}");
        }
        if REPEATABLE.contains(&name) {
            assert_eq!(hints["idempotentHint"], true, "{name}: {hints}");
        }
    }
}

#[tokio::test]
async fn whoami_list_orgs_and_list_products_say_who_and_where() {
    let fleet = Fleet::of(known::BOTH).await;
    let me = fleet.call("whoami", json!({})).await;
    assert!(me.structured()["email"].as_str().is_some_and(|email| email.contains('@')), "{me:?}");

    let orgs = fleet.call("list_orgs", json!({"include_products": true})).await;
    let orgs = orgs.structured()["orgs"].as_array().expect("a list");
    let mut names: Vec<_> = orgs.iter().map(|org| org["name"].as_str().expect("a name")).collect();
    names.sort_unstable();
    assert_eq!(names, [known::ROBOTICS, known::ACME]);
    assert!(orgs.iter().all(|org| !org["products"].as_array().expect("as asked").is_empty()));

    let products = fleet.call("list_products", json!({"org": known::ROBOTICS})).await;
    let mut names: Vec<_> = products.structured()["products"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|product| product["name"].as_str().expect("a name"))
        .collect();
    names.sort_unstable();
    assert_eq!(names, [known::LAB.1, known::KIOSK_V2.1]);
}

#[tokio::test]
async fn the_whole_fleet_is_listed_page_by_page_in_order_and_without_deleted_devices() {
    let fleet = Fleet::of(known::VIEW).await;
    let mut expected: Vec<_> = fleet
        .hub
        .state()
        .devices_of(known::KIOSK.0, known::KIOSK.1)
        .into_iter()
        .filter(|device| device.deleted_at.is_none())
        .map(|device| device.identifier)
        .collect();
    let mut listed = Vec::new();
    for page in 1.. {
        let answer =
            fleet.call("list_devices", with(product(), json!({"page": page, "page_size": 50}))).await;
        let result = answer.structured();
        assert_eq!(result["pagination"]["total_entries"], expected.len());
        let devices = result["devices"].as_array().expect("a list");
        listed.extend(devices.iter().map(|device| device["identifier"].as_str().expect("text").to_owned()));
        if result["pagination"]["has_more"] != true {
            break;
        }
    }
    assert!(expected.len() > 150, "the fleet is small: {}", expected.len());
    listed.sort();
    expected.sort();
    assert_eq!(listed, expected);
}

#[tokio::test]
async fn filters_and_order_reach_the_hub_as_it_wants_them() {
    let fleet = Fleet::of(known::VIEW).await;
    let arguments = json!({
        "filters": {"connection": "disconnected", "tags": ["production"], "health_status": "healthy"},
        "sort": "connection_last_seen_at", "sort_direction": "desc", "page_size": 100,
    });
    let answer = fleet.call("list_devices", with(product(), arguments)).await;
    let devices = answer.structured()["devices"].as_array().expect("a list").clone();
    assert!(devices.iter().any(|device| device["identifier"] == known::OFFLINE), "{answer:?}");
    assert!(devices.iter().all(|device| device["connection_status"] == "disconnected"));
    let seen: Vec<_> =
        devices.iter().map(|device| device["last_communication"].as_str().expect("a time")).collect();
    assert!(seen.is_sorted_by(|left, right| left >= right), "newest first: {seen:?}");
    for (filter, identifier) in [
        (json!({"identifier": known::CONNECTED_LOOKALIKE}), known::CONNECTED_LOOKALIKE),
        (json!({"updates": "penalty-box", "search": known::PENALTY}), known::PENALTY),
        (
            json!({"health_status": "unhealthy", "alarm_status": "with", "identifier": "sn-0009"}),
            known::UNHEALTHY,
        ),
        (json!({"firmware_version": "2.0.4-dev"}), known::HOMEBREW),
    ] {
        let answer = fleet.call("list_devices", with(product(), json!({ "filters": filter }))).await;
        let devices = answer.structured()["devices"].as_array().expect("a list").clone();
        assert_eq!(devices.len(), 1, "{filter}: {devices:?}");
        assert_eq!(devices[0]["identifier"], identifier);
    }
}

#[tokio::test]
async fn firmware_groups_and_scripts_are_those_of_the_product() {
    let fleet = Fleet::of(known::VIEW).await;
    let state = fleet.hub.state();
    let (org, name) = known::KIOSK;

    let firmware = fleet.call("list_firmware", product()).await;
    let listed: Vec<_> = firmware.structured()["firmware"].as_array().expect("a list").clone();
    let uuids: Vec<_> = listed.iter().map(|row| row["uuid"].as_str().expect("a uuid")).collect();
    let expected = state.firmware(org, name);
    assert_eq!(uuids.len(), expected.len());
    assert!(expected.iter().all(|row| uuids.contains(&row.uuid.as_str())));
    assert_eq!(listed[0]["version"], "2.1.0-rc.1", "newest first, and not by letters");
    let few = fleet.call("list_firmware", with(product(), json!({"limit": 2}))).await;
    assert_eq!(few.structured()["truncated"], true);

    let groups = fleet.call("list_deployment_groups", product()).await;
    assert_eq!(
        groups.structured()["deployment_groups"].as_array().expect("a list").len(),
        state.deployment_groups(org, name).len()
    );
    let scripts = fleet.call("list_scripts", product()).await;
    assert_eq!(
        scripts.structured()["pagination"]["total_entries"],
        state.scripts(org, name).len(),
        "{scripts:?}"
    );
    let one = fleet.call("list_scripts", with(product(), json!({"filters": {"name": "uptime"}}))).await;
    assert_eq!(one.structured()["scripts"][0]["name"], known::QUICK_SCRIPT);
    assert_eq!(one.structured()["scripts"][0]["id"], known::QUICK_SCRIPT_ID.to_string());
}

#[tokio::test]
async fn the_summary_counts_what_the_hub_has() {
    let fleet = Fleet::of(known::VIEW).await;
    let devices: Vec<_> = fleet
        .hub
        .state()
        .devices_of(known::KIOSK.0, known::KIOSK.1)
        .into_iter()
        .filter(|device| device.deleted_at.is_none())
        .collect();
    let connected = devices.iter().filter(|device| device.connection_status() == "connected").count();
    let answer = fleet.call("get_product_summary", product()).await;
    let summary = answer.structured();
    assert_eq!(summary["devices"]["total"], devices.len());
    assert_eq!(summary["devices"]["connected"], connected);
    assert_eq!(summary["devices"]["offline"], devices.len() - connected);
    assert_eq!(summary["missing"], json!([]));
    let health = &summary["health"];
    let unhealthy = devices
        .iter()
        .filter(|device| device.health.as_ref().is_some_and(|health| health.status == "unhealthy"))
        .count();
    assert_eq!(health["unhealthy"], unhealthy);

    let empty = json!({"org": known::EMPTY.0, "product": known::EMPTY.1});
    let fleet = Fleet::of(known::NORTHWIND_MANAGE).await;
    let answer = fleet.call("get_product_summary", empty).await;
    assert_eq!(answer.structured()["devices"]["total"], 0);
}

#[tokio::test]
async fn a_device_is_shown_with_what_is_known_and_what_cannot_be() {
    let fleet = Fleet::of(known::VIEW).await;
    let before = fleet.snapshot();
    let answer = fleet.call("get_device", kiosk(known::CONNECTED)).await;
    let device = answer.structured();
    assert_eq!(device["identifier"], known::CONNECTED);
    assert_eq!(device["connection_status"], "connected");
    assert_eq!(device["tags"], json!(["production", "berlin"]));
    assert_eq!(device["firmware"]["platform"], "rpi4");

    let answer = fleet.call("get_device_health", kiosk(known::UNHEALTHY)).await;
    assert_eq!(answer.structured()["health_status"], "unhealthy");
    assert_eq!(answer.structured()["metrics"], Value::Null);
    assert!(!answer.structured()["missing"].as_array().expect("a list").is_empty());

    for tool in ["get_device_activity", "get_device_logs"] {
        let answer = fleet.call(tool, kiosk(known::OFFLINE)).await;
        let history = answer.structured();
        assert_eq!(history["available"], false, "{tool}");
        assert_eq!(history["entries"], Value::Null, "{tool}: an empty list would read as nothing happened");
        assert!(history["reason"].as_str().is_some_and(|reason| reason.contains("REST")), "{tool}");
        assert_eq!(history["what_is_known"]["connection_status"], "disconnected", "{tool}");
    }
    assert_eq!(fleet.snapshot(), before);
    assert_eq!(fleet.changes(), [""; 0]);
}

#[tokio::test]
async fn tags_are_replaced_and_the_old_ones_told() {
    let fleet = Fleet::of(known::MANAGE).await;
    let tags = |identifier: &str| fleet.hub.state().device(known::ACME, identifier).expect("it").tags;
    let answer = fleet
        .call("set_device_tags", with(kiosk(known::CONNECTED), json!({"tags": ["spare", "lager-2"]})))
        .await;
    assert_eq!(answer.structured()["previous_tags"], json!(["production", "berlin"]));
    assert_eq!(answer.structured()["tags"], json!(["spare", "lager-2"]));
    assert_eq!(tags(known::CONNECTED), Some(vec!["spare".to_owned(), "lager-2".to_owned()]));
    let answer = fleet.call("set_device_tags", with(kiosk(known::CONNECTED), json!({"tags": []}))).await;
    assert_eq!(answer.structured()["previous_tags"], json!(["spare", "lager-2"]));
    assert_eq!(tags(known::CONNECTED), Some(vec![]));
    let sent: Vec<_> = fleet.hub.requests().into_iter().filter(|request| request.method == "PUT").collect();
    assert_eq!(sent[0].json(), Some(json!({"tags": ["spare", "lager-2"]})), "tags and nothing else");
}

#[tokio::test]
async fn reboot_and_reconnect_tell_the_device_once() {
    let fleet = Fleet::of(known::MANAGE).await;
    for (tool, kind) in [("reboot_device", EventKind::Reboot), ("reconnect_device", EventKind::Disconnect)] {
        fleet.hub.state().forget_history();
        let answer = fleet.call(tool, kiosk(known::CONNECTED)).await;
        assert_eq!(answer.structured()["requested"], true);
        let events = fleet.hub.state().events();
        assert_eq!(events.len(), 1, "{events:?}");
        assert_eq!((events[0].device.as_str(), &events[0].kind), (known::CONNECTED, &kind));
    }
}

#[tokio::test]
async fn an_upgrade_is_pushed_and_switches_automatic_updates_off_until_the_box_is_cleared() {
    let fleet = Fleet::of(known::MANAGE).await;
    let state = fleet.hub.state();
    let firmware = state
        .firmware(known::KIOSK.0, known::KIOSK.1)
        .into_iter()
        .find(|row| row.version == "2.0.2" && row.platform == "rpi4")
        .expect("the catalog has it");
    let arguments = with(kiosk(known::CONNECTED), json!({"firmware_uuid": firmware.uuid}));
    let answer = fleet.call("upgrade_device", arguments).await;
    let pushed = answer.structured();
    assert_eq!(pushed["firmware"]["version"], "2.0.2");
    assert_eq!(pushed["previous_version"], "2.0.3");
    assert_eq!(pushed["warnings"], json!([]));
    assert_eq!(state.update_in_flight(known::ACME, known::CONNECTED), Some(firmware.uuid.clone()));
    let device = || state.device(known::ACME, known::CONNECTED).expect("it is there");
    assert!(!device().updates_enabled);

    assert!(state.finish_update(known::ACME, known::CONNECTED));
    let now = fleet.call("get_device", kiosk(known::CONNECTED)).await;
    assert_eq!(now.structured()["version"], "2.0.2");
    assert_eq!(now.structured()["updates_enabled"], false);

    let cleared = fleet.call("clear_penalty_box", kiosk(known::CONNECTED)).await;
    assert_eq!(cleared.structured()["updates_were_enabled"], false);
    assert!(device().updates_enabled);
}

#[tokio::test]
async fn a_device_leaves_the_penalty_box() {
    let fleet = Fleet::of(known::MANAGE).await;
    let device = || fleet.hub.state().device(known::ACME, known::PENALTY).expect("it is there");
    assert!(device().updates_blocked_until.is_some());
    let answer = fleet.call("clear_penalty_box", kiosk(known::PENALTY)).await;
    assert_eq!(answer.structured()["was_in_penalty_box"], true);
    let device = device();
    assert_eq!((device.updates_blocked_until, device.updates_enabled), (None, true));
    assert!(device.update_attempts.is_empty());
}

#[tokio::test]
async fn a_script_runs_by_name_and_by_id_and_long_output_is_cut_and_said_so() {
    let fleet = Fleet::of(known::MANAGE).await;
    let run =
        |script: Value| fleet.call("run_script", with(kiosk(known::CONNECTED), json!({ "script": script })));
    let by_name = run(json!(known::QUICK_SCRIPT)).await;
    assert!(by_name.structured()["output"].as_str().is_some_and(|output| !output.is_empty()));
    assert_eq!(by_name.structured()["truncated"], false);
    let odd = run(json!("Disk /data 100%?")).await;
    assert_eq!(odd.fault()["code"], "invalid-arguments", "a slash is not part of a path segment");
    assert_eq!(odd.fault()["field"], "/script");
    let long = run(json!(known::LONG_SCRIPT)).await;
    let output = long.structured()["output"].as_str().expect("text");
    let bytes = long.structured()["output_bytes"].as_u64().expect("a number");
    assert_eq!(long.structured()["truncated"], bytes > output.len() as u64);
    let kinds: Vec<_> = fleet.hub.state().events().into_iter().map(|event| event.kind).collect();
    assert!(kinds.contains(&EventKind::RunScript { script: known::QUICK_SCRIPT.to_owned() }), "{kinds:?}");

    // A script that is named like a number wins over the one with that number, as in NervesHub itself.
    fleet.hub.state().forget_history();
    assert!(run(json!(known::QUICK_SCRIPT_ID)).await.succeeded());
    let kinds: Vec<_> = fleet.hub.state().events().into_iter().map(|event| event.kind).collect();
    assert_eq!(kinds, [EventKind::RunScript { script: known::NUMERIC_SCRIPT.to_owned() }]);
}

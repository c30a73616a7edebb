//! A broker that is down, refuses, hangs or dies under load: each call says what is known, and nothing else is harmed.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use fleet_sim::broker::Account;
use fleet_sim::jettyd::fleet::{Fleet, Setup};
use fleet_sim::jettyd::known;
use fleetgate_e2e::direct::{TOPICS, settings};
use fleetgate_e2e::platform::every_role;
use fleetgate_e2e::{Direct, Installation, PATIENCE};
use serde_json::{Value, json};

fn ping(device: &str) -> Value {
    json!({"device_id": device, "command": "ping"})
}

#[tokio::test]
async fn topics_beyond_the_request_are_refused_before_anything_runs() {
    let installation = Installation::new();
    installation.install("jettyd");
    installation.secret("broker", "irrelevant");
    for (wide, named) in [
        ("publish = [\"#\"]", "#"),
        ("publish = [\"jettyd/#\"]", "jettyd/#"),
        ("publish = [\"jettyd/+/+/telemetry\"]", "jettyd/+/+/telemetry"),
        ("publish = [\"jettyd/acme/+/+\"]", "jettyd/acme/+/+"),
        ("subscribe = [\"jettyd/acme/+/firmware\"]", "jettyd/acme/+/firmware"),
        ("subscribe = [\"jettyd/provision/#\"]", "jettyd/provision/#"),
        ("subscribe = [\"jettyd/a#/+/telemetry\"]", "jettyd/a#/+/telemetry"),
        ("subscribe = [\"$SYS/#\"]", "$SYS/#"),
    ] {
        installation.config(&settings("mqtt://127.0.0.1:1", "[]", wide, ""));
        let said = installation.run(&["check"]);
        assert_ne!(said.code, 0, "{wide}: {said:?}");
        assert!(said.all().contains(named), "{wide}: {said:?}");
    }
    installation.config(&settings("mqtt://127.0.0.1:1", "[]", TOPICS, ""));
    assert_eq!(installation.run(&["check"]).code, 0);
}

#[tokio::test]
async fn a_topic_that_was_not_granted_is_not_published_to() {
    let narrow = "publish = [\"jettyd/acme/dev_relays/command\"]\nsubscribe = [\"jettyd/acme/+/telemetry\", \
                  \"jettyd/acme/+/status\", \"jettyd/acme/+/command/response\"]";
    let direct = Direct::edited(Setup::known(), |url| settings(url, &every_role("jettyd"), narrow, "")).await;
    assert_eq!(direct.call("send_command", ping(known::RELAYS)).await.structured()["status"], "acked");
    // Neither another device, nor one whose name is more than a level of a topic.
    for id in [known::GREENHOUSE, "dev_relays/command", "+", "#", "../dev_relays", "dev_relays/command#"] {
        let answer = direct.call("send_command", ping(id)).await;
        assert!(!answer.succeeded(), "{id}: {answer:?}");
    }
    assert!(direct.device(known::GREENHOUSE).commands().is_empty());
    assert_eq!(direct.device(known::RELAYS).commands().len(), 1);
    let config = json!({"device_id": known::RELAYS, "config": {"rules": [], "heartbeats": []}});
    assert!(!direct.call("configure_device", config).await.succeeded());
    assert!(direct.device(known::RELAYS).received().iter().all(|message| message.suffix == "command"));
}

#[tokio::test]
async fn more_than_a_device_takes_is_not_sent() {
    let direct = Direct::of(Setup::known()).await;
    let long = json!({"device_id": known::GREENHOUSE, "command": "ping", "params": {"x": "y".repeat(4_000)}});
    assert!(!direct.call("send_command", long).await.succeeded());
    assert!(direct.device(known::GREENHOUSE).commands().is_empty());
    assert!(direct.call("send_command", ping(known::GREENHOUSE)).await.succeeded());
}

#[tokio::test]
async fn a_broker_that_is_down_is_said_to_be_and_what_was_heard_is_still_there() {
    let mut direct = Direct::of(Setup::known()).await;
    direct.fleet.report().await.expect("said");
    let read = json!({"device_id": known::GREENHOUSE, "sensor_key": "air.temperature"});
    direct.until("read_sensor", read.clone(), |value| value["value"].is_number()).await;
    direct.broker.kill();
    let answer = direct.call("send_command", ping(known::GREENHOUSE)).await;
    assert!(!answer.succeeded(), "{answer:?}");
    direct.call("read_sensor", read).await.structured();
    direct.call("list_devices", json!({})).await.structured();
    direct.broker.restart().expect("it starts");
    let started = Instant::now();
    while !direct.call("send_command", ping(known::GREENHOUSE)).await.succeeded() {
        assert!(started.elapsed() < PATIENCE, "{}", direct.server.log());
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    // The standing subscription came back, too.
    let started = Instant::now();
    let mut number = 0;
    loop {
        number += 1;
        let readings = serde_json::Map::from_iter([("air.again".to_owned(), json!(number))]);
        let _ = direct.device(known::GREENHOUSE).report_of(None, readings).await;
        let again = json!({"device_id": known::GREENHOUSE, "sensor_key": "air.again"});
        if direct.call("read_sensor", again).await.succeeded() {
            break;
        }
        assert!(started.elapsed() < PATIENCE, "{}", direct.server.log());
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

#[tokio::test]
async fn a_refused_credential_is_named_and_a_new_one_is_taken() {
    let setup = Setup::known();
    let mut direct = Direct::of(setup.clone()).await;
    let mut accounts = Fleet::accounts(&setup);
    let last = accounts.pop().expect("whoever watches");
    accounts.push(Account { password: "another password".into(), ..last });
    direct.broker.set_accounts(accounts).expect("written");
    let started = Instant::now();
    loop {
        let answer = direct.call("send_command", ping(known::GREENHOUSE)).await;
        if !answer.succeeded() && answer.text().to_lowercase().contains("credential") {
            break;
        }
        assert!(started.elapsed() < PATIENCE, "{answer:?}\n{}", direct.server.log());
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    direct.installation.secret("broker", "another password");
    let started = Instant::now();
    while !direct.call("send_command", ping(known::GREENHOUSE)).await.succeeded() {
        assert!(started.elapsed() < PATIENCE, "{}", direct.server.log());
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

#[tokio::test]
async fn a_broker_that_hangs_costs_its_own_calls_and_no_others() {
    let direct = Direct::grown(Setup::known(), "command_timeout = \"2s\"").await;
    direct.broker.hang();
    let acting = {
        let client = direct.server.client_of("jettyd");
        tokio::spawn(async move { client.call("send_command", ping(known::GREENHOUSE)).await })
    };
    for _ in 0..20 {
        direct.call("list_devices", json!({})).await.structured();
    }
    let answer = acting.await.expect("the client lives");
    assert!(!answer.succeeded(), "{answer:?}");
    direct.broker.resume();
    let started = Instant::now();
    while !direct.call("send_command", ping(known::GREENHOUSE)).await.succeeded() {
        assert!(started.elapsed() < PATIENCE, "{}", direct.server.log());
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_is_killed_again_and_again_makes_no_command_be_told_wrongly() {
    let setup = Setup::known().and(Setup::plain(20));
    let mut direct = Direct::grown(setup, "command_timeout = \"2s\"").await;
    let on = Arc::new(AtomicBool::new(true));
    let acked = Arc::new(AtomicUsize::new(0));
    let ids: Vec<String> = (0..8).map(|number| format!("dev_{number:06}")).collect();
    let callers: Vec<_> = ids
        .iter()
        .map(|id| {
            let (client, on, id) = (direct.server.client_of("jettyd"), on.clone(), id.clone());
            let acked = acked.clone();
            tokio::spawn(async move {
                let mut told = Vec::new();
                while on.load(Ordering::Relaxed) {
                    let answer = client.call("send_command", ping(&id)).await;
                    let result = answer.message["result"]["structuredContent"].clone();
                    acked.fetch_add(usize::from(answer.succeeded()), Ordering::Relaxed);
                    told.push((answer.succeeded(), result));
                }
                (id, told)
            })
        })
        .collect();
    for _ in 0..5 {
        tokio::time::sleep(Duration::from_millis(1_500)).await;
        direct.broker.kill();
        tokio::time::sleep(Duration::from_millis(500)).await;
        direct.broker.restart().expect("it starts");
    }
    // It is found again, however long that takes.
    let before = acked.load(Ordering::Relaxed);
    let acknowledges = || async { acked.load(Ordering::Relaxed) >= before + ids.len() };
    direct.server.until("commands are acknowledged again", acknowledges).await;
    on.store(false, Ordering::Relaxed);
    for caller in callers {
        let (id, told) = caller.await.expect("the client lives");
        let reached: Vec<String> =
            direct.device(&id).commands().iter().map(|command| command["id"].to_string()).collect();
        let once: HashSet<_> = reached.iter().collect();
        assert_eq!(once.len(), reached.len(), "{id}: a command came twice");
        for (succeeded, result) in told {
            assert_eq!(succeeded, result["status"] == "acked", "{id}: {result}");
            if succeeded {
                assert!(once.contains(&result["command_id"].to_string()), "{id}: {result} never reached it");
            } else {
                let status = result["status"].as_str().unwrap_or("a fault");
                assert!(["timeout", "a fault"].contains(&status), "{id}: {result}");
            }
        }
    }
}

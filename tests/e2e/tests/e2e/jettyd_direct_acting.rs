//! Commands and configurations straight through a broker: sent once, answered by the device that was meant, and told as
//! what they were.

use fleet_sim::jettyd::fleet::{Manner, Setup};
use fleet_sim::jettyd::known;
use fleetgate_e2e::{Answer, Direct};
use jiff::Timestamp;
use serde_json::{Value, json};

fn order(device: &str, command: &str) -> Value {
    json!({"device_id": device, "command": command})
}

fn result(answer: &Answer) -> &Value {
    &answer.result()["structuredContent"]
}

#[tokio::test]
async fn a_command_is_acknowledged_by_the_device_that_did_it() {
    let direct = Direct::of(Setup::known()).await;
    let device = direct.device(known::GREENHOUSE);
    let arguments =
        json!({"device_id": known::GREENHOUSE, "command": "valve.on", "params": {"duration": 300}});
    let answer = direct.call("send_command", arguments).await;
    let command = answer.structured();
    assert_eq!((&command["status"], &command["result"]["valve.state"]), (&json!("acked"), &json!(true)));
    assert!(device.unit().is_on("valve", Timestamp::now()));
    let sent = device.commands();
    assert_eq!(sent.len(), 1);
    assert_eq!(
        (&sent[0]["id"], &sent[0]["action"], &sent[0]["params"]),
        (&command["command_id"], &json!("valve.on"), &json!({"duration": 300}))
    );
    assert!(sent[0].get("command_type").is_none() && sent[0].get("payload").is_none(), "one dialect");
    let message =
        device.received().into_iter().find(|message| message.suffix == "command").expect("a message");
    assert_eq!((message.qos, message.retained), (1, false));
    for (id, command) in [(known::RELAYS, "ch2.on"), (known::LATE, "ping"), (known::OTHER_FIRST, "ping")] {
        assert_eq!(
            direct.call("send_command", order(id, command)).await.structured()["status"],
            "acked",
            "{id}"
        );
    }
    for (id, command) in
        [(known::GARBLED, "ping"), (known::ALIASES, "ping"), (known::TWO_TEMPERATURES, "reboot")]
    {
        assert_eq!(
            direct.call("send_command", order(id, command)).await.structured()["status"],
            "acked",
            "{id}"
        );
    }
}

#[tokio::test]
async fn newer_devices_are_spoken_to_in_their_own_words() {
    let direct = Direct::grown(Setup::known(), "command_dialect = \"command_type\"").await;
    let answer = direct.call("send_command", order(known::NEWER, "ping")).await;
    assert_eq!(answer.structured()["status"], "acked");
    let sent = &direct.device(known::NEWER).commands()[0];
    assert_eq!((&sent["command_type"], sent.get("action")), (&json!("ping"), None));
    let older = direct.call("send_command", order(known::GREENHOUSE, "ping")).await;
    assert_eq!(result(&older)["status"], "rejected");
}

#[tokio::test]
async fn what_was_not_done_is_told_apart_and_never_sent_twice() {
    // Those that answer have time to do so; nobody waits long for the others.
    let patient = Direct::of(Setup::known()).await;
    let direct = Direct::grown(Setup::known(), "command_timeout = \"3s\"").await;
    direct.device(known::RELAYS).set_manner(Manner::Vanishes);
    let cases = [
        (&patient, known::GREENHOUSE, "set_relay", "rejected", false),
        (&patient, known::BROKEN, "valve.on", "rejected", false),
        (&patient, known::FAILING, "valve.on", "failed", false),
        (&patient, known::BUSY, "valve.on", "busy", true),
        (&direct, known::SILENT, "valve.on", "timeout", false),
        (&direct, known::RELAYS, "ch1.on", "timeout", false),
        (&direct, known::LATE, "ping", "timeout", false),
    ];
    for (direct, id, command, status, retryable) in cases {
        let answer = direct.call("send_command", order(id, command)).await;
        assert!(!answer.succeeded(), "{id}: {answer:?}");
        let result = result(&answer);
        assert_eq!(
            (&result["status"], &result["retryable"]),
            (&json!(status), &json!(retryable)),
            "{id}: {result}"
        );
        // A device may take its time to read it.
        direct.server.until("it arrives", || async { !direct.device(id).commands().is_empty() }).await;
        assert_eq!(direct.device(id).commands().len(), 1, "{id}");
    }
    assert!(
        patient.call("send_command", order(known::FAILING, "valve.on")).await.text().contains("Valve stuck")
    );
    // The answer that came too late is nobody else's.
    let late = direct.call("send_command", order(known::LATE, "ping")).await;
    assert_eq!(result(&late)["status"], "timeout");
    direct.server.until("both arrive", || async { direct.device(known::LATE).commands().len() == 2 }).await;
    let ids: Vec<_> =
        direct.device(known::LATE).commands().iter().map(|command| command["id"].clone()).collect();
    assert_ne!(ids[0], ids[1]);
}

#[tokio::test]
async fn many_commands_at_once_each_get_their_own_answer() {
    let direct = Direct::of(Setup::known()).await;
    let ids = [known::GREENHOUSE, known::RELAYS, known::TWO_TEMPERATURES, known::OTHER_FIRST];
    let calls = (0..40).map(|number| {
        let client = direct.server.client_of("jettyd");
        tokio::spawn(async move { client.call("send_command", order(ids[number % ids.len()], "ping")).await })
    });
    let mut seen = std::collections::HashSet::new();
    for call in calls.collect::<Vec<_>>() {
        let answer = call.await.expect("the client lives");
        let command = answer.structured();
        assert_eq!(command["status"], "acked");
        assert!(seen.insert(command["command_id"].to_string()), "an id twice");
    }
    let reached: usize = ids.iter().map(|id| direct.device(id).commands().len()).sum();
    assert_eq!(reached, 40);
}

#[tokio::test]
async fn a_configuration_is_taken_or_refused_by_the_device_itself() {
    let direct = Direct::of(Setup::known()).await;
    let configure = |id: &str, config: Value| json!({"device_id": id, "config": config});
    let script =
        json!({"rules": [], "heartbeats": [{"id": "h1", "every": 30, "metrics": ["soil.moisture"]}]});
    for id in [known::GREENHOUSE, known::CONFIG_ACK] {
        let answer = direct.call("configure_device", configure(id, script.clone())).await;
        let status = answer.structured()["status"].as_str().expect("a status").to_owned();
        assert!(["accepted", "applied"].contains(&status.as_str()), "{id}: {answer:?}");
        assert_eq!(direct.device(id).unit().heartbeat(), 30, "{id}");
    }
    let unknown = json!({"id": "r1", "when": {"type": "threshold", "sensor": "soil.ph", "op": ">", "value": 7}, "then": []});
    let refused =
        direct.call("configure_device", configure(known::GREENHOUSE, json!({"rules": [unknown]}))).await;
    assert!(!refused.succeeded(), "{refused:?}");
    let result = result(&refused);
    assert_eq!(result["status"], "rejected", "{result}");
    assert_eq!(result["errors"][0], json!({"rule": "r1", "error": "Unknown sensor: soil.ph"}));
    assert_eq!(direct.device(known::GREENHOUSE).unit().heartbeat(), 30, "what it had stays");

    // A wish for its state goes to the shadow, and comes back as a report.
    let answer =
        direct.call("configure_device", configure(known::GREENHOUSE, json!({"valve.state": true}))).await;
    assert!(answer.succeeded(), "{answer:?}");
    direct
        .until("get_device", json!({"device_id": known::GREENHOUSE}), |device| {
            device["shadow"]["reported"]["valve.state"] == true
        })
        .await;
}

#[tokio::test]
async fn what_is_away_is_said_to_be_and_nothing_is_pretended() {
    let direct = Direct::grown(Setup::known(), "command_timeout = \"3s\"").await;
    direct.device(known::GREENHOUSE).disconnect();
    let answer = direct.call("send_command", order(known::GREENHOUSE, "valve.on")).await;
    assert_eq!((answer.succeeded(), &result(&answer)["status"]), (false, &json!("timeout")), "{answer:?}");
    let script = json!({"device_id": known::GREENHOUSE, "config": {"rules": [], "heartbeats": []}});
    let answer = direct.call("configure_device", script).await;
    assert_eq!(result(&answer)["status"], "pending", "{answer:?}");
    let unknown = direct.call("send_command", order("nobody", "ping")).await;
    assert!(!unknown.succeeded(), "{unknown:?}");
}

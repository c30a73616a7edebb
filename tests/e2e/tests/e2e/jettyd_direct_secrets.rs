//! The broker's password goes to the broker and nowhere else, whatever the devices say.

use std::fmt::Write as _;

use fleet_sim::broker::Account;
use fleet_sim::jettyd::fleet::{Fleet, PASSWORD, Setup};
use fleet_sim::jettyd::known;
use fleetgate_e2e::Direct;
use serde_json::{Map, json};

use crate::canaries::{files, nowhere, spellings};

#[tokio::test]
async fn the_brokers_password_is_in_no_result_log_record_or_file() {
    let setup = Setup::known();
    let mut direct = Direct::grown(setup.clone(), "command_timeout = \"1s\"").await;
    let mut said = String::new();
    // A device that has learned it says it wherever it can, in every spelling.
    let device = direct.device(known::GREENHOUSE).clone();
    for (number, spelling) in spellings(PASSWORD).into_iter().enumerate() {
        let readings = Map::from_iter([(format!("air.said_{number}"), json!(spelling))]);
        device.report_of(None, readings).await.expect("said");
        device.alert(&format!("the password is {spelling}"), "critical").await.expect("said");
    }
    direct
        .until("list_alerts", json!({}), |list| list["alerts"].as_array().is_some_and(|all| !all.is_empty()))
        .await;
    let calls = [
        ("list_devices", json!({})),
        ("get_device", json!({"device_id": known::GREENHOUSE})),
        ("get_fleet_status", json!({})),
        ("read_sensor", json!({"device_id": known::GREENHOUSE, "sensor_key": "air.said_0"})),
        (
            "get_history",
            json!({"device_id": known::GREENHOUSE, "sensor_key": "air.said_0", "from": "2026-01-01T00:00:00Z"}),
        ),
        ("send_command", json!({"device_id": known::GREENHOUSE, "command": "ping"})),
        ("send_command", json!({"device_id": known::SILENT, "command": "ping"})),
        (
            "configure_device",
            json!({"device_id": known::GREENHOUSE, "config": {"rules": [], "heartbeats": []}}),
        ),
        ("list_alerts", json!({})),
    ];
    let mut references = Vec::new();
    for (tool, arguments) in calls {
        let answer = direct.call(tool, arguments).await;
        let _ = writeln!(said, "{answer:?}");
        references.push(answer.reference());
    }
    // A broker that refuses it, and one that is gone.
    let mut accounts = Fleet::accounts(&setup);
    let last = accounts.pop().expect("whoever watches");
    accounts.push(Account { password: "another".into(), ..last });
    direct.broker.set_accounts(accounts).expect("written");
    let order = json!({"device_id": known::GREENHOUSE, "command": "ping"});
    let _ = writeln!(said, "{:?}", direct.call("send_command", order.clone()).await);
    direct.broker.kill();
    let _ = writeln!(said, "{:?}", direct.call("send_command", order).await);
    for command in [&["check"][..], &["check", "--json"], &["audit", "find"], &["audit", "find", "--json"]] {
        let _ = writeln!(said, "{:?}", direct.installation.run(command));
    }
    for reference in references {
        let _ = writeln!(said, "{:?}", direct.installation.why(&reference));
    }
    said += &direct.server.log();
    nowhere(PASSWORD, &said);
    direct.server.kill();
    // The host's socket is no file.
    for file in files(direct.installation.path()).into_iter().filter(|path| path.is_file()) {
        // Also what is remembered of what devices say.
        if file.file_name().is_some_and(|name| name != "broker") {
            nowhere(PASSWORD, &String::from_utf8_lossy(&std::fs::read(&file).expect("our own file")));
        }
    }
}

//! The credential is nowhere but at the broker.

use std::fmt::Write;

use fleet_sim::broker::Account;
use serde_json::json;

use super::{Attacked, BINDING, GRANTED, SECRET, code, to};
use crate::canaries::{files, nowhere};

#[tokio::test]
async fn the_brokers_password_is_in_no_result_log_record_or_file() {
    let mut attacked = Attacked::new(GRANTED);
    let client = attacked.client();
    let mut said = String::new();
    let mut references = Vec::new();
    for (tool, arguments) in [
        ("publish", to("granted/7/get", "x")),
        ("publish", to("elsewhere", "x")),
        ("listen", json!({ "filters": ["granted/7/state"], "count": 1, "wait": 100 })),
        ("listen", json!({ "filters": ["#"] })),
        (
            "ask",
            json!({ "topic": "granted/7/get", "payload": "x", "answers": "granted/7/state", "wait": 100 }),
        ),
    ] {
        let answer = client.call(tool, arguments).await;
        let _ = writeln!(said, "{answer:?}");
        references.push(answer.reference());
    }
    // The broker takes another password from now on: who is connected is thrown out.
    let other = vec![Account::anything("fleet", "another")];
    attacked.broker.set_accounts(other).expect("the files can be written");
    attacked.broker.restart().expect("it starts again");
    let begin = std::time::Instant::now();
    loop {
        let answer = client.call("publish", to("granted/7/get", "x")).await;
        let _ = writeln!(said, "{answer:?}");
        references.push(answer.reference());
        if code(answer.structured()) == Some("credential") {
            break;
        }
        assert!(begin.elapsed() < super::Duration::from_secs(60), "never refused: {answer:?}");
        tokio::time::sleep(super::Duration::from_millis(100)).await;
    }
    let wrong = attacked.installation.config_text().replace("credential = {", "credential = [");
    let right = attacked.installation.config_text();
    attacked.installation.config(&wrong);
    let _ = writeln!(said, "{:?}", attacked.installation.run(&["check"]));
    attacked.installation.config(&right);
    for command in [
        &["check"][..],
        &["check", "--json"],
        &["audit", "find", "--json"],
        &["audit", "tail", "-n", "1000"],
        &["call", BINDING, "publish", "{\"topic\":\"granted/7/get\",\"payload\":\"x\"}", "--json"],
    ] {
        let _ = writeln!(said, "{:?}", attacked.installation.run(command));
    }
    for reference in references {
        let _ = writeln!(said, "{:?}", attacked.installation.why(&reference));
    }
    said += &attacked.server.log();
    drop(attacked.server);
    for file in files(attacked.installation.path()) {
        if file.file_name().is_some_and(|name| name != "password") {
            said += &String::from_utf8_lossy(&std::fs::read(&file).expect("our own file"));
        }
    }
    nowhere(SECRET, &said);
    assert!(attacked.broker.log().contains("fleet"), "the broker knew the user");
}

//! The program, as the demo starts it.

use std::process::Stdio;

use fleet_sim::naas::known;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;

#[tokio::test]
async fn it_prints_one_line_with_all_that_a_client_needs_and_follows_its_switch() {
    for (behaviour, status) in [("as-documented", 404), ("strict-upstream", 403)] {
        let mut child = Command::new(env!("CARGO_BIN_EXE_fleet-sim"))
            .args(["naas", "--behaviour", behaviour])
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("the program starts");
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).await.unwrap();
        let started: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(
            (&started["backend"], &started["admin_secret"]),
            (&json!("naas"), &json!(known::ADMIN_SECRET))
        );
        assert_eq!(started["login"], json!({"username": known::USER, "password": known::PASSWORD}));
        let _ = rustls::crypto::ring::default_provider().install_default();
        let url = started["url"].as_str().unwrap();
        let answer = reqwest::Client::new()
            .get(format!("{url}/v2/send-command/6fd2bbc8-52b8-4826-8c2a-189968d0de23"))
            .bearer_auth(started["tokens"][known::VIEWER].as_str().unwrap())
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), status, "{behaviour}");
        let pid = Pid::from_raw(child.id().unwrap().try_into().unwrap()).unwrap();
        kill_process(pid, Signal::TERM).unwrap();
        assert!(child.wait().await.unwrap().success());
    }
}

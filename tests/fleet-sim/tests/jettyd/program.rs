//! The programs, as the demo starts them.

use std::process::Stdio;
use std::time::Duration;

use fleet_sim::jettyd::known;
use rumqttc::{AsyncClient, Event, MqttOptions, Packet, QoS};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, Command};

async fn started(arguments: &[&str]) -> (Child, Value) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_fleet-sim"))
        .args(arguments)
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("the program starts");
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).await.unwrap();
    (child, serde_json::from_str(&line).unwrap())
}

async fn stopped(mut child: Child) {
    let pid = Pid::from_raw(child.id().unwrap().try_into().unwrap()).unwrap();
    kill_process(pid, Signal::TERM).unwrap();
    assert!(child.wait().await.unwrap().success());
}

#[tokio::test]
async fn the_platform_says_where_it_is_and_its_keys() {
    let (child, said) = started(&["jettyd"]).await;
    let _ = rustls::crypto::ring::default_provider().install_default();
    let answer = reqwest::Client::new()
        .get(format!("{}/v1/devices/{}", said["url"].as_str().unwrap(), known::GREENHOUSE))
        .bearer_auth(said["tokens"][known::READER].as_str().unwrap())
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 200);
    stopped(child).await;
}

#[tokio::test]
async fn the_fleet_brings_its_broker_says_how_to_reach_it_and_reports_by_itself() {
    let (child, said) = started(&["jettyd-fleet", "--plain", "5", "--every", "0.2"]).await;
    let text = |pointer: &str| said.pointer(pointer).and_then(Value::as_str).expect("a text").to_owned();
    let port = text("/url").rsplit(':').next().unwrap().parse::<u16>().unwrap();
    let mut options = MqttOptions::new("reader", ("127.0.0.1", port));
    options.set_credentials(text("/login/username"), text("/login/password"));
    let (client, mut eventloop) = AsyncClient::builder(options).build();
    let topic = format!("jettyd/{}/{}/telemetry", text("/tenant"), known::GREENHOUSE);
    client.subscribe(topic, QoS::AtLeastOnce).await.unwrap();
    let heard =
        async { while !matches!(eventloop.poll().await.unwrap(), Event::Incoming(Packet::Publish(_))) {} };
    tokio::time::timeout(Duration::from_secs(60), heard).await.expect("a report");
    assert!(said["devices"].as_array().unwrap().len() > 20);
    stopped(child).await;
}

#[tokio::test]
async fn a_load_is_asked_for_on_stdin_and_told_when_it_is_over() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_fleet-sim"))
        .args(["jettyd-fleet", "--plain", "5", "--every", "0", "--loads"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("the program starts");
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let started: Value = serde_json::from_str(&lines.next_line().await.unwrap().unwrap()).unwrap();
    // The one that is away says nothing.
    let there = started["devices"].as_array().unwrap().len() as u64 - 1;
    let mut input = child.stdin.take().unwrap();
    for messages in [3, 2] {
        input.write_all(format!("{messages} 0.1\n").as_bytes()).await.unwrap();
        let loaded: Value = serde_json::from_str(&lines.next_line().await.unwrap().unwrap()).unwrap();
        assert_eq!(
            (loaded["acknowledged"].as_u64(), loaded["lost"].as_u64()),
            (Some(there * messages), Some(0))
        );
    }
    drop(input);
    assert!(child.wait().await.unwrap().success());
}

#[tokio::test]
async fn one_that_is_killed_leaves_no_broker_behind() {
    let (mut child, said) = started(&["jettyd-fleet", "--plain", "1", "--without-known"]).await;
    let address = said["url"].as_str().unwrap().trim_start_matches("mqtt://").to_owned();
    tokio::net::TcpStream::connect(&address).await.expect("the broker listens");
    child.kill().await.unwrap();
    let gone = async {
        while tokio::net::TcpStream::connect(&address).await.is_ok() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), gone).await.expect("it ends");
}

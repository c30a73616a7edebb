//! The program, as the demo starts it.

use std::process::Stdio;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::process::{Child, Command};

fn start(arguments: &[&str]) -> Child {
    Command::new(env!("CARGO_BIN_EXE_fleet-sim"))
        .args(arguments)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("the program starts")
}

#[tokio::test]
async fn it_prints_one_line_with_each_device_and_its_host_key_and_serves_until_it_is_told_to_stop() {
    let mut child = start(&["devices", "--platform", "cisco_ios", "--platform", "cisco_ios"]);
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).await.unwrap();
    let started: Value = serde_json::from_str(&line).unwrap();
    let devices = started["devices"].as_array().unwrap();
    assert_eq!(devices.len(), 2);
    let known_hosts = started["known_hosts"].as_str().unwrap();
    for device in devices {
        assert_eq!(
            (&device["platform"], &device["login"]["username"]),
            (&json!("cisco_ios"), &json!("netops"))
        );
        let port = u16::try_from(device["port"].as_u64().unwrap()).unwrap();
        assert!(known_hosts.contains(&format!("[127.0.0.1]:{port} ")), "{known_hosts}");
        let stream = tokio::net::TcpStream::connect(("127.0.0.1", port)).await.expect("it listens");
        let mut banner = [0; 4];
        BufReader::new(stream).read_exact(&mut banner).await.unwrap();
        assert_eq!(&banner, b"SSH-");
    }
    let pid = Pid::from_raw(child.id().unwrap().try_into().unwrap()).unwrap();
    kill_process(pid, Signal::TERM).unwrap();
    assert!(child.wait().await.unwrap().success());
}

#[tokio::test]
async fn a_platform_that_is_none_is_refused_with_those_there_are() {
    let output = start(&["devices", "--platform", "windows_95"]).wait_with_output().await.unwrap();
    assert!(!output.status.success());
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("windows_95") && said.contains("cisco_ios"), "{said}");
}

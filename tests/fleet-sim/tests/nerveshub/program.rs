//! The program, as the demo starts it.

use std::process::Stdio;

use fleet_sim::nerveshub::{known, well_formed};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
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
async fn it_prints_one_line_with_url_and_tokens_and_serves_until_it_is_told_to_stop() {
    for signal in [Signal::TERM, Signal::INT] {
        let mut child = start(&["nerveshub", "--listen", "127.0.0.1:0"]);
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        out.read_line(&mut line).await.unwrap();
        let started: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(started["backend"], "nerveshub");
        let (url, token) =
            (started["url"].as_str().unwrap(), started["tokens"][known::VIEW].as_str().unwrap());
        assert!(well_formed(token));

        let stream = tokio::net::TcpStream::connect(url.strip_prefix("http://").unwrap()).await;
        assert!(stream.is_ok(), "{url} listens");
        let pid = Pid::from_raw(child.id().unwrap().try_into().unwrap()).unwrap();
        kill_process(pid, signal).unwrap();
        assert!(child.wait().await.unwrap().success());
        let mut rest = String::new();
        out.read_to_string(&mut rest).await.unwrap();
        assert_eq!(rest, "", "one line and no more");
    }
}

#[tokio::test]
async fn an_address_it_cannot_bind_is_an_error_that_names_it() {
    let taken = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let output = start(&["nerveshub", "--listen", &address]).wait_with_output().await.unwrap();
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains(&address));
}

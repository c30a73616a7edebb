//! Lines on the stdin and stdout of the real program.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};

use fleetgate_e2e::{Installation, PATIENCE};
use serde_json::{Value, json};

fn hello() -> (Installation, Child) {
    let installation = Installation::new();
    installation.install("hello");
    installation.config("[serve]\n\n[plugins.hello]\n");
    let mut command: Command = installation.command(&["stdio", "--plugin", "hello"]);
    let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn();
    (installation, child.expect("fleetgate starts"))
}

fn initialize(version: &str) -> Value {
    let params =
        json!({"protocolVersion": version, "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}});
    json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": params})
}

fn greet(id: u32, name: &str) -> Value {
    let params = json!({"name": "greet", "arguments": {"name": name}});
    json!({"jsonrpc": "2.0", "id": id, "method": "tools/call", "params": params})
}

/// Everything that the program writes in answer to these lines, by lines, until it ends.
fn said(lines: &[Vec<u8>]) -> Vec<Value> {
    let (_installation, mut child) = hello();
    let mut input = child.stdin.take().expect("stdin is piped");
    let output = BufReader::new(child.stdout.take().expect("stdout is piped"));
    let writing = std::thread::spawn({
        let lines = lines.to_vec();
        move || lines.iter().for_each(|line| input.write_all(line).expect("it reads"))
    });
    let heard = output.lines().map(|line| line.expect("text"));
    let heard = heard
        .map(|line| serde_json::from_str(&line).unwrap_or_else(|_| panic!("no message: {line}")))
        .collect();
    writing.join().expect("it reads to the end");
    assert!(child.wait().expect("our own child").success(), "the end of the input is no failure");
    heard
}

fn line(message: &Value) -> Vec<u8> {
    format!("{message}\r\n").into_bytes()
}

#[test]
fn what_is_no_message_is_answered_and_the_rest_goes_on() {
    let heard = said(&[
        line(&initialize("2025-06-18")),
        b"nonsense\n\xff\xfe\n\n".to_vec(),
        line(&json!([greet(1, "Ann")])),
        // The last line needs no line feed.
        greet(2, "Bob").to_string().into_bytes(),
    ]);
    assert_eq!(heard.len(), 5, "{heard:?}");
    assert_eq!(heard[0]["result"]["protocolVersion"], "2025-06-18");
    let errors: Vec<_> = heard.iter().filter_map(|message| message["error"]["code"].as_i64()).collect();
    assert_eq!(errors, [-32700, -32700, -32600]);
    let answer = heard.iter().find(|message| message["id"] == 2).expect("an answer");
    assert!(answer["result"]["content"][0]["text"].as_str().expect("text").contains("Bob"));
}

#[test]
fn a_batch_is_answered_with_one_line() {
    let heard = said(&[line(&initialize("2025-03-26")), line(&json!([greet(1, "Ann"), greet(2, "Bob")]))]);
    assert_eq!(heard.len(), 2, "{heard:?}");
    let answers = heard[1].as_array().expect("an array");
    for (id, name) in [(1, "Ann"), (2, "Bob")] {
        let answer = answers.iter().find(|answer| answer["id"] == id).expect("an answer");
        assert!(answer["result"]["content"][0]["text"].as_str().expect("text").contains(name));
    }
}

#[test]
fn a_client_that_never_reads_stderr_is_answered_whatever_a_plugin_logs() {
    let installation = Installation::new();
    installation.install("hostile");
    installation.config("[serve]\n\n[plugins.hostile]\n");
    let mut command = installation.command(&["stdio", "--plugin", "hostile"]);
    let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let mut child = child.expect("fleetgate starts");
    let mut input = child.stdin.take().expect("stdin is piped");
    let output = BufReader::new(child.stdout.take().expect("stdout is piped"));
    let (heard, answers) = std::sync::mpsc::channel();
    std::thread::spawn(move || output.lines().map_while(Result::ok).try_for_each(|line| heard.send(line)));

    input.write_all(&line(&initialize("2025-06-18"))).expect("it reads");
    // 4 KiB of log each: together more than twice what a pipe holds.
    for id in 1..=40 {
        let params = json!({"name": "long_line", "arguments": {}});
        let call = json!({"jsonrpc": "2.0", "id": id, "method": "tools/call", "params": params});
        input.write_all(&line(&call)).expect("it reads");
        loop {
            let message: Value =
                serde_json::from_str(&answers.recv_timeout(PATIENCE).expect("an answer")).expect("JSON");
            if message["id"] == id {
                break;
            }
        }
    }
    drop(input);
    assert!(child.wait().expect("our own child").success(), "it ends too");
}

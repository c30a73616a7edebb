//! Terminals, act by act.

use std::time::{Duration, Instant};

use fleetgate_sdk::prelude::*;
use fleetgate_sdk::ssh::{Chunk, Key, Secret, Shell, SshError, Step, Terminal};
use serde_json::{Value, json};

use crate::target::{Target, failure};

/// Something to do at a terminal.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Act {
    /// Types a line.
    Line(String),
    /// Presses a key.
    Key(String),
    /// Has the host type a password.
    Secret(String),
    /// Types bytes.
    Write(String),
    /// Reads until what was read ends so, for ten seconds at most.
    Until(String),
    /// Leaves lines for the end.
    OnClose(Vec<String>),
}

/// A talk with a device.
#[derive(Deserialize, JsonSchema)]
pub struct Talk {
    #[serde(flatten)]
    target: Target,
    /// One after the other.
    acts: Vec<Act>,
}

/// Does one act after the other, whatever comes of it.
#[tool(requires = "any", timeout = "60s")]
pub fn talk(args: Talk) -> Result<ToolResult, Fault> {
    let opened = args.target.connect().and_then(|device| device.open_shell(&Terminal::default()));
    let shell = match opened {
        Ok(shell) => shell,
        Err(error) => return ToolResult::structured(&json!({ "error": failure(&error) })),
    };
    let done: Vec<Value> = args.acts.iter().map(|act| done(&shell, act)).collect();
    ToolResult::structured(&json!({"acts": done, "exit": shell.exit_status()}))
}

fn done(shell: &Shell, act: &Act) -> Value {
    let typed = match act {
        Act::Line(line) => shell.send_line(line),
        Act::Key(name) => match key(name) {
            Some(key) => shell.send_key(key),
            None => return json!({ "error": { "code": "no such key" } }),
        },
        Act::Secret(name) if name == "password" => shell.send_secret(Secret::Password),
        Act::Secret(_) => shell.send_secret(Secret::Enable),
        Act::Write(text) => shell.write(text.as_bytes()),
        Act::OnClose(lines) => {
            let steps: Vec<_> = lines.iter().cloned().map(Step::Line).collect();
            shell.on_close(&steps)
        }
        Act::Until(end) => return read(shell, end),
    };
    match typed {
        Ok(()) => json!("ok"),
        Err(error) => json!({ "error": failure(&error) }),
    }
}

fn key(name: &str) -> Option<Key> {
    let keys = [Key::Space, Key::Enter, Key::Q, Key::Y, Key::N, Key::CtrlC, Key::CtrlZ];
    keys.into_iter().find(|key| key.name() == name)
}

/// Reads until the terminal said this, and tells all that it said.
pub fn read_until(shell: &Shell, end: &str) -> Result<String, (String, Option<SshError>)> {
    let (begin, mut said) = (Instant::now(), Vec::new());
    while begin.elapsed() < Duration::from_secs(10) {
        match shell.read(64 << 10, Duration::from_millis(200)) {
            Ok(Chunk::Data(data)) => said.extend_from_slice(&data),
            Ok(Chunk::TimedOut) => {}
            Ok(Chunk::Closed) => return Err((String::from_utf8_lossy(&said).into_owned(), None)),
            Err(error) => return Err((String::from_utf8_lossy(&said).into_owned(), Some(error))),
        }
        if said.ends_with(end.as_bytes()) {
            return Ok(String::from_utf8_lossy(&said).into_owned());
        }
    }
    Err((format!("{} (and no {end:?})", String::from_utf8_lossy(&said)), None))
}

fn read(shell: &Shell, end: &str) -> Value {
    match read_until(shell, end) {
        Ok(said) => json!({ "said": said }),
        Err((said, None)) => json!({ "said": said, "closed": true }),
        Err((said, Some(error))) => json!({ "said": said, "error": failure(&error) }),
    }
}

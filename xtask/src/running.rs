//! A server that runs as long as it is needed.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, bail};
use serde_json::Value;

/// A server that says where it listens in its first line. Ended when dropped.
pub struct Running {
    /// Its process.
    pub child: Child,
    /// Its first line.
    pub said: Value,
}

impl Running {
    /// Starts it, and waits for its first line.
    pub fn start(command: &mut Command) -> Result<Self> {
        let name = command.get_program().to_string_lossy().into_owned();
        let mut child =
            command.stdout(Stdio::piped()).spawn().with_context(|| format!("{name} does not start"))?;
        let mut lines = BufReader::new(child.stdout.take().expect("stdout is piped")).lines();
        let Some(Ok(line)) = lines.next() else { bail!("{name} ended before it listened") };
        let said = serde_json::from_str(&line).with_context(|| format!("{name} said {line:?}"))?;
        // Whatever it says later must not fill the pipe.
        std::thread::spawn(move || lines.map_while(Result::ok).for_each(drop));
        Ok(Self { child, said })
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// What must be text.
pub fn text(value: &Value) -> Result<String> {
    value.as_str().map(str::to_owned).with_context(|| format!("expected a text, found {value}"))
}

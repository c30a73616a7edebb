//! What a command said, and how it ended.

use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::{Installation, PATIENCE};

/// A command that has ended.
#[derive(Debug, Clone)]
pub struct Said {
    /// Its exit code; -1 if a signal ended it.
    pub code: i32,
    /// What it printed for programs and people.
    pub stdout: String,
    /// What it printed for people alone.
    pub stderr: String,
}

impl From<Output> for Said {
    fn from(output: Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Self {
            code: output.status.code().unwrap_or(-1),
            stdout: text(&output.stdout),
            stderr: text(&output.stderr),
        }
    }
}

impl Said {
    /// Runs a command that nobody can answer to.
    pub fn by(command: &mut Command) -> Self {
        command.stdin(Stdio::null()).output().expect("the program starts").into()
    }

    /// Both channels.
    pub fn all(&self) -> String {
        format!("{}{}", self.stdout, self.stderr)
    }

    /// Its only line of JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("no JSON ({error}): {self:?}"))
    }

    /// One JSON value for each line.
    pub fn json_lines(&self) -> Vec<Value> {
        let parse = |line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        self.stdout.lines().map(parse).collect()
    }
}

impl Installation {
    /// Runs `fleetgate COMMAND … --config THIS` to its end, with nobody at the terminal.
    pub fn run(&self, arguments: &[&str]) -> Said {
        Said::by(&mut self.command(arguments))
    }

    /// The same; it must succeed.
    pub fn run_well(&self, arguments: &[&str]) -> Said {
        let said = self.run(arguments);
        assert_eq!(said.code, 0, "{arguments:?}: {said:?}");
        said
    }

    /// The record of a call that was answered. How it ended is written behind its answer, and waited for here; so then
    /// all that had ended before it is there, too.
    pub fn record(&self, reference: &str) -> Value {
        let started = Instant::now();
        loop {
            let said = self.run(&["why", reference, "--json"]);
            if said.code == 0 && said.json()["outcome"].is_string() {
                return said.json();
            }
            assert!(started.elapsed() < PATIENCE, "the end of {reference} is never recorded: {said:?}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// What the operator is told of a call that was answered.
    pub fn why(&self, reference: &str) -> Said {
        self.record(reference);
        self.run_well(&["why", reference])
    }
}

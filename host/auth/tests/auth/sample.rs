//! Records as calls make them.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use fleetgate_auth::audit::directory;
use fleetgate_core::audit::{Intent, Record};
use serde_json::{Map, Value, json};

pub fn intent(call: &str, tool: &str, arguments: Value) -> Intent {
    let Value::Object(arguments) = arguments else { panic!("arguments are an object") };
    Intent {
        call: call.into(),
        principal: "local".into(),
        binding: "nerveshub".into(),
        tool: tool.into(),
        plugin: "sha256:0123".into(),
        arguments,
        arguments_hash: "hmac-sha256:00".into(),
        job: None,
    }
}

pub fn reboot(call: &str, device: &str) -> Intent {
    intent(call, "reboot_device", json!({ "identifier": device }))
}

pub fn look(call: &str) -> Intent {
    Intent { arguments: Map::new(), ..intent(call, "list_devices", json!({})) }
}

pub fn ended(intent: Intent, outcome: &str) -> Record {
    Record {
        intent,
        outcome: outcome.into(),
        reason: None,
        used: Vec::new(),
        duration: Duration::from_millis(12),
    }
}

pub fn log_file(state: &Path) -> PathBuf {
    directory(state).join("audit.jsonl")
}

/// Every line of the current file.
pub fn lines(state: &Path) -> Vec<Value> {
    let text = fs::read_to_string(log_file(state)).unwrap();
    text.lines().map(|line| serde_json::from_str(line).expect("each line is JSON")).collect()
}

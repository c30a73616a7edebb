//! Calls as a client of today makes them (protocol version 2026-07-28: no handshake), to show that the demo works.

use std::time::Duration;

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use super::backends::Device;

/// Asks each binding one thing and prints what it said.
pub fn try_each(url: &str, lab: &[Device], straight: bool) -> Result<()> {
    call(url, "nerveshub_list_orgs", &json!({}), "acme")?;
    println!("the demo at {url} lists its organizations");
    let clock = json!({"host": "access-sw-01", "platform": "cisco_ios", "commands": ["show clock"]});
    let said = call(url, "naas_send_command", &clock, "UTC Sat Apr 16 2022")?;
    println!("naas_send_command through the simulated NAAS server: {said}");
    for device in lab {
        let arguments = direct(device);
        let said = call(url, "naas-lab_send_command", &arguments, &device.name)?;
        println!("naas-lab_send_command straight to {} ({}): {said}", device.name, device.platform);
    }
    let said = call(url, "jettyd_read_sensor", &sensor(), r#""unit":"C""#)?;
    println!("jettyd_read_sensor through the simulated API: {said}");
    let said = call(url, "jettyd_send_command", &command(), r#""status":"acked""#)?;
    println!("jettyd_send_command through the simulated API: {said}");
    if straight {
        let said = soon(|| call(url, "jettyd-lab_read_sensor", &sensor(), r#""unit":"C""#))?;
        println!("jettyd-lab_read_sensor straight from the broker: {said}");
        let said = call(url, "jettyd-lab_send_command", &command(), r#""status":"acked""#)?;
        println!("jettyd-lab_send_command straight through the broker: {said}");
    }
    Ok(())
}

/// A sensor that both of jettyd's bindings have.
pub fn sensor() -> Value {
    json!({"device_id": "dev_01hx3k9j2m4v5p6q7r8s", "sensor_key": "temperature"})
}

/// A command for the same device.
pub fn command() -> Value {
    json!({"device_id": "dev_01hx3k9j2m4v5p6q7r8s", "command": "valve.on", "params": {"duration": 300}})
}

/// Devices report every other second, and the first report may be on its way.
fn soon(mut call: impl FnMut() -> Result<String>) -> Result<String> {
    for _ in 0..60 {
        if let Ok(said) = call() {
            return Ok(said);
        }
        std::thread::sleep(Duration::from_millis(500));
    }
    call()
}

/// A command for a device of the lab in whose output its name stands.
pub fn direct(device: &Device) -> Value {
    let command = match device.platform.as_str() {
        "linux" => "hostname",
        "cisco_nxos" => "show hostname",
        "juniper_junos" => "show version",
        _ => "show running-config | include hostname",
    };
    json!({"host": "127.0.0.1", "port": device.port, "platform": device.platform, "commands": [command]})
}

/// The answer's text, which holds what is expected.
fn call(url: &str, tool: &str, arguments: &Value, expected: &str) -> Result<String> {
    let request = json!({
        "jsonrpc": "2.0", "id": 1, "method": "tools/call",
        "params": {"name": tool, "arguments": arguments, "_meta": {
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientCapabilities": {},
        }},
    });
    let answer = ureq::post(url)
        .header("accept", "application/json, text/event-stream")
        .header("mcp-protocol-version", "2026-07-28")
        .header("mcp-method", "tools/call")
        .header("mcp-name", tool)
        .content_type("application/json")
        .send(request.to_string())?
        .body_mut()
        .read_to_string()?;
    ensure!(answer.contains(expected), "{tool} was to say {expected:?} and said: {answer}");
    Ok(result_of(&answer).unwrap_or(answer))
}

/// The result's structure on one line, from a plain answer or the last event of a stream.
fn result_of(answer: &str) -> Option<String> {
    let last = answer.lines().filter_map(|line| line.strip_prefix("data:")).next_back().unwrap_or(answer);
    let message: Value = serde_json::from_str(last.trim()).ok()?;
    let result = &message["result"]["structuredContent"];
    let told = result.get("results").unwrap_or(result);
    Some(told.to_string()).filter(|text| text != "null")
}

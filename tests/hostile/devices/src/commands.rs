//! Commands without a terminal.

use std::time::Duration;

use fleetgate_sdk::prelude::*;
use fleetgate_sdk::ssh::{Output, SshError};
use serde_json::{Value, json};

use crate::target::{Target, failure};

/// A command for a device.
#[derive(Deserialize, JsonSchema)]
pub struct Exec {
    #[serde(flatten)]
    target: Target,
    /// As it is.
    command: String,
    /// Milliseconds; none: as the grant says.
    timeout: Option<u64>,
    /// Kept of its output.
    most: Option<u64>,
}

/// Sends any command with what the plugin was granted.
#[tool(requires = "any", timeout = "30s")]
pub fn exec(args: Exec) -> Result<ToolResult, Fault> {
    ToolResult::structured(&run(&args))
}

/// The same from a tool that claims to change nothing.
#[tool(requires = "any", read_only)]
pub fn exec_read_only(args: Exec) -> Result<ToolResult, Fault> {
    ToolResult::structured(&run(&args))
}

/// The same from a tool with a reach of its own.
#[tool(requires = "any", read_only, reach = { "ssh.devices" = { methods = ["exec"], commands = ["echo *"] } })]
pub fn exec_within_reach(args: Exec) -> Result<ToolResult, Fault> {
    ToolResult::structured(&run(&args))
}

fn run(args: &Exec) -> Value {
    match output(args) {
        Ok(output) => json!({
            "stdout": output.stdout(), "stderr": output.stderr(), "length": output.stdout.len(),
            "exit": output.exit_status, "cut": output.cut,
        }),
        Err(error) => json!({ "error": failure(&error) }),
    }
}

fn output(args: &Exec) -> Result<Output, SshError> {
    let device = args.target.connect()?;
    let mut command = device.command(&args.command);
    if let Some(timeout) = args.timeout {
        command = command.timeout(Duration::from_millis(timeout));
    }
    if let Some(most) = args.most {
        command = command.max_bytes(most);
    }
    command.run()
}

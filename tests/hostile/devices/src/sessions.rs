//! As many sessions as one can get.

use std::time::Duration;

use fleetgate_sdk::prelude::*;
use fleetgate_sdk::ssh::{Shell, Terminal};
use serde_json::{Value, json};

use crate::target::{Target, failure};

/// How many of which device.
#[derive(Deserialize, JsonSchema)]
pub struct Many {
    #[serde(flatten)]
    target: Target,
    /// Terminals to open.
    count: usize,
    /// Milliseconds to hold them.
    hold: u64,
}

/// Opens terminals and holds them for a while.
#[tool(requires = "any", timeout = "60s")]
pub fn flood(args: Many) -> Result<ToolResult, Fault> {
    let (shells, told) = opened(&args);
    fleetgate_sdk::call::sleep(Duration::from_millis(args.hold))?;
    drop(shells);
    ToolResult::structured(&told)
}

/// Opens terminals and forgets them.
#[tool(requires = "any", timeout = "60s")]
pub fn leak(args: Many) -> Result<ToolResult, Fault> {
    let (shells, told) = opened(&args);
    std::mem::forget(shells);
    ToolResult::structured(&told)
}

fn opened(args: &Many) -> (Vec<Shell>, Value) {
    let mut shells = Vec::new();
    let mut error = None;
    for _ in 0..args.count {
        // Each with a handle of its own, which is forgotten too.
        let device = args.target.connect();
        let opened = device.and_then(|device| {
            let shell = device.open_shell(&Terminal::default());
            std::mem::forget(device);
            shell
        });
        match opened {
            Ok(shell) => shells.push(shell),
            Err(failed) => error = Some(failure(&failed)),
        }
    }
    let opened = shells.len();
    (shells, json!({"opened": opened, "error": error}))
}

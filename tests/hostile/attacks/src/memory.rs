//! Taking memory.

use std::time::Duration;

use fleetgate_sdk::prelude::*;

/// Grows until it is stopped.
#[tool(requires = "any", read_only)]
pub fn grow_forever() -> Result<String, Fault> {
    let mut kept = Vec::new();
    loop {
        kept.push(vec![1u8; 1 << 20]);
        std::hint::black_box(&kept);
    }
}

/// How much to hold, for how long.
#[derive(Deserialize, JsonSchema)]
pub struct Hold {
    /// Mebibytes.
    mebibytes: usize,
    /// Milliseconds.
    milliseconds: u64,
}

/// Takes memory and waits.
#[tool(requires = "any", read_only)]
pub fn hold(args: Hold) -> Result<String, Fault> {
    let held = vec![1u8; args.mebibytes << 20];
    fleetgate_sdk::call::sleep(Duration::from_millis(args.milliseconds))?;
    Ok(format!("held {}", std::hint::black_box(held).len()))
}

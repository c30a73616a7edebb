//! Falling over.

use fleetgate_sdk::prelude::*;

/// Panics, with a path of the author's machine in the message.
#[tool(requires = "any", read_only)]
pub fn panic() -> Result<String, Fault> {
    panic!("the plugin fell over");
}

/// Ends the process that it thinks it is.
#[tool(requires = "any", read_only)]
pub fn exit() -> Result<String, Fault> {
    std::process::exit(0)
}

/// Traps.
#[tool(requires = "any", read_only)]
pub fn unreachable() -> Result<String, Fault> {
    core::arch::wasm32::unreachable()
}

//! Talking too much.

use fleetgate_sdk::prelude::*;

/// Logs 100,000 lines.
#[tool(requires = "any", read_only)]
pub fn log_flood() -> Result<String, Fault> {
    for line in 0..100_000 {
        fleetgate_sdk::log::info(format!("flood {line}"));
    }
    Ok("logged".to_owned())
}

/// Logs one line of a mebibyte, and one on stdout.
#[tool(requires = "any", read_only)]
pub fn long_line() -> Result<String, Fault> {
    fleetgate_sdk::log::info("x".repeat(1 << 20));
    println!("{}", "y".repeat(1 << 20));
    Ok("logged".to_owned())
}

/// Logs what looks like another line, from somebody else, in red.
#[tool(requires = "any", read_only)]
pub fn forged_line() -> Result<String, Fault> {
    let forged =
        "harmless\r\n2026-01-01T00:00:00Z  INFO fleetgate: \u{1b}[31mgranted everything\u{1b}[0m \u{202e}txt";
    fleetgate_sdk::log::info(forged);
    println!("{forged}");
    Ok("logged".to_owned())
}

/// Hands 64 MiB to a host function.
#[tool(requires = "any", read_only)]
pub fn huge_argument_to_host() -> Result<String, Fault> {
    fleetgate_sdk::log::info("z".repeat(40 << 20));
    Ok("passed".to_owned())
}

/// Reports progress 100,000 times, and backwards.
#[tool(requires = "any", read_only)]
pub fn progress_flood() -> Result<String, Fault> {
    for step in 0..100_000u32 {
        fleetgate_sdk::call::progress(f64::from(step % 1_000), Some(1_000.0), Some("on"));
    }
    Ok("reported".to_owned())
}

//! Keeping what it was given.

use fleetgate_sdk::prelude::*;
use wasip2::http::types::Fields;

/// Makes header lists and never drops them.
#[tool(requires = "any", read_only)]
pub fn leak_fields() -> Result<String, Fault> {
    for _ in 0..1_000_000 {
        std::mem::forget(Fields::new());
    }
    Ok("leaked".to_owned())
}

/// Makes timers and never drops them.
#[tool(requires = "any", read_only)]
pub fn leak_pollables() -> Result<String, Fault> {
    for _ in 0..1_000_000 {
        std::mem::forget(wasip2::clocks::monotonic_clock::subscribe_duration(1 << 60));
    }
    Ok("leaked".to_owned())
}

/// Wants a mebibyte of random at once.
#[tool(requires = "any", read_only)]
pub fn much_random() -> Result<String, Fault> {
    Ok(wasip2::random::random::get_random_bytes(1 << 20).len().to_string())
}

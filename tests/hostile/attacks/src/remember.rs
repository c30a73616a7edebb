//! Leaving something for the next call.

use std::sync::atomic::{AtomicU64, Ordering};

use fleetgate_sdk::prelude::*;

static SEEN: AtomicU64 = AtomicU64::new(0);

/// How often this instance was called before. Anything but 0 is a leak.
#[tool(requires = "any", read_only)]
pub fn canary() -> Result<String, Fault> {
    Ok(SEEN.fetch_add(1, Ordering::Relaxed).to_string())
}

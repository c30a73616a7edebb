//! Burning time.

use std::time::Duration;

use fleetgate_sdk::prelude::*;

/// Never ends, and never calls the host.
#[tool(requires = "any", read_only, timeout = "60s")]
pub fn spin() -> Result<String, Fault> {
    let mut n = 0u64;
    loop {
        n = std::hint::black_box(n.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1));
    }
}

/// Never returns.
#[tool(requires = "any", read_only)]
pub fn recurse() -> Result<String, Fault> {
    #[expect(unconditional_recursion, reason = "that is the attack")]
    fn deeper(n: u64) -> u64 {
        std::hint::black_box(deeper(n + 1)) + 1
    }
    Ok(deeper(0).to_string())
}

/// Calls the host in a tight loop.
#[tool(requires = "any", read_only, timeout = "60s")]
pub fn ask_forever() -> Result<String, Fault> {
    let mut times = 0u64;
    loop {
        times += u64::from(!fleetgate_sdk::granted("http.never"));
        std::hint::black_box(times);
    }
}

/// How long to sleep.
#[derive(Deserialize, JsonSchema)]
pub struct Sleep {
    /// Milliseconds.
    milliseconds: u64,
}

/// Waits, and takes a place while it does.
#[tool(requires = "any", read_only, timeout = "60s")]
pub fn sleep(args: Sleep) -> Result<String, Fault> {
    fleetgate_sdk::call::sleep(Duration::from_millis(args.milliseconds))?;
    Ok("slept".to_owned())
}

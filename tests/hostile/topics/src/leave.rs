//! Leaving in the middle of something.

use std::time::Duration;

use fleetgate_sdk::mqtt::Subscription;
use fleetgate_sdk::prelude::*;

/// How to leave.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum How {
    /// Crashes.
    Panic,
    /// Waits for a message, for ever.
    Read,
    /// Burns time, for ever.
    Spin,
    /// Forgets its handle and returns.
    Forget,
}

/// What to listen to, and how to leave.
#[derive(Deserialize, JsonSchema)]
pub struct Leave {
    /// A filter.
    filter: String,
    /// How.
    how: How,
}

/// Listens, and is gone: after six seconds at the latest.
#[tool(requires = "any", timeout = "6s")]
pub fn leave(args: Leave) -> Result<String, Fault> {
    let heard = Subscription::open("mqtt.broker", &[&args.filter])?;
    match args.how {
        How::Panic => panic!("left"),
        How::Read => loop {
            // Whatever the host says about it.
            let _ = heard.read(Duration::from_secs(3600));
        },
        How::Spin => loop {
            std::hint::black_box(&heard);
        },
        How::Forget => std::mem::forget(heard),
    }
    Ok("forgotten".to_owned())
}

//! As much as one can get.

use std::time::Duration;

use fleetgate_sdk::bindings::mqtt::fleetgate::mqtt::mqtt::{self, Subscription};
use fleetgate_sdk::prelude::*;
use serde_json::json;

use crate::publishing::failure;

/// How much of what.
#[derive(Deserialize, JsonSchema)]
pub struct Flood {
    /// Where.
    topic: String,
    /// How many.
    count: usize,
    /// Bytes of each.
    size: usize,
    /// 0, 1 or 2.
    qos: u8,
}

/// Publishes one after the other, whatever comes of it.
#[tool(requires = "any", timeout = "60s")]
pub fn flood(args: Flood) -> Result<ToolResult, Fault> {
    let payload = vec![b'x'; args.size];
    let options = json!({ "qos": args.qos }).to_string();
    let (mut published, mut refused, mut error) = (0, 0, None);
    for _ in 0..args.count {
        match mqtt::publish("mqtt.broker", &args.topic, &payload, Some(&options)) {
            Ok(()) => published += 1,
            Err(failed) => {
                refused += 1;
                error = Some(failure(&failed));
                if failed.code == "cancelled" {
                    break;
                }
            }
        }
    }
    ToolResult::structured(&json!({ "published": published, "refused": refused, "error": error }))
}

/// How many subscriptions.
#[derive(Deserialize, JsonSchema)]
pub struct Hoard {
    /// Its filter: `{n}` is the number of the subscription.
    filter: String,
    /// Filters of each.
    #[serde(default)]
    filters: usize,
    /// How many.
    count: usize,
    /// Milliseconds to hold them.
    #[serde(default)]
    hold: u64,
    /// Forgets them instead.
    #[serde(default)]
    forget: bool,
}

/// Listens again and again.
#[tool(requires = "any", timeout = "60s")]
pub fn hoard(args: Hoard) -> Result<ToolResult, Fault> {
    let (mut open, mut refused, mut error) = (Vec::new(), 0, None);
    for n in 0..args.count {
        let filter = args.filter.replace("{n}", &n.to_string());
        let filters: Vec<_> = match args.filters {
            0 | 1 => vec![filter],
            many => (0..many).map(|m| format!("{filter}/{m}")).collect(),
        };
        match Subscription::open("mqtt.broker", &filters, None) {
            Ok(subscription) => open.push(subscription),
            Err(failed) => {
                refused += 1;
                error = Some(failure(&failed));
            }
        }
    }
    let opened = open.len();
    if args.hold > 0 {
        call::sleep(Duration::from_millis(args.hold))?;
    }
    if args.forget {
        std::mem::forget(open);
    }
    ToolResult::structured(&json!({ "opened": opened, "refused": refused, "error": error }))
}

//! What became of the events.

use fleetgate_sdk::keyvalue::Bucket;
use fleetgate_sdk::prelude::*;
use serde_json::{Value, json};

/// Which part of the log.
#[derive(Deserialize, JsonSchema)]
pub struct Part {
    /// `line/` or `count/`.
    prefix: String,
    /// Behind this key.
    behind: Option<String>,
    /// How many.
    #[serde(default = "many")]
    limit: u32,
}

fn many() -> u32 {
    1_000
}

/// What the handler did.
#[tool(requires = "any", read_only)]
pub fn log(args: Part) -> Result<ToolResult, Fault> {
    let page = Bucket::open("keyvalue.log")?.list(&args.prefix, args.behind.as_deref(), args.limit)?;
    let lines: Vec<Value> = page
        .entries
        .iter()
        .map(|entry| json!({ "key": entry.key, "value": entry.json::<Value>().unwrap_or_default() }))
        .collect();
    ToolResult::structured(&json!({ "lines": lines, "more": page.more }))
}

/// Forgets what the handler did.
#[tool(requires = "any", timeout = "60s")]
pub fn clear() -> Result<u64, Fault> {
    let log = Bucket::open("keyvalue.log")?;
    let mut gone = 0;
    loop {
        let page = log.list("", None, 500)?;
        if page.entries.is_empty() {
            return Ok(gone);
        }
        page.entries.iter().fold(log.batch(), |batch, entry| batch.delete(&entry.key)).write()?;
        gone += page.entries.len() as u64;
    }
}

/// Work for a job.
#[tool(requires = "any", task = "optional")]
pub fn work() -> Result<String, Fault> {
    Ok("done".to_owned())
}

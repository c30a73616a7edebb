//! As much as one can get.

use fleetgate_sdk::keyvalue::Bucket;
use fleetgate_sdk::prelude::*;
use serde_json::json;

use crate::acts::failure;

/// How much of what.
#[derive(Deserialize, JsonSchema)]
pub struct Much {
    /// The capability.
    bucket: String,
    /// How many.
    count: usize,
    /// Bytes of each.
    size: usize,
    /// What the keys begin with.
    #[serde(default)]
    prefix: String,
}

/// Writes one entry after the other until it is refused.
#[tool(requires = "any", timeout = "60s")]
pub fn flood(args: Much) -> Result<ToolResult, Fault> {
    let bucket = Bucket::open(&args.bucket)?;
    let value = vec![b'x'; args.size];
    let (mut written, mut error) = (0, None);
    for n in 0..args.count {
        match bucket.set(&format!("{}{n:08}", args.prefix), &value) {
            Ok(_) => written += 1,
            Err(failed) => {
                error = Some(failure(&failed));
                break;
            }
        }
    }
    ToolResult::structured(&json!({ "written": written, "error": error }))
}

/// Opens a bucket again and again, and forgets the handles.
#[tool(requires = "any", timeout = "60s")]
pub fn hoard(args: Much) -> Result<ToolResult, Fault> {
    let (mut opened, mut error) = (0, None);
    for _ in 0..args.count {
        match Bucket::open(&args.bucket) {
            Ok(bucket) => {
                std::mem::forget(bucket);
                opened += 1;
            }
            Err(failed) => {
                error = Some(failure(&failed));
                break;
            }
        }
    }
    ToolResult::structured(&json!({ "opened": opened, "error": error }))
}

/// Writes everything in one batch.
#[tool(requires = "any", timeout = "60s")]
pub fn huge_batch(args: Much) -> Result<ToolResult, Fault> {
    let bucket = Bucket::open(&args.bucket)?;
    let value = vec![b'x'; args.size];
    let batch = (0..args.count)
        .fold(bucket.batch(), |batch, n| batch.set(&format!("{}{n:08}", args.prefix), value.clone()));
    ToolResult::structured(&match batch.write() {
        Ok(revisions) => json!({ "written": revisions.len() }),
        Err(failed) => json!({ "written": 0, "error": failure(&failed) }),
    })
}

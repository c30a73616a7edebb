//! Anything that one can do with a bucket, to the letter.

use std::time::Duration;

use fleetgate_sdk::keyvalue::{Batch, Bucket, Entry, KeyValueError, Page};
use fleetgate_sdk::prelude::*;
use serde_json::{Value, json};

/// A key and a value.
#[derive(Deserialize, JsonSchema)]
pub struct Put {
    /// The key, or anything.
    key: String,
    /// The value. None: `size` bytes.
    value: Option<String>,
    /// Bytes of the value.
    #[serde(default)]
    size: usize,
    /// Milliseconds that it is kept.
    ttl: Option<u64>,
    /// Only at this revision; 0: only if there is none.
    revision: Option<u64>,
}

impl Put {
    fn value(&self) -> Vec<u8> {
        self.value.as_ref().map_or_else(|| vec![b'x'; self.size], |value| value.clone().into_bytes())
    }
}

/// Keys.
#[derive(Deserialize, JsonSchema)]
pub struct List {
    /// What they begin with.
    #[serde(default)]
    prefix: String,
    /// Behind this one, in the direction in which it goes.
    behind: Option<String>,
    /// How many.
    limit: u32,
    /// From the last to the first.
    #[serde(default)]
    back: bool,
}

/// Something to do with a bucket.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Act {
    /// Reads.
    Get(String),
    /// Writes.
    Set(Put),
    /// Deletes.
    Delete(String),
    /// Lists.
    List(List),
    /// Writes at a revision.
    Swap(Put),
    /// Counts: the key, and how much.
    Increment(String, i64),
    /// Writes all of it.
    Batch(Vec<Put>),
    /// Deletes all of it, at once.
    DeleteAll(Vec<String>),
}

/// What to do with which bucket.
#[derive(Deserialize, JsonSchema)]
pub struct Acts {
    /// The capability.
    bucket: String,
    /// One after the other.
    acts: Vec<Act>,
}

/// Does one after the other, whatever comes of it.
#[tool(requires = "any", timeout = "60s")]
pub fn act(args: Acts) -> Result<ToolResult, Fault> {
    ToolResult::structured(&run(&args))
}

/// The same from a tool that claims to change nothing.
#[tool(requires = "any", read_only)]
pub fn act_read_only(args: Acts) -> Result<ToolResult, Fault> {
    ToolResult::structured(&run(&args))
}

/// The same from one that says what it writes to.
#[tool(requires = "any", read_only, reach = { "keyvalue.shared" = { write = true } })]
pub fn act_within_reach(args: Acts) -> Result<ToolResult, Fault> {
    ToolResult::structured(&run(&args))
}

fn run(args: &Acts) -> Value {
    match Bucket::open(&args.bucket) {
        Err(error) => json!({ "error": failure(&error) }),
        Ok(bucket) => {
            let done = args.acts.iter().map(|act| done(&bucket, act));
            let told = done.map(|done| done.unwrap_or_else(|error| json!({ "error": failure(&error) })));
            json!({ "acts": told.collect::<Vec<_>>() })
        }
    }
}

/// Everything that a guest learns of a failure.
pub fn failure(error: &KeyValueError) -> Value {
    let KeyValueError { code, message, retryable, details } = error;
    json!({ "code": code, "message": message, "retryable": retryable, "details": details })
}

fn shown(entry: &Entry) -> Value {
    let start: String = entry.text().chars().take(200).collect();
    json!({
        "key": entry.key, "value": start, "length": entry.value.len(), "revision": entry.revision,
        "expires": entry.expires_ms,
    })
}

fn done(bucket: &Bucket, act: &Act) -> Result<Value, KeyValueError> {
    Ok(match act {
        Act::Get(key) => bucket.get(key)?.map_or(Value::Null, |entry| shown(&entry)),
        Act::Set(put) => match put.ttl {
            None => json!(bucket.set(&put.key, put.value())?),
            Some(ttl) => json!(bucket.set_for(&put.key, put.value(), Duration::from_millis(ttl))?),
        },
        Act::Delete(key) => json!(bucket.delete(key)?),
        Act::List(list) => {
            let page = match list.back {
                false => bucket.list(&list.prefix, list.behind.as_deref(), list.limit)?,
                true => bucket.list_back(&list.prefix, list.behind.as_deref(), list.limit)?,
            };
            let Page { entries, more } = page;
            json!({ "entries": entries.iter().map(shown).collect::<Vec<_>>(), "more": more })
        }
        Act::Swap(put) => {
            let expected = put.revision.filter(|revision| *revision > 0);
            json!(bucket.compare_and_swap(&put.key, expected, put.value())?)
        }
        Act::Increment(key, by) => json!(bucket.increment(key, *by)?),
        Act::Batch(puts) => json!(puts.iter().fold(bucket.batch(), put).write()?),
        Act::DeleteAll(keys) => {
            json!(keys.iter().fold(bucket.batch(), |batch, key| batch.delete(key)).write()?)
        }
    })
}

fn put<'a>(batch: Batch<'a>, put: &Put) -> Batch<'a> {
    let batch = match put.ttl {
        None => batch.set(&put.key, put.value()),
        Some(ttl) => batch.set_for(&put.key, put.value(), Duration::from_millis(ttl)),
    };
    match put.revision {
        None => batch,
        Some(0) => batch.if_absent(),
        Some(revision) => batch.if_at(revision),
    }
}

//! What a plugin remembers: keys and values that outlive the call, the plugin's version and the host's restart.
//!
//! A plugin names the request of its manifest (`[capabilities.keyvalue.history]` is `keyvalue.history`). In a bucket of
//! scope `principal` each caller has a part of its own, which the host adds: no key can name another's. One of scope
//! `shared` is the binding's, and the only one that a handler of events can open, for nobody calls it.
//!
//! ```
//! # use fleetgate_sdk::prelude::*;
//! use std::time::Duration;
//! use fleetgate_sdk::keyvalue::Bucket;
//!
//! #[derive(Serialize, Deserialize)]
//! struct Reading {
//!     value: f64,
//! }
//!
//! # fn keep() -> Result<(), Fault> {
//! let history = Bucket::open("keyvalue.history")?;
//! let mut batch = history.batch();
//! for (time, value) in [(1_700_000_000_000_u64, 21.5), (1_700_000_060_000, 21.7)] {
//!     // Numbers of one length sort as their keys do.
//!     let key = format!("d1/temperature/{time:016}");
//!     batch = batch.set_json_for(&key, &Reading { value }, Duration::from_secs(86_400));
//! }
//! batch.write()?;
//!
//! let newest = history.entries_back("d1/temperature/").next().transpose()?;
//! assert_eq!(newest.unwrap().json::<Reading>()?.value, 21.7);
//! # Ok(())
//! # }
//! # fleetgate_sdk::testing::Harness::new().granted("keyvalue.history").shared("keyvalue.history").run(|| keep().unwrap());
//! ```
//!
//! Writes are durable when they answer. Two calls may run at once: what is read, changed and written again belongs into
//! [`Bucket::compare_and_swap`] or into a [`Batch`] with conditions.

mod batch;
mod bucket;
mod entries;
mod entry;
mod error;

#[cfg(target_arch = "wasm32")]
mod guest;
#[cfg(target_arch = "wasm32")]
use guest as host;

#[cfg(not(target_arch = "wasm32"))]
use crate::testing::store as host;

pub use batch::{Batch, Change, Condition, Write};
pub use bucket::Bucket;
pub use entries::Entries;
pub use entry::{Entry, Page};
pub use error::KeyValueError;

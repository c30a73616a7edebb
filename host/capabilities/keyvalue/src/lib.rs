//! Key-value for guests.
//!
//! A guest uses `fleetgate:keyvalue/keyvalue`, and every operation of every guest takes the same way, which is the order
//! to read this crate in: [`host`] (where it leaves the guest) → [`session`] (one call) → [`guard`] (may it) →
//! [`bucket`] (what it does) → the host's [store](fleetgate_core::store).
//!
//! **Whose an entry is** stands in the store's own names, which no guest writes: a bucket is a space of its binding and
//! request, and within it each caller has a part ([`part`]). What a guest names is only ever the rest of a key. **How
//! much there may be** is counted by the store in the same step as the write ([`fleetgate_core::store::Quota`]), so
//! that nothing is lost or kept twice when a process dies.
//!
//! [`request`], [`reach`] and [`grant`] are the tables that people write, [`capability`] is what becomes of them at
//! load, and [`kept`] is what the operator sees of all buckets.

mod bucket;
mod capability;
mod failure;
mod grant;
mod guard;
mod host;
pub mod kept;
mod part;
mod reach;
mod request;
mod room;
mod schema;
mod session;

pub use capability::KeyValue;
pub use failure::{Failure, GuestFailure};
pub use session::{MOST_BYTES, MOST_OPERATIONS};

/// For this crate's own tests, which have no guest.
#[doc(hidden)]
pub mod testing {
    pub use crate::bucket::{Bucket, Found, Listing, MOST_BATCH, Write};
    pub use crate::capability::KeyValueBinding;
    pub use crate::part::space;
    pub use crate::session::Session;
}

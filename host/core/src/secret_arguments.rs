//! Arguments that a guest never sees: those that a tool's manifest entry calls `secret`.
//!
//! ```text
//! client ── {"host": "sw1", "password": "hunter2"}
//!   checked against the schema as they are
//!   taken out:     {"host": "sw1", "password": "fleetgate-secret-xxxx…"}   + Taken {"/password": hunter2}
//!   hashed and recorded without them; kept so by jobs, the values in memory alone
//!   one call:      {"host": "sw1", "password": "fleetgate-secret-k3f9…"}   + Vault {k3f9…: hunter2}
//! guest ── passes the placeholder on: to an SSH login, into a request, to a job of its own plugin
//! ```
//!
//! A placeholder is random, good for one call, and of one length whatever it stands for. Only host functions open the
//! [`Vault`], each for what a grant names; a guest cannot. What comes back, from an upstream, a device or the guest
//! itself, is masked for the values ([`hide`], and each capability for what it lets the guest read), so that sending a
//! placeholder to somebody who echoes it is of no use.
//!
//! Only text can be secret. An argument that is absent or null has no placeholder; one of another type is refused.

mod arguments;
pub(crate) mod hide;
mod schema;
mod vault;

pub use arguments::Arguments;
pub(crate) use schema::{SecretMisplaced, check as check_schema};
pub use vault::Vault;

/// What every placeholder begins with.
pub const PREFIX: &str = "fleetgate-secret-";
/// Stands where a value was taken out, for as long as no call has a placeholder for it. As long as one, and none.
const TAKEN: &str = "fleetgate-secret-xxxxxxxxxxxxxxxxxxxxxxxxxx";

//! The tools against a played NervesHub.
//!
//! Every call in these tests goes the way that a host's call goes (JSON arguments, dispatch, faults), and three
//! promises are checked on each of them, whatever the test is about: no request is outside of what the manifest asks
//! for or of the tool's own reach, a read-only tool sends nothing but GET, and a result matches the output schema.

mod account;
mod actions;
mod arguments;
mod declaration;
mod device;
mod fleet;
mod health;
mod played;
mod refusals;
mod releases;
mod scripts;
mod summary;
mod upgrade;

use played::{DEVICE, PRODUCT, Played, device, error, fault_of, ok};

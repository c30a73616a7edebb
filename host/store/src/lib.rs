//! The embedded [`Store`](fleetgate_core::store::Store): a redb file in the host's state directory.
//!
//! **One process has a file.** The lock is redb's own and ends with the process, however that ends. Several hosts may
//! share a state directory (a `serve`, a `stdio` for each client). What belongs to one host (its jobs) is in a file of
//! its own, by its role ([`open_first_free`]); what belongs to the configuration is in one file that all share
//! ([`StateStore`]). redb 4.5 can share a file between writers; it is new, doubles the syncs of every commit, and
//! nothing here needs it.
//!
//! **Durable before the answer.** One thread writes; what was asked for meanwhile shares the next commit (group
//! commit), and whoever asked is answered when it is synced. Readers see the last commit and wait for nobody.
//!
//! **A disk that is full** refuses the write, keeps what was there, and is tried again with the next write.
//!
//! - [`file`]: which file, and whether it may be trusted; [`embedded`]: the store; [`writer`]: the one thread
//! - [`rows`]: what stands in the file
//! - [`state`]: one store for many hosts; [`duty`]: which of them does standing work

mod duty;
mod embedded;
mod file;
mod rows;
mod state;
mod writer;

pub use duty::DutyLocks;
pub use embedded::Embedded;
pub use file::{OpenFailed, directory, open_first_free};
pub use state::StateStore;

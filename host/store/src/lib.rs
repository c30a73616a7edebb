//! The embedded [`Store`](fleetgate_core::store::Store): a redb file in the host's state directory.
//!
//! **One process has a file.** The lock is redb's own and ends with the process, however that ends. Several hosts may
//! share a state directory (a `serve`, a `stdio` for each client): each takes a file of its own, by its role
//! ([`open_first_free`]). redb 4.5 can share a file between writers; it is new, doubles the syncs of every commit, and
//! nothing here needs it.
//!
//! **Durable before the answer.** One thread writes; what was asked for meanwhile shares the next commit (group
//! commit), and whoever asked is answered when it is synced. Readers see the last commit and wait for nobody.
//!
//! **A disk that is full** refuses the write, keeps what was there, and is tried again with the next write.
//!
//! - [`file`]: which file, and whether it may be trusted; [`embedded`]: the store; [`writer`]: the one thread
//! - [`rows`]: what stands in the file

mod embedded;
mod file;
mod rows;
mod writer;

pub use embedded::Embedded;
pub use file::{OpenFailed, directory, open_first_free};

//! Jobs: calls that run in the background, kept so that their owner can come back for the result.
//!
//! A job is a [`ToolCall`](crate::call::ToolCall) that goes through the same corridor as any other (roles, schema,
//! audit, limits), under permits of its own, with the plugin version that it started with. It begins in one of two
//! ways: [`Jobs::begin`] for a client that can take a job instead of a result, [`Jobs::submit`] for a plugin.
//!
//! ```text
//! queued → working → completed | failed | cancelled
//!            ↓  ↑
//!       input-required
//! ```
//!
//! **Durable.** A job is in the [`Store`](crate::store::Store) before anybody hears of its id, and its result before
//! its state says `completed`. Arguments, answers and what a guest wants to know again are never stored: after a
//! restart nothing is continued. What had not ended then is `failed` with the fault `interrupted`, which says whether
//! it may be repeated.
//!
//! **Owned.** A job exists for the principal who began it, while that principal holds what the tool requires, on an
//! endpoint that shows its binding. For everybody else its id is as unknown as any other.
//!
//! **Bounded.** Jobs that run, wait and are kept, of one principal and in all; the bytes of results; how long each is
//! kept (`[jobs]` in `fleetgate.toml`). At the bounds a new job is refused and an old one stays.
//!
//! Read in this order: [`job`], what an owner sees; [`record`] and [`result`], what is stored; [`table`], what is at
//! hand; [`engine`], what can be asked; [`drive`], the life of one job; [`recover`], the start after a stop;
//! [`dead`], what nobody got an end of; [`guest`], what plugins see of it.

mod access;
mod dead;
mod drive;
mod engine;
mod guest;
mod job;
mod mirror;
mod observer;
mod record;
mod recover;
mod result;
mod table;

pub use access::{Access, Tools};
pub use dead::DeadJob;
pub use engine::{Begun, Jobs, JobsFailed, JobsOptions, JobsPage, Stopping, Wish};
pub use guest::JobsOfCall;
pub use job::{Job, Status};
pub use mirror::{MirrorUnreadable, Mirrored, MirroredJob, read_mirror};

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
//! **Bounded** ([`bounds`]). Jobs that run, wait and are kept, of one principal, of one binding and in all; the bytes of
//! results; how long each is kept (`[jobs]` in `fleetgate.toml`). At the bounds a new job is refused.
//!
//! **Allowed at each run.** What the operator took away while a job waited for its turn or for an answer is not used.
//!
//! Read in this order: [`job`], what an owner sees; [`record`] and [`result`], what is stored; [`table`], what is at
//! hand; [`engine`], all of them together; [`begin`], how one begins; [`keep`], how it comes into the store; [`drive`], its
//! life, and [`end`], the stations of it; [`owned`], what its owner can do; [`recover`], the start after a stop;
//! [`dead`], what nobody got an end of; [`guest`], what plugins see of it.

mod access;
mod begin;
mod bounds;
mod dead;
mod descent;
mod drive;
mod end;
mod engine;
mod guest;
mod job;
mod keep;
mod mirror;
mod observer;
mod owned;
mod record;
mod recover;
mod result;
mod table;
mod unknown;

pub use access::{Access, Tools};
pub use begin::{Begun, Wish};
pub use dead::DeadJob;
pub(crate) use descent::Descent;
pub use engine::{Jobs, JobsFailed, JobsOptions, Stopping};
pub use guest::JobsOfCall;
pub use job::{Job, Status};
pub use mirror::{MirrorUnreadable, Mirrored, MirroredJob, read_mirror};
pub use owned::JobsPage;

//! Runs guests: compile once, then a fresh instance for every call.
//!
//! - [`engine`]: the one wasmtime engine, its settings and why
//! - [`compile`] and [`cache`]: from a component's bytes to machine code, in a child process
//! - [`state`]: what a call's `Store` holds; [`limits`]: what it may use up
//! - [`info`]: what the host knows of a call; [`waiting`]: how long it may wait; [`observer`]: who listens to it;
//!   [`lists`]: what it says of its lists
//! - [`lane`]: fair time: a guest that burns CPU gives way and ends at its budget
//! - [`pool`]: permits, so that one plugin never starves the others
//! - [`run`]: one call from instantiation to result, with its deadline; [`work`]: which function it calls
//! - [`stdio`]: a guest's stdout and stderr become log lines

pub mod cache;
pub mod compile;
mod engine;
mod info;
mod lane;
mod limits;
mod lists;
mod observer;
mod pool;
mod run;
mod state;
mod stdio;
mod waiting;
pub(crate) mod work;

pub use engine::{Allocator, NotRunnable, Sandbox, SandboxFailed, SandboxOptions, code_config};
pub use info::{CallInfo, CallPolicy, Used, UsedEntry};
pub use limits::{BindingMemory, CallLimits, LimitHit};
pub use lists::{Lists, ListsChanged};
pub use observer::{Level, Nobody, Observer};
pub use pool::{BindingPermits, Permit, Permits};
pub use run::{GRACE, Guest, Run, RunFailed};
pub use state::CallState;
pub use waiting::{Cancelled, CutShort};

pub use crate::abi::v0_1::Exported;

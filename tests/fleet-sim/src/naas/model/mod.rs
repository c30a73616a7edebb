//! What the server keeps, as tests see it.

mod device;
mod job;

pub use device::{Device, Manner, Platform};
pub use job::{End, Failure, Func, Job, Request, Status};

pub(crate) use job::Run;

//! Jobs that submit jobs: one call, and whatever comes of it, has one allowance.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::domain::Fault;

/// Jobs that one call, and the jobs that come of it, may submit together.
const MOST: u32 = 64;
/// How deep jobs may submit jobs.
const DEPTH: u32 = 4;

/// Where a call stands among the jobs that came of one call.
#[derive(Debug, Clone, Default)]
pub(crate) struct Descent {
    /// Jobs between it and a call that somebody made.
    depth: u32,
    /// What they submitted so far, all of them together.
    submitted: Arc<AtomicU32>,
}

impl Descent {
    /// Of a job that is submitted from here.
    pub(super) fn below(&self) -> Self {
        Self { depth: self.depth + 1, submitted: self.submitted.clone() }
    }

    /// Takes one job from the allowance.
    pub(super) fn submit(&self) -> Result<(), Fault> {
        let limit = |message: String| Err(Fault::new("limit", message));
        if self.depth >= DEPTH {
            return limit(format!("jobs may submit jobs {DEPTH} deep and not deeper"));
        }
        if self.submitted.fetch_add(1, Ordering::Relaxed) >= MOST {
            return limit(format!("one call may submit {MOST} jobs, with those that they submit"));
        }
        Ok(())
    }
}

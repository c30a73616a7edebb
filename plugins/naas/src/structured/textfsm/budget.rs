//! How long parsing may take.

use std::time::{Duration, Instant};

use super::RunError;

/// Time that one or several parses share. The clock is the wall's: a parse waits for nothing, so in the sandbox that
/// is the time which the host counts.
#[derive(Debug, Clone, Copy)]
pub struct Budget {
    whole: Duration,
    left: Duration,
}

impl Budget {
    /// `time` to spend.
    #[must_use]
    pub fn new(time: Duration) -> Self {
        Self { whole: time, left: time }
    }

    pub(super) fn start(&mut self) -> Running<'_> {
        Running { began: Instant::now(), budget: self, checks: 0 }
    }
}

/// A parse that spends a budget; what it took is taken off at its end.
pub(super) struct Running<'b> {
    budget: &'b mut Budget,
    began: Instant,
    checks: u32,
}

impl Running<'_> {
    /// Looks at the clock each 64th time, which is often enough: the steps between two looks are bounded.
    pub(super) fn check(&mut self) -> Result<(), RunError> {
        self.checks = self.checks.wrapping_add(1);
        if self.checks % 64 == 1 && self.began.elapsed() > self.budget.left {
            return Err(RunError::TooSlow { milliseconds: self.budget.whole.as_millis() });
        }
        Ok(())
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.budget.left = self.budget.left.saturating_sub(self.began.elapsed());
    }
}

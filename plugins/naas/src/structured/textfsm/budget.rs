//! How long parsing may take.

use std::time::{Duration, Instant};

use super::RunError;

/// Time that one or several parses share, meant as time of the processor. A guest has no clock for that, only the
/// wall's, and other guests run in between; so each step counts as long as it took, but no longer than such a step
/// can take by itself.
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
        Running { last: Instant::now(), budget: self }
    }
}

/// A parse that spends a budget.
pub(super) struct Running<'b> {
    budget: &'b mut Budget,
    last: Instant,
}

impl Running<'_> {
    /// Spends what was taken since the last time, at most `longest`.
    pub(super) fn spend(&mut self, longest: Duration) -> Result<(), RunError> {
        let now = Instant::now();
        let took = now.duration_since(self.last).min(longest);
        self.last = now;
        self.budget.left = self.budget.left.saturating_sub(took);
        if self.budget.left.is_zero() {
            return Err(RunError::TooSlow { milliseconds: self.budget.whole.as_millis() });
        }
        Ok(())
    }
}

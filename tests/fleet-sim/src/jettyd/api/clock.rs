//! The time it is for the platform. Tests let it pass instead of waiting.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

/// The system's clock or a stopped one, and what a test added to it.
#[derive(Debug)]
pub(crate) struct Clock {
    stopped_at: Option<Timestamp>,
    passed: SignedDuration,
}

impl Clock {
    pub(crate) fn new(stopped_at: Option<Timestamp>) -> Self {
        Self { stopped_at, passed: SignedDuration::ZERO }
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.stopped_at.unwrap_or_else(Timestamp::now) + self.passed
    }

    pub(crate) fn pass(&mut self, time: Duration) {
        self.passed += signed(time);
    }
}

/// Durations of the settings as the calendar library counts them.
pub(crate) fn signed(time: Duration) -> SignedDuration {
    SignedDuration::try_from(time).unwrap_or(SignedDuration::MAX)
}

//! What keeps callers off: circuit breakers, lockouts and rate limits (section 5 of the contract).

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};

/// Failures in a row that open a host's breaker.
const BREAKER_FAILURES: u32 = 5;
/// How long it stays open.
const BREAKER_OPEN: SignedDuration = SignedDuration::from_secs(300);
/// Failures that lock out.
const LOCKOUT_FAILURES: usize = 10;
/// The time they are counted over.
const LOCKOUT_WINDOW: SignedDuration = SignedDuration::from_mins(10);
/// The time submits are counted over.
const RATE_WINDOW: SignedDuration = SignedDuration::from_secs(60);

/// One per host, whatever its ports.
#[derive(Debug, Default)]
pub(crate) struct Breakers(HashMap<String, Breaker>);

#[derive(Debug, Default)]
struct Breaker {
    failures: u32,
    opened_at: Option<Timestamp>,
}

impl Breakers {
    /// Once the time is over one attempt goes through, and decides.
    pub(crate) fn is_open(&self, host: &str, now: Timestamp) -> bool {
        let opened_at = self.0.get(host).and_then(|breaker| breaker.opened_at);
        opened_at.is_some_and(|opened_at| now.duration_since(opened_at) < BREAKER_OPEN)
    }

    pub(crate) fn failed(&mut self, host: &str, now: Timestamp) {
        let breaker = self.0.entry(host.to_owned()).or_default();
        breaker.failures += 1;
        if breaker.failures >= BREAKER_FAILURES {
            breaker.opened_at = Some(now);
        }
    }

    pub(crate) fn answered(&mut self, host: &str) {
        self.0.remove(host);
    }
}

/// Failures by user and by device.
#[derive(Debug, Default)]
pub(crate) struct Lockouts(HashMap<String, Vec<Timestamp>>);

impl Lockouts {
    pub(crate) fn user_failed(&mut self, user: &str, now: Timestamp) {
        self.failed(format!("user {user}"), now);
    }

    pub(crate) fn device_failed(&mut self, host: &str, now: Timestamp) {
        self.failed(format!("device {host}"), now);
    }

    fn failed(&mut self, who: String, now: Timestamp) {
        let failures = self.0.entry(who).or_default();
        failures.retain(|failure| recent(*failure, now));
        failures.push(now);
    }

    /// Whether the user at this device has to wait.
    pub(crate) fn hold(&self, user: &str, host: &str, now: Timestamp) -> bool {
        let locked = |who: String| {
            let failures = self.0.get(&who).map(Vec::as_slice).unwrap_or_default();
            failures.iter().filter(|failure| recent(**failure, now)).count() >= LOCKOUT_FAILURES
        };
        locked(format!("user {user}")) || locked(format!("device {host}"))
    }
}

fn recent(failure: Timestamp, now: Timestamp) -> bool {
    now.duration_since(failure) < LOCKOUT_WINDOW
}

/// Submits by caller, and by caller and device.
#[derive(Debug, Default)]
pub(crate) struct Rates(HashMap<String, Window>);

#[derive(Debug, Clone, Copy)]
struct Window {
    began: Timestamp,
    count: u32,
}

/// How a caller stands with the limit that it is closest to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rate {
    pub(crate) limit: u32,
    pub(crate) remaining: u32,
    /// When the window is over, in seconds since 1970.
    pub(crate) reset: i64,
    /// Whether this submit is one too many.
    pub(crate) exceeded: bool,
}

impl Rates {
    /// Counts one submit against both limits.
    pub(crate) fn count(
        &mut self,
        caller: &str,
        host: &str,
        (caller_limit, device_limit): (u32, u32),
        now: Timestamp,
    ) -> Rate {
        self.0.retain(|_, window| now.duration_since(window.began) < RATE_WINDOW);
        let by_caller = self.one(caller.to_owned(), caller_limit, now);
        let by_device = self.one(format!("{caller} {host}"), device_limit, now);
        let closest = |rate: &Rate| (!rate.exceeded, rate.remaining);
        std::cmp::min_by_key(by_device, by_caller, closest)
    }

    fn one(&mut self, who: String, limit: u32, now: Timestamp) -> Rate {
        let window = self.0.entry(who).or_insert(Window { began: now, count: 0 });
        window.count += 1;
        Rate {
            limit,
            remaining: limit.saturating_sub(window.count),
            reset: (window.began + RATE_WINDOW).as_second(),
            exceeded: window.count > limit,
        }
    }
}

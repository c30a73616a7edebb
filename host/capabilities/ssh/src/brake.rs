//! A brake on guesses: passwords that a call brings are tried a few times a minute for each user of each device.
//!
//! Whoever may call a tool chooses them, and devices lock accounts that are guessed at. What is not tried is also not
//! compared with connections that are kept, which would be guessing without the device.
//!
//! A password for `enable` is typed into a terminal, where only the device's words tell whether it was right. So the
//! different ones are counted that a device is given, whatever it says to them, and beside them those that it was seen to
//! refuse: the right one may be typed by many calls, and another one is soon not typed any more.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Refusals within [`WINDOW`] after which nothing is tried; as many are tried at once.
const MOST: usize = 3;
/// How long a refusal counts, and a password for `enable`.
pub(crate) const WINDOW: Duration = Duration::from_secs(60);
/// Users of devices that are remembered.
const MOST_ACCOUNTS: usize = 4096;

/// The brake of one grant.
#[derive(Default)]
pub(crate) struct Brake(Mutex<HashMap<(String, String), Arc<Account>>>);

struct Account {
    at_once: Arc<Semaphore>,
    refused: Mutex<Vec<Instant>>,
    /// What was typed for `enable`, by its digest, with when it was typed last.
    typed: Mutex<Vec<([u8; 32], Instant)>>,
}

/// A password for `enable` that may be typed.
pub(crate) struct Guess(Arc<Account>);

/// The account of a device's `enable`; no user's name is empty.
const ENABLE: &str = "";

/// The right to try a password. It is given back when it is dropped.
pub(crate) struct Attempt {
    account: Arc<Account>,
    _one: OwnedSemaphorePermit,
}

impl Brake {
    /// Waits until a password may be tried. None: too many were refused.
    pub(crate) async fn attempt(&self, device: &str, user: &str) -> Option<Attempt> {
        let account = self.account(device, user, Instant::now())?;
        if account.is_blocked(Instant::now()) {
            return None;
        }
        let one = Arc::clone(&account.at_once).acquire_owned().await.ok()?;
        if account.is_blocked(Instant::now()) {
            return None;
        }
        Some(Attempt { account, _one: one })
    }

    /// Whether a password for `enable` of this digest may be typed. None: too many others were, or were refused.
    pub(crate) fn enable(&self, device: &str, digest: [u8; 32]) -> Option<Guess> {
        let now = Instant::now();
        let account = self.account(device, ENABLE, now)?;
        (!account.is_blocked(now) && account.types(digest, now)).then_some(Guess(account))
    }

    fn account(&self, device: &str, user: &str, now: Instant) -> Option<Arc<Account>> {
        let mut accounts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (device.to_owned(), user.to_owned());
        if let Some(account) = accounts.get(&key) {
            return Some(Arc::clone(account));
        }
        if accounts.len() >= MOST_ACCOUNTS {
            accounts.retain(|_, account| Arc::strong_count(account) > 1 || account.counts(now));
        }
        if accounts.len() >= MOST_ACCOUNTS {
            return None;
        }
        let account = Arc::new(Account {
            at_once: Arc::new(Semaphore::new(MOST)),
            refused: Mutex::default(),
            typed: Mutex::default(),
        });
        accounts.insert(key, Arc::clone(&account));
        Some(account)
    }
}

impl Account {
    fn refused(&self) -> MutexGuard<'_, Vec<Instant>> {
        self.refused.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn refusals(&self, now: Instant) -> usize {
        let mut refused = self.refused();
        refused.retain(|at| now.saturating_duration_since(*at) < WINDOW);
        refused.len()
    }

    fn is_blocked(&self, now: Instant) -> bool {
        self.refusals(now) >= MOST
    }

    fn typed(&self, now: Instant) -> MutexGuard<'_, Vec<([u8; 32], Instant)>> {
        let mut typed = self.typed.lock().unwrap_or_else(PoisonError::into_inner);
        typed.retain(|(_, at)| now.saturating_duration_since(*at) < WINDOW);
        typed
    }

    /// Remembers what is typed. False: it would be one more than is typed.
    fn types(&self, digest: [u8; 32], now: Instant) -> bool {
        let mut typed = self.typed(now);
        if let Some((_, at)) = typed.iter_mut().find(|(known, _)| *known == digest) {
            *at = now;
            return true;
        }
        let room = typed.len() < MOST;
        if room {
            typed.push((digest, now));
        }
        room
    }

    /// Whether something is remembered that still counts.
    fn counts(&self, now: Instant) -> bool {
        self.refusals(now) > 0 || !self.typed(now).is_empty()
    }
}

impl Guess {
    /// The device was seen to refuse it.
    pub(crate) fn refused(&self) {
        self.0.refused().push(Instant::now());
    }
}

impl Attempt {
    /// The device refused it.
    pub(crate) fn refused(self) {
        self.account.refused().push(Instant::now());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_counts_for_a_minute() {
        let (brake, now) = (Brake::default(), Instant::now());
        let account = brake.account("r1:22", "netops", now).unwrap();
        for seconds in 0..3 {
            assert!(!account.is_blocked(now));
            account.refused().push(now + Duration::from_secs(seconds));
        }
        assert!(account.is_blocked(now + Duration::from_secs(59)));
        assert!(!account.is_blocked(now + Duration::from_secs(60)));
        assert!(!brake.account("r1:22", "admin", now).unwrap().is_blocked(now));
        assert!(!brake.account("r2:22", "netops", now).unwrap().is_blocked(now));
    }

    #[tokio::test]
    async fn attempts_at_once_do_not_pass_the_brake_together() {
        let brake = Brake::default();
        let mut attempts = Vec::new();
        for _ in 0..MOST {
            attempts.push(brake.attempt("r1:22", "netops").await.unwrap());
        }
        let next = brake.attempt("r1:22", "netops");
        tokio::pin!(next);
        assert!(futures_util::poll!(&mut next).is_pending());
        attempts.into_iter().for_each(Attempt::refused);
        assert!(next.await.is_none());
    }

    #[test]
    fn different_passwords_for_enable_are_counted_and_the_same_one_is_not() {
        let (brake, now) = (Brake::default(), Instant::now());
        let account = brake.account("r1:22", ENABLE, now).unwrap();
        for digest in 0..3 {
            for _ in 0..10 {
                assert!(account.types([digest; 32], now));
            }
        }
        assert!(!account.types([3; 32], now + Duration::from_secs(59)));
        assert!(account.types([0; 32], now + Duration::from_secs(59)));
        assert!(account.types([3; 32], now + Duration::from_secs(60)), "the others are forgotten");
        assert!(brake.enable("r1:22", [0; 32]).is_some() && brake.enable("r2:22", [9; 32]).is_some());
        for _ in 0..MOST {
            brake.enable("r2:22", [9; 32]).unwrap().refused();
        }
        assert!(brake.enable("r2:22", [9; 32]).is_none(), "nor is the same one refused again and again");
    }

    #[test]
    fn accounts_are_bounded_and_those_without_refusals_give_way() {
        let (brake, now) = (Brake::default(), Instant::now());
        for number in 0..MOST_ACCOUNTS {
            let account = brake.account("r1:22", &number.to_string(), now).unwrap();
            account.refused().push(now);
        }
        assert!(brake.account("r1:22", "more", now).is_none());
        assert!(brake.account("r1:22", "more", now + WINDOW).is_some());
    }
}

//! A brake on guesses: passwords that a call brings are tried a few times a minute for each user of each device.
//!
//! Whoever may call a tool chooses them, and devices lock accounts that are guessed at. What is not tried is also not
//! compared with connections that are kept, which would be guessing without the device.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Refusals within [`WINDOW`] after which nothing is tried; as many are tried at once.
const MOST: usize = 3;
/// How long a refusal counts.
pub(crate) const WINDOW: Duration = Duration::from_secs(60);
/// Users of devices that are remembered.
const MOST_ACCOUNTS: usize = 4096;

/// The brake of one grant.
#[derive(Default)]
pub(crate) struct Brake(Mutex<HashMap<(String, String), Arc<Account>>>);

struct Account {
    at_once: Arc<Semaphore>,
    refused: Mutex<Vec<Instant>>,
}

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

    fn account(&self, device: &str, user: &str, now: Instant) -> Option<Arc<Account>> {
        let mut accounts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (device.to_owned(), user.to_owned());
        if let Some(account) = accounts.get(&key) {
            return Some(Arc::clone(account));
        }
        if accounts.len() >= MOST_ACCOUNTS {
            accounts.retain(|_, account| Arc::strong_count(account) > 1 || account.refusals(now) > 0);
        }
        if accounts.len() >= MOST_ACCOUNTS {
            return None;
        }
        let account =
            Arc::new(Account { at_once: Arc::new(Semaphore::new(MOST)), refused: Mutex::default() });
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

//! Who does a binding's standing work: the host that has a lock of the binding's name. It ends with the process, however
//! that ends.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use fleetgate_core::duty::Duty;
use rustix::fs::{FlockOperation, flock};
use tokio::sync::watch;

use super::file;

/// How often a host that waits looks whether it is its turn.
const PAUSE: Duration = Duration::from_secs(1);

/// Locks in a directory ([`crate::directory`]).
#[derive(Debug, Clone)]
pub struct DutyLocks {
    directory: PathBuf,
    applied: Arc<Mutex<HashMap<String, watch::Sender<bool>>>>,
}

impl DutyLocks {
    /// None taken yet.
    pub fn new(directory: &Path) -> Self {
        Self { directory: directory.to_owned(), applied: Arc::default() }
    }

    async fn apply(self, binding: String) {
        let path = self.directory.join(format!("duty-{binding}.lock"));
        let mut said = false;
        let lock = loop {
            match file::private_file(&path) {
                Ok(lock) if flock(&lock, FlockOperation::NonBlockingLockExclusive).is_ok() => {
                    break Some(lock);
                }
                Ok(_) => {}
                Err(failed) => {
                    if !std::mem::replace(&mut said, true) {
                        tracing::error!(%binding, %failed, "its standing work cannot begin");
                    }
                }
            }
            if self.is_over(&binding) {
                break None;
            }
            tokio::time::sleep(PAUSE).await;
        };
        if lock.is_none() {
            return;
        }
        tracing::debug!(%binding, "this host does its standing work");
        let on_duty = self.applied().get(&binding).cloned();
        if let Some(on_duty) = on_duty {
            on_duty.send_replace(true);
            loop {
                on_duty.closed().await;
                if self.is_over(&binding) {
                    return;
                }
            }
        }
    }

    /// Whether nobody waits for it any more. Then it is forgotten.
    fn is_over(&self, binding: &str) -> bool {
        let mut applied = self.applied();
        let over = applied.get(binding).is_none_or(|on_duty| on_duty.receiver_count() == 0);
        if over {
            applied.remove(binding);
        }
        over
    }

    fn applied(&self) -> std::sync::MutexGuard<'_, HashMap<String, watch::Sender<bool>>> {
        self.applied.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Duty for DutyLocks {
    fn of(&self, binding: &str) -> watch::Receiver<bool> {
        let mut applied = self.applied();
        if let Some(on_duty) = applied.get(binding) {
            return on_duty.subscribe();
        }
        let (on_duty, answer) = watch::channel(false);
        applied.insert(binding.to_owned(), on_duty);
        tokio::spawn(self.clone().apply(binding.to_owned()));
        answer
    }
}

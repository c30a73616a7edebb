//! Which host does a binding's standing work (its events), where several share a configuration.
//!
//! A `serve`, a `stdio` for each client and a `call` now and then may run at the same time, and each serves other
//! bindings. Standing work is done once: by one host that serves the binding, and by the next one when that ends.

use tokio::sync::watch;

/// Decides who is on duty. Safe to use from many tasks.
pub trait Duty: Send + Sync + 'static {
    /// Applies for a binding's standing work, within a tokio runtime, until the last clone of the answer is dropped.
    /// True while this host does it. Once true it stays so, unless the answer is dropped. A host that asks twice for
    /// the same binding gets the same answer.
    fn of(&self, binding: &str) -> watch::Receiver<bool>;
}

/// Never on duty: for short commands, and for what is only looked at.
#[derive(Debug, Default)]
pub struct OffDuty;

impl Duty for OffDuty {
    fn of(&self, _: &str) -> watch::Receiver<bool> {
        watch::channel(false).1
    }
}

/// Always on duty: for a host that shares its configuration with nobody, as in tests.
#[derive(Debug, Default)]
pub struct OnDuty;

impl Duty for OnDuty {
    fn of(&self, _: &str) -> watch::Receiver<bool> {
        watch::channel(true).1
    }
}

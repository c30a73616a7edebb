//! One device that listens, as a test sees it.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use russh::keys::PrivateKey;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::behaviour::Behaviour;
use super::journal::Journal;
use super::{Entry, Fault, Platform, Setup, What, arrange, key, server};

/// A device that listens. It stops when this is dropped.
#[derive(Debug)]
pub struct Device {
    address: SocketAddr,
    shared: Arc<Shared>,
    stop: CancellationToken,
}

/// How often a device was used, and by how many now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counts {
    /// Connections that were made to it.
    pub accepted: usize,
    /// Connections that are there.
    pub connections: usize,
    /// Terminals and commands that were opened.
    pub opened: usize,
    /// Terminals and commands that are open.
    pub sessions: usize,
    /// Logins that it let in.
    pub logins: usize,
    /// Logins that it refused.
    pub refused: usize,
}

/// What the connections of a device have in common.
pub(crate) struct Shared {
    pub(crate) setup: Setup,
    pub(crate) behaviour: Box<dyn Behaviour>,
    pub(crate) journal: Journal,
    pub(crate) faults: watch::Sender<Vec<Fault>>,
    pub(crate) key: PrivateKey,
    pub(crate) other_key: PrivateKey,
    pub(crate) tally: Tally,
    cut: Mutex<CancellationToken>,
}

#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) connection: AtomicU64,
    pub(crate) accepted: AtomicUsize,
    pub(crate) connections: AtomicUsize,
    pub(crate) opened: AtomicUsize,
    pub(crate) sessions: AtomicUsize,
    pub(crate) logins: AtomicUsize,
    pub(crate) refused: AtomicUsize,
}

impl Device {
    pub(crate) async fn start(setup: Setup) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, setup.port)).await?;
        let address = listener.local_addr()?;
        let old = setup.faults.contains(&Fault::LegacyAlgorithms);
        let shared = Arc::new(Shared {
            behaviour: arrange::behaviour(&setup),
            journal: Journal::default(),
            faults: watch::Sender::new(setup.faults.clone()),
            key: if old { key::rsa()? } else { key::fresh()? },
            other_key: key::fresh()?,
            tally: Tally::default(),
            cut: Mutex::default(),
            setup,
        });
        let stop = CancellationToken::new();
        tokio::spawn(server::listen(listener, address, Arc::clone(&shared), stop.clone()));
        Ok(Self { address, shared, stop })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The port it listens on, on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// What it is.
    pub fn platform(&self) -> Platform {
        self.shared.setup.platform
    }

    /// The name that it started with.
    pub fn hostname(&self) -> &str {
        &self.shared.setup.hostname
    }

    /// Who may log in.
    pub fn user(&self) -> &str {
        &self.shared.setup.user
    }

    /// The user's password.
    pub fn password(&self) -> &str {
        &self.shared.setup.password
    }

    /// The password for `enable` (on Linux for `sudo`), if it asks for one.
    pub fn enable(&self) -> Option<&str> {
        self.shared.setup.enable.as_deref()
    }

    /// The line about it for a file of known host keys, with its line end.
    pub fn known_hosts(&self) -> String {
        let key = self.shared.key.public_key().to_openssh().expect("a public key can be written");
        format!("[127.0.0.1]:{} {key}\n", self.port())
    }

    /// Everything that it heard, in order.
    pub fn journal(&self) -> Vec<Entry> {
        self.shared.journal.read()
    }

    /// The lines that were typed on it and the commands that were sent to it, in order, passwords left out.
    pub fn lines(&self) -> Vec<String> {
        let lines = self.journal().into_iter().filter_map(|entry| match entry.what {
            What::Line { line, .. } | What::Exec(line) => Some(line),
            _ => None,
        });
        lines.collect()
    }

    /// How often it was used, and by how many now.
    pub fn counts(&self) -> Counts {
        let tally = &self.shared.tally;
        let read = |count: &AtomicUsize| count.load(Ordering::SeqCst);
        Counts {
            accepted: read(&tally.accepted),
            connections: read(&tally.connections),
            opened: read(&tally.opened),
            sessions: read(&tally.sessions),
            logins: read(&tally.logins),
            refused: read(&tally.refused),
        }
    }

    /// The configuration that is in force, as the device prints it, without the lines around it.
    pub fn running_config(&self) -> String {
        self.shared.behaviour.running()
    }

    /// The configuration that it would start with.
    pub fn startup_config(&self) -> String {
        self.shared.behaviour.startup()
    }

    /// The candidate that all sessions share and nobody committed; `None` where the platform has no such thing,
    /// or nothing is pending.
    pub fn pending(&self) -> Option<String> {
        self.shared.behaviour.pending()
    }

    /// Something is wrong with it from now on.
    pub fn inflict(&self, fault: Fault) {
        self.shared.faults.send_modify(|faults| faults.push(fault));
    }

    /// Nothing is wrong with it any more. Its algorithms and keys are those that it started with.
    pub fn heal(&self) {
        self.shared.faults.send_modify(Vec::clear);
    }

    /// Breaks all connections to it, without a word.
    pub fn hang_up(&self) {
        let mut cut = self.shared.cut.lock().unwrap_or_else(PoisonError::into_inner);
        cut.cancel();
        *cut = CancellationToken::new();
    }

    /// Waits until no connection to it is left, for at most this long. False: there are some.
    pub async fn left_alone(&self, within: Duration) -> bool {
        let quiet = async {
            while self.counts().connections > 0 {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(within, quiet).await.is_ok()
    }
}

impl Drop for Device {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl Shared {
    /// What cuts the connections that are there now.
    pub(crate) fn cut(&self) -> CancellationToken {
        self.cut.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The first fault for which `pick` has an answer.
    pub(crate) fn fault<T>(&self, pick: impl FnMut(&Fault) -> Option<T>) -> Option<T> {
        self.faults.borrow().iter().find_map(pick)
    }

    pub(crate) fn has(&self, fault: &Fault) -> bool {
        self.faults.borrow().contains(fault)
    }
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared").field("setup", &self.setup).finish_non_exhaustive()
    }
}

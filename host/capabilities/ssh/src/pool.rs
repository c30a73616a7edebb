//! Connections of one grant, kept across calls.
//!
//! A login is what costs (a second and more on network devices, and a line in their logs), so a connection outlives
//! the call that made it; it belongs to the binding and ends with it. It is used again for the same device and the same
//! credential alone. What was kept and turns out to be broken is replaced before anything was sent on it, never after.
//!
//! Every connection holds one of the grant's slots until it is closed; when there is none left, an idle one to
//! another device gives way.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use russh::client::Msg;
use russh::{Channel, ChannelOpenFailure};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

use crate::connect::{ConnectFailed, connect};
use crate::connection::{Connection, OpenFailed};
use crate::credential::Login;
use crate::grant::SshLimits;
use crate::guard::Permit;

/// The shortest pause between two looks for connections that nobody uses.
const SHORTEST_SWEEP: Duration = Duration::from_millis(20);

/// How long a connection that gives way takes to close, at most.
const CLOSING: Duration = Duration::from_secs(1);

/// The connections of one grant.
pub(crate) struct Pool {
    slots: Arc<Semaphore>,
    shelf: Mutex<Shelf>,
    changed: Notify,
    per_target: usize,
    channels: usize,
    idle: Duration,
}

#[derive(Default)]
struct Shelf {
    kept: HashMap<Key, Vec<Arc<Connection>>>,
    /// Connections that are being made.
    making: HashMap<Key, usize>,
    sweeping: bool,
}

/// Whose connections are alike.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Key {
    device: String,
    login: [u8; 32],
}

/// A connection with room for one channel, until it is dropped.
pub(crate) struct Lease {
    pub(crate) connection: Arc<Connection>,
    /// Taken when it is dropped.
    room: Option<OwnedSemaphorePermit>,
    pool: Weak<Pool>,
}

/// Why there is no channel.
pub(crate) enum LeaseFailed {
    Connect(ConnectFailed),
    /// The device opens none.
    Refused(ChannelOpenFailure),
}

impl From<ConnectFailed> for LeaseFailed {
    fn from(failed: ConnectFailed) -> Self {
        Self::Connect(failed)
    }
}

enum Taken {
    Kept(Lease),
    MayMake(Making),
    Wait,
}

/// A connection that is being made, counted until it is dropped.
struct Making {
    pool: Arc<Pool>,
    key: Key,
}

impl Drop for Making {
    fn drop(&mut self) {
        let mut shelf = self.pool.shelf();
        if let Some(count) = shelf.making.get_mut(&self.key) {
            *count -= 1;
            if *count == 0 {
                shelf.making.remove(&self.key);
            }
        }
        drop(shelf);
        self.pool.changed.notify_waiters();
    }
}

impl Pool {
    /// An empty one.
    pub(crate) fn new(limits: &SshLimits) -> Arc<Self> {
        Arc::new(Self {
            slots: Arc::new(Semaphore::new(limits.connections)),
            shelf: Mutex::default(),
            changed: Notify::new(),
            per_target: limits.per_target,
            channels: limits.channels,
            idle: limits.idle,
        })
    }

    /// Opens a channel to a device. Whoever waits bounds the time.
    pub(crate) async fn channel(
        self: &Arc<Self>,
        to: &Permit,
        login: &Login,
    ) -> Result<(Channel<Msg>, Lease), LeaseFailed> {
        loop {
            let (mut lease, kept) = self.lease(to, login).await?;
            match lease.connection.session().await {
                Ok(channel) => return Ok((channel, lease)),
                Err(OpenFailed::Broke(_)) if kept => lease.connection.retire(),
                Err(OpenFailed::Broke(why)) => {
                    lease.connection.retire();
                    return Err(ConnectFailed::Broke(why).into());
                }
                // Many devices take one session on each connection, at once or at all.
                Err(OpenFailed::Refused(_)) if lease.is_shared() => {
                    if let Some(room) = lease.room.take() {
                        lease.connection.is_full(room);
                    }
                }
                Err(OpenFailed::Refused(_)) if kept => lease.connection.retire(),
                Err(OpenFailed::Refused(why)) => return Err(LeaseFailed::Refused(why)),
            }
        }
    }

    /// A connection to a device with room for one channel, and whether it was kept from before.
    pub(crate) async fn lease(
        self: &Arc<Self>,
        to: &Permit,
        login: &Login,
    ) -> Result<(Lease, bool), ConnectFailed> {
        let key = Key { device: to.device(), login: login.digest };
        let making = loop {
            // Registered before looking, so that nothing that changes in between is missed.
            let mut changed = std::pin::pin!(self.changed.notified());
            changed.as_mut().enable();
            match self.take(&key) {
                Taken::Kept(lease) => return Ok((lease, true)),
                Taken::MayMake(making) => break making,
                Taken::Wait => changed.await,
            }
        };
        let slot = match self.slot(&key).await {
            Ok(slot) => slot,
            Err(lease) => return Ok((lease, true)),
        };
        let connection = connect(&to.route.dialling, to.as_device(), login, self.channels).await?;
        let connection = Arc::new(connection.holding(slot));
        let room = connection.room();
        self.shelf().kept.entry(key).or_default().push(Arc::clone(&connection));
        self.sweep();
        drop(making);
        Ok((Lease { connection, room, pool: Arc::downgrade(self) }, false))
    }

    /// One of the grant's slots; or a connection that others gave back meanwhile.
    async fn slot(self: &Arc<Self>, key: &Key) -> Result<OwnedSemaphorePermit, Lease> {
        let mut made_room = false;
        loop {
            let mut changed = std::pin::pin!(self.changed.notified());
            changed.as_mut().enable();
            if let Some(lease) = self.kept(key) {
                return Err(lease);
            }
            if let Ok(slot) = Arc::clone(&self.slots).try_acquire_owned() {
                return Ok(slot);
            }
            // What gives way takes a moment to close.
            made_room = made_room || self.make_room();
            tokio::select! {
                slot = Arc::clone(&self.slots).acquire_owned() => if let Ok(slot) = slot { return Ok(slot) },
                () = changed => {}
                () = tokio::time::sleep(CLOSING) => made_room = false,
            }
        }
    }

    /// A kept connection with room.
    fn kept(self: &Arc<Self>, key: &Key) -> Option<Lease> {
        let shelf = self.shelf();
        let mut usable = shelf.kept.get(key)?.iter().filter(|connection| connection.is_usable());
        let (connection, room) =
            usable.find_map(|connection| Some((Arc::clone(connection), connection.room()?)))?;
        Some(Lease { connection, room: Some(room), pool: Arc::downgrade(self) })
    }

    fn take(self: &Arc<Self>, key: &Key) -> Taken {
        if let Some(lease) = self.kept(key) {
            return Taken::Kept(lease);
        }
        let mut shelf = self.shelf();
        let mut broken = Vec::new();
        if let Some(kept) = shelf.kept.get_mut(key) {
            broken.extend(kept.extract_if(.., |connection| !connection.is_usable()));
        }
        let there = shelf.kept.get(key).map_or(0, Vec::len) + shelf.making.get(key).copied().unwrap_or(0);
        let taken = if there < self.per_target {
            *shelf.making.entry(key.clone()).or_default() += 1;
            Taken::MayMake(Making { pool: Arc::clone(self), key: key.clone() })
        } else {
            Taken::Wait
        };
        drop(shelf);
        // They are closed outside of the lock.
        drop(broken);
        taken
    }

    /// Closes the connection that was idle for the longest time. Whether there was one.
    fn make_room(&self) -> bool {
        let mut shelf = self.shelf();
        let idle = shelf.kept.iter().flat_map(|(key, kept)| kept.iter().map(move |one| (key, one)));
        let longest = idle
            .filter(|(_, connection)| connection.is_idle())
            .max_by_key(|(_, connection)| connection.idle_for())
            .map(|(key, connection)| (key.clone(), Arc::clone(connection)));
        if let Some((key, connection)) = &longest
            && let Some(kept) = shelf.kept.get_mut(key)
        {
            kept.retain(|one| !Arc::ptr_eq(one, connection));
        }
        drop(shelf);
        longest.is_some()
    }

    /// Starts closing what nobody uses for long. One task, as long as there is something to close.
    fn sweep(self: &Arc<Self>) {
        if std::mem::replace(&mut self.shelf().sweeping, true) {
            return;
        }
        let (pool, pause) = (Arc::downgrade(self), (self.idle / 2).max(SHORTEST_SWEEP));
        tokio::spawn(async move {
            loop {
                tokio::time::sleep(pause).await;
                let Some(pool) = pool.upgrade() else { return };
                if pool.close_idle() {
                    return;
                }
            }
        });
    }

    /// Whether nothing is left.
    fn close_idle(&self) -> bool {
        let mut closed = Vec::new();
        let mut shelf = self.shelf();
        for kept in shelf.kept.values_mut() {
            kept.retain(|connection| {
                let over = connection.is_idle() && connection.idle_for() >= self.idle;
                let keep = connection.is_usable() && !over;
                if !keep {
                    closed.push(Arc::clone(connection));
                }
                keep
            });
        }
        shelf.kept.retain(|_, kept| !kept.is_empty());
        let empty = shelf.kept.is_empty();
        if empty {
            shelf.sweeping = false;
        }
        drop(shelf);
        drop(closed);
        self.changed.notify_waiters();
        empty
    }

    fn shelf(&self) -> MutexGuard<'_, Shelf> {
        self.shelf.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Connections that are kept, for tests.
    pub(crate) fn count(&self) -> usize {
        self.shelf().kept.values().map(Vec::len).sum()
    }
}

impl Lease {
    /// Whether others use the connection too.
    fn is_shared(&self) -> bool {
        self.connection.is_shared()
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.connection.idle();
        drop(self.room.take());
        if let Some(pool) = self.pool.upgrade() {
            pool.changed.notify_waiters();
        }
    }
}

//! Who is told that a list of tools changed.
//!
//! Each endpoint has a [`Fanout`]. Legacy clients are in it from their `initialized` on and get a bare notification;
//! modern ones for as long as their `subscriptions/listen` is open. Several changes in a row may become one
//! notification: it says "list again", not what changed.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use fleetgate_core::catalog::{Change, Scope};
use futures_util::future::join_all;
use rmcp::RoleServer;
use rmcp::service::Peer;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{broadcast, watch};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// The pause between two notifications to one listener. A plugin can say that its tools changed as often as it likes.
const PAUSE: Duration = Duration::from_millis(500);
/// How long one client may take to accept a notification before the others stop waiting for it.
const PATIENCE: Duration = Duration::from_secs(5);

/// All endpoints of one transport.
#[derive(Default)]
pub(crate) struct Hub(Mutex<Vec<Weak<Fanout>>>);

impl Hub {
    /// A new endpoint's listeners. It is forgotten when the last reference goes.
    pub(crate) fn fanout(&self, scope: Scope, gone: CancellationToken) -> Arc<Fanout> {
        let fanout = Arc::new(Fanout {
            scope,
            changed: watch::Sender::new(()),
            legacy: Mutex::default(),
            listens: Mutex::default(),
            gone,
        });
        let mut places = lock(&self.0);
        places.retain(|place| place.strong_count() > 0);
        places.push(Arc::downgrade(&fanout));
        fanout
    }

    /// The tools of these bindings are others now.
    pub(crate) fn tools_changed(&self, bindings: &[Arc<str>]) {
        self.each(|fanout| match &fanout.scope {
            Scope::Shared => !bindings.is_empty(),
            Scope::Binding(name) => bindings.contains(name),
        });
    }

    /// Passes on what changes until there is nothing more to come. `before` runs ahead of each notification.
    pub(crate) async fn follow(self: Arc<Self>, mut changes: broadcast::Receiver<Change>, before: impl Fn()) {
        loop {
            let change = changes.recv().await;
            before();
            match change {
                Ok(change) => self.tools_changed(&change.tools),
                Err(RecvError::Lagged(_)) => self.each(|_| true),
                Err(RecvError::Closed) => return,
            }
        }
    }

    fn each(&self, concerned: impl Fn(&Fanout) -> bool) {
        let places = lock(&self.0);
        places.iter().filter_map(Weak::upgrade).filter(|fanout| concerned(fanout)).for_each(|fanout| {
            fanout.changed.send_replace(());
        });
    }
}

/// The listeners of one endpoint.
pub(crate) struct Fanout {
    scope: Scope,
    changed: watch::Sender<()>,
    legacy: Mutex<Legacy>,
    listens: Mutex<HashMap<String, usize>>,
    /// Trips when the endpoint goes or the server stops.
    gone: CancellationToken,
}

#[derive(Default)]
struct Legacy {
    peers: Vec<Peer<RoleServer>>,
    /// Whether a task is there that notifies them.
    served: bool,
}

impl Fanout {
    /// A legacy client that wants to hear of changes, until it goes.
    pub(crate) fn join(self: &Arc<Self>, peer: Peer<RoleServer>) {
        let mut legacy = lock(&self.legacy);
        legacy.peers.retain(|peer| !peer.is_transport_closed());
        legacy.peers.push(peer);
        if !std::mem::replace(&mut legacy.served, true) {
            tokio::spawn(Self::notify_peers(Arc::downgrade(self), self.changed.subscribe()));
        }
    }

    /// Runs while there are legacy clients.
    async fn notify_peers(this: Weak<Self>, mut changed: watch::Receiver<()>) {
        while changed.changed().await.is_ok() {
            let Some(fanout) = this.upgrade() else { return };
            let peers = lock(&fanout.legacy).peers.clone();
            join_all(peers.iter().map(|peer| async {
                if !matches!(
                    tokio::time::timeout(PATIENCE, peer.notify_tool_list_changed()).await,
                    Ok(Ok(()))
                ) {
                    tracing::debug!("a client did not take the news that the tools changed");
                }
            }))
            .await;
            if !fanout.still_joined() {
                return;
            }
            drop(fanout);
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Whether a legacy client is left. If not, the next one to join starts the notifying anew.
    fn still_joined(&self) -> bool {
        let mut legacy = lock(&self.legacy);
        legacy.peers.retain(|peer| !peer.is_transport_closed());
        legacy.served = !legacy.peers.is_empty();
        legacy.served
    }

    /// Room for one more open listen of this principal; none if it has `most` already.
    pub(crate) fn listen(self: &Arc<Self>, principal: &str, most: usize) -> Option<Listen> {
        let mut listens = lock(&self.listens);
        let open = listens.entry(principal.to_owned()).or_default();
        if *open >= most {
            return None;
        }
        *open += 1;
        Some(Listen {
            changed: self.changed.subscribe(),
            quiet_until: Instant::now(),
            gone: self.gone.clone(),
            principal: principal.to_owned(),
            fanout: self.clone(),
        })
    }
}

/// One open listen.
pub(crate) struct Listen {
    changed: watch::Receiver<()>,
    quiet_until: Instant,
    gone: CancellationToken,
    principal: String,
    fanout: Arc<Fanout>,
}

impl Listen {
    /// Waits for the next change; none when the endpoint goes.
    pub(crate) async fn next(&mut self) -> Option<()> {
        let changed = async {
            tokio::time::sleep_until(self.quiet_until).await;
            self.changed.changed().await
        };
        let changed = tokio::select! {
            biased;
            () = self.gone.cancelled() => return None,
            changed = changed => changed,
        };
        self.quiet_until = Instant::now() + PAUSE;
        changed.ok()
    }
}

impl Drop for Listen {
    fn drop(&mut self) {
        let mut listens = lock(&self.fanout.listens);
        if let Some(open) = listens.get_mut(&self.principal) {
            *open -= 1;
            if *open == 0 {
                listens.remove(&self.principal);
            }
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

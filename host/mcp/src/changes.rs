//! Who is told that a list changed, or that a resource has new contents.
//!
//! The [`Hub`] hears of it, from the catalog and from running calls; each endpoint has a [`Fanout`], which knows its
//! [`Listener`]s. Legacy clients listen from their `initialized` on; modern ones for as long as their
//! `subscriptions/listen` is open. What is new is kept per listener until it is told: several changes in a row may
//! become one notification, which says "list again" or "read again", not what changed. So a plugin may say it as often
//! as it likes, and nothing here grows with that.

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

use crate::listener::{Listener, News, Wants};
use crate::uri::Located;
use crate::view::Backend;

/// The pause between two notifications to one listener.
const PAUSE: Duration = Duration::from_millis(500);
/// How long one client may take to accept a notification before the others stop waiting for it.
const PATIENCE: Duration = Duration::from_secs(5);

/// The lists that can change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum List {
    Tools,
    Prompts,
    /// And templates and skills, which have no notification of their own.
    Resources,
}

impl List {
    /// By the name that [`fleetgate_core::sandbox::Observer::list_changed`] gives it.
    pub(crate) fn named(name: &str) -> Option<Self> {
        match name {
            "tools" => Some(Self::Tools),
            "prompts" => Some(Self::Prompts),
            "resources" => Some(Self::Resources),
            _ => None,
        }
    }
}

/// All endpoints of one transport.
#[derive(Default)]
pub(crate) struct Hub(Mutex<Vec<Weak<Fanout>>>);

impl Hub {
    /// A new endpoint's listeners. It is forgotten when the last reference goes.
    pub(crate) fn fanout(
        &self,
        backend: Arc<dyn Backend>,
        scope: Scope,
        gone: CancellationToken,
    ) -> Arc<Fanout> {
        let fanout = Arc::new(Fanout {
            backend,
            scope,
            listeners: Mutex::default(),
            watched: Mutex::default(),
            legacy: watch::Sender::new(()),
            served: Mutex::new(false),
            listens: Mutex::default(),
            gone,
        });
        let mut places = lock(&self.0);
        places.retain(|place| place.strong_count() > 0);
        places.push(Arc::downgrade(&fanout));
        fanout
    }

    /// A list of these bindings is another now.
    pub(crate) fn changed(&self, list: List, bindings: &[Arc<str>]) {
        self.each(|fanout| {
            let concerned = match &fanout.scope {
                Scope::Shared => !bindings.is_empty(),
                Scope::Binding(name) => bindings.contains(name),
            };
            if concerned {
                fanout.changed(list);
            }
        });
    }

    /// A resource of this binding has new contents. `uri` is the plugin's own.
    pub(crate) fn updated(&self, binding: &Arc<str>, uri: &str) {
        // What is no URI, nobody can watch.
        let Some(resource) = (Located { binding: binding.clone(), uri: uri.to_owned() }).in_one_spelling()
        else {
            return;
        };
        self.each(|fanout| fanout.updated(&resource));
    }

    /// Passes on what changes until there is nothing more to come. `before` runs ahead of each notification.
    pub(crate) async fn follow(self: Arc<Self>, mut changes: broadcast::Receiver<Change>, before: impl Fn()) {
        loop {
            let change = changes.recv().await;
            before();
            match change {
                Ok(change) => {
                    self.changed(List::Tools, &change.tools);
                    self.changed(List::Prompts, &change.prompts);
                    self.changed(List::Resources, &change.resources);
                }
                // Nobody knows what was missed.
                Err(RecvError::Lagged(_)) => self.each(|fanout| {
                    [List::Tools, List::Prompts, List::Resources]
                        .into_iter()
                        .for_each(|list| fanout.changed(list));
                }),
                Err(RecvError::Closed) => return,
            }
        }
    }

    fn each(&self, tell: impl Fn(&Arc<Fanout>)) {
        // Not under the lock: a guest waits for this.
        let places: Vec<_> = lock(&self.0).iter().filter_map(Weak::upgrade).collect();
        places.iter().for_each(tell);
    }
}

/// The listeners of one endpoint.
pub(crate) struct Fanout {
    backend: Arc<dyn Backend>,
    scope: Scope,
    listeners: Mutex<Vec<Weak<Listener>>>,
    /// Who hears of which resource.
    watched: Mutex<HashMap<Located, Vec<Weak<Listener>>>>,
    /// There is something new for a legacy client.
    legacy: watch::Sender<()>,
    /// Whether a task is there that tells them.
    served: Mutex<bool>,
    /// Open listens, by principal.
    listens: Mutex<HashMap<String, usize>>,
    /// Trips when the endpoint goes or the server stops.
    gone: CancellationToken,
}

impl Fanout {
    /// A legacy client, which hears of changes until it goes.
    pub(crate) fn join(self: &Arc<Self>, peer: Peer<RoleServer>, wants: Wants) -> Arc<Listener> {
        let listener = self.add(Listener::legacy(peer, wants, Arc::downgrade(self)));
        if !std::mem::replace(&mut *lock(&self.served), true) {
            tokio::spawn(Self::tell_legacy(Arc::downgrade(self), self.legacy.subscribe()));
        }
        listener
    }

    /// Room for one more open listen of this principal; none if it has `most` already.
    pub(crate) fn listen(self: &Arc<Self>, principal: &str, most: usize, wants: Wants) -> Option<Listen> {
        let mut listens = lock(&self.listens);
        let open = listens.entry(principal.to_owned()).or_default();
        if *open >= most {
            return None;
        }
        *open += 1;
        drop(listens);
        Some(Listen {
            listener: self.add(Listener::modern(wants, Arc::downgrade(self))),
            quiet_until: Instant::now(),
            gone: self.gone.clone(),
            principal: principal.to_owned(),
            fanout: self.clone(),
        })
    }

    /// From now on this listener hears of this resource.
    pub(crate) fn watch(&self, resource: Located, listener: &Arc<Listener>) {
        lock(&self.watched).entry(resource).or_default().push(Arc::downgrade(listener));
    }

    /// It no longer does.
    pub(crate) fn unwatch<'a>(
        &self,
        resources: impl IntoIterator<Item = &'a Located>,
        listener: *const Listener,
    ) {
        let mut watched = lock(&self.watched);
        for resource in resources {
            if let Some(listeners) = watched.get_mut(resource) {
                listeners.retain(|other| other.as_ptr() != listener && other.strong_count() > 0);
                if listeners.is_empty() {
                    watched.remove(resource);
                }
            }
        }
    }

    /// There is something for the task that tells legacy clients.
    pub(crate) fn wake_legacy(&self) {
        self.legacy.send_replace(());
    }

    fn add(&self, listener: Listener) -> Arc<Listener> {
        let listener = Arc::new(listener);
        let mut listeners = lock(&self.listeners);
        listeners.retain(|listener| listener.strong_count() > 0);
        listeners.push(Arc::downgrade(&listener));
        listener
    }

    fn all(&self) -> Vec<Arc<Listener>> {
        lock(&self.listeners).iter().filter_map(Weak::upgrade).collect()
    }

    fn changed(&self, list: List) {
        self.all().iter().for_each(|listener| listener.changed(list));
    }

    fn updated(&self, resource: &Located) {
        let listeners: Vec<_> = match lock(&self.watched).get(resource) {
            Some(listeners) => listeners.iter().filter_map(Weak::upgrade).collect(),
            None => return,
        };
        listeners.iter().for_each(|listener| listener.updated(resource));
    }

    /// Runs while there are legacy clients.
    async fn tell_legacy(this: Weak<Self>, mut woken: watch::Receiver<()>) {
        while woken.changed().await.is_ok() {
            let Some(fanout) = this.upgrade() else { return };
            let view = fanout.backend.view();
            join_all(fanout.all().iter().filter(|listener| listener.is_legacy()).map(|listener| async {
                let told = listener.tell(&*view, &fanout.scope);
                if !matches!(tokio::time::timeout(PATIENCE, told).await, Ok(Ok(()))) {
                    tracing::debug!("a client did not take the news");
                }
            }))
            .await;
            if !fanout.still_joined() {
                return;
            }
            drop((view, fanout));
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Whether a legacy client is left. If not, the next one to join starts the telling anew.
    fn still_joined(&self) -> bool {
        let mut served = lock(&self.served);
        *served = self.all().iter().any(|listener| listener.is_legacy());
        *served
    }
}

/// One open listen.
pub(crate) struct Listen {
    pub(crate) listener: Arc<Listener>,
    quiet_until: Instant,
    gone: CancellationToken,
    principal: String,
    fanout: Arc<Fanout>,
}

impl Listen {
    /// Waits for what is new; none when the endpoint goes.
    pub(crate) async fn next(&mut self) -> Option<News> {
        let news = async {
            tokio::time::sleep_until(self.quiet_until).await;
            self.listener.news().await
        };
        let news = tokio::select! {
            biased;
            () = self.gone.cancelled() => return None,
            news = news => news,
        };
        self.quiet_until = Instant::now() + PAUSE;
        Some(news)
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

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

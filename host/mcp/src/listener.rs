//! One client that is told what is new: which lists it wants to hear of, which resources it watches, and what it was
//! not told yet. What it was not told is bounded by what it watches.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, Weak};

use fleetgate_core::catalog::Scope;
use fleetgate_core::principal::Principal;
use rmcp::RoleServer;
use rmcp::model::ResourceUpdatedNotificationParam;
use rmcp::service::{Peer, ServiceError};
use tokio::sync::Notify;

use crate::changes::{Fanout, List, lock};
use crate::uri::Located;
use crate::view::View;

/// Resources that one session, or one `subscriptions/listen`, watches at most.
pub(crate) const MOST_WATCHED: usize = 128;

/// The lists whose changes a client wants to hear of.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Wants {
    pub(crate) tools: bool,
    pub(crate) prompts: bool,
    pub(crate) resources: bool,
}

impl Wants {
    fn has(&mut self, list: List) -> &mut bool {
        match list {
            List::Tools => &mut self.tools,
            List::Prompts => &mut self.prompts,
            List::Resources => &mut self.resources,
        }
    }
}

/// What a client was not told yet.
#[derive(Debug, Default)]
pub(crate) struct News {
    pub(crate) lists: Wants,
    updated: HashSet<Located>,
}

impl News {
    fn is_empty(&self) -> bool {
        self.lists == Wants::default() && self.updated.is_empty()
    }
}

/// A resource that is watched.
struct Watch {
    /// As its client named it.
    uri: String,
    /// Who wants to hear of it.
    principal: Principal,
}

/// One client.
pub(crate) struct Listener {
    wants: Wants,
    watches: Mutex<HashMap<Located, Watch>>,
    news: Mutex<News>,
    told: Told,
    fanout: Weak<Fanout>,
}

/// How a client is told.
enum Told {
    /// By the task that tells all of them.
    Legacy(Peer<RoleServer>),
    /// By its own open request.
    Modern(Notify),
}

/// A client watches as many resources as it may.
#[derive(Debug, thiserror::Error)]
#[error("{MOST_WATCHED} resources are subscribed to already: unsubscribe from one first")]
pub(crate) struct TooMany;

impl Listener {
    pub(crate) fn legacy(peer: Peer<RoleServer>, wants: Wants, fanout: Weak<Fanout>) -> Self {
        Self::new(wants, Told::Legacy(peer), fanout)
    }

    pub(crate) fn modern(wants: Wants, fanout: Weak<Fanout>) -> Self {
        Self::new(wants, Told::Modern(Notify::new()), fanout)
    }

    fn new(wants: Wants, told: Told, fanout: Weak<Fanout>) -> Self {
        Self { wants, watches: Mutex::default(), news: Mutex::default(), told, fanout }
    }

    /// Whether it is a legacy client that is still there.
    pub(crate) fn is_legacy(&self) -> bool {
        matches!(&self.told, Told::Legacy(peer) if !peer.is_transport_closed())
    }

    /// From now on it hears of this resource, by the URI that it used. Again: with what the caller may do now.
    pub(crate) fn watch(
        self: &Arc<Self>,
        resource: Located,
        uri: &str,
        principal: &Principal,
    ) -> Result<(), TooMany> {
        let mut watches = lock(&self.watches);
        let known = watches.contains_key(&resource);
        if !known && watches.len() >= MOST_WATCHED {
            return Err(TooMany);
        }
        watches.insert(resource.clone(), Watch { uri: uri.to_owned(), principal: principal.clone() });
        drop(watches);
        if let (false, Some(fanout)) = (known, self.fanout.upgrade()) {
            fanout.watch(resource, self);
        }
        Ok(())
    }

    /// It no longer does. What it did not watch it does not watch.
    pub(crate) fn unwatch(&self, resource: &Located) {
        let watched = lock(&self.watches).remove(resource).is_some();
        lock(&self.news).updated.remove(resource);
        if watched && let Some(fanout) = self.fanout.upgrade() {
            fanout.unwatch([resource], self);
        }
    }

    /// A list is another now.
    pub(crate) fn changed(&self, list: List) {
        let mut wants = self.wants;
        if *wants.has(list) {
            *lock(&self.news).lists.has(list) = true;
            self.wake();
        }
    }

    /// A resource that it watches has new contents.
    pub(crate) fn updated(&self, resource: &Located) {
        lock(&self.news).updated.insert(resource.clone());
        self.wake();
    }

    fn wake(&self) {
        match &self.told {
            Told::Modern(woken) => woken.notify_one(),
            Told::Legacy(_) => {
                if let Some(fanout) = self.fanout.upgrade() {
                    fanout.wake_legacy();
                }
            }
        }
    }

    /// Waits until there is something new, and takes it.
    pub(crate) async fn news(&self) -> News {
        loop {
            let news = self.take();
            if !news.is_empty() {
                return news;
            }
            match &self.told {
                Told::Modern(woken) => woken.notified().await,
                Told::Legacy(_) => std::future::pending().await,
            }
        }
    }

    fn take(&self) -> News {
        std::mem::take(&mut *lock(&self.news))
    }

    /// The URIs to name, as their client named them: of what is still watched, and may be read by whoever watches it
    /// at this moment.
    pub(crate) fn readable(&self, news: &News, view: &dyn View, scope: &Scope) -> Vec<String> {
        let watches = lock(&self.watches);
        let mut uris: Vec<String> = news
            .updated
            .iter()
            .filter_map(|resource| Some((resource, watches.get(resource)?)))
            .filter(|(resource, watch)| {
                let watcher = view.holding(&watch.principal);
                view.find_resource(scope, &resource.binding, &resource.uri, &watcher)
                    .is_some_and(|found| found.allowed)
            })
            .map(|(_, watch)| watch.uri.clone())
            .collect();
        uris.sort();
        uris
    }

    /// Tells a legacy client.
    pub(crate) async fn tell(&self, view: &dyn View, scope: &Scope) -> Result<(), ServiceError> {
        let Told::Legacy(peer) = &self.told else { return Ok(()) };
        let news = self.take();
        if news.lists.tools {
            peer.notify_tool_list_changed().await?;
        }
        if news.lists.prompts {
            peer.notify_prompt_list_changed().await?;
        }
        if news.lists.resources {
            peer.notify_resource_list_changed().await?;
        }
        for uri in self.readable(&news, view, scope) {
            peer.notify_resource_updated(ResourceUpdatedNotificationParam::new(uri)).await?;
        }
        Ok(())
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        if let Some(fanout) = self.fanout.upgrade() {
            fanout.unwatch(lock(&self.watches).keys(), self);
        }
    }
}

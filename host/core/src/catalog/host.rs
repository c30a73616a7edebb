//! The running host: the current catalog, and everybody who wants to know when it changes.

use std::sync::Arc;

use arc_swap::ArcSwap;
use tokio::sync::broadcast;

use super::Catalog;
use crate::audit::Audit;
use crate::call::{Refused, ToolCall, ToolEnd, call_tool};

/// What changed, for `list_changed` notifications.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The catalog's new revision.
    pub revision: u64,
    /// The bindings whose tools are others now, sorted.
    pub tools: Vec<Arc<str>>,
}

/// Changes that wait for a slow listener; beyond, it is told that it missed some and lists again.
const CHANGES_KEPT: usize = 64;

/// A running host. Shared by all transports.
pub struct Host {
    catalog: ArcSwap<Catalog>,
    changes: broadcast::Sender<Change>,
    audit: Arc<dyn Audit>,
}

impl Host {
    /// A host that serves nothing yet.
    pub fn new(audit: Arc<dyn Audit>) -> Arc<Self> {
        let (changes, _) = broadcast::channel(CHANGES_KEPT);
        Arc::new(Self { catalog: ArcSwap::default(), changes, audit })
    }

    /// The catalog of this moment. Take it once for a whole request.
    pub fn catalog(&self) -> Arc<Catalog> {
        self.catalog.load_full()
    }

    /// From now on, what changes.
    pub fn changes(&self) -> broadcast::Receiver<Change> {
        self.changes.subscribe()
    }

    /// Where calls are recorded.
    pub fn audit(&self) -> &Arc<dyn Audit> {
        &self.audit
    }

    /// Makes a catalog the current one, in one step, and tells the listeners.
    pub fn publish(&self, catalog: Catalog, changed: Vec<Arc<str>>) {
        let revision = catalog.revision;
        self.catalog.store(Arc::new(catalog));
        // No listener is no error.
        let _ = self.changes.send(Change { revision, tools: changed });
    }

    /// Runs one call over one snapshot.
    pub async fn call_tool(&self, catalog: &Catalog, call: ToolCall) -> Result<ToolEnd, Refused> {
        call_tool(catalog, &self.audit, call).await
    }
}

//! What the conversations with one endpoint share, and what the endpoints of one transport do.

use std::num::NonZeroUsize;
use std::sync::Arc;

use fleetgate_core::catalog::Scope;
use tokio_util::sync::CancellationToken;

use crate::asking::Asking;
use crate::changes::{Fanout, Hub};
use crate::completions::Pace;
use crate::cursor::Cursors;
use crate::keys::Key;
use crate::list::Lists;
use crate::view::{Backend, Features};

/// One endpoint's share of the host.
pub(crate) struct Serving {
    pub(crate) backend: Arc<dyn Backend>,
    pub(crate) scope: Scope,
    pub(crate) hub: Arc<Hub>,
    pub(crate) fanout: Arc<Fanout>,
    pub(crate) lists: Lists,
    pub(crate) cursors: Cursors,
    pub(crate) sessions: Key,
    pub(crate) completions: Pace,
    pub(crate) asking: Arc<Asking>,
    pub(crate) limits: Limits,
}

/// What all endpoints of one transport share.
#[derive(Clone)]
pub(crate) struct Keys {
    pub(crate) cursors: Key,
    pub(crate) sessions: Key,
    pub(crate) asking: Arc<Asking>,
}

impl Keys {
    /// Fresh ones.
    pub(crate) fn new() -> Self {
        Self { cursors: Key::new(), sessions: Key::new(), asking: Arc::default() }
    }
}

impl Serving {
    /// A new endpoint, until `gone` trips.
    pub(crate) fn new(
        backend: Arc<dyn Backend>,
        scope: Scope,
        hub: Arc<Hub>,
        keys: &Keys,
        limits: Limits,
        gone: CancellationToken,
    ) -> Self {
        Self {
            fanout: hub.fanout(backend.clone(), scope.clone(), gone),
            cursors: Cursors::new(keys.cursors.clone(), &scope),
            sessions: keys.sessions.clone(),
            asking: keys.asking.clone(),
            lists: Lists::default(),
            completions: Pace::default(),
            backend,
            scope,
            hub,
            limits,
        }
    }

    /// What the endpoint has at this moment.
    pub(crate) fn features(&self) -> Features {
        self.backend.view().features(&self.scope)
    }
}

/// What one client may ask of an endpoint.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// Items on one page of a list.
    pub(crate) page_size: NonZeroUsize,
    /// `subscriptions/listen` open at once, per principal.
    pub(crate) listens: usize,
}

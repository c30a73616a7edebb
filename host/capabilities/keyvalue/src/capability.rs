//! The capability: its tables, and what becomes of them at load.

use std::any::Any;
use std::collections::HashMap;
use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use fleetgate_core::capability::{BindingParts, Bound, Capability, Grant, Reach, Request, Schemas};
use fleetgate_core::diagnostic::{Diagnostics, TableReader};
use fleetgate_core::sandbox::{CallInfo, CallState};
use fleetgate_core::settings::Secrets;
use fleetgate_core::store::{Batch, Key, Quota, Space, Store};
use wasmtime::component::Linker;

use crate::grant::KeyValueGrant;
use crate::guard::Routes;
use crate::host::{self, State};
use crate::kept::About;
use crate::part;
use crate::reach::KeyValueReach;
use crate::request::KeyValueRequest;
use crate::schema;
use crate::session::Session;

/// Increments of keys that fall together take turns with each other; more of these make that rarer.
const TURNS: usize = 256;
/// Parts of which it is remembered that their owners are noted. Beyond, they are noted again.
const NOTED: usize = 10_000;
/// How long that is believed: the operator may have deleted what was noted.
const BELIEVED: Duration = Duration::from_secs(10);

/// Key-value for guests.
#[derive(Debug, Clone, Copy, Default)]
pub struct KeyValue;

/// One granted request, ready for calls.
pub(crate) struct Route {
    /// `keyvalue.history`
    pub(crate) capability: String,
    pub(crate) space: Space,
    pub(crate) grant: KeyValueGrant,
    pub(crate) store: Arc<dyn Store>,
    turns: Box<[tokio::sync::Mutex<()>]>,
    hasher: RandomState,
    /// When the parts got their entry in [`part::OWNERS`].
    noted: Mutex<HashMap<String, Instant>>,
}

impl Route {
    /// One's turn to read and write this key.
    pub(crate) async fn turn(&self, key: &Key) -> tokio::sync::MutexGuard<'_, ()> {
        let place = self.hasher.hash_one(key) as usize % self.turns.len();
        self.turns[place].lock().await
    }

    /// The same batch, with what the operator sees of a part: where it is written to for the first time, and now and
    /// then. Says whether it is so.
    pub(crate) fn note(&self, batch: Batch, part: &str, owner: Option<&str>) -> (Batch, bool) {
        let noted = self.noted.lock().unwrap_or_else(PoisonError::into_inner).get(part).copied();
        if noted.is_some_and(|at| at.elapsed() < BELIEVED) {
            return (batch, false);
        }
        let about = About { scope: self.grant.scope, room: self.grant.room, total: self.grant.total };
        let batch = about.write(batch);
        let batch = match owner.and_then(|owner| Some((owner, part::key(part::OWNERS, part).ok()?))) {
            Some((owner, key)) => batch.put(key, owner, None),
            None => batch,
        };
        (batch, true)
    }

    /// That was written.
    pub(crate) fn noted(&self, part: &str) {
        let mut noted = self.noted.lock().unwrap_or_else(PoisonError::into_inner);
        if noted.len() >= NOTED {
            noted.clear();
        }
        noted.insert(part.to_owned(), Instant::now());
    }

    /// The same batch, only if there is room.
    pub(crate) fn bound(&self, batch: Batch, part: &str) -> Batch {
        let batch = batch.within(Quota { part: part.to_owned(), most: self.grant.room.usage() });
        match self.grant.total {
            Some(total) => batch.within(Quota { part: String::new(), most: total.usage() }),
            None => batch,
        }
    }
}

impl KeyValue {
    /// [`Capability::bind`], as what it is.
    #[doc(hidden)]
    pub fn bind_keyvalue(&self, binding: BindingParts<'_>) -> KeyValueBinding {
        let mut routes = Routes::default();
        for (name, (_, grant)) in &binding.wants {
            let capability = format!("keyvalue.{name}");
            let Some(grant) = grant else {
                routes.missing.push((capability, format!("plugins.{}.grant.keyvalue.{name}", binding.name)));
                continue;
            };
            routes.granted.push(Arc::new(Route {
                capability,
                space: part::space(binding.name, name),
                grant: *grant.parsed::<KeyValueGrant>(),
                store: Arc::clone(binding.store),
                turns: (0..TURNS).map(|_| tokio::sync::Mutex::default()).collect(),
                hasher: RandomState::new(),
                noted: Mutex::default(),
            }));
        }
        KeyValueBinding { routes: Arc::new(routes) }
    }
}

impl Capability for KeyValue {
    fn kind(&self) -> &'static str {
        "keyvalue"
    }

    fn parse_request(&self, table: &mut TableReader<'_>) -> Option<Arc<dyn Request>> {
        Some(Arc::new(KeyValueRequest::read(table)?))
    }

    fn parse_reach(&self, table: &mut TableReader<'_>, _: &dyn Request) -> Option<Arc<dyn Reach>> {
        Some(Arc::new(KeyValueReach::read(table)?))
    }

    fn parse_grant(
        &self,
        table: &mut TableReader<'_>,
        request: &dyn Request,
        _: &Secrets,
    ) -> Option<Arc<dyn Grant>> {
        Some(Arc::new(KeyValueGrant::read(table, request.parsed())?))
    }

    fn bind(&self, binding: BindingParts<'_>) -> Result<Arc<dyn Bound>, Diagnostics> {
        Ok(Arc::new(self.bind_keyvalue(binding)))
    }

    fn link(&self, linker: &mut Linker<CallState>) -> wasmtime::Result<()> {
        host::link(linker)
    }

    fn acts(&self) -> Option<&'static [&'static str]> {
        None
    }

    fn schemas(&self) -> Schemas {
        schema::schemas()
    }
}

/// One binding's buckets, ready for calls.
#[doc(hidden)]
pub struct KeyValueBinding {
    routes: Arc<Routes>,
}

impl KeyValueBinding {
    /// What a call uses buckets with.
    pub fn session(&self, call: &Arc<CallInfo>) -> Session {
        Session::new(Arc::clone(&self.routes), Arc::clone(call))
    }
}

impl Bound for KeyValueBinding {
    fn state(&self, call: &Arc<CallInfo>) -> Box<dyn Any + Send> {
        Box::new(State(self.session(call)))
    }
}

impl fmt::Debug for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Route").field("capability", &self.capability).finish_non_exhaustive()
    }
}

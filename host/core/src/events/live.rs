//! An event of a binding that takes calls: what was asked for, as far as it was granted.

use std::any::Any;
use std::collections::BTreeMap;
use std::fmt::{self, Debug};
use std::sync::Arc;
use std::time::Duration;

use super::KIND;
use super::grant::{EventBounds, EventGrant};
use super::request::{EventRequest, When};
use crate::capability::{Bound, Grant, Reach};
use crate::catalog::{LiveBinding, Terms};
use crate::manifest::Manifest;
use crate::sandbox::{BindingMemory, CallLimits, CallPolicy};

/// Something to be handled when nobody calls.
pub struct LiveEvent {
    /// `telemetry`
    pub name: Arc<str>,
    /// `events.telemetry`, as the guest sees it.
    pub(super) source: Arc<str>,
    pub(super) comes: Comes,
    /// On which terms its handler runs.
    pub(crate) terms: Terms,
    /// What its runs use; not what the binding's calls have.
    pub(crate) memory: Arc<BindingMemory>,
    pub(super) bounds: EventBounds,
}

/// How it comes.
pub(super) enum Comes {
    /// It is heard.
    Heard {
        /// `mqtt.broker`
        capability: String,
        /// `broker`
        name: String,
        reach: Arc<dyn Reach>,
        narrowed: Option<Arc<dyn Reach>>,
        /// The binding's side of that capability.
        bound: Arc<dyn Bound>,
    },
    /// By itself, after each such time.
    Every(Duration),
}

/// An event with its binding, as it is live at a moment.
#[derive(Debug, Clone)]
pub(crate) struct FoundEvent {
    pub(crate) binding: Arc<LiveBinding>,
    pub(crate) event: Arc<LiveEvent>,
}

impl LiveEvent {
    /// Every event that is granted. `bound`: the binding's side of the capability of a kind.
    pub(crate) fn all(
        manifest: &Manifest,
        granted: &BTreeMap<String, Arc<dyn Grant>>,
        limits: CallLimits,
        bound: impl Fn(&str) -> Option<Arc<dyn Bound>>,
    ) -> BTreeMap<Arc<str>, Arc<Self>> {
        let mut all = BTreeMap::new();
        for (key, asked) in manifest.capabilities.iter().filter(|(_, asked)| asked.kind == KIND) {
            let request = (&*asked.request as &dyn Any).downcast_ref::<EventRequest>();
            let grant =
                granted.get(key).and_then(|grant| (&**grant as &dyn Any).downcast_ref::<EventGrant>());
            let (Some(request), Some(grant)) = (request, grant) else { continue };
            let comes = match &request.when {
                When::Every(every) => Comes::Every(grant.every.unwrap_or(*every)),
                When::Heard(source) => {
                    let Some((kind, name)) = source.capability.split_once('.') else { continue };
                    let Some(bound) = bound(kind) else { continue };
                    Comes::Heard {
                        capability: source.capability.clone(),
                        name: name.to_owned(),
                        reach: source.reach.clone(),
                        narrowed: grant.narrowed.clone(),
                        bound,
                    }
                }
            };
            let policy = CallPolicy {
                read_only: true,
                reach: BTreeMap::new(),
                handler: Some(grant.key.clone()),
                may: grant.may.clone(),
            };
            let name: Arc<str> = asked.name.as_str().into();
            let live = Self {
                name: name.clone(),
                source: key.as_str().into(),
                comes,
                terms: Terms { policy: Arc::new(policy), limits, repeatable: true },
                memory: BindingMemory::new(limits.memory),
                bounds: grant.bounds,
            };
            all.insert(name, Arc::new(live));
        }
        all
    }

    /// Whether its runs may change something beyond the host.
    pub(super) fn may_act(&self) -> bool {
        !self.terms.policy.may.is_empty()
    }

    /// Whether it is heard through this request of this side of its binding.
    pub(super) fn is_heard_through(&self, side: &Arc<dyn Bound>, request: &str) -> bool {
        match &self.comes {
            Comes::Heard { name, bound, .. } => Arc::ptr_eq(bound, side) && name == request,
            Comes::Every(_) => false,
        }
    }

    /// How long one that failed waits where nothing else says: an event that comes from time to time is not tried more
    /// often than it was granted.
    pub(super) fn pause(&self) -> Option<Duration> {
        match self.comes {
            Comes::Every(every) => Some(every),
            Comes::Heard { .. } => None,
        }
    }
}

impl Debug for LiveEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LiveEvent").field("name", &self.name).finish_non_exhaustive()
    }
}

//! The decision: may this call use this bucket, which part of it is its own, and may it write.
//!
//! [`Asker::bucket`] is the one place where it is taken, when a bucket is opened: what the manifest asks for, what the
//! operator granted, who calls, and what the tool may do of it. Whether a call may write is decided there too and asked
//! with every write.

use std::any::Any;
use std::sync::Arc;

use fleetgate_core::capability::Refusal;
use fleetgate_core::diagnostic::quoted;
use fleetgate_core::sandbox::CallInfo;

use crate::capability::Route;
use crate::part;
use crate::reach::KeyValueReach;
use crate::request::Scope;

/// A binding's granted buckets, and what it asked for in vain.
#[derive(Default)]
pub(crate) struct Routes {
    pub(crate) granted: Vec<Arc<Route>>,
    /// `keyvalue.history` with the key that its grant would have.
    pub(crate) missing: Vec<(String, String)>,
}

/// Whose request it is.
#[derive(Clone, Copy)]
pub(crate) struct Asker<'a>(pub(crate) &'a CallInfo);

/// A bucket that a call may read.
pub(crate) struct Permit {
    pub(crate) route: Arc<Route>,
    /// The call's part of it.
    pub(crate) part: String,
    /// Who owns the part. None: everybody.
    pub(crate) owner: Option<Arc<str>>,
    write: Option<Refusal>,
}

impl Asker<'_> {
    /// Decides whether the call may use a bucket, and which part of it.
    pub(crate) fn bucket(self, routes: &Routes, capability: &str) -> Result<Permit, Refusal> {
        let Self(call) = self;
        let tried = quoted(capability);
        let Some(route) = routes.granted.iter().find(|route| route.capability == capability) else {
            return Err(match routes.missing.iter().find(|(name, _)| name == capability) {
                Some((_, key)) => Refusal::new("grant", format!("{tried}: asked for and not granted"))
                    .allowed_by(format!("[{key}]")),
                None => Refusal::new("grant", format!("{tried}: the plugin does not ask for it")),
            });
        };
        if !call.granted.contains(capability) {
            return Err(Refusal::new("grant", format!("{tried}: not granted to this call")));
        }
        let (part, owner) = match route.grant.scope {
            Scope::Shared => (part::SHARED.to_owned(), None),
            Scope::Principal if !call.has_caller() => {
                let why =
                    format!("{tried}: each caller has entries of its own there, and this call has no caller");
                return Err(Refusal::new("no-principal", why));
            }
            Scope::Principal => (part::of_principal(&call.principal), Some(Arc::clone(&call.principal))),
        };
        Ok(Permit { route: Arc::clone(route), part, owner, write: may_write(call, capability).err() })
    }
}

fn may_write(call: &CallInfo, capability: &str) -> Result<(), Refusal> {
    let reach = call.policy.reach.get(capability);
    let reach = reach.and_then(|reach| (&**reach as &dyn Any).downcast_ref::<KeyValueReach>());
    let tried = quoted(capability);
    match reach.and_then(|reach| reach.write) {
        Some(true) => Ok(()),
        Some(false) => {
            Err(Refusal::new("reach-write", format!("{tried}: the tool's reach is to read, not to write")))
        }
        None if !call.policy.may_remember() => Err(Refusal::new(
            "read-only",
            format!("{tried}: the tool is read-only, and its reach does not say write"),
        )),
        None => Ok(()),
    }
}

impl Permit {
    /// Whether the call may change entries.
    pub(crate) fn write(&self) -> Result<(), Refusal> {
        self.write.clone().map_or(Ok(()), Err)
    }
}

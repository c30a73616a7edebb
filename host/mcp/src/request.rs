//! One request of a client, as every method needs it: who asks, in which era, over which snapshot of the catalog.

use std::sync::Arc;

use fleetgate_core::call::CallContext;
use fleetgate_core::principal::Principal;
use fleetgate_core::sandbox::{Level, Observer};
use rmcp::model::ConstString;
use rmcp::service::RequestContext;
use rmcp::{ErrorData, RoleServer};

use crate::asking;
use crate::caller::{Era, session_key};
use crate::observer::{self, Listening, Voice};
use crate::server::Server;
use crate::view::{Features, View};

/// A request on its way in.
pub(crate) struct Incoming {
    pub(crate) principal: Principal,
    pub(crate) era: Era,
    /// Taken once: nothing later looks at another.
    pub(crate) view: Arc<dyn View>,
    /// The least level of log lines that its client wants.
    pub(crate) level: Option<Level>,
}

impl Server {
    /// Every request begins here.
    pub(crate) fn incoming(&self, context: &RequestContext<RoleServer>) -> Result<Incoming, ErrorData> {
        let view = self.serving.backend.view();
        // On stdio he is the same from the beginning to the end, and his roles need not be.
        let principal = view.holding(&self.who.of(&context.extensions)?);
        Ok(Incoming { principal, era: Era::of(context), view, level: self.level(context)? })
    }

    /// The same, where the endpoint has what is asked for. What it has is looked at now and not at the handshake: a
    /// plugin that came later is served to sessions that were there before.
    pub(crate) fn incoming_for<M: ConstString>(
        &self,
        context: &RequestContext<RoleServer>,
        has: fn(Features) -> bool,
    ) -> Result<Incoming, ErrorData> {
        let incoming = self.incoming(context)?;
        if has(incoming.view.features(&self.serving.scope)) {
            Ok(incoming)
        } else {
            Err(ErrorData::method_not_found::<M>())
        }
    }

    /// What the core wants to know of a request, for a call of this binding.
    pub(crate) fn call_context(
        &self,
        incoming: &Incoming,
        context: &RequestContext<RoleServer>,
        binding: &str,
        observer: Arc<dyn Observer>,
    ) -> Result<CallContext, ErrorData> {
        let (serving, view) = (&*self.serving, &*incoming.view);
        Ok(CallContext {
            session: session_key(serving, view, binding, &incoming.principal, context, &self.connection)?,
            principal: incoming.principal.clone(),
            scope: self.serving.scope.clone(),
            client_capabilities: asking::capabilities(context).to_string().into(),
            cancel: context.ct.clone(),
            observer,
        })
    }

    /// Both sides of a call of this binding.
    pub(crate) fn observed(
        &self,
        incoming: &Incoming,
        context: &RequestContext<RoleServer>,
        binding: &Arc<str>,
    ) -> (Arc<Voice>, Listening) {
        observer::pair(context, binding.clone(), incoming.level, self.serving.hub.clone())
    }
}

/// A value as JSON text.
pub(crate) fn text(value: &impl serde::Serialize) -> Result<String, ErrorData> {
    serde_json::to_string(value).map_err(|error| ErrorData::internal_error(error.to_string(), None))
}

//! `events` as a capability: what a manifest requests and a grant allows, beside those that guests call. Nothing of it
//! is linked; the host calls the guest.

use std::any::Any;
use std::sync::Arc;

use wasmtime::component::Linker;

use super::grant::EventGrant;
use super::request::EventRequest;
use super::{KIND, schema};
use crate::capability::{BindingParts, Bound, Capability, Grant, Reach, Request, Schemas};
use crate::diagnostic::{Diagnostics, TableReader};
use crate::sandbox::{CallInfo, CallState};
use crate::settings::Secrets;

/// Events, as a capability. A host without it refuses manifests with `[capabilities.events]`.
#[derive(Debug, Clone, Copy, Default)]
pub struct EventsCapability;

impl Capability for EventsCapability {
    fn kind(&self) -> &'static str {
        KIND
    }

    /// Never asked: [`super::Others`] reads it, since an event comes from another capability.
    fn parse_request(&self, table: &mut TableReader<'_>) -> Option<Arc<dyn Request>> {
        table.error("an event needs the rest of its manifest", "write it under [capabilities.events.<name>]");
        None
    }

    fn parse_reach(&self, table: &mut TableReader<'_>, _: &dyn Request) -> Option<Arc<dyn Reach>> {
        table.error("a tool's reach says nothing about events", "remove this");
        table.leave_rest();
        None
    }

    fn parse_grant(
        &self,
        table: &mut TableReader<'_>,
        request: &dyn Request,
        _: &Secrets,
    ) -> Option<Arc<dyn Grant>> {
        let request = (request as &dyn Any).downcast_ref::<EventRequest>()?;
        Some(Arc::new(EventGrant::read(table, request)?))
    }

    fn bind(&self, _: BindingParts<'_>) -> Result<Arc<dyn Bound>, Diagnostics> {
        Ok(Arc::new(Nothing))
    }

    fn acts(&self) -> Option<&'static [&'static str]> {
        None
    }

    fn link(&self, _: &mut Linker<CallState>) -> wasmtime::Result<()> {
        Ok(())
    }

    fn schemas(&self) -> Schemas {
        schema::schemas()
    }
}

/// A guest calls nothing of events.
struct Nothing;

impl Bound for Nothing {
    fn state(&self, _: &Arc<CallInfo>) -> Box<dyn Any + Send> {
        Box::new(())
    }
}

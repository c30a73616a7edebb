//! What a call's `Store` holds.

use std::any::Any;
use std::sync::Arc;

use wasmtime::component::ResourceTable;
use wasmtime_wasi::{WasiCtx, WasiCtxBuilder, WasiCtxView, WasiView};

use super::info::CallInfo;
use super::limits::{BindingMemory, Limiter};
use super::stdio::LogLines;
use crate::capability::Slot;

/// Handles that a guest may hold at once, of all kinds together.
pub(super) const MAX_HANDLES: usize = 1_000;
/// Random bytes of one request; wasmtime-wasi fills them one by one on the worker.
const MAX_RANDOM: u64 = 64 << 10;

/// The state of one call: made for it, dropped with it, never used again.
pub struct CallState {
    pub(super) limiter: Limiter,
    wasi: WasiCtx,
    table: ResourceTable,
    call: Arc<CallInfo>,
    slots: Vec<Box<dyn Any + Send>>,
    /// The last progress that was passed on: reports must grow.
    pub(crate) progress: f64,
}

impl CallState {
    /// A new one, with each capability's state of this call.
    pub(super) fn new(
        call: Arc<CallInfo>,
        memory: Arc<BindingMemory>,
        slots: Vec<Box<dyn Any + Send>>,
    ) -> Self {
        let mut table = ResourceTable::new();
        table.set_max_capacity(MAX_HANDLES);
        // Nothing of the machine: no directory, no environment, no arguments, no sockets, no names. Clocks and
        // random are all that a guest has of WASI beside HTTP.
        let wasi = WasiCtxBuilder::new()
            .allow_tcp(false)
            .allow_udp(false)
            .allow_ip_name_lookup(false)
            .max_random_size(MAX_RANDOM)
            .stdout(LogLines::new(&call, super::Level::Info))
            .stderr(LogLines::new(&call, super::Level::Warning))
            .build();
        Self {
            limiter: Limiter::new(call.limits.memory, memory),
            wasi,
            table,
            call,
            slots,
            progress: f64::NEG_INFINITY,
        }
    }

    /// The call that this state was made for.
    pub fn call(&self) -> &Arc<CallInfo> {
        &self.call
    }

    /// The state that a capability of this host keeps for the call.
    ///
    /// # Panics
    /// If no capability made a state of type `S`. Every linked capability makes one for every call, so this would
    /// be a defect of the host, and it ends the call, not the process (wasmtime unwinds host panics to the caller).
    pub fn slot<S: Send + 'static>(&mut self) -> Slot<'_, S> {
        let state = self
            .slots
            .iter_mut()
            .find_map(|slot| slot.downcast_mut::<S>())
            .expect("each linked capability made its state for this call");
        Slot { state, table: &mut self.table, call: &self.call }
    }
}

impl WasiView for CallState {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

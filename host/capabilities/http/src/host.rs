//! The guest's side: `wasi:http/outgoing-handler` and `wasi:http/types`, with the guard behind them.
//!
//! Everything but the sending is wasmtime-wasi-http's own. Its `send_request` hook is the one way out: no other host
//! function of this interface reaches the network.

use std::sync::Arc;

use fleetgate_core::capability::Slot;
use fleetgate_core::sandbox::CallState;
use http::uri::Scheme;
use http::{HeaderName, Request, Response};
use wasmtime::component::{Linker, Resource};
use wasmtime_wasi_http::p2::bindings::LinkOptions;
use wasmtime_wasi_http::p2::bindings::http::types::{ErrorCode, IoError};
use wasmtime_wasi_http::p2::bindings::http::{outgoing_handler, types};
use wasmtime_wasi_http::{
    Error, ForbiddenHeaderFilter, RequestOptions, WasiBody, WasiHttp, WasiHttpCtx, WasiHttpCtxView,
    WasiHttpHooks,
};

use crate::exchange::Session;

/// The most bytes that a guest's header fields may have in memory, each set of them.
const FIELDS: usize = 128 << 10;

/// What a call keeps.
pub(crate) struct State {
    ctx: WasiHttpCtx,
    hooks: Hooks,
}

struct Hooks {
    session: Session,
}

impl State {
    pub(crate) fn new(session: Session) -> Self {
        let mut ctx = WasiHttpCtx::new();
        ctx.set_field_size_limit(FIELDS);
        Self { ctx, hooks: Hooks { session } }
    }
}

type Sent =
    wasmtime_wasi_http::Result<(Response<WasiBody>, Box<dyn Future<Output = Result<(), Error>> + Send>)>;

impl WasiHttpHooks for Hooks {
    /// None is an error to set. The guard drops what may not leave the host, so that libraries that set such
    /// fields on their own work unchanged.
    fn is_forbidden_header(&mut self, _: &HeaderName) -> bool {
        false
    }

    fn forbidden_header_filter(&mut self) -> ForbiddenHeaderFilter {
        Arc::new(|_| false)
    }

    /// The guard's decision is about schemes as well.
    fn is_supported_scheme(&mut self, _: &Scheme) -> bool {
        true
    }

    /// It is made of what was decided.
    fn set_host_header(&mut self) -> bool {
        false
    }

    fn send_request(
        &mut self,
        request: Request<WasiBody>,
        options: Option<RequestOptions>,
        _: Box<dyn Future<Output = Result<(), Error>> + Send>,
    ) -> Box<dyn Future<Output = Sent> + Send> {
        let response = self.session.send(request, options.unwrap_or_default());
        Box::new(async move {
            match response.await {
                // The connection is the pool's; there is nothing left to drive for this response.
                Ok(response) => Ok((response, Box::new(async { Ok(()) }) as Box<_>)),
                Err(failure) => Err(failure.into_guest()),
            }
        })
    }
}

fn view(state: &mut CallState) -> WasiHttpCtxView<'_> {
    let Slot { state, table, .. } = state.slot::<State>();
    WasiHttpCtxView { ctx: &mut state.ctx, hooks: &mut state.hooks, table }
}

/// The instance whose `http-error-code` is replaced; a test keeps it equal to wasmtime-wasi-http's.
const TYPES: &str = "wasi:http/types@0.2.12";

/// Adds the host functions.
pub(crate) fn link(linker: &mut Linker<CallState>) -> wasmtime::Result<()> {
    outgoing_handler::add_to_linker::<_, WasiHttp>(linker, view)?;
    types::add_to_linker::<_, WasiHttp>(linker, &LinkOptions::default().into(), view)?;
    // wasmtime-wasi-http 48 looks for an `ErrorCode` in a stream's error, where it put an `Error`, so a guest
    // would never learn why a body ended early.
    linker.allow_shadowing(true);
    let replaced = linker.instance(TYPES)?.func_wrap(
        "http-error-code",
        |mut store: wasmtime::StoreContextMut<'_, CallState>, (error,): (Resource<IoError>,)| {
            let view = view(store.data_mut());
            let error = view.table.get(&error)?;
            let code = error.downcast_ref::<ErrorCode>().cloned();
            Ok((code.or_else(|| error.downcast_ref::<Error>().map(body_error)),))
        },
    );
    linker.allow_shadowing(false);
    replaced
}

/// The codes that a body of ours can end with.
fn body_error(error: &Error) -> ErrorCode {
    match error {
        Error::HttpResponseBodySize(limit) => ErrorCode::HttpResponseBodySize(*limit),
        Error::HttpRequestBodySize(limit) => ErrorCode::HttpRequestBodySize(*limit),
        Error::HttpResponseContentCoding(coding) => ErrorCode::HttpResponseContentCoding(coding.clone()),
        Error::HttpResponseIncomplete => ErrorCode::HttpResponseIncomplete,
        Error::HttpResponseTimeout => ErrorCode::HttpResponseTimeout,
        Error::ConnectionReadTimeout => ErrorCode::ConnectionReadTimeout,
        Error::InternalError(why) => ErrorCode::InternalError(why.clone()),
        _ => ErrorCode::HttpProtocolError,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_replaced_function_is_wasmtimes_own() {
        let engine = wasmtime::Engine::default();
        let mut linker = Linker::<CallState>::new(&engine);
        link(&mut linker).unwrap();
        // Without shadowing a name can be defined once: it is there, and so it was when it was replaced.
        let mut types = linker.instance(TYPES).unwrap();
        let again = types.func_wrap("http-error-code", |_, (): ()| Ok(()));
        assert!(again.is_err());
        let others = types.func_wrap("[constructor]fields", |_, (): ()| Ok(()));
        assert!(others.is_err(), "another version of the interface was opened");
    }
}

//! Work that outlives a call.

use super::generated::fleetgate::plugin::{jobs, types};
use crate::sandbox::CallState;

/// Draft: no jobs yet, and the plugin is told so.
fn no_jobs<T>() -> wasmtime::Result<Result<T, types::Fault>> {
    Ok(Err(types::Fault {
        code: "unavailable".into(),
        message: "this host does not run jobs".into(),
        field: None,
        retryable: false,
        retry_after_ms: None,
        details: None,
    }))
}

impl jobs::Host for CallState {
    fn submit(
        &mut self,
        _: String,
        _: String,
        _: Option<String>,
    ) -> wasmtime::Result<Result<jobs::Job, types::Fault>> {
        no_jobs()
    }
    fn get(&mut self, _: String) -> wasmtime::Result<Result<jobs::Job, types::Fault>> {
        no_jobs()
    }
    fn outcome(&mut self, _: String) -> wasmtime::Result<Result<types::ToolResult, types::Fault>> {
        no_jobs()
    }
    fn list_jobs(
        &mut self,
        _: Option<String>,
    ) -> wasmtime::Result<Result<(Vec<jobs::Job>, Option<String>), types::Fault>> {
        no_jobs()
    }
    fn cancel(&mut self, _: String) -> wasmtime::Result<Result<jobs::Job, types::Fault>> {
        no_jobs()
    }
}

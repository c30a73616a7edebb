//! `completions`.

use wasmtime::Store;
use wasmtime::component::Instance;

use super::Exports;
use super::convert::from_fault;
use crate::domain::{Completion, Fault};
use crate::sandbox::CallState;

impl Exports {
    /// `completions.complete`. Nothing follows where the component completes nothing.
    #[expect(clippy::ptr_arg, reason = "the generated function takes strings by reference")]
    pub(crate) async fn complete(
        &self,
        store: &mut Store<CallState>,
        instance: &Instance,
        reference: &String,
        argument: &String,
        value: &String,
        context: &String,
    ) -> wasmtime::Result<Result<Completion, Fault>> {
        let Some(indices) = &self.completions else { return Ok(Ok(Completion::default())) };
        let completions = indices.load(&mut *store, instance)?;
        let ended = completions.call_complete(&mut *store, reference, argument, value, context).await?;
        Ok(match ended {
            Ok(completion) => Ok(Completion {
                values: completion.values,
                total: completion.total,
                has_more: completion.has_more,
            }),
            Err(fault) => Err(from_fault(fault)),
        })
    }
}

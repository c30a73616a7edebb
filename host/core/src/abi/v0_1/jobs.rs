//! Work that outlives a call.

use serde_json::{Map, Value};

use super::generated::fleetgate::plugin::{jobs, types};
use crate::domain::{Content, Fault, ToolResult};
use crate::jobs::Job;
use crate::sandbox::{CallState, Cancelled};

impl jobs::Host for CallState {
    async fn submit(
        &mut self,
        tool: String,
        arguments: String,
        options: Option<String>,
    ) -> wasmtime::Result<Result<jobs::Job, types::Fault>> {
        let call = self.call().clone();
        let submitted =
            call.waiting(call.jobs.submit(&call.secrets, &tool, arguments, options.as_deref())).await;
        Ok(ended(submitted).map(job))
    }
    fn get(&mut self, id: String) -> wasmtime::Result<Result<jobs::Job, types::Fault>> {
        Ok(self.call().jobs.get(&id).map(job).map_err(to_fault))
    }
    async fn outcome(&mut self, id: String) -> wasmtime::Result<Result<types::ToolResult, types::Fault>> {
        let call = self.call().clone();
        let result = call.waiting(call.jobs.outcome(&id)).await;
        Ok(ended(result).map(to_result))
    }
    fn list_jobs(
        &mut self,
        cursor: Option<String>,
    ) -> wasmtime::Result<Result<(Vec<jobs::Job>, Option<String>), types::Fault>> {
        let page = self.call().jobs.list(cursor.as_deref());
        Ok(page.map(|page| (page.jobs.into_iter().map(job).collect(), page.next)).map_err(to_fault))
    }
    fn cancel(&mut self, id: String) -> wasmtime::Result<Result<jobs::Job, types::Fault>> {
        Ok(self.call().jobs.cancel(&id).map(job).map_err(to_fault))
    }
}

/// What an import that waited gives to its guest.
fn ended<T>(waited: Result<Result<T, Fault>, Cancelled>) -> Result<T, types::Fault> {
    match waited {
        Ok(done) => done.map_err(to_fault),
        Err(cancelled) => Err(to_fault(Fault::new("cancelled", cancelled.to_string()))),
    }
}

fn job(job: Job) -> jobs::Job {
    let mut extra = Map::from_iter([("ttlMs".to_owned(), job.ttl_ms.into())]);
    if let Some(attributes) = job.attributes {
        extra.insert("attributes".to_owned(), Value::Object(attributes));
    }
    for (key, number) in [("progress", job.progress), ("total", job.total)] {
        if let Some(number) = number {
            extra.insert(key.to_owned(), number.into());
        }
    }
    jobs::Job {
        id: job.id.to_string(),
        tool: job.tool.to_string(),
        status: job.status.name().to_owned(),
        message: job.message,
        created_ms: job.created_ms,
        updated_ms: job.updated_ms,
        extra: Some(Value::Object(extra).to_string()),
    }
}

fn to_fault(fault: Fault) -> types::Fault {
    types::Fault {
        code: fault.code,
        message: fault.message,
        field: fault.field,
        retryable: fault.retryable,
        retry_after_ms: fault.retry_after_ms,
        details: fault.details.map(|details| details.to_string()),
    }
}

fn to_result(result: ToolResult) -> types::ToolResult {
    let text = |json: Option<Value>| json.map(|json| json.to_string());
    let block = |block: Content| types::Content {
        kind: block.kind,
        text: block.text,
        data: block.data,
        mime_type: block.mime_type,
        uri: block.uri,
        meta: text(block.meta),
        extra: text(block.extra),
    };
    types::ToolResult {
        content: result.content.into_iter().map(block).collect(),
        structured: result.structured.map(|json| json.get().to_owned()),
        is_error: result.is_error,
        meta: text(result.meta),
        extra: text(result.extra),
    }
}

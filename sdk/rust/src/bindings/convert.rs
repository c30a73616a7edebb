//! Between the generated types and ours.

use std::time::Duration;

use serde_json::{Map, Value};

use super::imports::fleetgate::plugin::types;
use crate::fault::cut;
use crate::{Answers, Content, Fault, Question, ToolResult};

/// The longest message that the interface allows, in bytes; what is longer is cut.
const MESSAGE_LIMIT: usize = 8 * 1024;

pub(super) fn object(object: Option<Map<String, Value>>) -> Option<String> {
    object.map(|object| Value::Object(object).to_string())
}

pub(super) fn owned(text: Option<&str>) -> Option<String> {
    text.map(str::to_owned)
}

pub(super) fn fault(fault: Fault) -> types::Fault {
    types::Fault {
        code: fault.code,
        message: cut(&fault.message, MESSAGE_LIMIT).to_owned(),
        field: fault.field,
        retryable: fault.retryable,
        retry_after_ms: fault.retry_after.map(|wait| u32::try_from(wait.as_millis()).unwrap_or(u32::MAX)),
        details: object(fault.details.map(|details| *details)),
    }
}

pub(super) fn content(content: Content) -> types::Content {
    types::Content {
        kind: content.kind,
        text: content.text,
        data: content.data,
        mime_type: content.mime_type,
        uri: content.uri,
        meta: object(content.meta),
        extra: object(content.extra),
    }
}

pub(super) fn tool_result(result: ToolResult) -> types::ToolResult {
    types::ToolResult {
        content: result.content.into_iter().map(content).collect(),
        structured: result.structured.as_ref().map(Value::to_string),
        is_error: result.is_error,
        meta: object(result.meta),
        extra: object(result.extra),
    }
}

pub(super) fn question(question: Question) -> types::Question {
    types::Question {
        requests: question
            .requests
            .into_iter()
            .map(|request| types::InputRequest {
                key: request.key,
                kind: request.kind,
                params: request.params.to_string(),
            })
            .collect(),
        state: question.state,
    }
}

pub(super) fn answers(answers: Option<types::Answers>) -> Result<Answers, Fault> {
    let Some(answers) = answers else { return Ok(Answers::default()) };
    let items = answers
        .items
        .into_iter()
        .map(|answer| {
            let value = serde_json::from_str(&answer.value).map_err(|error| {
                Fault::custom("protocol", format!("The answer to `{}` is not JSON: {error}", answer.key))
            })?;
            Ok((answer.key, value))
        })
        .collect::<Result<_, Fault>>()?;
    Ok(Answers { items, state: answers.state })
}

/// A fault that the host answered with.
pub(crate) fn from_fault(fault: types::Fault) -> Fault {
    Fault {
        code: fault.code,
        message: fault.message,
        field: fault.field,
        retryable: fault.retryable,
        retry_after: fault.retry_after_ms.map(|wait| Duration::from_millis(wait.into())),
        details: parsed(fault.details).map(Box::new),
    }
}

/// A result that the host kept.
pub(crate) fn from_tool_result(result: types::ToolResult) -> ToolResult {
    ToolResult {
        content: result
            .content
            .into_iter()
            .map(|content| Content {
                kind: content.kind,
                text: content.text,
                data: content.data,
                mime_type: content.mime_type,
                uri: content.uri,
                meta: parsed(content.meta),
                extra: parsed(content.extra),
            })
            .collect(),
        structured: result.structured.and_then(|json| serde_json::from_str(&json).ok()),
        is_error: result.is_error,
        meta: parsed(result.meta),
        extra: parsed(result.extra),
    }
}

/// The host's own JSON is an object wherever there is any.
fn parsed(json: Option<String>) -> Option<Map<String, Value>> {
    json.and_then(|json| serde_json::from_str(&json).ok())
}

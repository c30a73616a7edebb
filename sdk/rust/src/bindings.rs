//! The interface `fleetgate:plugin`, generated from its WIT, and the way between its types and ours.
//!
//! Each export of the interface has a world of its own. Tools are the first; the next ones are generated beside it
//! and share its types.

use serde_json::{Map, Value};

use crate::fault::cut;
use crate::{Answers, Content, Fault, Outcome, Plugin, Question, ToolResult, plugin};

mod generated {
    #![allow(missing_docs)]
    #![allow(clippy::all)]

    wit_bindgen::generate!({
        path: "../../wit/fleetgate-plugin",
        world: "with-tools",
        pub_export_macro: true,
        export_macro_name: "export_tools",
    });
}

pub use generated::*;

/// The longest message that the interface allows, in bytes; what is longer is cut.
const MESSAGE_LIMIT: usize = 8 * 1024;

use exports::fleetgate::plugin::tools;
use fleetgate::plugin::types;

impl<P: Plugin> tools::Guest for P {
    fn list_tools() -> Result<Vec<types::Tool>, types::Fault> {
        P::TOOLS
            .iter()
            .map(|tool| {
                Ok(types::Tool {
                    name: tool.name.to_owned(),
                    title: tool.title.map(str::to_owned),
                    description: Some(tool.description.to_owned()),
                    input_schema: tool.input_schema()?.to_string(),
                    output_schema: tool.output_schema().as_ref().map(Value::to_string),
                    meta: None,
                    extra: None,
                })
            })
            .collect::<Result<_, Fault>>()
            .map_err(fault)
    }

    fn call_tool(
        name: String,
        arguments: String,
        answered: Option<types::Answers>,
    ) -> Result<types::Outcome, types::Fault> {
        let run = || plugin::find::<P>(&name)?.run(&arguments, answered.map(answers).transpose()?);
        match run() {
            Ok(Outcome::Done(result)) => Ok(types::Outcome::Done(tool_result(result))),
            Ok(Outcome::Ask(asked)) => Ok(types::Outcome::Ask(question(asked))),
            Err(failure) => Err(fault(failure)),
        }
    }
}

fn object(object: Option<Map<String, Value>>) -> Option<String> {
    object.map(|object| Value::Object(object).to_string())
}

fn fault(fault: Fault) -> types::Fault {
    types::Fault {
        code: fault.code,
        message: cut(&fault.message, MESSAGE_LIMIT).to_owned(),
        field: fault.field,
        retryable: fault.retryable,
        retry_after_ms: fault.retry_after.map(|wait| u32::try_from(wait.as_millis()).unwrap_or(u32::MAX)),
        details: object(fault.details.map(|details| *details)),
    }
}

fn content(content: Content) -> types::Content {
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

fn tool_result(result: ToolResult) -> types::ToolResult {
    types::ToolResult {
        content: result.content.into_iter().map(content).collect(),
        structured: result.structured.as_ref().map(Value::to_string),
        is_error: result.is_error,
        meta: object(result.meta),
        extra: object(result.extra),
    }
}

fn question(question: Question) -> types::Question {
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

fn answers(answers: types::Answers) -> Result<Answers, Fault> {
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

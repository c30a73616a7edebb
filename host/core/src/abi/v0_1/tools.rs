//! `tools`.

use std::sync::Arc;

use serde_json::value::RawValue;
use wasmtime::Store;
use wasmtime::component::Instance;

use super::Exports;
use super::convert::{extras, from_contents, from_fault, from_question, parse, parse_optional, to_answers};
use super::generated::exports::fleetgate::plugin::tools;
use super::generated::fleetgate::plugin::types;
use crate::domain::{Answers, Fault, Outcome, Tool, ToolResult};
use crate::sandbox::CallState;
use crate::text::clean;

impl Exports {
    /// `tools.list-tools`. Empty where the component has no tools.
    pub(crate) async fn list_tools(
        &self,
        store: &mut Store<CallState>,
        instance: &Instance,
    ) -> wasmtime::Result<Result<Vec<Tool>, Fault>> {
        let Some(indices) = &self.tools else { return Ok(Ok(Vec::new())) };
        let listed = indices.load(&mut *store, instance)?.call_list_tools(&mut *store).await?;
        Ok(match listed {
            Ok(tools) => tools.into_iter().map(tool).collect(),
            Err(fault) => Err(from_fault(fault)),
        })
    }

    /// `tools.call-tool`.
    #[expect(clippy::ptr_arg, reason = "the generated function takes strings by reference")]
    pub(crate) async fn call_tool(
        &self,
        store: &mut Store<CallState>,
        instance: &Instance,
        name: &String,
        arguments: &String,
        answers: Option<&Answers>,
    ) -> wasmtime::Result<Result<Outcome, Fault>> {
        let Some(indices) = &self.tools else {
            return Ok(Err(Fault::new("internal", "the plugin exports no tools")));
        };
        let answers = answers.map(to_answers);
        let tools = indices.load(&mut *store, instance)?;
        let ended = tools.call_call_tool(&mut *store, name, arguments, answers.as_ref()).await?;
        Ok(match ended {
            Ok(types::Outcome::Done(result)) => from_result(result).map(Outcome::Done),
            Ok(types::Outcome::Ask(question)) => from_question(question).map(Outcome::Ask),
            Err(fault) => Err(from_fault(fault)),
        })
    }
}

fn tool(tool: tools::Tool) -> Result<Tool, Fault> {
    let of = |what: &str| format!("{what} of the tool \"{}\"", clean(&tool.name));
    Ok(Tool {
        input_schema: Arc::new(parse(&of("an input schema"), tool.input_schema.clone())?),
        output_schema: parse_optional(&of("an output schema"), tool.output_schema.clone())?.map(Arc::new),
        meta: parse_optional(&of("meta"), tool.meta.clone())?,
        extra: parse_optional(&of("extra"), tool.extra.clone())?,
        name: tool.name,
        title: tool.title,
        description: tool.description,
    })
}

fn from_result(result: types::ToolResult) -> Result<ToolResult, Fault> {
    let blocks = result.content.iter().flat_map(|block| [&block.meta, &block.extra]);
    extras(blocks.chain([&result.meta, &result.extra]))?;
    Ok(ToolResult {
        content: from_contents(result.content)?,
        structured: result
            .structured
            .map(|json| {
                RawValue::from_string(json).map_err(|error| {
                    Fault::new("protocol", format!("the plugin returned a result that is not JSON: {error}"))
                })
            })
            .transpose()?,
        is_error: result.is_error,
        meta: parse_optional("meta", result.meta)?,
        extra: parse_optional("extra", result.extra)?,
    })
}

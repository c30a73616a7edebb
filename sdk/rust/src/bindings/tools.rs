//! The export `tools`.

use serde_json::Value;

use super::convert::{answers, fault, owned, question, tool_result};
use super::imports::fleetgate::plugin::types;
use super::with_tools::exports::fleetgate::plugin::tools::Guest;
use crate::plugin::{Plugin, find_tool};
use crate::{Fault, Outcome};

impl<P: Plugin> Guest for P {
    fn list_tools() -> Result<Vec<types::Tool>, types::Fault> {
        P::TOOLS
            .iter()
            .map(|tool| {
                Ok(types::Tool {
                    name: tool.name.to_owned(),
                    title: owned(tool.title),
                    description: owned(Some(tool.description)),
                    input_schema: tool.input_schema()?.to_string(),
                    output_schema: tool.output_schema()?.as_ref().map(Value::to_string),
                    meta: owned(tool.meta),
                    extra: owned(tool.extra),
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
        let run = || find_tool::<P>(&name)?.run(&arguments, answers(answered)?);
        match run() {
            Ok(Outcome::Done(result)) => Ok(types::Outcome::Done(tool_result(result))),
            Ok(Outcome::Ask(asked)) => Ok(types::Outcome::Ask(question(asked))),
            Err(failure) => Err(fault(failure)),
        }
    }
}

//! `tools/call`: arguments are checked against the tool's schema, results against what it promises.

use std::borrow::Cow;

use serde_json::Value;

use super::passage::{Check, Errand, Looked, Passage, shown};
use super::{CallContext, Kind, ToolCall, redact, result};
use crate::catalog::{Catalog, FoundTool, LiveTool};
use crate::domain::{Fault, Outcome, ToolResult};
use crate::sandbox::work::CallTool;
use crate::secret_arguments::{Arguments, hide};

impl Passage for ToolCall {
    const WORK: &'static str = "the tool";
    type Found = FoundTool;
    type Work = CallTool;
    type Answer = ToolResult;

    fn kind(&self) -> Kind {
        Kind::Tool
    }

    fn context(&self) -> &CallContext {
        &self.context
    }

    fn name(&self) -> &str {
        &self.tool
    }

    fn asked_for(&self) -> String {
        shown(&self.tool)
    }

    fn entry(&self, found: &FoundTool) -> String {
        found.tool.own_name.to_string()
    }

    fn arguments(&self) -> Cow<'_, str> {
        self.arguments.as_str().into()
    }

    fn hashable(&self, found: &FoundTool) -> Option<Cow<'_, str>> {
        self.arguments.hashable(&found.tool.secret)
    }

    fn find(&self, catalog: &Catalog) -> Option<FoundTool> {
        catalog.find_tool(&self.context.scope, &self.tool)
    }

    fn check(&self, found: &FoundTool) -> Check {
        let (tool, arguments) = (found.tool.clone(), self.arguments.clone());
        Box::new(move || look(&tool, arguments))
    }

    fn settled(self, arguments: Arguments) -> Self {
        Self { arguments, ..self }
    }

    fn errand(self, found: &FoundTool) -> Errand<Self> {
        let Self { context, arguments, answers, .. } = self;
        let tool = found.tool.clone();
        let mask = arguments.mask().cloned();
        let (arguments, secrets) = arguments.for_guest();
        Errand {
            context,
            work: CallTool { name: tool.own_name.to_string(), arguments, answers },
            secrets,
            outgoing: Box::new(move |mut outcome| {
                if let Some(mask) = &mask {
                    hide::outcome(mask, &mut outcome);
                }
                match outcome {
                    Outcome::Done(returned) => result::tool(returned, &tool).map(Outcome::Done),
                    Outcome::Ask(question) => Ok(Outcome::Ask(question)),
                }
            }),
        }
    }

    fn size(outcome: &Outcome) -> usize {
        match outcome {
            Outcome::Done(returned) => result::size_of(returned),
            Outcome::Ask(_) => 0,
        }
    }

    fn is_error(returned: &ToolResult) -> bool {
        returned.is_error
    }
}

/// What of the arguments is recorded, and whether they are right. Nulls that mean "not given" are taken out before
/// anything looks at them. What is secret is checked as it is, and then taken
/// out of them.
pub(super) fn look(tool: &LiveTool, arguments: Arguments) -> Looked {
    let mut value: Value = match serde_json::from_str(arguments.as_str()) {
        Ok(value) => value,
        Err(error) => {
            let fault = Fault::new("invalid-arguments", format!("the arguments are not JSON: {error}"));
            return Err(fault).into();
        }
    };
    let dropped = !arguments.settled() && tool.input.drop_nulls(&mut value);
    let arguments = if dropped { arguments.rewritten(&value) } else { arguments };
    let mut recorded = redact::recorded(&value, &tool.audit);
    let (arguments, right) = if arguments.settled() {
        (Some(arguments), Ok(()))
    } else {
        let right = tool.input.check_arguments(&value);
        if tool.secret.is_empty() {
            (dropped.then_some(arguments), right)
        } else {
            let (arguments, text) = arguments.settle(value, &tool.secret);
            (Some(arguments), right.and(text))
        }
    };
    // Somebody may have said it in another argument as well.
    if let Some(mask) = arguments.as_ref().and_then(Arguments::mask) {
        recorded.values_mut().for_each(|value| hide::json(mask, value));
    }
    Looked { recorded, arguments, right }
}

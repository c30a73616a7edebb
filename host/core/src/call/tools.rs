//! `tools/call`: arguments are checked against the tool's schema, results against what it promises.

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::passage::{Check, Errand, Passage, shown};
use super::{CallContext, Kind, ToolCall, redact, result};
use crate::catalog::{Catalog, FoundTool, LiveTool};
use crate::domain::{Fault, Outcome, ToolResult};
use crate::sandbox::work::CallTool;

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

    fn find(&self, catalog: &Catalog) -> Option<FoundTool> {
        catalog.find_tool(&self.context.scope, &self.tool)
    }

    fn check(&self, found: &FoundTool) -> Check {
        let (tool, text) = (found.tool.clone(), self.arguments.clone());
        Box::new(move || arguments(&tool, &text))
    }

    fn errand(self, found: &FoundTool) -> Errand<Self> {
        let Self { context, arguments, answers, .. } = self;
        let tool = found.tool.clone();
        Errand {
            context,
            work: CallTool { name: tool.own_name.to_string(), arguments, answers },
            outgoing: Box::new(move |outcome| match outcome {
                Outcome::Done(returned) => result::tool(returned, &tool).map(Outcome::Done),
                Outcome::Ask(question) => Ok(Outcome::Ask(question)),
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

/// What of the arguments is recorded, and whether they are right.
pub(super) fn arguments(tool: &LiveTool, text: &str) -> (Map<String, Value>, Result<(), Fault>) {
    let arguments: Value = match serde_json::from_str(text) {
        Ok(arguments) => arguments,
        Err(error) => {
            let fault = Fault::new("invalid-arguments", format!("the arguments are not JSON: {error}"));
            return (Map::new(), Err(fault));
        }
    };
    let recorded = redact::recorded(&arguments, &tool.audit);
    let secret = tool.secret.iter().any(|pointer| arguments.pointer(pointer).is_some());
    let checked = tool.input.check_arguments(&arguments).and_then(|()| {
        // Until placeholders exist, a guest must not see what its manifest calls secret.
        if secret {
            Err(Fault::new("unavailable", "this host does not accept secret arguments"))
        } else {
            Ok(())
        }
    });
    (recorded, checked)
}

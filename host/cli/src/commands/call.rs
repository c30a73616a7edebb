//! `fleetgate call`: one call of a tool.

use std::sync::Arc;

use clap::Args;
use fleetgate_core::call::{CallContext, ToolCall};
use fleetgate_core::catalog::{Catalog, Host, Scope};
use fleetgate_core::domain::{Answers, ToolResult};
use serde_json::{Value, json};

use super::request::{Printed, Request, Round, Wanting, block, object, show};
use crate::failure::Failure;
use crate::secret_arguments::{self, Given};

/// Calls one tool and prints its result.
#[derive(Debug, Args)]
pub struct Call {
    #[command(flatten)]
    request: Request,
    /// The tool, by its own name.
    tool: String,
    /// The arguments as a JSON object; - reads them from stdin.
    #[arg(value_name = "JSON", default_value = "{}")]
    arguments: String,
    /// A secret argument that stands in a file; with - it is asked for, or read from a line of stdin.
    #[arg(long = "secret", value_name = "POINTER=FILE", value_parser = Given::parse)]
    secrets: Vec<Given>,
}

impl Call {
    pub fn run(self) -> Result<(), Failure> {
        let Self { request, tool, arguments, secrets } = self;
        if arguments == "-" && secrets.iter().any(Given::asks) {
            return Err(Failure::usage("stdin cannot be both the arguments and a secret")
                .help("name a file: --secret POINTER=FILE"));
        }
        let (arguments, _) = object(arguments)?;
        request.run(Calling { tool, arguments, secrets })
    }
}

struct Calling {
    tool: String,
    arguments: String,
    secrets: Vec<Given>,
}

impl Wanting for Calling {
    type Answer = ToolResult;

    /// Which arguments are secret, the catalog says.
    fn ready(&mut self, catalog: &Catalog, scope: &Scope) -> Result<(), Failure> {
        if let Some(found) = catalog.find_tool(scope, &self.tool) {
            let arguments = std::mem::take(&mut self.arguments);
            self.arguments = secret_arguments::fill(arguments, &self.secrets, &found.tool.secret)?;
        }
        Ok(())
    }

    fn round(
        &self,
        host: Arc<Host>,
        catalog: Arc<Catalog>,
        context: CallContext,
        answers: Option<Answers>,
    ) -> Round<ToolResult> {
        let (tool, arguments) = (self.tool.clone(), self.arguments.as_str().into());
        let call = ToolCall { context, tool, arguments, answers };
        Box::pin(async move { host.call_tool(&catalog, call).await })
    }
}

impl Printed for ToolResult {
    fn facts(&self) -> Value {
        let content: Vec<Value> = self.content.iter().map(block).collect();
        json!({
            "is_error": self.is_error, "content": content, "structured": self.structured, "meta": self.meta,
        })
    }

    fn show(&self) {
        self.content.iter().for_each(show);
    }

    fn failed(&self) -> bool {
        self.is_error
    }
}

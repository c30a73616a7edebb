//! `fleetgate prompt`: one prompt, filled in.

use std::sync::Arc;

use clap::Args;
use fleetgate_core::call::{CallContext, PromptGet};
use fleetgate_core::catalog::{Catalog, Host};
use fleetgate_core::domain::{Answers, PromptMessage};
use serde_json::{Map, Value, json};

use super::request::{Printed, Request, Round, Wanting, block, object, show};
use crate::failure::Failure;
use crate::output::{self, bold, one_line};

/// Fills in one prompt and prints its messages.
#[derive(Debug, Args)]
pub struct Prompt {
    #[command(flatten)]
    request: Request,
    /// The prompt, by its own name.
    name: String,
    /// The arguments as a JSON object of strings; - reads them from stdin.
    #[arg(value_name = "JSON", default_value = "{}")]
    arguments: String,
}

impl Prompt {
    pub fn run(self) -> Result<(), Failure> {
        let Self { request, name, arguments } = self;
        let (_, arguments) = object(arguments)?;
        if let Some((name, _)) = arguments.iter().find(|(_, value)| !value.is_string()) {
            let message = format!("the argument \"{}\" of a prompt is not a string", one_line(name));
            return Err(Failure::usage(message).help("write it in quotes: '{\"lines\": \"20\"}'"));
        }
        request.run(Filling { name, arguments })
    }
}

struct Filling {
    name: String,
    arguments: Map<String, Value>,
}

impl Wanting for Filling {
    type Answer = Vec<PromptMessage>;

    fn round(
        &self,
        host: Arc<Host>,
        catalog: Arc<Catalog>,
        context: CallContext,
        answers: Option<Answers>,
    ) -> Round<Vec<PromptMessage>> {
        let (prompt, arguments) = (self.name.clone(), self.arguments.clone());
        let get = PromptGet { context, prompt, arguments, answers };
        Box::pin(async move { host.get_prompt(&catalog, get).await })
    }
}

impl Printed for Vec<PromptMessage> {
    fn facts(&self) -> Value {
        let messages: Vec<Value> = self
            .iter()
            .map(|message| json!({ "role": message.role, "content": block(&message.content) }))
            .collect();
        json!({ "messages": messages })
    }

    fn show(&self) {
        for message in self {
            output::line(bold(format_args!("{}:", one_line(&message.role))));
            show(&message.content);
        }
    }
}

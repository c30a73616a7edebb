//! `fleetgate read`: the contents of one resource, or of one file of a skill.

use std::io::{IsTerminal, stdout};
use std::sync::Arc;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use clap::Args;
use fleetgate_core::call::{CallContext, ResourceRead};
use fleetgate_core::catalog::{Catalog, Host};
use fleetgate_core::domain::{Answers, Content};
use serde_json::{Value, json};

use super::request::{Printed, Request, Round, Wanting, block, show, text};
use crate::failure::Failure;
use crate::output;

/// Reads one resource and prints it. To a file or a pipe its text and bytes go as they are.
#[derive(Debug, Args)]
pub struct Read {
    #[command(flatten)]
    request: Request,
    /// The resource, as the plugin names it.
    uri: String,
}

impl Read {
    pub fn run(self) -> Result<(), Failure> {
        let Self { request, uri } = self;
        let binding = request.binding().into();
        request.run(Reading { binding, uri })
    }
}

struct Reading {
    binding: Arc<str>,
    uri: String,
}

impl Wanting for Reading {
    type Answer = Vec<Content>;

    fn round(
        &self,
        host: Arc<Host>,
        catalog: Arc<Catalog>,
        context: CallContext,
        answers: Option<Answers>,
    ) -> Round<Vec<Content>> {
        let (binding, uri) = (self.binding.clone(), self.uri.clone());
        let read = ResourceRead { context, binding, uri, answers };
        Box::pin(async move { host.read_resource(&catalog, read).await })
    }
}

impl Printed for Vec<Content> {
    fn facts(&self) -> Value {
        let contents: Vec<Value> = self
            .iter()
            .map(|one| {
                let mut facts = block(one);
                if let Some(data) = &one.data {
                    facts["data"] = BASE64_STANDARD.encode(data).into();
                }
                facts
            })
            .collect();
        json!({ "contents": contents })
    }

    fn show(&self) {
        for one in self {
            match (&one.data, &one.text) {
                (Some(data), _) if !stdout().is_terminal() => output::bytes(data),
                (Some(_), _) => show(one),
                (None, Some(said)) if stdout().is_terminal() => output::line(text(said)),
                (None, said) => output::bytes(said.as_deref().unwrap_or_default().as_bytes()),
            }
        }
    }
}

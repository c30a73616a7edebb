//! `tools/call`: from a request to a [`ToolCall`] and back. Everything that decides is in the core.

use fleetgate_core::call::{Kind, ToolCall};
use rmcp::model::{CallToolRequestParams, CallToolResponse};
use rmcp::service::RequestContext;
use rmcp::{ErrorData, RoleServer};

use crate::asking::{Conducted, Continuation, Ended, Subject, conduct};
use crate::content::From;
use crate::request::text;
use crate::server::Server;
use crate::tasks::{self, Taking};
use crate::{content, fault, meta};

impl Server {
    /// Runs one call. Whatever trips the request's token (`notifications/cancelled`, a client that hung up, the end
    /// of the session) is passed on, so that the guest really stops; rmcp only drops the answer.
    pub(crate) async fn call(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let scope = &self.serving.scope;
        let incoming = self.incoming(&context)?;
        // An unknown tool has no binding; the core refuses it, and records that.
        let found = incoming.view.find(scope, &request.name, &incoming.principal);
        let taking = match &found {
            Some(found) if found.allowed => Taking::of(&incoming, scope, &request.name, &context)?,
            _ => Taking::nothing(),
        };
        let binding = found.map_or_else(|| "".into(), |found| found.binding);
        let (voice, listening) = self.observed(&incoming, &context, &binding);
        let calling = self.call_context(&incoming, &context, &binding, voice)?;
        let tool = request.name.into_owned();
        // From what was parsed, not from the bytes: two parsers may read a repeated key two ways, and what was
        // checked must be what the guest gets.
        let arguments = text(&request.arguments.unwrap_or_default())?;
        let continuation = Continuation { responses: request.input_responses, state: request.request_state };
        let subject = Subject { binding: &binding, kind: Kind::Tool, name: &tool, arguments: &arguments };
        let call = |answers| {
            let (context, tool, arguments) = (calling.clone(), tool.clone(), arguments.clone());
            let arguments = arguments.into();
            taking.call(incoming.view.clone(), ToolCall { context, tool, arguments, answers })
        };
        let conducted = conduct(self, &context, &incoming, subject, continuation, call);
        let result = match listening.during(conducted).await? {
            Err(refused) => {
                let mut result = fault::refused(&refused)?;
                meta::stamp(incoming.era, &mut result.meta);
                result
            }
            Ok(Conducted::Asks(question)) => return Ok(question.into()),
            Ok(Conducted::Ended(_)) if let Some(job) = taking.job() => return Ok(tasks::created(job).into()),
            Ok(Conducted::Ended(Ended { reference, binding, result })) => {
                let from = From { scope, binding: &binding, era: incoming.era };
                let mut result = match result {
                    Ok(returned) => content::result(&from, &returned),
                    Err(failed) => match fault::protocol_error(&failed, &reference) {
                        Some(error) => return Err(error),
                        None => fault::result(&failed),
                    },
                };
                meta::answered(incoming.era, &mut result.meta, &binding, Some(&reference));
                result
            }
        };
        Ok(result.into())
    }
}

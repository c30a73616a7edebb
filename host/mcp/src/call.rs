//! `tools/call`: from a request to a [`ToolCall`] and back. Everything that decides is in the core.

use fleetgate_core::call::{Answered, CallContext, End, ToolCall};
use rmcp::model::{CallToolRequestParams, CallToolResult};
use rmcp::service::RequestContext;
use rmcp::{ErrorData, RoleServer};

use crate::caller::{Era, session_key};
use crate::content::From;
use crate::server::Server;
use crate::{content, fault, meta, observer};

impl Server {
    /// Runs one call. Whatever trips the request's token (`notifications/cancelled`, a client that hung up, the end
    /// of the session) is passed on, so that the guest really stops; rmcp only drops the answer.
    pub(crate) async fn call(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResult, ErrorData> {
        let serving = &self.serving;
        let principal = self.who.of(&context.extensions)?;
        let era = Era::of(&context);
        let view = serving.backend.view();
        // An unknown tool has no binding; the core refuses it, and records that.
        let found = view.find(&serving.scope, &request.name, &principal);
        let binding = found.map_or_else(|| "".into(), |found| found.binding);

        let (voice, listening) =
            observer::pair(&context, binding.clone(), self.level(&context)?, serving.hub.clone());
        let session = session_key(serving, &*view, &binding, &principal, &context, &self.connection)?;
        let capabilities = context.client_capabilities().unwrap_or_default();
        let call = ToolCall {
            context: CallContext {
                principal,
                scope: serving.scope.clone(),
                session,
                client_capabilities: text(&capabilities)?.into(),
                cancel: context.ct.clone(),
                observer: voice,
            },
            tool: request.name.into_owned(),
            // From what was parsed, not from the bytes: two parsers may read a repeated key two ways, and what was
            // checked must be what the guest gets.
            arguments: text(&request.arguments.unwrap_or_default())?,
            answers: None,
        };
        let mut result = match listening.during(view.call(call)).await {
            Err(refused) => fault::refused(&refused)?,
            Ok(Answered { reference, binding, end }) => {
                let from = From { scope: &serving.scope, binding: &binding, era };
                let mut result = match end {
                    End::Done(returned) => content::result(&from, &returned),
                    End::Fault(fault) => fault::result(&fault),
                    End::Ask(question) => fault::unasked(&question),
                };
                let said = result.meta.get_or_insert_default();
                said.insert(meta::BINDING.to_owned(), (*binding).into());
                said.insert(meta::REFERENCE.to_owned(), (*reference).into());
                result
            }
        };
        if era == Era::Modern {
            meta::set_server_info(result.meta.get_or_insert_default());
        }
        Ok(result)
    }
}

fn text(value: &impl serde::Serialize) -> Result<String, ErrorData> {
    serde_json::to_string(value).map_err(|error| ErrorData::internal_error(error.to_string(), None))
}

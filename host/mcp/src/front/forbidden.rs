//! A call of a tool that its caller may not call is a 403 with the roles that would do, before any rmcp and any guest:
//! OAuth clients know how to ask for more (RFC 6750, section 3.1), and a handler of rmcp's cannot answer so.
//!
//! This decides nothing by itself. It asks the catalog, and has the core refuse the call, which also records it; a
//! call that slips past is refused by the core all the same, as a JSON-RPC error.

use std::sync::Arc;

use axum::http::{StatusCode, header};
use fleetgate_core::call::{CallContext, Refused, ToolCall};
use fleetgate_core::principal::Principal;
use fleetgate_core::sandbox::Nobody;
use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::Authenticate;
use super::body::Message;
use super::error::Refusal;
use crate::fault::FORBIDDEN;
use crate::server::Serving;

/// Lets everything through but a call that is not allowed.
pub(super) async fn check(
    serving: &Serving,
    authenticate: &dyn Authenticate,
    principal: &Principal,
    message: &Message<'_>,
) -> Result<(), Refusal> {
    let Some(called) = message.call() else { return Ok(()) };
    let view = serving.backend.view();
    if view.find(&serving.scope, &called.name, principal).is_none_or(|found| found.allowed) {
        return Ok(());
    }
    let call = ToolCall {
        context: CallContext {
            principal: principal.clone(),
            scope: serving.scope.clone(),
            session: String::new(),
            client_capabilities: "{}".into(),
            cancel: CancellationToken::new(),
            observer: Arc::new(Nobody),
        },
        tool: called.name.into_owned(),
        arguments: called.arguments.map_or("{}", |arguments| arguments.get()).to_owned(),
        answers: None,
    };
    // Over the same snapshot, so it is refused for the same reason.
    match view.call(call).await {
        Err(refused) => {
            let refusal = Refusal::new(StatusCode::FORBIDDEN, refused.to_string()).code(FORBIDDEN);
            Err(match &refused {
                Refused::Forbidden { scopes, reference, .. } => refusal
                    .data(Some(json!({"reference": reference, "scopes": scopes})))
                    .header(header::WWW_AUTHENTICATE, authenticate.insufficient_scope(scopes)),
                _ => refusal,
            })
        }
        Ok(_) => {
            Err(Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, "the role check did not agree with itself"))
        }
    }
}

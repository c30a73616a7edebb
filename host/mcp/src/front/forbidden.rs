//! A request for something that its caller's roles do not cover is a 403 with the roles that would do, before any rmcp
//! and any guest: OAuth clients know how to ask for more (RFC 6750, section 3.1), and a handler of rmcp's cannot answer
//! so.
//!
//! This decides nothing by itself. It asks the catalog, and has the core refuse the request, which also records it;
//! what slips past is refused by the core all the same, as a JSON-RPC error.

use std::borrow::Cow;
use std::sync::Arc;

use axum::http::{StatusCode, header};
use fleetgate_core::call::{CallContext, Complete, Completed, PromptGet, Refused, ResourceRead, ToolCall};
use fleetgate_core::principal::Principal;
use fleetgate_core::sandbox::Nobody;
use serde::Deserialize;
use serde_json::json;
use serde_json::value::RawValue;
use tokio_util::sync::CancellationToken;

use super::Authenticate;
use super::body::Message;
use super::error::Refusal;
use crate::fault::FORBIDDEN;
use crate::listener::MOST_WATCHED;
use crate::serving::Serving;
use crate::uri::{self, Located};
use crate::view::{Answering, Found, View};

/// Lets everything through but what is not allowed.
pub(super) async fn check(
    serving: &Serving,
    authenticate: &dyn Authenticate,
    principal: &Principal,
    message: &Message<'_>,
) -> Result<(), Refusal> {
    let asker = Asker { serving, view: serving.backend.view(), principal };
    let refused = match message.method().unwrap_or_default() {
        "tools/call" => asker.tool(message).await,
        "prompts/get" => match message.params::<Named<'_>>() {
            Some(Named { name }) => asker.prompt(name).await,
            None => Ok(()),
        },
        "completion/complete" => match message.params::<Completing<'_>>() {
            Some(Completing { of: Reference { name: Some(name), .. } }) => asker.prompts_argument(name).await,
            Some(Completing { of: Reference { uri: Some(uri), .. } }) => asker.templates_argument(&uri).await,
            _ => Ok(()),
        },
        "resources/read" | "resources/subscribe" | "skills/get" => match message.params::<At<'_>>() {
            Some(At { uri }) => asker.resource(&uri).await,
            None => Ok(()),
        },
        "subscriptions/listen" => match message.params::<Listening<'_>>() {
            Some(Listening { notifications }) => {
                asker.resources(&notifications.resource_subscriptions.unwrap_or_default()).await
            }
            None => Ok(()),
        },
        _ => Ok(()),
    };
    refused.map_err(|refused| match refused {
        Some(refused) => {
            let refusal = Refusal::new(StatusCode::FORBIDDEN, refused.to_string()).code(FORBIDDEN);
            match &refused {
                Refused::Forbidden { scopes, reference, .. } => refusal
                    .data(Some(json!({"reference": reference, "scopes": scopes})))
                    .header(header::WWW_AUTHENTICATE, authenticate.insufficient_scope(scopes)),
                _ => refusal,
            }
        }
        None => Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, "the role check did not agree with itself"),
    })
}

#[derive(Deserialize)]
struct Named<'a> {
    #[serde(borrow)]
    name: Cow<'a, str>,
}

#[derive(Deserialize)]
struct At<'a> {
    #[serde(borrow)]
    uri: Cow<'a, str>,
}

#[derive(Deserialize)]
struct Completing<'a> {
    #[serde(borrow, rename = "ref")]
    of: Reference<'a>,
}

/// A prompt has a name, and a template its URI.
#[derive(Deserialize)]
struct Reference<'a> {
    #[serde(borrow, default)]
    name: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    uri: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct Listening<'a> {
    #[serde(borrow)]
    notifications: Filter<'a>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Filter<'a> {
    #[serde(borrow, default)]
    resource_subscriptions: Option<Vec<Cow<'a, str>>>,
}

/// Nothing, or why not; none: the core lets through what the catalog does not.
type Checked = Result<(), Option<Refused>>;

/// Who asks, over which snapshot.
struct Asker<'a> {
    serving: &'a Serving,
    view: Arc<dyn View>,
    principal: &'a Principal,
}

impl Asker<'_> {
    async fn tool(&self, message: &Message<'_>) -> Checked {
        let Some(called) = message.call() else { return Ok(()) };
        if fine(self.view.find(&self.serving.scope, &called.name, self.principal)) {
            return Ok(());
        }
        let arguments = called.arguments.map_or("{}", RawValue::get).into();
        let call =
            ToolCall { context: self.context(), tool: called.name.into_owned(), arguments, answers: None };
        refused(self.view.clone().call(call)).await
    }

    async fn prompt(&self, name: Cow<'_, str>) -> Checked {
        if fine(self.view.find_prompt(&self.serving.scope, &name, self.principal)) {
            return Ok(());
        }
        let get = PromptGet {
            context: self.context(),
            prompt: name.into_owned(),
            arguments: serde_json::Map::new(),
            answers: None,
        };
        refused(self.view.clone().get_prompt(get)).await
    }

    async fn prompts_argument(&self, name: Cow<'_, str>) -> Checked {
        if fine(self.view.find_prompt(&self.serving.scope, &name, self.principal)) {
            return Ok(());
        }
        self.completion(Completed::Prompt(name.into_owned())).await
    }

    async fn templates_argument(&self, asked: &str) -> Checked {
        if asked.len() > uri::LONGEST {
            return Ok(());
        }
        let Located { binding, uri } = uri::locate_template(&*self.view, &self.serving.scope, asked);
        if fine(self.view.find_template(&self.serving.scope, &binding, &uri, self.principal)) {
            return Ok(());
        }
        self.completion(Completed::Template { binding, uri_template: uri }).await
    }

    async fn completion(&self, of: Completed) -> Checked {
        let complete = Complete {
            context: self.context(),
            of,
            argument: String::new(),
            value: String::new(),
            given: serde_json::Map::new(),
        };
        refused(self.view.clone().complete(complete)).await
    }

    async fn resource(&self, asked: &str) -> Checked {
        if asked.len() > uri::LONGEST {
            return Ok(());
        }
        let Ok(Located { binding, uri }) = uri::locate(&*self.view, &self.serving.scope, asked) else {
            return Ok(());
        };
        if fine(self.view.find_resource(&self.serving.scope, &binding, &uri, self.principal)) {
            return Ok(());
        }
        let read = ResourceRead { context: self.context(), binding, uri, answers: None };
        refused(self.view.clone().read_resource(read)).await
    }

    /// As many as are subscribed to.
    async fn resources(&self, asked: &[Cow<'_, str>]) -> Checked {
        for uri in asked.iter().take(MOST_WATCHED) {
            self.resource(uri).await?;
        }
        Ok(())
    }

    fn context(&self) -> CallContext {
        CallContext {
            principal: self.principal.clone(),
            scope: self.serving.scope.clone(),
            session: String::new(),
            client_capabilities: "{}".into(),
            cancel: CancellationToken::new(),
            observer: Arc::new(Nobody),
        }
    }
}

/// What does not exist is said to be unknown later.
fn fine(found: Option<Found>) -> bool {
    found.is_none_or(|found| found.allowed)
}

/// Over the same snapshot, so it is refused for the same reason.
async fn refused<T>(answering: Answering<T>) -> Checked {
    match answering.await {
        Err(refused) => Err(Some(refused)),
        Ok(_) => Err(None),
    }
}

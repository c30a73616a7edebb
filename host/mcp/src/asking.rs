//! What becomes of a question: how a client is asked, and how its answers come back.
//!
//! - *Modern* clients get the question as the answer to their request, with a sealed state, and send the request again
//!   with both (specification 2026-07-28, `basic/utilities/mrtr`). Nothing of it is kept here meanwhile.
//! - *Legacy* clients are asked over their session, on the stream of the request that asks, while that request waits.
//!   Its guest does not: the call has ended, and begins again with the answers. A call's time is the guest's, so none
//!   of it runs while a person thinks.
//!
//! The core has checked the question; here it is looked whether this client can be asked at all.

use std::sync::Arc;
use std::time::Duration;

use fleetgate_core::asking::{self, MAX_ROUNDS, Matter, Sealer};
use fleetgate_core::call::{Answered, End, Kind, Refused};
use fleetgate_core::domain::{Answers, Fault, InputRequest, Question};
use rmcp::model::{
    ClientResult, CustomRequest, ErrorCode, InputRequests, InputRequiredResult, InputResponses,
    ServerRequest, TASKS_EXTENSION_ID,
};
use rmcp::service::{PeerRequestOptions, RequestContext, ServiceError};
use rmcp::{ErrorData, RoleServer};
use serde_json::{Map, Value, json};
use tokio::time::Instant;

use crate::caller::Era;
use crate::keys;
use crate::meta;
use crate::request::Incoming;
use crate::server::Server;
use crate::view::Answering;

/// The first version whose clients fill in forms, and the first whose clients open URLs and give a model tools.
const FORMS: &str = "2025-06-18";
const URLS: &str = "2025-11-25";

/// How questions are asked: one for the whole process.
#[derive(Debug)]
pub(crate) struct Asking {
    sealer: Sealer,
    /// How long a legacy client may take over all requests of one question.
    patience: Duration,
}

impl Default for Asking {
    fn default() -> Self {
        Self { sealer: Sealer::new(asking::TTL), patience: asking::TTL }
    }
}

/// What a request that goes on brought along.
#[derive(Debug, Default)]
pub(crate) struct Continuation {
    pub(crate) responses: Option<InputResponses>,
    pub(crate) state: Option<String>,
}

/// What is asked about. All of it must be the same when the answers come.
pub(crate) struct Subject<'a> {
    /// As far as it is known before the call; empty if not.
    pub(crate) binding: &'a str,
    pub(crate) kind: Kind,
    /// On this endpoint.
    pub(crate) name: &'a str,
    /// As JSON text; empty where there are none.
    pub(crate) arguments: &'a str,
}

/// How it ended.
pub(crate) enum Conducted<T> {
    /// It was let in, and did not end with a question: `end` is [`End::Done`] or [`End::Fault`].
    Ended(Ended<T>),
    /// The client must answer, and call again.
    Asks(InputRequiredResult),
}

/// A call that needs nothing more of its client.
pub(crate) struct Ended<T> {
    pub(crate) reference: Arc<str>,
    pub(crate) binding: Arc<str>,
    pub(crate) result: Result<T, Fault>,
}

/// Runs `call` until it ends, or until its client has to answer. `call` is run once for each round, each time as a
/// call of its own, by the same view.
///
/// # Errors
/// A state that is not this request's, or a client that does not declare what it would be asked: for the client.
pub(crate) async fn conduct<T>(
    server: &Server,
    context: &RequestContext<RoleServer>,
    incoming: &Incoming,
    subject: Subject<'_>,
    continuation: Continuation,
    call: impl Fn(Option<Answers>) -> Answering<T>,
) -> Result<Result<Conducted<T>, Refused>, ErrorData> {
    let conducting = Conducting { server, context, incoming, subject };
    match incoming.era {
        Era::Modern => conducting.modern(continuation, call).await,
        Era::Legacy => conducting.legacy(call).await,
    }
}

struct Conducting<'a> {
    server: &'a Server,
    context: &'a RequestContext<RoleServer>,
    incoming: &'a Incoming,
    subject: Subject<'a>,
}

impl Conducting<'_> {
    async fn modern<T>(
        &self,
        continuation: Continuation,
        call: impl Fn(Option<Answers>) -> Answering<T>,
    ) -> Result<Result<Conducted<T>, Refused>, ErrorData> {
        let given: Map<String, Value> = continuation.responses.unwrap_or_default().into_iter().collect();
        // Answers without a state are for what will be asked: a client may know it from before.
        let (answers, mut beforehand) = match &continuation.state {
            Some(token) => (self.opened(token, &given)?, Map::new()),
            None => (None, given),
        };
        let mut answered = match call(answers).await {
            Ok(answered) => answered,
            Err(refused) => return Ok(Err(refused)),
        };
        loop {
            let question = match ended(answered) {
                Ok(ended) => return Ok(Ok(Conducted::Ended(ended))),
                Err(question) => question,
            };
            self.declared(&question.question.requests)?;
            let items = asking::answers(&question.question.requests, &std::mem::take(&mut beforehand));
            if items.is_empty() {
                return Ok(Ok(Conducted::Asks(self.asks(question)?)));
            }
            answered = match call(Some(Answers { items, state: question.question.state })).await {
                Ok(answered) => answered,
                Err(refused) => return Ok(Err(refused)),
            };
        }
    }

    /// The answers that belong to a state. None: another version of the plugin asked, so it has to ask again.
    fn opened(&self, token: &str, given: &Map<String, Value>) -> Result<Option<Answers>, ErrorData> {
        let sealer = &self.server.serving.asking.sealer;
        let opened = sealer
            .open(&self.matter(self.subject.binding), token)
            .map_err(|why| ErrorData::invalid_params(why.to_string(), None))?;
        if self.incoming.view.digest(self.subject.binding) != Some(opened.plugin) {
            return Ok(None);
        }
        Ok(Some(Answers { items: asking::answers(&opened.asked, given), state: opened.state }))
    }

    fn matter<'a>(&'a self, binding: &'a str) -> Matter<'a> {
        Matter {
            principal: self.incoming.principal.name(),
            scope: &self.server.serving.scope,
            binding,
            kind: self.subject.kind,
            name: self.subject.name,
            arguments: self.subject.arguments,
        }
    }

    /// The error for a modern client that did not say that it can answer this.
    fn declared(&self, asked: &[InputRequest]) -> Result<(), ErrorData> {
        match asking::undeclared(asked, &capabilities(self.context)) {
            None => Ok(()),
            Some(required) => Err(ErrorData::new(
                ErrorCode::MISSING_REQUIRED_CLIENT_CAPABILITY,
                "this needs an answer that the client did not declare it can give",
                Some(json!({ "requiredCapabilities": required })),
            )),
        }
    }

    /// The question as a modern client gets it.
    fn asks(&self, asked: Asked) -> Result<InputRequiredResult, ErrorData> {
        let Asked { reference, binding, question } = asked;
        let gone = || ErrorData::internal_error("the plugin that asks is gone", None);
        let plugin = self.incoming.view.digest(&binding).ok_or_else(gone)?;
        let state = self.server.serving.asking.sealer.seal(&self.matter(&binding), &plugin, &question);
        let requests = question
            .requests
            .into_iter()
            .map(|asked| Ok((asked.key.clone(), request(asked)?)))
            .collect::<Result<InputRequests, ErrorData>>()?;
        let mut said = None;
        meta::answered(self.incoming.era, &mut said, &binding, Some(&reference));
        Ok(InputRequiredResult::new(Some(requests), Some(state)).with_meta(said.unwrap_or_default()))
    }

    async fn legacy<T>(
        &self,
        call: impl Fn(Option<Answers>) -> Answering<T>,
    ) -> Result<Result<Conducted<T>, Refused>, ErrorData> {
        let mut answers = None;
        for round in 0..=MAX_ROUNDS {
            let answered = match call(answers.take()).await {
                Ok(answered) => answered,
                Err(refused) => return Ok(Err(refused)),
            };
            let Asked { reference, binding, question } = match ended(answered) {
                Ok(ended) => return Ok(Ok(Conducted::Ended(ended))),
                Err(asked) => asked,
            };
            let asked = if round == MAX_ROUNDS {
                let message = format!("the plugin asked {MAX_ROUNDS} times and wants to ask again");
                Err(Fault::new("limit", message))
            } else {
                self.ask(&question.requests).await
            };
            match asked {
                Ok(given) => {
                    let items = asking::answers(&question.requests, &given);
                    answers = Some(Answers { items, state: question.state });
                }
                Err(fault) => {
                    let ended = Ended { reference, binding, result: Err(fault) };
                    return Ok(Ok(Conducted::Ended(ended)));
                }
            }
        }
        unreachable!("the last round ends the call")
    }

    /// Asks a legacy client over its session, one request after the other: there is one person.
    async fn ask(&self, asked: &[InputRequest]) -> Result<Map<String, Value>, Fault> {
        if let Some(lacking) = asking::undeclared(asked, &capabilities(self.context)) {
            return Err(Fault::new(
                "unavailable",
                format!("This needs an answer that your client cannot give: it does not declare {lacking}."),
            ));
        }
        let until = Instant::now() + self.server.serving.asking.patience;
        let mut given = Map::new();
        for request in asked {
            given.insert(request.key.clone(), self.ask_one(request, until).await?);
        }
        Ok(given)
    }

    async fn ask_one(&self, request: &InputRequest, until: Instant) -> Result<Value, Fault> {
        let (method, mut params) = on_the_wire(&request.kind, request.params.clone());
        // There were forms before there were modes.
        if is_before(self.context, URLS)
            && let Some(params) = params.as_object_mut()
            && method == "elicitation/create"
        {
            params.remove("mode");
        }
        // Not rmcp's own types: a form would lose what they do not know.
        let message = ServerRequest::CustomRequest(CustomRequest::new(method, Some(params)));
        let sent =
            self.context.peer.send_cancellable_request(message, PeerRequestOptions::no_options()).await;
        let mut handle = sent.map_err(|error| unanswered(&error))?;
        let gave_up = tokio::select! {
            biased;
            answer = &mut handle.rx => {
                return match answer {
                    Ok(Ok(answer)) => Ok(plain(answer)),
                    Ok(Err(error)) => Err(unanswered(&error)),
                    Err(_) => Err(unanswered(&ServiceError::TransportClosed)),
                };
            }
            () = self.context.ct.cancelled() => Fault::new("cancelled", "the call was cancelled"),
            () = tokio::time::sleep_until(until) => {
                Fault::new("timeout", "Nobody answered the plugin's question in time.")
            }
        };
        // The client's question goes with the call that asked it.
        let _ = handle.cancel(Some(gave_up.message.clone())).await;
        Err(gave_up)
    }
}

/// A call that ended with a question.
struct Asked {
    reference: Arc<str>,
    binding: Arc<str>,
    question: Question,
}

fn ended<T>(answered: Answered<T>) -> Result<Ended<T>, Asked> {
    let Answered { reference, binding, end } = answered;
    match end {
        End::Done(done) => Ok(Ended { reference, binding, result: Ok(done) }),
        End::Fault(fault) => Ok(Ended { reference, binding, result: Err(fault) }),
        End::Ask(question) => Err(Asked { reference, binding, question }),
    }
}

/// What this request's client can be asked, as it declared it; but nothing that its version does not know.
pub(crate) fn capabilities(context: &RequestContext<RoleServer>) -> Value {
    let mut declared =
        serde_json::to_value(context.client_capabilities().unwrap_or_default()).unwrap_or_default();
    if let Some(declared) = declared.as_object_mut() {
        if is_before(context, FORMS) {
            declared.remove("elicitation");
        }
        if Era::of(context) == Era::Legacy
            && let Some(extensions) = declared.get_mut("extensions").and_then(Value::as_object_mut)
        {
            extensions.remove(TASKS_EXTENSION_ID);
        }
        if is_before(context, URLS) {
            for (what, part) in [("elicitation", "url"), ("sampling", "tools")] {
                if let Some(what) = declared.get_mut(what).and_then(Value::as_object_mut) {
                    what.remove(part);
                }
            }
        }
    }
    declared
}

/// Whether its client speaks a version before this one.
fn is_before(context: &RequestContext<RoleServer>, first: &str) -> bool {
    context.protocol_version().is_none_or(|version| version.as_str() < first)
}

/// What is asked of a modern client, in rmcp's own types.
pub(crate) fn request(asked: InputRequest) -> Result<rmcp::model::InputRequest, ErrorData> {
    let (method, params) = on_the_wire(&asked.kind, asked.params);
    let request_of = serde_json::from_value(json!({ "method": method, "params": params }));
    request_of.map_err(|error| unsendable(&error))
}

/// A request of the core as MCP says it. The id of a URL is for a notification that nobody sends; 2025-11-25 requires
/// it, and rmcp's types still do.
fn on_the_wire(kind: &str, mut params: Value) -> (&'static str, Value) {
    match kind {
        "sampling" => ("sampling/createMessage", params),
        "roots" => ("roots/list", params),
        _ => {
            if kind == "elicitation-url" {
                params["elicitationId"] = keys::random().into();
            }
            ("elicitation/create", params)
        }
    }
}

fn unsendable(error: &serde_json::Error) -> ErrorData {
    ErrorData::internal_error(format!("the plugin's question cannot be sent: {error}"), None)
}

fn plain(answer: ClientResult) -> Value {
    serde_json::to_value(answer).unwrap_or_default()
}

/// A client that was asked and answered with an error, or not at all.
fn unanswered(error: &ServiceError) -> Fault {
    let why = match error {
        ServiceError::McpError(error) => {
            format!("Your client did not answer the plugin's question: {} ({})", error.message, error.code.0)
        }
        _ => "Your client could not be reached with the plugin's question.".to_owned(),
    };
    Fault::new("unavailable", fleetgate_core::text::clean(&why[..why.floor_char_boundary(1024)]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_reaches_a_modern_client_as_the_plugin_wrote_it() {
        let schema = json!({
            "type": "object",
            "properties": {
                "name": {"type": "string", "title": "Name", "minLength": 1, "maxLength": 9, "default": "John"},
                "mail": {"type": "string", "format": "email"},
                "age": {"type": "integer", "minimum": 0, "maximum": 150, "default": 30},
                "score": {"type": "number", "default": 95.5},
                "sure": {"type": "boolean", "default": true},
                "plain": {"type": "string", "enum": ["a", "b"], "default": "b"},
                "named": {"type": "string", "enum": ["a", "b"], "enumNames": ["A", "B"]},
                "titled": {"type": "string", "oneOf": [{"const": "a", "title": "A"}, {"const": "b", "title": "B"}]},
                "many": {"type": "array", "items": {"type": "string", "enum": ["a", "b"]}, "minItems": 1},
                "titles": {"type": "array", "items": {"anyOf": [{"const": "a", "title": "A"}]}, "default": ["a"]}
            },
            "required": ["sure", "name"]
        });
        let params = json!({"mode": "form", "message": "m", "requestedSchema": schema});
        let (method, params) = on_the_wire("elicitation-form", params);
        let mut requests = InputRequests::new();
        let request = json!({"method": method, "params": params});
        requests.insert("k".into(), serde_json::from_value(request.clone()).unwrap());
        let sent = serde_json::to_value(&requests).unwrap();
        assert_eq!(sent["k"], request);
        let order = |value: &Value| {
            value["params"]["requestedSchema"]["properties"]
                .as_object()
                .unwrap()
                .keys()
                .cloned()
                .collect::<Vec<_>>()
        };
        assert_eq!(order(&sent["k"]), order(&request));
    }
}

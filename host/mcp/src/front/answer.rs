//! The form of an answer.
//!
//! - rmcp answers some mistakes with plain text; a request gets a JSON-RPC error with its id.
//! - A client that takes only one of JSON and event streams gets that one.
//! - rmcp sends nothing, not even headers, before a modern request has something to say. A proxy in between hangs up
//!   on such silence, and hanging up cancels the call; so after a while the stream is opened for it and kept alive by
//!   comments (specification, `basic/transports/streamable-http`, "Receiving Messages").

use std::convert::Infallible;
use std::pin::Pin;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{HeaderValue, Response, StatusCode, header};
use futures_util::{StreamExt, stream};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full, Limited};
use serde::Deserialize;
use serde::de::IgnoredAny;
use tokio::time::Instant;

use super::Id;
use super::accept::Accepts;
use super::error::Refusal;
use crate::caller::Era;
use crate::meta;

/// How long a request may be silent before its stream is opened.
const SILENCE: Duration = Duration::from_secs(10);
/// How often an opened stream gives a sign of life.
const KEEP_ALIVE: Duration = Duration::from_secs(15);
/// The longest plain text that becomes an error message.
const MAX_TEXT: usize = 4 * 1024;

const JSON: &str = "application/json";
const EVENTS: &str = "text/event-stream";

type FromRmcp = Response<BoxBody<Bytes, Infallible>>;
type Answering = Pin<Box<dyn Future<Output = FromRmcp> + Send>>;

/// Whether a silent request's stream may be opened before its answer is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Patience {
    /// Open it after this time.
    Limited(Duration),
    /// Wait.
    Endless,
}

impl Patience {
    /// Legacy requests have their stream from the start, and a notification has no answer.
    pub(super) fn of(era: Era, accepts: Accepts, id: &Id) -> Self {
        if era == Era::Modern && accepts.events && id.is_some() {
            Self::Limited(SILENCE)
        } else {
            Self::Endless
        }
    }
}

/// What the client gets of what rmcp answers.
pub(super) async fn shaped(
    answering: impl Future<Output = FromRmcp> + Send + 'static,
    accepts: Accepts,
    patience: Patience,
    id: Id,
) -> Response<Body> {
    let mut answering: Answering = Box::pin(answering);
    let answer = match patience {
        Patience::Endless => answering.await,
        Patience::Limited(silence) => match tokio::time::timeout(silence, &mut answering).await {
            Ok(answer) => answer,
            Err(_) => return opened(answering),
        },
    };
    let kind = kind(&answer);
    if answer.status().is_client_error() || answer.status().is_server_error() {
        return if kind == Some(Kind::Json) { answer.map(Body::new) } else { explained(answer, id).await };
    }
    match kind {
        Some(Kind::Json) if !accepts.json && accepts.events => as_event(answer).await,
        Some(Kind::Events) if !accepts.events && accepts.json => as_json(answer, id).await,
        _ => answer.map(Body::new),
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Json,
    Events,
}

fn kind(answer: &FromRmcp) -> Option<Kind> {
    let kind = answer.headers().get(header::CONTENT_TYPE)?.to_str().ok()?;
    match kind.split(';').next()?.trim() {
        JSON => Some(Kind::Json),
        EVENTS => Some(Kind::Events),
        _ => None,
    }
}

/// Plain text as a JSON-RPC error.
async fn explained(answer: FromRmcp, id: Id) -> Response<Body> {
    let (parts, body) = answer.into_parts();
    let text = match Limited::new(body, MAX_TEXT).collect().await {
        Ok(collected) => String::from_utf8_lossy(&collected.to_bytes()).into_owned(),
        Err(_) => String::new(),
    };
    let mut response = Refusal::new(parts.status, text).to(id.as_deref()).into_response();
    for (name, value) in &parts.headers {
        if ![header::CONTENT_TYPE, header::CONTENT_LENGTH].contains(name) {
            response.headers_mut().insert(name, value.clone());
        }
    }
    response
}

/// The acknowledgement of something about a task, and who gives it.
pub(super) async fn acknowledged(answer: FromRmcp) -> FromRmcp {
    if !answer.status().is_success() || kind(&answer) != Some(Kind::Json) {
        return answer;
    }
    let (mut parts, body) = answer.into_parts();
    let Ok(collected) = body.collect().await;
    let body = collected.to_bytes();
    let body = meta::stamped_acknowledgement(&body).map_or(body, Bytes::from);
    parts.headers.remove(header::CONTENT_LENGTH);
    Response::from_parts(parts, Full::new(body).boxed())
}

/// JSON as a stream of one event.
async fn as_event(answer: FromRmcp) -> Response<Body> {
    let (mut parts, body) = answer.into_parts();
    let Ok(collected) = body.collect().await;
    make_stream(&mut parts.headers);
    Response::from_parts(parts, event(&collected.to_bytes()).into())
}

/// A stream as the one answer that it ends with. What came before it is for clients that take streams.
async fn as_json(answer: FromRmcp, id: Id) -> Response<Body> {
    let (mut parts, body) = answer.into_parts();
    let Ok(collected) = body.collect().await;
    let Some(last) = last_answer(&collected.to_bytes()) else {
        return Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, "the session ended before the answer came")
            .to(id.as_deref())
            .into_response();
    };
    parts.headers.remove(header::CONTENT_LENGTH);
    parts.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(JSON));
    Response::from_parts(parts, last.into())
}

/// The last event of a stream that is a response. rmcp writes each event's data on one line.
fn last_answer(events: &[u8]) -> Option<Vec<u8>> {
    #[derive(Deserialize)]
    struct Answer {
        result: Option<IgnoredAny>,
        error: Option<IgnoredAny>,
    }
    let data = events.split(|byte| *byte == b'\n').filter_map(|line| line.strip_prefix(b"data:"));
    let is_answer = |data: &&[u8]| {
        serde_json::from_slice::<Answer>(data)
            .is_ok_and(|answer| answer.result.is_some() || answer.error.is_some())
    };
    data.rev().find(is_answer).map(|data| data.trim_ascii().to_vec())
}

/// A stream that lives until the answer comes, and then is the answer. Dropping it gives the request up, as dropping
/// the request itself does.
fn opened(answering: Answering) -> Response<Body> {
    enum State {
        Waiting(Answering, Instant),
        Speaking(Body),
    }
    let waiting = State::Waiting(answering, Instant::now());
    let events = stream::unfold(waiting, async |state| match state {
        State::Speaking(mut body) => {
            let frame = body.frame().await?;
            let data = frame.map(|frame| frame.into_data().unwrap_or_default());
            Some((data, State::Speaking(body)))
        }
        State::Waiting(mut answering, alive) => {
            tokio::select! {
                answer = &mut answering => {
                    if kind(&answer) == Some(Kind::Events) {
                        return Some((Ok(Bytes::new()), State::Speaking(answer.map(Body::new).into_body())));
                    }
                    let Ok(collected) = answer.into_body().collect().await;
                    Some((Ok(event(&collected.to_bytes())), State::Speaking(Body::empty())))
                }
                () = tokio::time::sleep_until(alive) => {
                    Some((Ok(Bytes::from_static(b":\n\n")), State::Waiting(answering, alive + KEEP_ALIVE)))
                }
            }
        }
    });
    let mut response = Response::new(Body::from_stream(events.fuse()));
    make_stream(response.headers_mut());
    response
}

fn event(message: &[u8]) -> Bytes {
    [b"data: ".as_slice(), message.trim_ascii(), b"\n\n"].concat().into()
}

fn make_stream(headers: &mut axum::http::HeaderMap) {
    headers.remove(header::CONTENT_LENGTH);
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(EVENTS));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::sync::oneshot;

    const ANSWER: &str = r#"{"jsonrpc":"2.0","id":1,"result":{}}"#;

    fn rmcp(status: u16, kind: &str, body: impl Into<Bytes>) -> FromRmcp {
        let body = Full::new(body.into()).boxed();
        Response::builder().status(status).header("content-type", kind).body(body).unwrap()
    }

    async fn text(response: Response<Body>) -> String {
        String::from_utf8(response.into_body().collect().await.unwrap().to_bytes().to_vec()).unwrap()
    }

    const BOTH: Accepts = Accepts { json: true, events: true, events_by_name: true };

    #[tokio::test]
    async fn plain_text_becomes_an_error_with_the_requests_id() {
        let answer = rmcp(400, "text/plain; charset=utf-8", "Bad Request: Session ID is required");
        let id = Some(Bytes::from_static(b"\"a\""));
        let shaped = shaped(async { answer }, BOTH, Patience::Endless, id).await;
        assert_eq!(shaped.status(), 400);
        assert_eq!(
            text(shaped).await,
            r#"{"jsonrpc":"2.0","id":"a","error":{"code":-32600,"message":"Bad Request: Session ID is required"}}"#
        );
    }

    #[tokio::test]
    async fn a_client_that_takes_one_form_gets_that_form() {
        let events = Accepts { json: false, ..BOTH };
        let one = shaped(async { rmcp(200, JSON, ANSWER) }, events, Patience::Endless, None).await;
        assert_eq!(one.headers()["content-type"], EVENTS);
        assert_eq!(text(one).await, format!("data: {ANSWER}\n\n"));

        let json = Accepts { events: false, events_by_name: false, ..BOTH };
        let stream =
            format!("retry: 3000\ndata: \n\ndata: {{\"method\":\"x\"}}\n\n: hi\n\nid: 4\ndata: {ANSWER}\n\n");
        let one = shaped(async { rmcp(200, EVENTS, stream) }, json, Patience::Endless, None).await;
        assert_eq!(one.headers()["content-type"], JSON);
        assert_eq!(text(one).await, ANSWER);
    }

    #[tokio::test]
    async fn an_acknowledgement_says_who_gives_it_and_an_error_stays_as_it_is() {
        let given = r#"{"jsonrpc":"2.0","id":1,"result":{"resultType":"complete"}}"#;
        let stamped = acknowledged(rmcp(200, JSON, given)).await;
        let stamped: serde_json::Value = serde_json::from_str(&text(stamped.map(Body::new)).await).unwrap();
        assert_eq!((&stamped["id"], &stamped["result"]["resultType"]), (&1.into(), &"complete".into()));
        let who = &stamped["result"]["_meta"]["io.modelcontextprotocol/serverInfo"]["name"];
        assert_eq!(who, "fleetgate");
        let error = r#"{"jsonrpc":"2.0","id":1,"error":{"code":-32602,"message":"x"}}"#;
        for status in [200, 400] {
            let same = acknowledged(rmcp(status, JSON, error)).await;
            assert_eq!(text(same.map(Body::new)).await, error);
        }
    }

    const SHORT: Patience = Patience::Limited(Duration::from_millis(1));

    #[tokio::test]
    async fn a_silent_request_gets_a_sign_of_life_and_then_its_answer() {
        let (say, said) = oneshot::channel();
        let response = shaped(async { said.await.unwrap() }, BOTH, SHORT, None).await;
        assert_eq!(response.headers()["content-type"], EVENTS);
        let mut body = response.into_body();
        assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap(), ":\n\n");
        say.send(rmcp(200, JSON, ANSWER)).unwrap();
        let rest = body.collect().await.unwrap().to_bytes();
        assert_eq!(rest, format!("data: {ANSWER}\n\n"));
    }

    #[tokio::test]
    async fn hanging_up_on_a_silent_request_drops_it() {
        struct Dropped(Option<oneshot::Sender<()>>);
        impl Drop for Dropped {
            fn drop(&mut self) {
                let _ = self.0.take().unwrap().send(());
            }
        }
        let (tell, told) = oneshot::channel();
        let dropped = Dropped(Some(tell));
        let answering = async move {
            let _dropped = dropped;
            std::future::pending().await
        };
        let response = shaped(answering, BOTH, SHORT, None).await;
        drop(response);
        told.await.unwrap();
    }
}

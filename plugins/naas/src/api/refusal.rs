//! From a status of NAAS to a fault that says what to do.

use std::time::Duration;

use fleetgate_sdk::prelude::*;

use crate::mode::binding;

/// How much of the server's own sentence is passed on, in bytes.
const SENTENCE: usize = 500;

/// An answer that is not a success: `NAAS HTTP 429: Rate limit exceeded`, with `http_status`, `error` and `retryable` in
/// its details.
pub(super) fn of(response: &http::Response) -> Fault {
    let status = response.status();
    let body = response.json::<Value>().ok();
    let (said, field) = said(status, body.as_ref());
    let mut message = format!("NAAS HTTP {status}: {said}");
    if let Some(hint) = hint(status, field.as_deref()) {
        let stop = if said.ends_with(['.', '!', '?']) { "" } else { "." };
        message.push_str(&format!("{stop} {hint}"));
    }
    let fault = response.refusal(message);
    let retryable = fault.retryable;
    let mut fault = fault.detail("http_status", status).detail("error", said).detail("retryable", retryable);
    fault.field = field;
    // Where the header does not say how long to wait, the body may.
    let asked = body.as_ref().and_then(|body| body.get("retry_after")?.as_u64()).map(Duration::from_secs);
    match asked {
        Some(wait) if retryable && fault.retry_after.is_none() => fault.retry_after(wait),
        _ => fault,
    }
}

/// The same about one job, whose id is in the details.
pub(super) fn of_a_job(response: &http::Response, id: &str) -> Fault {
    let mut fault = of(response).detail("job_id", id);
    if response.status() == 403 {
        fault.message.push_str(&format!(
            " NAAS answers so for a job that it does not know (any more), and where the login may not read the job: \
             some servers let a Bearer token submit jobs and not read them. For these the operator lets the call's own \
             login be used (from_call in [plugins.{binding}.grant.http.api]), or grants a Basic login for reading \
             ([plugins.{binding}.grant.http.reads]).",
            binding = binding()
        ));
    }
    fault
}

/// What the server said: `error`, `message`, or the first thing that is wrong with the request, and which
/// argument that is about.
fn said(status: u16, body: Option<&Value>) -> (String, Option<String>) {
    let (text, field) = match body {
        Some(Value::Array(problems)) => problem(problems),
        Some(body) => {
            let text = |key: &str| body.get(key).and_then(words);
            let text = match (text("error"), text("message")) {
                // Of a request that is wrong the first names the kind and the second the thing; of others the second says
                // the same in more words.
                (Some(error), Some(message)) if matches!(status, 400 | 422) && error != message => {
                    Some(format!("{error} ({message})"))
                }
                (error, message) => error.or(message).or_else(|| text("status")),
            };
            (text, None)
        }
        None => (None, None),
    };
    let text = text.unwrap_or_else(|| format!("{}, without an explanation", meaning(status)));
    (text[..text.floor_char_boundary(SENTENCE)].to_owned(), field)
}

/// `[{"loc": ["port"], "msg": "Input should be a valid integer", …}]`
fn problem(problems: &[Value]) -> (Option<String>, Option<String>) {
    let Some(first) = problems.first() else { return (None, None) };
    let place: Vec<String> = match first.get("loc") {
        Some(Value::Array(parts)) => parts.iter().filter_map(part).collect(),
        _ => Vec::new(),
    };
    let said = first.get("msg").and_then(words);
    let field = (!place.is_empty()).then(|| format!("/{}", place.join("/")));
    let text = match (said, &field) {
        (Some(said), Some(field)) => Some(format!("{said} ({field})")),
        (said, _) => said,
    };
    (text, field)
}

fn part(part: &Value) -> Option<String> {
    match part {
        Value::String(text) => Some(text.chars().filter(|c| !c.is_control()).take(64).collect()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn words(value: &Value) -> Option<String> {
    let text = value.as_str()?.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

fn meaning(status: u16) -> &'static str {
    match status {
        300..=399 => "a redirect",
        400 => "bad request",
        401 => "not authenticated",
        403 => "forbidden",
        404 => "not found",
        409 => "conflict",
        422 => "invalid request",
        429 => "too many requests",
        500.. => "the server failed",
        _ => "refused",
    }
}

/// What whoever reads it can do.
fn hint(status: u16, field: Option<&str>) -> Option<String> {
    let binding = binding();
    match status {
        300..=399 => Some(format!(
            "The URL in [plugins.{binding}.grant.http.api] is probably not the one that the server calls its own."
        )),
        401 => Some(format!(
            "The server does not accept the credential of [plugins.{binding}.grant.http.*]: it is wrong, expired or \
             revoked, or it is not of the kind that this call needs."
        )),
        422 if matches!(field, Some("/username" | "/password")) => {
            Some("With an API key, the device's username and password are arguments of the call.".to_owned())
        }
        _ => None,
    }
}

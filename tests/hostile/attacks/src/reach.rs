//! Reaching further than granted: raw `wasi:http`, past everything that the SDK checks.

use std::collections::BTreeMap;

use fleetgate_sdk::prelude::*;
use wasip2::http::outgoing_handler::handle;
use wasip2::http::types::{
    ErrorCode, Fields, FutureIncomingResponse, Method, OutgoingBody, OutgoingRequest, Scheme,
};
use wasip2::io::streams::StreamError;

/// A request, to the letter.
#[derive(Deserialize, JsonSchema)]
pub struct Raw {
    /// `GET`, `POST`, or anything.
    pub(crate) method: String,
    /// `http` or `https`.
    pub(crate) scheme: String,
    /// Host and port.
    pub(crate) authority: String,
    /// Path and query, as it is.
    pub(crate) path: String,
    /// Sent along, if the host lets it be set.
    #[serde(default)]
    pub(crate) headers: BTreeMap<String, String>,
    /// Sent as the body.
    #[serde(default)]
    pub(crate) body: String,
}

/// What came of it.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Seen {
    /// The status, or nothing.
    status: Option<u16>,
    /// WASI's error, or nothing.
    error: Option<String>,
    /// Everything that the guest can see of the response's headers.
    headers: Vec<(String, String)>,
    /// And of its body, lossily as text, at most a mebibyte.
    body: String,
    /// How long the body was.
    length: usize,
}

/// Sends any request with what the plugin was granted.
#[tool(requires = "any", timeout = "60s")]
pub fn request(args: Raw) -> Result<Seen, Fault> {
    Ok(send(&args))
}

/// The same from a tool that claims to change nothing.
#[tool(requires = "any", read_only)]
pub fn request_read_only(args: Raw) -> Result<Seen, Fault> {
    Ok(send(&args))
}

/// The same from a tool with a reach of its own.
#[tool(requires = "any", reach = { "http.api" = { methods = ["POST"], paths = ["/granted/one"] } })]
pub fn request_within_reach(args: Raw) -> Result<Seen, Fault> {
    Ok(send(&args))
}

/// How many at once.
#[derive(Deserialize, JsonSchema)]
pub struct Many {
    /// Requests to have in flight.
    count: usize,
    /// To where.
    path: String,
}

/// Starts requests without waiting for any; tells how many were let through.
#[tool(requires = "any", read_only)]
pub fn many_requests(args: Many) -> Result<ToolResult, Fault> {
    let mut started: Vec<FutureIncomingResponse> = Vec::new();
    let mut refused = Vec::new();
    for _ in 0..args.count {
        let raw = Raw {
            method: "GET".into(),
            scheme: "http".into(),
            authority: "api.upstream".into(),
            path: args.path.clone(),
            headers: BTreeMap::new(),
            body: String::new(),
        };
        match start(&raw) {
            Ok(response) => started.push(response),
            Err(error) => refused.push(error),
        }
    }
    // A refusal may also come with the answer.
    for response in started {
        response.subscribe().block();
        match response.get() {
            Some(Ok(Ok(_))) => {}
            Some(Ok(Err(code))) => refused.push(format!("{code:?}")),
            _ => refused.push("nothing".to_owned()),
        }
    }
    let answered = args.count - refused.len();
    ToolResult::structured(&serde_json::json!({"answered": answered, "refused": refused}))
}

fn start(raw: &Raw) -> Result<FutureIncomingResponse, String> {
    let fields = Fields::new();
    for (name, value) in &raw.headers {
        // What cannot be set is left out: the attack goes on without it.
        let _ = fields.append(name, value.as_bytes());
    }
    let request = OutgoingRequest::new(fields);
    let method = match raw.method.as_str() {
        "GET" => Method::Get,
        "HEAD" => Method::Head,
        "POST" => Method::Post,
        "PUT" => Method::Put,
        "DELETE" => Method::Delete,
        other => Method::Other(other.to_owned()),
    };
    let scheme = if raw.scheme == "https" { Scheme::Https } else { Scheme::Http };
    let refused = |what: &'static str| move |()| format!("cannot set the {what}");
    request.set_method(&method).map_err(refused("method"))?;
    request.set_scheme(Some(&scheme)).map_err(refused("scheme"))?;
    request.set_authority(Some(&raw.authority)).map_err(refused("authority"))?;
    request.set_path_with_query(Some(&raw.path)).map_err(refused("path"))?;
    let body = request.body().map_err(|()| "no body".to_owned())?;
    let response = handle(request, None).map_err(|code| name(&code))?;
    if !raw.body.is_empty() {
        let stream = body.write().map_err(|()| "no body stream".to_owned())?;
        stream.blocking_write_and_flush(raw.body.as_bytes()).map_err(|error| format!("{error:?}"))?;
    }
    OutgoingBody::finish(body, None).map_err(|code| name(&code))?;
    Ok(response)
}

pub(crate) fn send(raw: &Raw) -> Seen {
    let mut seen = Seen { status: None, error: None, headers: Vec::new(), body: String::new(), length: 0 };
    if let Err(error) = exchange(raw, &mut seen) {
        seen.error = Some(error);
    }
    seen
}

fn exchange(raw: &Raw, seen: &mut Seen) -> Result<(), String> {
    let pending = start(raw)?;
    pending.subscribe().block();
    let response = pending
        .get()
        .ok_or("no answer")?
        .map_err(|()| "taken twice".to_owned())?
        .map_err(|code| name(&code))?;
    seen.status = Some(response.status());
    let headers = response.headers().entries();
    seen.headers = headers
        .into_iter()
        .map(|(name, value)| (name, String::from_utf8_lossy(&value).into_owned()))
        .collect();
    let body = response.consume().map_err(|()| "no body".to_owned())?;
    let stream = body.stream().map_err(|()| "no stream".to_owned())?;
    let mut bytes = Vec::new();
    loop {
        match stream.blocking_read(64 << 10) {
            Ok(chunk) => {
                seen.length += chunk.len();
                if bytes.len() < 1 << 20 {
                    bytes.extend(chunk);
                }
            }
            Err(StreamError::Closed) => break,
            Err(StreamError::LastOperationFailed(error)) => {
                let code = wasip2::http::types::http_error_code(&error);
                seen.body = String::from_utf8_lossy(&bytes).into_owned();
                return Err(code.map_or_else(|| error.to_debug_string(), |code| name(&code)));
            }
        }
    }
    seen.body = String::from_utf8_lossy(&bytes).into_owned();
    Ok(())
}

fn name(code: &ErrorCode) -> String {
    format!("{code:?}")
}

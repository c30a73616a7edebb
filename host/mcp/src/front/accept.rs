//! `Accept`. MCP's clients must take both JSON and event streams, and rmcp insists on both words. Many tools send
//! `*/*` or one of the two; they are served what they take, and rmcp is told what it wants to hear.

use axum::http::request::Parts;
use axum::http::{HeaderValue, Method, header};

/// What a client takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Accepts {
    pub(super) json: bool,
    pub(super) events: bool,
    /// It says `text/event-stream` itself, and not only something that would do.
    pub(super) events_by_name: bool,
}

/// Reads the header, and makes it say what rmcp expects if the client takes anything at all that MCP has to give.
pub(super) fn widen(parts: &mut Parts) -> Accepts {
    let accepts = read(parts);
    let enough = if parts.method == Method::GET { accepts.events } else { accepts.json || accepts.events };
    if enough {
        parts.headers.insert(header::ACCEPT, HeaderValue::from_static("application/json, text/event-stream"));
    }
    accepts
}

fn read(parts: &Parts) -> Accepts {
    let mut accepts = Accepts { json: false, events: false, events_by_name: false };
    let mut said = false;
    for range in parts.headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok()) {
        for range in range.split(',') {
            said = true;
            let mut pieces = range.split(';').map(str::trim);
            let media = pieces.next().unwrap_or_default().to_ascii_lowercase();
            // RFC 9110, section 12.4.2: a weight of zero means no.
            if pieces.any(|piece| piece.strip_prefix("q=").is_some_and(|q| q.parse() == Ok(0.0))) {
                continue;
            }
            match media.as_str() {
                "*/*" => (accepts.json, accepts.events) = (true, true),
                "application/*" | "application/json" => accepts.json = true,
                "text/*" => accepts.events = true,
                "text/event-stream" => (accepts.events, accepts.events_by_name) = (true, true),
                _ => {}
            }
        }
    }
    if said { accepts } else { Accepts { json: true, events: true, ..accepts } }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::extract::Request;

    fn widened(method: Method, accept: Option<&str>) -> (Accepts, Option<String>) {
        let mut request = Request::builder().method(method);
        if let Some(accept) = accept {
            request = request.header("accept", accept);
        }
        let (mut parts, ()) = request.body(()).unwrap().into_parts();
        let accepts = widen(&mut parts);
        (accepts, parts.headers.get("accept").map(|value| value.to_str().unwrap().to_owned()))
    }

    #[test]
    fn whoever_takes_one_of_the_two_is_served() {
        let both = Some("application/json, text/event-stream".to_owned());
        for (accept, json, events) in [
            (None, true, true),
            (Some("*/*"), true, true),
            (Some("application/json"), true, false),
            (Some("application/*"), true, false),
            (Some("text/event-stream; q=0.5"), false, true),
            (Some("Application/JSON, Text/Event-Stream"), true, true),
            (Some("application/json, text/event-stream;q=0"), true, false),
            (Some("text/html, */*;q=0.8"), true, true),
        ] {
            let (accepts, header) = widened(Method::POST, accept);
            assert_eq!((accepts.json, accepts.events, header), (json, events, both.clone()), "{accept:?}");
            let named = accept.is_some_and(|accept| accept.to_ascii_lowercase().contains("event-stream"));
            assert_eq!(accepts.events_by_name, named && events, "{accept:?}");
        }
    }

    #[test]
    fn whoever_takes_neither_is_left_to_be_refused() {
        for accept in ["text/html", "image/*, application/xml", ""] {
            let (accepts, header) = widened(Method::POST, Some(accept));
            assert_eq!((accepts.json, accepts.events, header.as_deref()), (false, false, Some(accept)));
        }
        // GET has nothing but event streams to give.
        assert_eq!(widened(Method::GET, Some("application/json")).1.as_deref(), Some("application/json"));
    }
}

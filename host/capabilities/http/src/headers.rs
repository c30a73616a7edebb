//! Which header fields cross the guard.
//!
//! What a guest sets and may not, is dropped without an error: HTTP libraries set such fields on their own, and a
//! plugin that was written for a direct connection should work unchanged.

use http::header::{self, HeaderMap, HeaderName};

/// Fields about one connection (RFC 9110, 7.6.1) and what else frames a message.
const CONNECTION: [&str; 10] = [
    "connection",
    "keep-alive",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "http2-settings",
    "expect",
    "max-forwards",
];

/// What says who is calling, where to, and on whose behalf: the host's business alone.
const IDENTITY: [&str; 12] = [
    "host",
    "authorization",
    "cookie",
    "cookie2",
    "forwarded",
    "via",
    "x-real-ip",
    "x-client-ip",
    "x-host",
    "true-client-ip",
    "cf-connecting-ip",
    "x-original-host",
];

/// Servers and frameworks take method or path from these instead of from the request line, past the decision.
const OVERRIDES: [&str; 5] =
    ["x-http-method-override", "x-http-method", "x-method-override", "x-original-url", "x-rewrite-url"];

/// Removes what a guest may not send.
pub(crate) fn clean_request(headers: &mut HeaderMap) {
    remove_named_by_connection(headers);
    let dropped = |name: &HeaderName| {
        let name = name.as_str();
        CONNECTION.contains(&name)
            || IDENTITY.contains(&name)
            || OVERRIDES.contains(&name)
            || name.starts_with("proxy-")
            || name.starts_with("x-forwarded-")
            // The host asks for what it can unpack.
            || name == "accept-encoding"
    };
    remove(headers, dropped);
}

/// Removes what was between the upstream and the host. Cookies are credentials that the guest could not send back.
pub(crate) fn clean_response(headers: &mut HeaderMap) {
    remove_named_by_connection(headers);
    let dropped = |name: &HeaderName| {
        let name = name.as_str();
        CONNECTION.contains(&name)
            || name.starts_with("proxy-")
            || name == "set-cookie"
            || name == "set-cookie2"
    };
    remove(headers, dropped);
}

/// Removes everything that was meant for one origin, when a redirect leads to another.
pub(crate) fn keep_for_strangers(headers: &mut HeaderMap) {
    let kept = [
        header::ACCEPT,
        header::ACCEPT_LANGUAGE,
        header::CONTENT_TYPE,
        header::CONTENT_LANGUAGE,
        header::USER_AGENT,
    ];
    remove(headers, |name| !kept.contains(name));
}

/// Removes what describes a body that is not sent any more.
pub(crate) fn without_body(headers: &mut HeaderMap) {
    remove(headers, |name| name.as_str().starts_with("content-"));
}

/// A part of a body could hold a part of an echoed credential, which no mask finds. To ignore a range is always
/// allowed (RFC 9110, 14.2).
pub(crate) fn without_range(headers: &mut HeaderMap) {
    headers.remove(header::RANGE);
    headers.remove(header::IF_RANGE);
}

fn remove_named_by_connection(headers: &mut HeaderMap) {
    if !headers.contains_key(header::CONNECTION) {
        return;
    }
    let named: Vec<HeaderName> = headers
        .get_all(header::CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|name| HeaderName::from_bytes(name.trim().as_bytes()).ok())
        // Without its length a body would be framed otherwise than it was checked.
        .filter(|name| *name != header::CONTENT_LENGTH)
        .collect();
    for name in named {
        headers.remove(name);
    }
}

fn remove(headers: &mut HeaderMap, dropped: impl Fn(&HeaderName) -> bool) {
    let names: Vec<HeaderName> = headers.keys().filter(|name| dropped(name)).cloned().collect();
    for name in names {
        headers.remove(name);
    }
}

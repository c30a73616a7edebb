//! Reads `[session]`: by which request header the plugin tells conversations apart.
//!
//! A modern client has no session, so whoever wants one says which conversation a request belongs to in a header of
//! its own. The plugin never sees that header: it gets a keyed hash of it (`call.session`).

use std::fmt;

use crate::diagnostic::{TableReader, quoted};

/// The longest name.
const MAX_NAME: usize = 64;

/// A request header that stands for a conversation: `X-…`, and none that clients or proxies use for something else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionHeader(String);

impl SessionHeader {
    /// Its name in lower case.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn parse(name: &str) -> Result<Self, Wrong> {
        let lower = name.to_ascii_lowercase();
        let begins = |beginnings: &[&str]| beginnings.iter().any(|beginning| lower.starts_with(beginning));
        if begins(&CREDENTIALS) {
            return Err(Wrong::Credential);
        }
        if begins(&PROTOCOL) {
            return Err(Wrong::Protocol);
        }
        if begins(&FORWARDING) {
            return Err(Wrong::Forwarding);
        }
        let rest = lower.strip_prefix("x-").ok_or(Wrong::Spelling)?;
        let spelled = rest.chars().all(|c| c.is_ascii_alphanumeric() || c == '-') && !rest.starts_with('-');
        if !spelled || rest.is_empty() || lower.len() > MAX_NAME {
            return Err(Wrong::Spelling);
        }
        Ok(Self(lower))
    }
}

impl fmt::Display for SessionHeader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What proves who somebody is. It changes with each login, and must not be what data is kept under.
const CREDENTIALS: [&str; 11] = [
    "authorization",
    "cookie",
    "set-cookie",
    "proxy-",
    "www-authenticate",
    "x-api-key",
    "x-auth",
    "x-access-token",
    "x-csrf",
    "x-xsrf",
    "x-amz-security-token",
];

/// What MCP itself says.
const PROTOCOL: [&str; 3] = ["mcp-", "x-mcp-", "last-event-id"];

/// What proxies write: the same for everybody behind one, or another for each hop.
const FORWARDING: [&str; 16] = [
    "forwarded",
    "via",
    "true-client-ip",
    "x-forwarded",
    "x-forwarder",
    "x-real-",
    "x-client-ip",
    "x-cluster-client-ip",
    "x-remote-",
    "x-original-",
    "x-originating-",
    "x-envoy-",
    "x-amzn-",
    "x-amz-cf-",
    "x-request-id",
    "x-http-method-override",
];

enum Wrong {
    Spelling,
    Credential,
    Protocol,
    Forwarding,
}

/// Reads `[session]`.
pub(super) fn session(root: &mut TableReader<'_>) -> Option<SessionHeader> {
    let mut table = root.table("session")?;
    let header = table.required_string("header").and_then(|name| match SessionHeader::parse(&name) {
        Ok(header) => Some(header),
        Err(wrong) => {
            let what = match wrong {
                Wrong::Spelling => "is not a name for a header of one's own",
                Wrong::Credential => "says who a caller is, and not which conversation this is",
                Wrong::Protocol => "is a header of the protocol's own",
                Wrong::Forwarding => "is written by proxies",
            };
            let help = "write the name of a header that clients set for this, like \"X-Conversation-Id\"";
            table.error_at("header", format!("{} {what}", quoted(&name)), help);
            None
        }
    });
    table.finish();
    header
}

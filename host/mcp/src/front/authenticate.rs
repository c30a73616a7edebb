//! Who calls. The check itself is somebody else's ([`Authenticate`]); here its outcome becomes part of the request,
//! and the credential stops travelling.

use std::net::{IpAddr, SocketAddr};

use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode, header};
use fleetgate_core::principal::Principal;

use super::error::Refusal;
use super::host_origin;

/// Turns a request's credential into a principal.
pub trait Authenticate: Send + Sync + 'static {
    /// The principal of a request. Asked for every request; must not block.
    ///
    /// # Errors
    /// There is no credential, or it is not good: what the client should be told.
    fn principal(&self, parts: &Parts, peer: SocketAddr) -> Result<Principal, Challenge>;

    /// `WWW-Authenticate` of a 403, when a principal lacks these roles (RFC 6750, section 3).
    fn insufficient_scope(&self, scopes: &[String]) -> HeaderValue {
        challenge(scopes).unwrap_or(HeaderValue::from_static("Bearer error=\"insufficient_scope\""))
    }
}

/// What a client without a good credential is told.
#[derive(Debug, Clone)]
pub struct Challenge {
    /// 401, or 503 when the credential cannot be checked now.
    pub status: StatusCode,
    /// `WWW-Authenticate`.
    pub authenticate: Option<HeaderValue>,
    /// A sentence.
    pub message: String,
}

/// No credentials: whoever calls from this machine, directly, is this principal.
#[derive(Debug, Clone)]
pub struct LocalCaller(pub Principal);

impl Authenticate for LocalCaller {
    fn principal(&self, parts: &Parts, peer: SocketAddr) -> Result<Principal, Challenge> {
        // A proxy on this machine also calls from loopback, for people who are elsewhere. It says so, or it passes
        // their Host on.
        let local_name = host_origin::host(parts).is_some_and(|host| is_local(&host));
        let forwarded = FORWARDED.iter().any(|name| parts.headers.contains_key(*name));
        if peer.ip().to_canonical().is_loopback() && local_name && !forwarded {
            return Ok(self.0.clone());
        }
        Err(Challenge {
            status: StatusCode::UNAUTHORIZED,
            authenticate: Some(HeaderValue::from_static("Bearer")),
            message: "this server has no authentication, so it answers only callers on its own machine"
                .into(),
        })
    }
}

/// Headers by which proxies say for whom they ask.
const FORWARDED: [&str; 5] = ["forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via"];

fn is_local(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.to_canonical().is_loopback())
}

/// Whether a server that listens here, or that is reached by a public URL, must know who calls. Without
/// authentication such a server must not start.
pub fn requires_authentication(listen: SocketAddr, public_url: Option<&str>) -> bool {
    !listen.ip().to_canonical().is_loopback() || public_url.is_some()
}

/// The principal of this request. Its credential is taken out: nothing behind this needs it, and what is logged or
/// handed to a plugin by mistake cannot hold it.
pub(super) fn caller(
    authenticate: &dyn Authenticate,
    parts: &mut Parts,
    peer: SocketAddr,
) -> Result<Principal, Refusal> {
    let principal = authenticate.principal(parts, peer).map_err(|challenge| {
        let refusal = Refusal::new(challenge.status, challenge.message);
        match challenge.authenticate {
            Some(value) => refusal.header(header::WWW_AUTHENTICATE, value),
            None => refusal,
        }
    })?;
    for name in [header::AUTHORIZATION, header::PROXY_AUTHORIZATION, header::COOKIE] {
        parts.headers.remove(name);
    }
    Ok(principal)
}

fn challenge(scopes: &[String]) -> Option<HeaderValue> {
    // RFC 6749, section 3.3: what a scope may be made of. Role names are; a challenge must not be bent by one that
    // is not.
    let allowed = |c: char| matches!(c, '\x21' | '\x23'..='\x5b' | '\x5d'..='\x7e');
    let scopes: Vec<&str> = scopes
        .iter()
        .map(String::as_str)
        .filter(|scope| !scope.is_empty() && scope.chars().all(allowed))
        .collect();
    format!("Bearer error=\"insufficient_scope\", scope=\"{}\"", scopes.join(" ")).parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::extract::Request;

    fn asks(peer: &str, headers: &[(&str, &str)]) -> Result<Principal, Challenge> {
        let mut request = Request::builder();
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let (parts, ()) = request.body(()).unwrap().into_parts();
        LocalCaller(Principal::new("local", [])).principal(&parts, peer.parse().unwrap())
    }

    #[test]
    fn who_calls_from_this_machine_is_the_local_caller() {
        for peer in ["127.0.0.1:5", "[::1]:5", "[::ffff:127.0.0.1]:5"] {
            assert_eq!(asks(peer, &[("host", "localhost:8080")]).unwrap().name(), "local", "{peer}");
        }
    }

    #[test]
    fn who_calls_from_elsewhere_or_through_a_proxy_is_nobody() {
        let local = ("host", "localhost");
        assert_eq!(asks("10.0.0.9:5", &[local]).unwrap_err().status, StatusCode::UNAUTHORIZED);
        assert!(asks("0.0.0.0:0", &[local]).is_err(), "an unknown address");
        assert!(asks("127.0.0.1:5", &[("host", "fleet.example.com")]).is_err());
        assert!(asks("127.0.0.1:5", &[]).is_err());
        for name in FORWARDED {
            assert!(asks("127.0.0.1:5", &[local, (name, "203.0.113.9")]).is_err(), "{name}");
        }
    }

    #[test]
    fn a_server_that_others_can_reach_requires_authentication() {
        let needs = |listen: &str, url| requires_authentication(listen.parse().unwrap(), url);
        assert!(!needs("127.0.0.1:80", None));
        assert!(!needs("[::1]:80", None));
        assert!(needs("127.0.0.1:80", Some("https://fleet.example.com")));
        assert!(needs("0.0.0.0:80", None));
        assert!(needs("10.1.2.3:80", None));
    }

    #[test]
    fn a_challenge_names_the_roles_and_cannot_be_bent_by_them() {
        let scopes = ["naas:operator".to_owned(), "a\" b".to_owned(), "jettyd:commands:write".to_owned()];
        assert_eq!(
            challenge(&scopes).unwrap(),
            "Bearer error=\"insufficient_scope\", scope=\"naas:operator jettyd:commands:write\""
        );
    }
}

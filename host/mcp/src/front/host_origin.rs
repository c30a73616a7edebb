//! Which names this server answers to. A page that makes its own name resolve to 127.0.0.1 (DNS rebinding) sends that
//! name as Host; a page of another site sends its site as Origin. Neither may talk to a server that holds the
//! credentials of a fleet.

use std::net::{IpAddr, SocketAddr};

use axum::http::request::Parts;
use axum::http::uri::Authority;
use axum::http::{StatusCode, Uri, header};

use super::error::Refusal;

/// A setting that cannot be served.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OptionsError {
    /// `public_url` is no URL of an HTTP server.
    #[error(
        "public_url \"{url}\" is not the URL of a server: write the scheme and the name that clients use, as in \
         https://fleetgate.example.com"
    )]
    PublicUrl {
        /// As it was given.
        url: String,
    },
}

/// The right values of Host and Origin, from the address listened on and the public URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Allowed {
    /// Names and addresses, lower case, without port and brackets. Any port will do: behind a forwarded port it is
    /// another one, and rebinding changes the name.
    hosts: Vec<String>,
    origins: Vec<Origin>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Origin {
    scheme: String,
    host: String,
    /// None: any.
    port: Option<u16>,
}

/// How a machine calls itself.
const LOOPBACK: [&str; 3] = ["localhost", "127.0.0.1", "::1"];

impl Allowed {
    pub(crate) fn new(listen: SocketAddr, public_url: Option<&str>) -> Result<Self, OptionsError> {
        let mut allowed = Self { hosts: Vec::new(), origins: Vec::new() };
        let address = listen.ip().to_canonical();
        if address.is_loopback() || address.is_unspecified() {
            allowed.hosts.extend(LOOPBACK.map(str::to_owned));
        }
        if address.is_loopback() {
            // Other programs of the same machine may show pages of their own.
            for host in LOOPBACK {
                for scheme in ["http", "https"] {
                    allowed.origins.push(Origin { scheme: scheme.into(), host: host.into(), port: None });
                }
            }
        }
        if !address.is_unspecified() && !allowed.hosts.contains(&address.to_string()) {
            allowed.hosts.push(address.to_string());
        }
        if let Some(url) = public_url {
            let origin = public(url).ok_or_else(|| OptionsError::PublicUrl { url: url.to_owned() })?;
            allowed.hosts.push(origin.host.clone());
            allowed.origins.push(origin);
        }
        Ok(allowed)
    }

    /// The names, as rmcp's configuration wants them.
    pub(crate) fn hosts(&self) -> Vec<String> {
        self.hosts.clone()
    }

    /// The origins, likewise.
    pub(crate) fn origins(&self) -> Vec<String> {
        let written = |origin: &Origin| {
            let host = bracketed(&origin.host);
            match origin.port {
                None => format!("{}://{host}:*", origin.scheme),
                Some(port) => format!("{}://{host}:{port}", origin.scheme),
            }
        };
        self.origins.iter().map(written).collect()
    }

    /// Lets a request through whose Host is one of ours and whose Origin, if it has one, is too.
    pub(crate) fn check(&self, parts: &Parts) -> Result<(), Refusal> {
        let host = host(parts).ok_or_else(|| {
            Refusal::new(
                StatusCode::BAD_REQUEST,
                "the request names no host, or more than one, or not as it should",
            )
        })?;
        if !self.hosts.contains(&host) {
            tracing::warn!(host = %host.escape_default(), "refused: not a name of this server (set serve.public_url if it is)");
            return Err(Refusal::new(StatusCode::FORBIDDEN, "this server does not go by that host name"));
        }
        let mut given = parts.headers.get_all(header::ORIGIN).iter();
        let Some(first) = given.next() else { return Ok(()) };
        let origin = first.to_str().ok().filter(|_| given.next().is_none()).and_then(origin);
        if origin.is_some_and(|(scheme, host, port)| self.is_ours(&scheme, &host, port)) {
            return Ok(());
        }
        tracing::warn!(origin = ?first, "refused: a page of another site");
        Err(Refusal::new(StatusCode::FORBIDDEN, "pages of that origin may not call this server"))
    }

    fn is_ours(&self, scheme: &str, host: &str, port: Option<u16>) -> bool {
        let port = port.or_else(|| default_port(scheme));
        self.origins.iter().any(|origin| {
            origin.scheme == scheme && origin.host == host && (origin.port.is_none() || origin.port == port)
        })
    }
}

/// The host a request is for, without its port. HTTP/2 has it in the URI.
pub(super) fn host(parts: &Parts) -> Option<String> {
    let mut given = parts.headers.get_all(header::HOST).iter();
    let authority = match given.next() {
        Some(first) => {
            if given.next().is_some() {
                return None;
            }
            first.to_str().ok()?.parse::<Authority>().ok()?
        }
        None => parts.uri.authority()?.clone(),
    };
    if authority.as_str().contains('@') {
        return None;
    }
    Some(plain(authority.host()))
}

fn origin(text: &str) -> Option<(String, String, Option<u16>)> {
    let uri: Uri = text.parse().ok()?;
    let authority = uri.authority()?;
    // Just scheme, host and port; `null` has none of them.
    if authority.as_str().contains('@') || !matches!(uri.path(), "" | "/") || uri.query().is_some() {
        return None;
    }
    Some((uri.scheme_str()?.to_ascii_lowercase(), plain(authority.host()), authority.port_u16()))
}

fn public(url: &str) -> Option<Origin> {
    let uri: Uri = url.parse().ok()?;
    let scheme = uri.scheme_str().filter(|scheme| matches!(*scheme, "http" | "https"))?;
    let authority = uri.authority().filter(|authority| !authority.as_str().contains('@'))?;
    let port = authority.port_u16().or_else(|| default_port(scheme));
    Some(Origin { scheme: scheme.to_owned(), host: plain(authority.host()), port })
}

fn default_port(scheme: &str) -> Option<u16> {
    match scheme {
        "http" => Some(80),
        "https" => Some(443),
        _ => None,
    }
}

fn plain(host: &str) -> String {
    host.trim_start_matches('[').trim_end_matches(']').to_ascii_lowercase()
}

fn bracketed(host: &str) -> String {
    match host.parse::<IpAddr>() {
        Ok(IpAddr::V6(address)) => format!("[{address}]"),
        _ => host.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::extract::Request;

    fn allowed(listen: &str, public_url: Option<&str>) -> Allowed {
        Allowed::new(listen.parse().unwrap(), public_url).unwrap()
    }

    fn passes(allowed: &Allowed, headers: &[(&str, &str)]) -> bool {
        let mut request = Request::builder().uri("/mcp");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        allowed.check(&request.body(()).unwrap().into_parts().0).is_ok()
    }

    #[test]
    fn on_loopback_only_loopback_names_are_ours() {
        let ours = allowed("127.0.0.1:8080", None);
        for host in ["localhost", "LocalHost:8080", "127.0.0.1:9", "[::1]:8080"] {
            assert!(passes(&ours, &[("host", host)]), "{host}");
        }
        let evil = [
            "evil.example",
            "localhost.evil.example",
            "127.0.0.1.nip.io",
            "user@localhost",
            "0.0.0.0",
            "",
            "a b",
        ];
        for host in evil {
            assert!(!passes(&ours, &[("host", host)]), "{host}");
        }
        assert!(!passes(&ours, &[]), "no host at all");
        assert!(!passes(&ours, &[("host", "localhost"), ("host", "evil.example")]), "two hosts");
    }

    #[test]
    fn pages_of_other_sites_are_refused() {
        let ours = allowed("127.0.0.1:8080", Some("https://fleet.example.com"));
        let with = |origin| passes(&ours, &[("host", "localhost:8080"), ("origin", origin)]);
        for origin in
            ["http://localhost:6274", "http://127.0.0.1", "http://[::1]:8080", "https://fleet.example.com"]
        {
            assert!(with(origin), "{origin}");
        }
        for origin in [
            "https://evil.example",
            "http://localhost.evil.example",
            "https://fleet.example.com:8443",
            "http://fleet.example.com",
            "null",
            "",
            "file://",
            "http://localhost@evil.example",
        ] {
            assert!(!with(origin), "{origin}");
        }
    }

    #[test]
    fn behind_a_proxy_its_name_is_ours_and_pages_of_this_machine_are_not() {
        let ours = allowed("10.0.0.5:8080", Some("https://fleet.example.com/"));
        assert!(passes(&ours, &[("host", "fleet.example.com"), ("origin", "https://fleet.example.com:443")]));
        assert!(passes(&ours, &[("host", "10.0.0.5:8080")]));
        assert!(!passes(&ours, &[("host", "localhost")]));
        assert!(!passes(&ours, &[("host", "fleet.example.com"), ("origin", "http://localhost")]));
    }

    #[test]
    fn rmcp_is_never_given_an_empty_list_of_hosts() {
        // An empty one would mean any.
        for listen in ["0.0.0.0:80", "[::]:80", "127.0.0.1:80", "[::1]:80", "10.0.0.1:80"] {
            assert!(!allowed(listen, None).hosts().is_empty(), "{listen}");
        }
        assert!(allowed("127.0.0.1:1", None).origins().contains(&"http://[::1]:*".to_owned()));
    }

    #[test]
    fn a_public_url_is_the_url_of_a_server() {
        for wrong in ["fleet.example.com", "ftp://x", "https://", "https://user@x", "", "/mcp"] {
            let error = Allowed::new("127.0.0.1:1".parse().unwrap(), Some(wrong)).unwrap_err();
            assert!(error.to_string().contains("https://fleetgate.example.com"), "{wrong}");
        }
    }
}

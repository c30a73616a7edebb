//! What the operator gives: `[plugins.<binding>.grant.http.<name>]`.
//!
//! Everything is read once, here, into what the guard and the connections use. A grant narrows the request: a method
//! or a path that the plugin does not ask for is an error, since it can only be a misunderstanding.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use fleetgate_core::address::{Host, Opening};
use fleetgate_core::capability::Grant;
use fleetgate_core::diagnostic::{Document, TableReader, quoted};
use fleetgate_core::settings::Secrets;
use fleetgate_core::tls::{self, Identity};
use fleetgate_core::units::format_duration;
use rustls::pki_types::CertificateDer;

use crate::credential::Credential;
use crate::from_call::{self, FromCall};
use crate::method::Methods;
use crate::origin::{Origin, Scheme};
use crate::path::NormalPath;
use crate::pattern::PathSet;
use crate::reach::{read_narrower_methods, read_narrower_paths};
use crate::request::{HttpRequest, host_list, is_upstream_name, read_hosts};

/// Connections at once where the grant says nothing, and the most that it may say.
const CONNECTIONS: (i64, i64) = (32, 1024);

/// A parsed grant.
#[derive(Debug, Clone)]
pub(crate) struct HttpGrant {
    /// Where it stands, for messages: `plugins.naas.grant.http.api`.
    pub(crate) key: String,
    pub(crate) place: (Arc<Document>, Range<usize>),
    /// The operator's URL: origin, and a path before every path, without a slash at its end; the request's `base` is in
    /// it.
    pub(crate) url: Option<(Origin, String)>,
    /// The fixed hosts that are granted.
    pub(crate) hosts: Vec<Origin>,
    pub(crate) networks: Vec<Opening>,
    pub(crate) methods: Option<Methods>,
    pub(crate) paths: Option<PathSet>,
    pub(crate) credential: Option<Credential>,
    pub(crate) from_call: FromCall,
    pub(crate) authorities: Vec<CertificateDer<'static>>,
    pub(crate) identity: Option<Identity>,
    /// For one request, from its beginning to the last byte of the response.
    pub(crate) timeout: Option<Duration>,
    pub(crate) redirects: bool,
    pub(crate) connections: usize,
}

impl HttpGrant {
    pub(crate) fn read(
        table: &mut TableReader<'_>,
        request: &HttpRequest,
        secrets: &Secrets,
    ) -> Option<Self> {
        let plaintext = table.bool("plaintext").unwrap_or(false);
        let url = read_url(table, request, plaintext);
        let hosts = read_granted_hosts(table, request);
        let networks = Opening::read_networks(table);
        let methods = read_narrower_methods(table, request);
        let paths = read_narrower_paths(table, request);
        let credential = Credential::read(table, secrets);
        if credential.is_some() {
            check_secret(table, "credential", url.as_ref(), &hosts);
        }
        let from_call = FromCall::read_narrower(table, &request.from_call);
        if !from_call.is_nothing() {
            check_secret(table, from_call::KEY, url.as_ref(), &hosts);
        }
        let authorities = tls::read_authorities(table, secrets);
        let identity = Identity::read(table, secrets);
        let timeout = table.spanned_duration("timeout");
        if let Some(timeout) = timeout.as_ref().filter(|timeout| timeout.get_ref().is_zero()) {
            table.error_at(timeout, "no request is done in no time", "write a longer one, like \"30s\"");
        }
        let redirects = table.bool("redirects").unwrap_or(false);
        let connections = table.integer_within("connections", 1, CONNECTIONS.1).unwrap_or(CONNECTIONS.0);
        if table.failed() {
            return None;
        }
        Some(Self {
            key: table.key_path().to_owned(),
            place: (Arc::clone(table.document()), table.span()),
            url,
            hosts,
            networks,
            methods,
            paths,
            credential,
            from_call,
            authorities,
            identity,
            timeout: timeout.map(fleetgate_core::diagnostic::Spanned::into_inner),
            redirects,
            connections: usize::try_from(connections).unwrap_or(1),
        })
    }

    /// Where requests may go, each with the path that comes before every path; the operator's URL first.
    pub(crate) fn endpoints(&self) -> impl Iterator<Item = (&Origin, &str)> {
        let url = self.url.iter().map(|(origin, base)| (origin, base.as_str()));
        url.chain(self.hosts.iter().map(|origin| (origin, "")))
    }
}

impl Grant for HttpGrant {
    fn describe(&self) -> Vec<String> {
        let to: Vec<_> = self.endpoints().map(|(origin, base)| format!("{origin}{base}")).collect();
        let methods =
            self.methods.as_ref().map_or_else(|| "the methods it asks for".to_owned(), Methods::to_string);
        let paths = self
            .paths
            .as_ref()
            .map_or_else(|| "the paths it asks for".to_owned(), |paths| format!("paths {paths}"));
        let mut lines = vec![format!("{methods} to {}, {paths}", to.join(", "))];
        if let Some(credential) = &self.credential {
            lines.push(format!("with {}", credential.describe()));
        }
        if let Some(from_call) = self.from_call.describe() {
            lines.push(format!("with {from_call}"));
        }
        if let Some(identity) = &self.identity {
            lines.push(format!("with a client certificate, its key from the secret {}", identity.key));
        }
        if !self.networks.is_empty() {
            let networks: Vec<_> = self.networks.iter().map(Opening::to_string).collect();
            lines.push(format!("names may lead to {} beside public addresses", networks.join(", ")));
        }
        if !self.authorities.is_empty() {
            lines.push(format!("{} certificate authorities of its own", self.authorities.len()));
        }
        if self.redirects {
            lines.push("redirects are followed, each hop as a request of its own".into());
        }
        if let Some(timeout) = self.timeout {
            lines.push(format!("at most {} for a request", format_duration(timeout)));
        }
        lines
    }
}

fn read_url(table: &mut TableReader<'_>, request: &HttpRequest, plaintext: bool) -> Option<(Origin, String)> {
    if !request.upstream {
        if table.has("url") {
            let help = format!("it asks for fixed hosts; leave url out: {}", host_list(&request.hosts));
            table.error_at_name("url", "the plugin takes no URL", help);
        }
        return None;
    }
    if !table.has("url") {
        table.value("url");
        table.error("missing key \"url\"", "say where it is: url = \"https://api.example.com\"");
        return None;
    }
    let text = table.spanned_string("url")?;
    let parsed = parse_url(text.get_ref());
    if let Err((message, help)) = &parsed {
        table.error_at(&text, message.as_str(), *help);
    }
    let (origin, base) = parsed.ok()?;
    if let Err(never) = origin.openings() {
        table.error_at(&text, never.to_string(), never.help());
    }
    if origin.scheme == Scheme::Http && !origin.is_near() && !plaintext {
        table.error_at(
            &text,
            "plain http to a host that may be anywhere",
            "write https://…, or add plaintext = true if every network on the way is trusted",
        );
    }
    Some((origin, at_the_api(base, &request.base)))
}

/// The path of a granted URL with the place where the author says that the API begins, once: people write an API's
/// address both with and without it.
fn at_the_api(path: String, base: &str) -> String {
    if path.ends_with(base) { path } else { path + base }
}

/// Origin and base path of a granted URL. `Err` with message and help.
fn parse_url(text: &str) -> Result<(Origin, String), (String, &'static str)> {
    const EXAMPLE: &str = "write it like \"https://api.example.com\"";
    // The text may hold a password, and is not repeated.
    let Some((scheme, rest)) = text.split_once("://") else {
        return Err(("this is not a URL".into(), EXAMPLE));
    };
    let scheme =
        Scheme::parse(scheme).ok_or_else(|| (format!("{} is not http or https", quoted(scheme)), EXAMPLE))?;
    if text.contains('…') {
        return Err(("the URL is not filled in".into(), EXAMPLE));
    }
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    if authority.contains('@') {
        return Err((
            "a URL in a grant has no user and no password".into(),
            "name a secret with credential = { … }",
        ));
    }
    if path.contains(['?', '#']) {
        return Err(("a URL in a grant has no query and no fragment".into(), "end it with the path"));
    }
    let origin = Origin::parse(scheme, authority)
        .ok_or_else(|| (format!("{} is not a host, perhaps with a port", quoted(authority)), EXAMPLE))?;
    if is_upstream_name(&origin.host) {
        return Err(("this name stands for the granted URL itself".into(), EXAMPLE));
    }
    let base = match path.trim_end_matches('/') {
        "" => String::new(),
        path => NormalPath::parse(path)
            .map_err(|fault| (fault.to_string(), "write the path as it is sent"))?
            .as_str()
            .to_owned(),
    };
    Ok((origin, base))
}

fn read_granted_hosts(table: &mut TableReader<'_>, request: &HttpRequest) -> Vec<Origin> {
    if request.hosts.is_empty() {
        if table.has("hosts") {
            table.error_at_name(
                "hosts",
                "the plugin asks for no fixed hosts",
                "say where it is with url = \"https://…\"",
            );
        }
        return Vec::new();
    }
    let Some(hosts) = read_hosts(table, "hosts") else { return request.hosts.clone() };
    for host in hosts.iter().filter(|host| !request.hosts.contains(host.get_ref())) {
        table.error_at(
            host,
            format!("the plugin does not ask for {}", host.get_ref().authority()),
            format!("it asks for {}; less may be named here, not more", host_list(&request.hosts)),
        );
    }
    hosts.into_iter().map(fleetgate_core::diagnostic::Spanned::into_inner).collect()
}

/// What `key` says is sent to one host, and not in the clear where anybody listens.
fn check_secret(table: &TableReader<'_>, key: &str, url: Option<&(Origin, String)>, hosts: &[Origin]) {
    let (what, is, belongs) = match key == from_call::KEY {
        true => ("secret arguments", "are", "belong"),
        false => ("a credential", "is", "belongs"),
    };
    match url {
        // Where a name leads to is known at each connection, and a public address is refused there.
        Some((origin, _))
            if origin.scheme == Scheme::Http
                && matches!(origin.host, Host::Address(_))
                && !origin.is_near() =>
        {
            let help = format!("write https:// in url, or leave {key} out");
            table.error_at(key, format!("{what} {is} not sent to a public address without TLS"), help);
        }
        None if hosts.len() > 1 => table.error_at(
            key,
            format!("{what} {belongs} to one host, and several are granted here"),
            format!("name the one: hosts = {}", host_list(&hosts[..1])),
        ),
        _ => {}
    }
}

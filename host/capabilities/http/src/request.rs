//! What an author asks for: `[capabilities.http.<name>]`.

use std::any::Any;
use std::collections::BTreeSet;

use fleetgate_core::address::Host;
use fleetgate_core::address::PRIVATE;
use fleetgate_core::capability::Request;
use fleetgate_core::diagnostic::{Misspelt, Spanned, TableReader, quoted};
use http::Method;

use crate::from_call::FromCall;
use crate::method::Methods;
use crate::origin::{Origin, Scheme};
use crate::path::NormalPath;
use crate::pattern::{PathSet, Pattern};

/// The last label of the names that stand for a granted URL: `api.upstream`.
pub(crate) const UPSTREAM: &str = "upstream";

/// Whether a name is one of those.
pub(crate) fn is_upstream_name(host: &Host) -> bool {
    matches!(host, Host::Name(name) if name.rsplit('.').next() == Some(UPSTREAM))
}

/// More fixed hosts than this is a crawler.
const MOST_HOSTS: usize = 16;

/// A parsed request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct HttpRequest {
    pub(crate) methods: Methods,
    pub(crate) paths: PathSet,
    /// Fixed public hosts.
    pub(crate) hosts: Vec<Origin>,
    /// The operator gives a URL.
    pub(crate) upstream: bool,
    /// Where the API begins below that URL, unless the URL ends with it already. Empty: at the URL.
    pub(crate) base: String,
    /// Where it wants to put secret arguments of calls.
    pub(crate) from_call: FromCall,
}

impl HttpRequest {
    pub(crate) fn read(table: &mut TableReader<'_>) -> Option<Self> {
        let methods = read_methods(table).unwrap_or_else(|| Methods::new([Method::GET]));
        if !table.has("paths") {
            table.value("paths");
            table.error(
                "missing key \"paths\"",
                "say which paths: paths = [\"/v2/**\"], or [\"/**\"] for all",
            );
        }
        let paths = read_paths(table).map(|paths| {
            check_methods(table, &paths, &methods);
            PathSet::new(paths.into_iter().map(Spanned::into_inner).collect())
        });
        let hosts = read_hosts(table, "hosts").unwrap_or_default();
        let upstream = table.bool("upstream").unwrap_or(hosts.is_empty());
        if !upstream && hosts.is_empty() && !table.has("hosts") {
            table.error_at("upstream", "nothing to reach is left", "name hosts, or leave this key out");
        }
        let hosts = hosts.into_iter().map(Spanned::into_inner).collect();
        let base = read_base(table, upstream).unwrap_or_default();
        let from_call = FromCall::read(table);
        (!table.failed()).then_some(Self { methods, paths: paths?, hosts, upstream, base, from_call })
    }
}

impl Request for HttpRequest {
    fn widens(&self, old: &dyn Request) -> Vec<String> {
        let Some(old) = (old as &dyn Any).downcast_ref::<Self>() else {
            return self.describe();
        };
        let mut more: Vec<_> = old
            .methods
            .beyond(&self.methods)
            .into_iter()
            .map(|method| format!("{method} requests"))
            .collect();
        more.extend(old.paths.beyond(&self.paths).into_iter().map(|path| format!("the paths {path}")));
        more.extend(
            self.hosts.iter().filter(|host| !old.hosts.contains(host)).map(|host| format!("the host {host}")),
        );
        if self.upstream && !old.upstream {
            more.push("a URL that the operator gives".into());
        }
        if self.base != old.base {
            more.push(format!("the same paths below {} of the URL", or_root(&self.base)));
        }
        more.extend(old.from_call.beyond(&self.from_call));
        more
    }

    fn describe(&self) -> Vec<String> {
        let mut hosts: Vec<_> = self.hosts.iter().map(Origin::to_string).collect();
        if self.upstream {
            hosts.insert(0, format!("a URL that the operator gives{}", below(&self.base)));
        }
        let mut lines = vec![format!("{} to {}, paths {}", self.methods, hosts.join(", "), self.paths)];
        lines.extend(self.from_call.describe());
        lines
    }

    fn grant_template(&self) -> String {
        let mut lines = Vec::new();
        if self.upstream {
            lines.push("url = \"https://…\"  # where it is; a path in it comes before every path".to_owned());
        }
        if !self.hosts.is_empty() {
            lines.push(format!("# hosts = {}  # fewer, if you like", host_list(&self.hosts)));
        }
        lines.push(format!("# methods = {}  # fewer, if you like", self.methods.toml()));
        lines.push(format!("# paths = {}  # fewer, if you like", self.paths.toml()));
        lines.push("# networks = [\"10.0.0.0/8\"]  # private addresses that the name may lead to".to_owned());
        lines.push("# credential = { bearer = \"…\" }  # the name of a secret from [secrets]".to_owned());
        if !self.from_call.is_nothing() {
            let asked = self.from_call.toml();
            lines.push(format!("# from_call = {asked}  # where secret arguments of calls may go"));
        }
        lines.join("\n") + "\n"
    }

    /// Whoever sets the variable names the place himself: as the server that is replaced, the plugin may use a name
    /// that leads to a private address, plain http, and the logins that a caller brings. An author's default opens
    /// nothing.
    fn granted_alone(&self, from_variables: &BTreeSet<&str>) -> String {
        let mut lines = String::new();
        if self.upstream && from_variables.contains("url") {
            lines.push_str("plaintext = true\n");
            lines.push_str(&format!("networks = {PRIVATE:?}\n"));
        }
        if !self.from_call.is_nothing() {
            lines.push_str(&format!("from_call = {}\n", self.from_call.toml()));
        }
        lines
    }
}

/// For sentences.
fn below(base: &str) -> String {
    if base.is_empty() { String::new() } else { format!(" (below {base})") }
}

fn or_root(base: &str) -> &str {
    if base.is_empty() { "the root" } else { base }
}

/// As it stands in TOML.
pub(crate) fn host_list(hosts: &[Origin]) -> String {
    let quoted: Vec<_> = hosts.iter().map(|host| format!("{:?}", host.authority())).collect();
    format!("[{}]", quoted.join(", "))
}

/// `base`, if it stands there and is right.
fn read_base(table: &mut TableReader<'_>, upstream: bool) -> Option<String> {
    let text = table.spanned_string("base")?;
    if !upstream {
        table.error_at(&text, "a fixed host has no such place", "write it at the beginning of every path");
    }
    let normal = NormalPath::parse(text.get_ref());
    match normal.as_ref().map(NormalPath::as_str) {
        Ok(base) if !base.ends_with('/') => Some(base.to_owned()),
        Ok(_) => {
            table.error_at(&text, "it ends with a slash", "write it like \"/v1\", or leave this key out");
            None
        }
        Err(fault) => {
            table.error_at(&text, fault.to_string(), "write it like \"/v1\"");
            None
        }
    }
}

/// `methods`, if it stands there and is right.
pub(crate) fn read_methods(table: &mut TableReader<'_>) -> Option<Methods> {
    Methods::read(table, "methods").map(|methods| Methods::new(methods.into_iter().map(Spanned::into_inner)))
}

/// A path for a method that is not asked for can never be used, and is a mistake.
pub(crate) fn check_methods(table: &TableReader<'_>, paths: &[Spanned<Pattern>], methods: &Methods) {
    for path in paths {
        if let Some(method) = path.get_ref().method().filter(|method| !methods.contains(method)) {
            table.error_at(
                path,
                format!("{} names a method that is not among {methods}", path.get_ref()),
                format!("add {method} to methods, or leave this path out"),
            );
        }
    }
}

/// `paths`, if it stands there and is right.
pub(crate) fn read_paths(table: &mut TableReader<'_>) -> Option<Vec<Spanned<Pattern>>> {
    let parse = |text: &str| Pattern::parse(text).map_err(|error| Misspelt::new(text, &error, error.help()));
    let paths = table.parsed_strings("paths", parse)?;
    if paths.is_empty() {
        table.error_at("paths", "no path is named", "name at least one, like [\"/v2/**\"]");
    }
    if paths.len() > PathSet::MOST {
        table.error_at("paths", format!("more than {} patterns", PathSet::MOST), "sum some up with * or **");
        return None;
    }
    Some(paths)
}

/// A list of fixed hosts, if it stands there and is right.
pub(crate) fn read_hosts(table: &mut TableReader<'_>, key: &str) -> Option<Vec<Spanned<Origin>>> {
    let texts = table.spanned_strings(key)?;
    if texts.is_empty() {
        table.error_at(key, "no host is named", "name at least one, like [\"api.weather.gov\"]");
    }
    if texts.len() > MOST_HOSTS {
        table.error_at(key, format!("more than {MOST_HOSTS} hosts"), "name fewer");
    }
    let hosts: Vec<_> = texts.iter().map(|text| fixed_host(table, text)).collect();
    hosts.into_iter().collect()
}

fn fixed_host(table: &TableReader<'_>, text: &Spanned<String>) -> Option<Spanned<Origin>> {
    let origin = Origin::parse(Scheme::Https, text.get_ref());
    let public = |origin: &Origin| match &origin.host {
        Host::Address(_) => false,
        host @ Host::Name(name) => name.contains('.') && !is_upstream_name(host),
    };
    match origin.filter(public) {
        Some(origin) => Some(Spanned::new(text.span(), origin)),
        None => {
            table.error_at(
                text,
                format!("{} is not the name of a public host", quoted(text.get_ref())),
                "write a name, perhaps with a port, like \"api.weather.gov\"; it is reached with https",
            );
            None
        }
    }
}

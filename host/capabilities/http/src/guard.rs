//! The decision: may this request be sent, and where does it go.
//!
//! [`decide`] is the one place where it is taken, for every request of every guest and for every hop of a redirect.
//! It is the intersection of what the manifest asks for, what the operator granted and what the tool may use; where
//! the name leads to is judged afterwards, when a connection is made ([`crate::connect`]). Nothing that the guest
//! wrote goes on from here: host, port and path of the outgoing request are built from what was compared.

use std::any::Any;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use fleetgate_core::address::{Class, Host, classify};
use fleetgate_core::capability::Refusal;
use fleetgate_core::sandbox::CallPolicy;
use http::uri::{Authority, PathAndQuery};
use http::{Method, Uri};

use crate::credential::Keeper;
use crate::from_call::FromCall;
use crate::method::Methods;
use crate::origin::{Origin, Scheme};
use crate::path::NormalPath;
use crate::pattern::PathSet;
use crate::pool::Pool;
use crate::quoted;
use crate::reach::HttpReach;
use crate::request::{HttpRequest, is_upstream_name};

/// The longest query that is sent, in bytes.
const LONGEST_QUERY: usize = 16 << 10;

/// One granted capability of a binding, ready for requests.
pub(crate) struct Route {
    /// `http.api`
    pub(crate) capability: String,
    /// `api.upstream`, in lower case.
    pub(crate) alias: String,
    /// `plugins.naas.grant.http.api`
    pub(crate) grant: String,
    /// What the manifest asks for.
    pub(crate) request: HttpRequest,
    /// What the grant narrows.
    pub(crate) methods: Option<Methods>,
    pub(crate) paths: Option<PathSet>,
    /// Parallel to the pool's endpoints.
    pub(crate) places: Vec<Place>,
    /// Which of them the alias stands for.
    pub(crate) aliased: Option<usize>,
    /// Which of them the credential belongs to.
    pub(crate) credential: Option<(usize, Keeper)>,
    /// Where secret arguments may go.
    pub(crate) from_call: FromCall,
    pub(crate) redirects: bool,
    pub(crate) timeout: Option<Duration>,
    pub(crate) pool: Arc<Pool>,
}

/// A host that a route leads to, as it is written into requests.
pub(crate) struct Place {
    pub(crate) origin: Origin,
    pub(crate) base: String,
    pub(crate) scheme: http::uri::Scheme,
    pub(crate) authority: Authority,
}

/// A binding's granted routes, and the names of what it asked for in vain.
#[derive(Default)]
pub(crate) struct Routes {
    pub(crate) granted: Vec<Arc<Route>>,
    /// `api.upstream` with the key that its grant would have.
    pub(crate) missing: Vec<(String, String)>,
}

/// Whose request it is.
#[derive(Clone, Copy)]
pub(crate) struct Asker<'a> {
    pub(crate) granted: &'a BTreeSet<String>,
    pub(crate) policy: &'a CallPolicy,
}

/// Who named the target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Via {
    /// The guest, who may use `api.upstream`.
    Guest,
    /// An upstream, by redirecting.
    Redirect,
}

/// A request's target, with each part in its one spelling.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) origin: Origin,
    pub(crate) path: NormalPath,
    pub(crate) query: Option<String>,
}

/// A request that may be sent.
pub(crate) struct Allowed {
    pub(crate) route: Arc<Route>,
    /// Which of the route's places.
    pub(crate) place: usize,
    /// Absolute, made of what was compared.
    pub(crate) uri: Uri,
    /// The path as the plugin knows it, for the record.
    pub(crate) path: NormalPath,
}

impl Allowed {
    /// It goes where the grant's secrets may go: to the operator's URL, or to the only host.
    pub(crate) fn is_first(&self) -> bool {
        self.place == 0
    }
}

impl Target {
    /// Reads a URI. `Err`: no grant can allow it.
    pub(crate) fn of(uri: &Uri) -> Result<Self, Refusal> {
        let refused = |rule, why: String| Refusal::new(rule, why);
        let scheme = uri.scheme_str().unwrap_or_default();
        let scheme = Scheme::parse(scheme)
            .ok_or_else(|| refused("scheme", format!("{} is neither http nor https", quoted(scheme))))?;
        let authority = uri.authority().map_or("", Authority::as_str);
        // What stands before an @ may be a password, and is not repeated.
        let shown = authority.rsplit('@').next().unwrap_or_default();
        let origin = Origin::parse(scheme, authority).ok_or_else(|| {
            refused("host", format!("{} is not a host, perhaps with a port", quoted(shown)))
        })?;
        let path = if uri.path().is_empty() { "/" } else { uri.path() };
        let path = NormalPath::parse(path)
            .map_err(|fault| refused("path", format!("{fault}: {} to {origin}", quoted(path))))?;
        let query = uri.query().map(str::to_owned);
        if query.as_ref().is_some_and(|query| query.len() > LONGEST_QUERY) {
            return Err(refused(
                "query",
                format!("the query is longer than {LONGEST_QUERY} bytes: {origin}{path}"),
            ));
        }
        Ok(Self { origin, path, query })
    }
}

/// Decides.
pub(crate) fn decide(
    routes: &Routes,
    asker: Asker<'_>,
    via: Via,
    method: &Method,
    target: &Target,
) -> Result<Allowed, Refusal> {
    if *method == Method::CONNECT || *method == Method::TRACE {
        return Err(Refusal::new("method", format!("{method} requests are never sent")));
    }
    let mut first_refusal = None;
    for Candidate { route, place, path } in candidates(routes, via, target)? {
        match permitted(route, asker, method, &path) {
            Ok(()) => {
                let uri = outgoing(&route.places[place], &path, target.query.as_deref())?;
                return Ok(Allowed { route: Arc::clone(route), place, uri, path });
            }
            Err(refusal) => first_refusal = first_refusal.or(Some(refusal)),
        }
    }
    Err(first_refusal.unwrap_or_else(|| not_granted(target)))
}

/// A route that leads to the target, with the path as its patterns know it.
struct Candidate<'r> {
    route: &'r Arc<Route>,
    place: usize,
    path: NormalPath,
}

/// The routes that lead to the target, the most specific first.
fn candidates<'r>(routes: &'r Routes, via: Via, target: &Target) -> Result<Vec<Candidate<'r>>, Refusal> {
    if via == Via::Guest
        && is_upstream_name(&target.origin.host)
        && let Host::Name(name) = &target.origin.host
    {
        return aliased(routes, name, target);
    }
    let mut found = Vec::new();
    for route in &routes.granted {
        for (at, place) in route.places.iter().enumerate().filter(|(_, place)| place.origin == target.origin)
        {
            if let Some(path) = target.path.below(&place.base) {
                found.push(Candidate { route, place: at, path });
            }
        }
    }
    found.sort_by_key(|found| std::cmp::Reverse(found.route.places[found.place].base.len()));
    Ok(found)
}

fn aliased<'r>(routes: &'r Routes, name: &str, target: &Target) -> Result<Vec<Candidate<'r>>, Refusal> {
    if target.origin.port != target.origin.scheme.port() {
        return Err(Refusal::new(
            "port",
            format!("{name} has no ports; the granted URL has the one that is used"),
        ));
    }
    if let Some(route) = routes.granted.iter().find(|route| route.alias == name) {
        let Some(place) = route.aliased else {
            let why =
                format!("{name} stands for no URL: {} is granted several fixed hosts", route.capability);
            return Err(Refusal::new("host", why));
        };
        return Ok(vec![Candidate { route, place, path: target.path.clone() }]);
    }
    match routes.missing.iter().find(|(alias, _)| alias == name) {
        Some((_, key)) => Err(Refusal::new("grant", format!("{name} is asked for and not granted"))
            .allowed_by(format!("[{key}] with url = \"https://…\""))),
        None => Err(Refusal::new("grant", format!("the plugin does not ask for {name}"))),
    }
}

fn not_granted(target: &Target) -> Refusal {
    let host = &target.origin;
    let class = match &host.host {
        Host::Address(address) => Some(classify(*address)).filter(|class| *class != Class::Public),
        Host::Name(_) => None,
    };
    let what = class.map_or_else(|| host.to_string(), |class| format!("{host}, {},", class.name()));
    let refusal =
        Refusal::new("host", format!("{what} is not granted; the path was {}", quoted(target.path.as_str())));
    match host.openings() {
        Ok(_) => {
            refusal.allowed_by(format!("a grant with url = \"{host}\", where that is what the plugin is for"))
        }
        Err(_) => refusal,
    }
}

/// Whether one route permits a method and a path to this call.
fn permitted(route: &Route, asker: Asker<'_>, method: &Method, path: &NormalPath) -> Result<(), Refusal> {
    let name = &route.capability;
    let tried = || format!("{name}: {method} {path}");
    if !asker.granted.contains(name) {
        return Err(Refusal::new("grant", format!("{}: not granted to this call", tried())));
    }
    if !route.request.methods.contains(method) {
        let why = format!("{}: the manifest asks for {} only", tried(), route.request.methods);
        return Err(Refusal::new("manifest-method", why));
    }
    if let Some(methods) = route.methods.as_ref().filter(|methods| !methods.contains(method)) {
        return Err(Refusal::new("grant-method", format!("{}: the grant allows {methods} only", tried()))
            .allowed_by(format!("[{}] methods = {}", route.grant, methods.with(method).toml())));
    }
    let reach =
        asker.policy.reach.get(name).and_then(|reach| (&**reach as &dyn Any).downcast_ref::<HttpReach>());
    match reach.and_then(|reach| reach.methods.as_ref()) {
        Some(methods) if !methods.contains(method) => {
            return Err(Refusal::new("reach-method", format!("{}: the tool's reach is {methods}", tried())));
        }
        None if !Methods::safe().contains(method) && !asker.policy.may_act(name, "write") => {
            return Err(asker.policy.cannot_act(&tried(), name, "write"));
        }
        _ => {}
    }
    if !route.request.paths.matches(method, path.as_str()) {
        let why = format!("{}: the manifest asks for {} only", tried(), route.request.paths);
        return Err(Refusal::new("manifest-path", why));
    }
    if let Some(paths) = route.paths.as_ref().filter(|paths| !paths.matches(method, path.as_str())) {
        return Err(Refusal::new("grant-path", format!("{}: the grant allows {paths} only", tried()))
            .allowed_by(format!("[{}] paths = [… {:?}]", route.grant, path.as_str())));
    }
    if let Some(paths) =
        reach.and_then(|reach| reach.paths.as_ref()).filter(|paths| !paths.matches(method, path.as_str()))
    {
        return Err(Refusal::new("reach-path", format!("{}: the tool's reach is {paths}", tried())));
    }
    Ok(())
}

/// The URI that is sent: of the guest's, only the query goes on as it was.
fn outgoing(place: &Place, path: &NormalPath, query: Option<&str>) -> Result<Uri, Refusal> {
    let mut text = String::with_capacity(
        place.base.len() + path.as_str().len() + query.map_or(0, |query| query.len() + 1),
    );
    text.push_str(&place.base);
    text.push_str(path.as_str());
    if let Some(query) = query {
        text.push('?');
        text.push_str(query);
    }
    let unsendable = || Refusal::new("query", format!("the query cannot be sent: {}{path}", place.origin));
    let mut parts = http::uri::Parts::default();
    parts.scheme = Some(place.scheme.clone());
    parts.authority = Some(place.authority.clone());
    parts.path_and_query =
        Some(PathAndQuery::from_maybe_shared(bytes::Bytes::from(text)).map_err(|_| unsendable())?);
    Uri::from_parts(parts).map_err(|_| unsendable())
}

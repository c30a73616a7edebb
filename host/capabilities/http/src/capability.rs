//! The capability: its tables, and what becomes of them at load.

use std::any::Any;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use fleetgate_core::address::{Connector, Dialer, Policy, Resolver, SystemResolver, TcpDialer};
use fleetgate_core::capability::{BindingParts, Bound, Capability, Grant, Reach, Request, Schemas};
use fleetgate_core::diagnostic::{Diagnostic, Diagnostics, TableReader};
use fleetgate_core::sandbox::{CallInfo, CallState};
use fleetgate_core::settings::Secrets;
use fleetgate_core::tls;
use http::uri::Authority;
use wasmtime::component::Linker;

use crate::connect::Endpoint;
use crate::credential::Keeper;
use crate::exchange::Session;
use crate::grant::HttpGrant;
use crate::guard::{Place, Route, Routes};
use crate::host::{self, State};
use crate::origin::Scheme;
use crate::pool::Pool;
use crate::reach::HttpReach;
use crate::request::{HttpRequest, UPSTREAM};
use crate::schema;

/// Outgoing HTTP for guests.
#[derive(Clone)]
pub struct Http {
    options: HttpOptions,
}

/// What the host decides for all bindings.
#[derive(Clone)]
pub struct HttpOptions {
    /// Looks names up; by default the operating system does.
    pub resolver: Arc<dyn Resolver>,
    /// Opens connections; tests watch it.
    #[doc(hidden)]
    pub dialer: Arc<dyn Dialer>,
    /// For name, connection and TLS together, with the waiting for one of the grant's connections.
    pub connect_timeout: Duration,
    /// How long an unused connection is kept.
    pub idle_timeout: Duration,
    /// The most bytes of a request's body.
    pub request_body: u64,
}

impl Default for HttpOptions {
    fn default() -> Self {
        Self {
            resolver: Arc::new(SystemResolver),
            dialer: Arc::new(TcpDialer),
            connect_timeout: Duration::from_secs(10),
            idle_timeout: Duration::from_secs(60),
            request_body: 32 << 20,
        }
    }
}

impl Default for Http {
    fn default() -> Self {
        Self::new(HttpOptions::default())
    }
}

impl fmt::Debug for Http {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Http").finish_non_exhaustive()
    }
}

impl Http {
    /// With these options.
    pub fn new(options: HttpOptions) -> Self {
        Self { options }
    }

    /// [`Capability::bind`], as what it is.
    #[doc(hidden)]
    pub fn bind_http(&self, binding: BindingParts<'_>) -> Result<HttpBinding, Diagnostics> {
        let mut routes = Routes::default();
        let mut problems = Diagnostics::default();
        for (name, (request, grant)) in &binding.wants {
            let request = request.parsed::<HttpRequest>();
            let alias = format!("{}.{UPSTREAM}", name.to_ascii_lowercase());
            let Some(grant) = grant else {
                routes.missing.push((alias, format!("plugins.{}.grant.http.{name}", binding.name)));
                continue;
            };
            let grant = grant.parsed::<HttpGrant>();
            match self.route(name, alias, request, grant, binding.secrets) {
                Ok(route) => routes.granted.push(Arc::new(route)),
                Err((message, help)) => {
                    let (document, span) = &grant.place;
                    problems
                        .extend(Diagnostic::new(document, span.clone(), &grant.key, message, help).into());
                }
            }
        }
        problems.into_result()?;
        Ok(HttpBinding { routes: Arc::new(routes), request_body: self.options.request_body })
    }

    fn route(
        &self,
        name: &str,
        alias: String,
        request: &HttpRequest,
        grant: &HttpGrant,
        secrets: &Secrets,
    ) -> Result<Route, (String, String)> {
        let said = |message: String| (message, String::new());
        let identity = grant.identity.as_ref().map(|identity| identity.current(secrets)).transpose()?;
        let tls = match grant.endpoints().any(|(origin, _)| origin.scheme == Scheme::Https) {
            true => Some(
                tls::client(&grant.authorities, identity, &[b"h2", b"http/1.1"])
                    .map_err(|error| said(error.to_string()))?,
            ),
            false => None,
        };
        let credential = match &grant.credential {
            None => None,
            Some(credential) => {
                let keeper = Keeper::new(credential.clone(), secrets.clone());
                // Read now, so that a missing one is said at load and not at the first call.
                keeper.current().map_err(said)?;
                // The operator's URL comes first; without one there is a single host.
                Some((0, keeper))
            }
        };
        let mut places = Vec::new();
        let mut endpoints = Vec::new();
        for (at, (origin, base)) in grant.endpoints().enumerate() {
            let unusable = || said(format!("{origin} cannot be reached"));
            let openings = origin.openings().map_err(|error| (error.to_string(), error.help()))?;
            let tls = match (&tls, origin.scheme) {
                (Some(config), Scheme::Https) => {
                    Some((Arc::clone(config), tls::server_name(&origin.host).ok_or_else(unusable)?))
                }
                _ => None,
            };
            endpoints.push(Endpoint {
                origin: origin.clone(),
                policy: Policy::new(openings.into_iter().chain(grant.networks.iter().copied())),
                tls,
                secret: credential.as_ref().is_some_and(|(place, _)| *place == at)
                    || (at == 0 && !grant.from_call.is_nothing()),
            });
            places.push(Place {
                origin: origin.clone(),
                base: base.to_owned(),
                scheme: match origin.scheme {
                    Scheme::Http => http::uri::Scheme::HTTP,
                    Scheme::Https => http::uri::Scheme::HTTPS,
                },
                authority: Authority::from_maybe_shared(origin.authority()).map_err(|_| unusable())?,
            });
        }
        let connector = Connector {
            resolver: Arc::clone(&self.options.resolver),
            dialer: Arc::clone(&self.options.dialer),
        };
        let pool = Pool::new(
            endpoints,
            connector,
            grant.connections,
            self.options.idle_timeout,
            self.options.connect_timeout,
        );
        Ok(Route {
            capability: format!("http.{name}"),
            alias,
            grant: grant.key.clone(),
            request: request.clone(),
            methods: grant.methods.clone(),
            paths: grant.paths.clone(),
            aliased: (grant.url.is_some() || places.len() == 1).then_some(0),
            places,
            credential,
            from_call: grant.from_call.clone(),
            redirects: grant.redirects,
            timeout: grant.timeout,
            pool,
        })
    }
}

impl Capability for Http {
    fn kind(&self) -> &'static str {
        "http"
    }

    /// Every method but GET and HEAD.
    fn acts(&self) -> Option<&'static [&'static str]> {
        Some(&["write"])
    }

    fn parse_request(&self, table: &mut TableReader<'_>) -> Option<Arc<dyn Request>> {
        Some(Arc::new(HttpRequest::read(table)?))
    }

    fn parse_reach(&self, table: &mut TableReader<'_>, request: &dyn Request) -> Option<Arc<dyn Reach>> {
        Some(Arc::new(HttpReach::read(table, request.parsed())?))
    }

    fn parse_grant(
        &self,
        table: &mut TableReader<'_>,
        request: &dyn Request,
        secrets: &Secrets,
    ) -> Option<Arc<dyn Grant>> {
        Some(Arc::new(HttpGrant::read(table, request.parsed(), secrets)?))
    }

    fn bind(&self, binding: BindingParts<'_>) -> Result<Arc<dyn Bound>, Diagnostics> {
        Ok(Arc::new(self.bind_http(binding)?))
    }

    fn link(&self, linker: &mut Linker<CallState>) -> wasmtime::Result<()> {
        host::link(linker)
    }

    fn schemas(&self) -> Schemas {
        schema::schemas()
    }
}

/// One binding's grants, ready for calls. Its connections end with it.
#[doc(hidden)]
pub struct HttpBinding {
    routes: Arc<Routes>,
    request_body: u64,
}

impl HttpBinding {
    /// What a call sends requests with.
    pub fn session(&self, call: &Arc<CallInfo>) -> Session {
        Session::new(Arc::clone(&self.routes), self.request_body, Arc::clone(call))
    }
}

impl Bound for HttpBinding {
    fn state(&self, call: &Arc<CallInfo>) -> Box<dyn Any + Send> {
        Box::new(State::new(self.session(call)))
    }
}

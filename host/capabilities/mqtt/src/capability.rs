//! The capability: its tables, and what becomes of them at load.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use fleetgate_core::address::{Connector, Policy};
use fleetgate_core::capability::{
    BindingParts, Bound, Capability, Grant, Listening, Reach, Request, Schemas, Standing,
};
use fleetgate_core::diagnostic::{Diagnostic, Diagnostics, TableReader};
use fleetgate_core::sandbox::{CallInfo, CallState};
use fleetgate_core::settings::Secrets;
use fleetgate_core::tls;
use wasmtime::component::Linker;

use crate::calls::Calls;
use crate::connect::Dialling;
use crate::grant::MqttGrant;
use crate::host::{self, State};
use crate::reach::MqttReach;
use crate::request::MqttRequest;
use crate::route::{Route, Routes};
use crate::schema;
use crate::session::Session;
use crate::standing::{Names, Stand};

/// MQTT for guests.
#[derive(Clone)]
pub struct Mqtt {
    connector: Connector,
    names: Arc<Names>,
}

impl Default for Mqtt {
    fn default() -> Self {
        Self::new(Connector::default())
    }
}

impl fmt::Debug for Mqtt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mqtt").finish_non_exhaustive()
    }
}

impl Mqtt {
    /// With connections made like this; by default by way of the operating system.
    pub fn new(connector: Connector) -> Self {
        Self { connector, names: Arc::default() }
    }

    /// [`Capability::bind`], as what it is.
    #[doc(hidden)]
    pub fn bind_mqtt(&self, binding: BindingParts<'_>) -> Result<MqttBinding, Diagnostics> {
        let mut routes = Routes::default();
        let mut problems = Diagnostics::default();
        for (name, (request, grant)) in &binding.wants {
            let request = request.parsed::<MqttRequest>();
            let capability = format!("mqtt.{name}");
            let Some(grant) = grant else {
                routes.missing.push((capability, format!("plugins.{}.grant.mqtt.{name}", binding.name)));
                continue;
            };
            let grant = grant.parsed::<MqttGrant>();
            match self.route(capability, request, grant, &binding) {
                Ok(route) => routes.granted.push(Arc::new(route)),
                Err((message, help)) => {
                    let (document, span) = &grant.place;
                    problems
                        .extend(Diagnostic::new(document, span.clone(), &grant.key, message, help).into());
                }
            }
        }
        problems.into_result()?;
        Ok(MqttBinding { routes: Arc::new(routes) })
    }

    fn route(
        &self,
        capability: String,
        request: &MqttRequest,
        grant: &MqttGrant,
        binding: &BindingParts<'_>,
    ) -> Result<Route, (String, String)> {
        let said = |message: String| (message, String::new());
        let secrets = binding.secrets;
        let broker = &grant.broker;
        let tls = match broker.scheme.is_encrypted() {
            false => None,
            true => {
                let identity =
                    grant.identity.as_ref().map(|identity| identity.current(secrets)).transpose()?;
                let protocols: &[&[u8]] = if broker.scheme.is_websocket() { &[b"http/1.1"] } else { &[] };
                let config = tls::client(&grant.authorities, identity, protocols);
                let config = config.map_err(|error| said(error.to_string()))?;
                let name = tls::server_name(&broker.host);
                Some((config, name.ok_or_else(|| said(format!("{broker} cannot be reached")))?))
            }
        };
        // Read now, so that a missing one is said at load and not at the first call.
        grant.credential.as_ref().map(|credential| credential.current(secrets)).transpose().map_err(said)?;
        let openings =
            broker.host.openings(broker.port).map_err(|error| (error.to_string(), error.help()))?;
        let limits = grant.limits;
        let dialling = Arc::new(Dialling {
            connector: self.connector.clone(),
            broker: broker.clone(),
            version: grant.version,
            policy: Policy::new(openings.into_iter().chain(grant.networks.iter().copied())),
            tls,
            credential: grant.credential.clone(),
            secrets: secrets.clone(),
            time: limits.connect_timeout,
            keep_alive: limits.keep_alive,
            incoming: limits.message,
            outgoing: limits.payload,
        });
        let calls = Calls::new(Arc::clone(&dialling), limits, grant.client_id.clone());
        let names = Arc::clone(&self.names);
        let of = format!("{}/{}", binding.name, capability.trim_start_matches("mqtt."));
        let stand = Stand::new(dialling, limits, grant.client_id.clone(), names, of, binding.state);
        Ok(Route {
            capability,
            grant: grant.key.clone(),
            request: request.clone(),
            publish: grant.publish.clone(),
            subscribe: grant.subscribe.clone(),
            limits,
            rate: (limits.rate, limits.rate.limiter()),
            calls,
            stand,
        })
    }
}

impl Capability for Mqtt {
    fn kind(&self) -> &'static str {
        "mqtt"
    }

    fn parse_request(&self, table: &mut TableReader<'_>) -> Option<Arc<dyn Request>> {
        Some(Arc::new(MqttRequest::read(table)?))
    }

    fn parse_reach(&self, table: &mut TableReader<'_>, request: &dyn Request) -> Option<Arc<dyn Reach>> {
        Some(Arc::new(MqttReach::read(table, request.parsed())?))
    }

    fn parse_grant(
        &self,
        table: &mut TableReader<'_>,
        request: &dyn Request,
        secrets: &Secrets,
    ) -> Option<Arc<dyn Grant>> {
        Some(Arc::new(MqttGrant::read(table, request.parsed(), secrets)?))
    }

    fn bind(&self, binding: BindingParts<'_>) -> Result<Arc<dyn Bound>, Diagnostics> {
        Ok(Arc::new(self.bind_mqtt(binding)?))
    }

    fn link(&self, linker: &mut Linker<CallState>) -> wasmtime::Result<()> {
        host::link(linker)
    }

    fn acts(&self) -> Option<&'static [&'static str]> {
        Some(&["publish"])
    }

    fn speaks(&self) -> bool {
        true
    }

    fn schemas(&self) -> Schemas {
        schema::schemas()
    }
}

/// One binding's grants, ready for calls. Its connections end with it.
#[doc(hidden)]
pub struct MqttBinding {
    routes: Arc<Routes>,
}

impl MqttBinding {
    /// What a call uses brokers with.
    pub fn session(&self, call: &Arc<CallInfo>) -> Session {
        Session::new(Arc::clone(&self.routes), Arc::clone(call))
    }
}

impl Bound for MqttBinding {
    fn state(&self, call: &Arc<CallInfo>) -> Box<dyn Any + Send> {
        Box::new(State(self.session(call)))
    }

    fn listen(&self, standing: Standing) -> Result<Box<dyn Listening>, String> {
        let capability = format!("mqtt.{}", standing.name);
        let Some(route) = self.routes.granted.iter().find(|route| route.capability == capability) else {
            return Err(format!("{capability} is not granted"));
        };
        route.stand.listen(standing, &route.request.subscribe, &route.subscribe)
    }

    fn left_over(&self) -> Vec<String> {
        let left = self.routes.granted.iter().filter(|route| route.stand.is_left_over());
        left.filter_map(|route| Some(route.capability.strip_prefix("mqtt.")?.to_owned())).collect()
    }

    fn forget(&self, name: &str) {
        let named = |route: &&Arc<Route>| route.capability.strip_prefix("mqtt.") == Some(name);
        if let Some(route) = self.routes.granted.iter().find(named) {
            route.stand.forget_left_over();
        }
    }
}

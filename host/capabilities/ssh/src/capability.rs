//! The capability: its tables, and what becomes of them at load.

use std::any::Any;
use std::fmt;
use std::path::Path;
use std::sync::Arc;

use fleetgate_core::address::{Connector, Policy};
use fleetgate_core::capability::{BindingParts, Bound, Capability, Grant, Reach, Request, Schemas};
use fleetgate_core::diagnostic::{Diagnostic, Diagnostics, TableReader};
use fleetgate_core::sandbox::{CallInfo, CallState};
use fleetgate_core::settings::Secrets;
use tokio::sync::Semaphore;
use wasmtime::component::Linker;

use crate::brake::Brake;
use crate::connect::{Dialling, JumpHost};
use crate::credential::{self, Keeper};
use crate::grant::{self, Jump, SshGrant};
use crate::guard::Routes;
use crate::host::{self, State};
use crate::host_lines;
use crate::known_hosts::{HostKeys, REMEMBERED};
use crate::pattern::Commands;
use crate::pool::Pool;
use crate::reach::SshReach;
use crate::request::SshRequest;
use crate::route::Route;
use crate::schema;
use crate::session::Session;

/// SSH for guests.
#[derive(Clone)]
pub struct Ssh {
    connector: Connector,
}

impl Default for Ssh {
    fn default() -> Self {
        Self::new(Connector::default())
    }
}

impl fmt::Debug for Ssh {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ssh").finish_non_exhaustive()
    }
}

impl Ssh {
    /// With connections made like this; by default by way of the operating system.
    pub fn new(connector: Connector) -> Self {
        Self { connector }
    }

    /// [`Capability::bind`], as what it is.
    #[doc(hidden)]
    pub fn bind_ssh(&self, binding: BindingParts<'_>) -> Result<SshBinding, Diagnostics> {
        let mut routes = Routes::default();
        let mut problems = Diagnostics::default();
        for (name, (request, grant)) in &binding.wants {
            let request = request.parsed::<SshRequest>();
            let capability = format!("ssh.{name}");
            let Some(grant) = grant else {
                routes.missing.push((capability, format!("plugins.{}.grant.ssh.{name}", binding.name)));
                continue;
            };
            let grant = grant.parsed::<SshGrant>();
            match self.route(capability, request, grant, &binding) {
                Ok(route) => routes.granted.push(Arc::new(route)),
                Err(message) => {
                    let (document, span) = &grant.place;
                    problems.extend(Diagnostic::new(document, span.clone(), &grant.key, message, "").into());
                }
            }
        }
        problems.into_result()?;
        Ok(SshBinding { routes: Arc::new(routes) })
    }

    fn route(
        &self,
        capability: String,
        request: &SshRequest,
        grant: &SshGrant,
        binding: &BindingParts<'_>,
    ) -> Result<Route, String> {
        let secrets = binding.secrets;
        let grant::Login { credential, enable, from_call, type_password, password_after } = &grant.login;
        let keeper = credential.as_ref().map(|credential| {
            let keeper = Keeper::new(credential.clone(), enable.clone(), secrets.clone());
            // Read now, so that a missing one is said at load and not at the first call.
            keeper.current().map(|_| keeper)
        });
        let enable = enable.clone().map(|name| {
            let secrets = secrets.clone();
            credential::read(&secrets, &name)?;
            Ok::<_, String>(Box::new(move || credential::read(&secrets, &name)) as Box<_>)
        });
        let dialling = Dialling { connector: self.connector.clone(), time: grant.limits.connect_timeout };
        Ok(Route {
            capability,
            grant: grant.key.clone(),
            request: request.clone(),
            targets: grant.targets.clone(),
            networks: grant.networks.clone(),
            methods: grant.methods.clone(),
            commands: grant.commands.clone(),
            credential: keeper.transpose()?,
            enable: enable.transpose()?,
            from_call: *from_call,
            brake: Brake::default(),
            type_password: *type_password,
            password_after: password_after.clone().unwrap_or_else(Commands::asking_for_passwords),
            host_keys: host_keys(&grant.host_keys, grant.jump.as_deref(), binding.state)?,
            legacy: grant.legacy.clone(),
            jump: grant.jump.as_ref().map(|jump| jump_host(jump, grant, binding)).transpose()?,
            dialling,
            limits: grant.limits,
            pool: Pool::new(&grant.limits),
            sessions: Arc::new(Semaphore::new(grant.limits.sessions)),
        })
    }
}

fn host_keys(keys: &grant::HostKeys, jump: Option<&Jump>, state: &Path) -> Result<HostKeys, String> {
    let remembered = keys.trust_on_first_use.then(|| state.join(REMEMBERED));
    let hops = std::iter::successors(jump, |jump| jump.jump.as_deref());
    let by_way_of = hops.map(|jump| host_lines::name(&jump.host, jump.port)).collect();
    let keys = HostKeys { file: keys.file.clone(), remembered, by_way_of };
    // Whether the files can be read at all is said at load.
    keys.of(&fleetgate_core::address::Host::Name("localhost".into()), crate::target::PORT)?;
    Ok(keys)
}

fn jump_host(jump: &Jump, grant: &SshGrant, binding: &BindingParts<'_>) -> Result<Arc<JumpHost>, String> {
    let credential = Keeper::new(jump.credential.clone(), None, binding.secrets.clone());
    credential.current()?;
    let openings = jump.host.openings(jump.port).map_err(|error| error.to_string())?;
    Ok(Arc::new(JumpHost {
        host: jump.host.clone(),
        port: jump.port,
        openings: Policy::new(openings.into_iter().chain(grant.networks.iter().copied())),
        credential,
        host_keys: host_keys(&jump.host_keys, jump.jump.as_deref(), binding.state)?,
        legacy: jump.legacy.clone(),
        resolves: jump.resolves,
        before: jump.jump.as_ref().map(|before| jump_host(before, grant, binding)).transpose()?,
        shared: tokio::sync::Mutex::default(),
    }))
}

impl Capability for Ssh {
    fn kind(&self) -> &'static str {
        "ssh"
    }

    fn parse_request(&self, table: &mut TableReader<'_>) -> Option<Arc<dyn Request>> {
        Some(Arc::new(SshRequest::read(table)?))
    }

    fn parse_reach(&self, table: &mut TableReader<'_>, request: &dyn Request) -> Option<Arc<dyn Reach>> {
        Some(Arc::new(SshReach::read(table, request.parsed())?))
    }

    fn parse_grant(
        &self,
        table: &mut TableReader<'_>,
        request: &dyn Request,
        secrets: &Secrets,
    ) -> Option<Arc<dyn Grant>> {
        Some(Arc::new(SshGrant::read(table, request.parsed(), secrets)?))
    }

    fn bind(&self, binding: BindingParts<'_>) -> Result<Arc<dyn Bound>, Diagnostics> {
        Ok(Arc::new(self.bind_ssh(binding)?))
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
pub struct SshBinding {
    routes: Arc<Routes>,
}

impl SshBinding {
    /// What a call uses devices with.
    pub fn session(&self, call: &Arc<CallInfo>) -> Session {
        Session::new(Arc::clone(&self.routes), Arc::clone(call))
    }
}

impl Bound for SshBinding {
    fn state(&self, call: &Arc<CallInfo>) -> Box<dyn Any + Send> {
        Box::new(State(self.session(call)))
    }
}

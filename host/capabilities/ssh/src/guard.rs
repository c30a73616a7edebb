//! The decision: may this call use this device, and may it type this.
//!
//! [`Asker::target`] and [`Permit::line`] are the places where it is taken, for every connection and every line of
//! every guest. It is the intersection of what the manifest asks for, what the operator granted and what the tool may
//! use; where the name leads to is judged afterwards, when a connection is made ([`crate::connect`]).

use std::any::Any;
use std::collections::BTreeSet;
use std::sync::Arc;

use fleetgate_core::address::{Class, Host, Policy, classify};
use fleetgate_core::capability::Refusal;
use fleetgate_core::diagnostic::quoted;
use fleetgate_core::sandbox::CallPolicy;

use crate::connect::Device;
use crate::method::{Method, Methods};
use crate::pattern::Commands;
use crate::reach::SshReach;
use crate::route::Route;

/// A binding's granted routes, and what it asked for in vain.
#[derive(Default)]
pub(crate) struct Routes {
    pub(crate) granted: Vec<Arc<Route>>,
    /// `ssh.devices` with the key that its grant would have.
    pub(crate) missing: Vec<(String, String)>,
}

/// Whose request it is.
#[derive(Clone, Copy)]
pub(crate) struct Asker<'a> {
    pub(crate) granted: &'a BTreeSet<String>,
    pub(crate) policy: &'a CallPolicy,
}

/// A device that a call may use, and for what.
#[derive(Clone)]
pub(crate) struct Permit {
    pub(crate) route: Arc<Route>,
    pub(crate) host: Host,
    pub(crate) port: u16,
    /// What the host's addresses may be.
    pub(crate) openings: Policy,
    methods: [Option<Methods>; 2],
    /// The tool's part of the commands.
    reach: Option<Commands>,
}

impl Asker<'_> {
    /// Decides whether the call may use a device.
    pub(crate) fn target(
        self,
        routes: &Routes,
        capability: &str,
        host: Host,
        port: u16,
    ) -> Result<Permit, Refusal> {
        let tried = format!("{}: {host}:{port}", quoted(capability));
        let Some(route) = routes.granted.iter().find(|route| route.capability == capability) else {
            return Err(match routes.missing.iter().find(|(name, _)| name == capability) {
                Some((_, key)) => Refusal::new("grant", format!("{tried}: asked for and not granted"))
                    .allowed_by(format!("[{key}] with targets = [\"{host}:{port}\"]")),
                None => Refusal::new("grant", format!("{tried}: the plugin does not ask for it")),
            });
        };
        if !self.granted.contains(capability) {
            return Err(Refusal::new("grant", format!("{tried}: not granted to this call")));
        }
        let reach = self.policy.reach.get(capability);
        let reach = reach.and_then(|reach| (&**reach as &dyn Any).downcast_ref::<SshReach>());
        let commands = reach.and_then(|reach| reach.commands.clone());
        if !self.policy.may_act(capability, "") && commands.is_none() {
            return Err(self.policy.cannot_act(&tried, capability, ""));
        }
        let Some(target) = route.targets.iter().find(|target| target.matches(&host, port)) else {
            return Err(not_granted(route, &tried, &host, port));
        };
        let openings = target.openings(&host, port).into_iter().chain(route.networks.iter().copied());
        Ok(Permit {
            route: Arc::clone(route),
            openings: Policy::new(openings),
            host,
            port,
            methods: [route.methods.clone(), reach.and_then(|reach| reach.methods.clone())],
            reach: commands,
        })
    }
}

fn not_granted(route: &Route, tried: &str, host: &Host, port: u16) -> Refusal {
    let class = match host {
        Host::Address(address) => Some(classify(*address)).filter(|class| *class != Class::Public),
        Host::Name(_) => None,
    };
    let what = class.map_or_else(|| tried.to_owned(), |class| format!("{tried}, {},", class.name()));
    let refusal = Refusal::new("target", format!("{what} is not granted"));
    match host.openings(port) {
        Ok(_) => refusal.allowed_by(format!("[{}] targets = [… \"{host}:{port}\"]", route.grant)),
        Err(_) => refusal,
    }
}

impl Permit {
    /// `host:22`, for the record and for messages.
    pub(crate) fn device(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }

    /// For a connection.
    pub(crate) fn as_device(&self) -> Device<'_> {
        Device {
            host: &self.host,
            port: self.port,
            openings: &self.openings,
            host_keys: &self.route.host_keys,
            legacy: &self.route.legacy,
            jump: self.route.jump.as_ref(),
        }
    }

    fn tried(&self) -> String {
        format!("{} {}", self.route.capability, self.device())
    }

    /// Whether the call may use the device in this way.
    pub(crate) fn method(&self, method: Method) -> Result<(), Refusal> {
        let tried = format!("{}: {}", self.tried(), method.word());
        if !self.route.request.methods.contains(method) {
            let why = format!("{tried}: the manifest asks for {} only", self.route.request.methods);
            return Err(Refusal::new("manifest-method", why));
        }
        let [granted, reach] = &self.methods;
        if let Some(methods) = granted.as_ref().filter(|methods| !methods.contains(method)) {
            return Err(Refusal::new("grant-method", format!("{tried}: the grant allows {methods} only"))
                .allowed_by(format!("[{}] methods = [… {:?}]", self.route.grant, method.word())));
        }
        match reach.as_ref().filter(|methods| !methods.contains(method)) {
            Some(methods) => {
                Err(Refusal::new("reach-method", format!("{tried}: the tool's reach is {methods}")))
            }
            None => Ok(()),
        }
    }

    /// Whether commands are restricted at all.
    pub(crate) fn restricted(&self) -> bool {
        self.reach.is_some() || self.route.commands.is_some() || self.route.request.commands.is_some()
    }

    /// Whether the call may send this command or line.
    pub(crate) fn line(&self, line: &str) -> Result<(), Refusal> {
        let tried = || format!("{}: {}", self.tried(), quoted(line));
        if let Some(commands) = self.route.request.commands.as_ref().filter(|commands| !commands.allow(line))
        {
            return Err(Refusal::new(
                "manifest-command",
                format!("{}: the manifest asks for {commands} only", tried()),
            ));
        }
        if let Some(commands) = self.route.commands.as_ref().filter(|commands| !commands.allow(line)) {
            return Err(Refusal::new(
                "grant-command",
                format!("{}: the grant allows {commands} only", tried()),
            )
            .allowed_by(format!("[{}] commands = [… {line:?}]", self.route.grant)));
        }
        match self.reach.as_ref().filter(|commands| !commands.allow(line)) {
            Some(commands) => {
                Err(Refusal::new("reach-command", format!("{}: the tool's reach is {commands}", tried())))
            }
            None => Ok(()),
        }
    }

    /// Whether the call may have the host type this password.
    pub(crate) fn secret(&self, name: &str) -> Result<(), Refusal> {
        if name == "password" && !self.route.type_password {
            let why = format!("{}: the login's password is not for typing", self.tried());
            return Err(Refusal::new("type-password", why)
                .allowed_by(format!("[{}] type_password = true", self.route.grant)));
        }
        Ok(())
    }

    /// Whether the call may type bytes as they are.
    pub(crate) fn raw(&self) -> Result<(), Refusal> {
        if self.restricted() {
            let why = format!(
                "{}: bytes cannot be typed where commands are restricted, since they could be any command",
                self.tried()
            );
            return Err(Refusal::new("raw", why));
        }
        Ok(())
    }
}

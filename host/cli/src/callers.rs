//! Who calls over HTTP, as long as nobody authenticates.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use arc_swap::ArcSwap;
use axum::http::request::Parts;
use fleetgate_auth::local::{UnknownRole, check_role, local_principal};
use fleetgate_core::catalog::{Host, Survey};
use fleetgate_core::manifest::Roles;
use fleetgate_core::principal::{HeldRole, Principal};
use fleetgate_core::settings::Settings;
use fleetgate_mcp::{Authenticate, Challenge, LocalCaller};

/// The name of callers from elsewhere in the audit log.
const ANYBODY: &str = "anybody";

/// The local caller, with the roles that the settings of this moment give.
pub struct Callers {
    host: Arc<Host>,
    given: Vec<HeldRole>,
    current: ArcSwap<(Arc<Settings>, LocalCaller)>,
    /// Callers from elsewhere are let in, with the roles that were typed and no others: `local_roles` were meant for
    /// this machine.
    anybody: Option<Principal>,
}

impl Callers {
    /// Those of a host, with the roles of `--role`.
    pub fn new(host: Arc<Host>, given: Vec<HeldRole>, let_anybody: bool) -> Self {
        let settings = host.survey().settings.clone();
        let caller = LocalCaller(local_principal(&settings, &given));
        let anybody = let_anybody.then(|| Principal::new(ANYBODY, given.iter().cloned()));
        Self { host, given, current: ArcSwap::from_pointee((settings, caller)), anybody }
    }
}

impl Authenticate for Callers {
    fn principal(&self, parts: &Parts, peer: SocketAddr) -> Result<Principal, Challenge> {
        let survey = self.host.survey();
        if !Arc::ptr_eq(&self.current.load().0, &survey.settings) {
            let caller = LocalCaller(local_principal(&survey.settings, &self.given));
            self.current.store(Arc::new((survey.settings.clone(), caller)));
        }
        let local = self.current.load().1.principal(parts, peer);
        match &self.anybody {
            Some(anybody) => local.or_else(|_| Ok(anybody.clone())),
            None => local,
        }
    }
}

/// The roles that give nothing.
pub fn unknown_roles(survey: &Survey, held: &[HeldRole]) -> Vec<UnknownRole> {
    let declared: BTreeMap<&str, Option<&Roles>> = survey
        .plugins
        .iter()
        .flat_map(|found| {
            let roles = found.version.as_ref().map(|version| &version.manifest.roles);
            found.bindings.iter().map(move |binding| (binding.name.as_str(), roles))
        })
        .collect();
    held.iter().filter_map(|held| check_role(held, &declared).err()).collect()
}

//! Who calls over HTTP, as long as nobody authenticates.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use arc_swap::ArcSwap;
use axum::http::request::Parts;
use fleetgate_auth::local::{LOCAL, UnknownRole, check_role, local_principal};
use fleetgate_core::catalog::{Host, Survey};
use fleetgate_core::holders::Holders;
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
    anybody: Option<Anybody>,
}

/// Callers from elsewhere are let in, with the roles that were typed and no others: `local_roles` were meant for this
/// machine.
struct Anybody {
    principal: Principal,
    /// With a public URL there is a proxy, and a proxy on this machine can make everybody look like a caller here. So
    /// nobody is one.
    proxied: bool,
}

impl Callers {
    /// Those of a host, with the roles of `--role`.
    pub fn new(host: Arc<Host>, given: Vec<HeldRole>, let_anybody: bool) -> Self {
        let settings = host.survey().settings.clone();
        let caller = LocalCaller(local_principal(&settings, &given));
        // What the server was started with: a URL that is added later is taken up by a restart.
        let anybody = let_anybody.then(|| Anybody {
            principal: Principal::new(ANYBODY, given.iter().cloned()),
            proxied: settings.serve.public_url.is_some(),
        });
        Self { host, given, current: ArcSwap::from_pointee((settings, caller)), anybody }
    }
}

impl Authenticate for Callers {
    fn principal(&self, parts: &Parts, peer: SocketAddr) -> Result<Principal, Challenge> {
        if let Some(Anybody { principal, proxied: true }) = &self.anybody {
            return Ok(principal.clone());
        }
        let survey = self.host.survey();
        if !Arc::ptr_eq(&self.current.load().0, &survey.settings) {
            let caller = LocalCaller(local_principal(&survey.settings, &self.given));
            self.current.store(Arc::new((survey.settings.clone(), caller)));
        }
        let local = self.current.load().1.principal(parts, peer);
        match &self.anybody {
            Some(anybody) => local.or_else(|_| Ok(anybody.principal.clone())),
            None => local,
        }
    }
}

/// Gives the local caller the roles of this moment, also for what outlives a request.
pub struct LocalRoles {
    given: Vec<HeldRole>,
}

impl LocalRoles {
    /// With the roles of `--role`.
    pub fn shared(given: &[HeldRole]) -> Arc<dyn Holders> {
        Arc::new(Self { given: given.to_vec() })
    }
}

impl Holders for LocalRoles {
    fn holding(&self, principal: &Principal, settings: &Settings) -> Principal {
        match principal.name() {
            LOCAL => local_principal(settings, &self.given),
            _ => principal.clone(),
        }
    }
}

/// The roles that give nothing.
pub fn unknown_roles(survey: &Survey, held: &[HeldRole]) -> Vec<UnknownRole> {
    let declared: BTreeMap<&str, Option<&Roles>> = survey
        .plugins
        .iter()
        .flat_map(|found| {
            let serving = found.serving.as_ref().map(|plugin| &plugin.manifest.roles);
            let roles = serving.or_else(|| found.version.as_ref().map(|version| &version.manifest.roles));
            found.bindings.iter().map(move |binding| (binding.name.as_str(), roles))
        })
        .collect();
    held.iter().filter_map(|held| check_role(held, &declared).err()).collect()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use axum::http::Request;
    use fleetgate_core::audit::Unrecorded;
    use fleetgate_core::catalog::HostOptions;
    use fleetgate_core::sandbox::compile::CompileIn;
    use tempfile::TempDir;

    use super::*;
    use crate::running::{capabilities, sandbox};

    /// A host over a configuration with these roles.
    async fn host(folder: &TempDir, local_roles: &str) -> Arc<Host> {
        let settings = folder.path().join("fleetgate.toml");
        fs::write(&settings, format!("[serve]\nlocal_roles = {local_roles}\n")).unwrap();
        let options = HostOptions { watch: false, ..HostOptions::new(settings, CompileIn::ThisProcess) };
        let capabilities = capabilities();
        let sandbox = sandbox(&capabilities).unwrap();
        Host::start(options, sandbox, capabilities, Unrecorded::shared()).await.unwrap()
    }

    fn who(callers: &Callers, peer: &str) -> Option<(String, Vec<String>)> {
        let (parts, ()) = Request::builder().header("host", "localhost").body(()).unwrap().into_parts();
        let principal = callers.principal(&parts, peer.parse().unwrap()).ok()?;
        Some((principal.name().to_owned(), principal.roles().map(ToString::to_string).collect()))
    }

    const HERE: &str = "127.0.0.1:5";
    const ELSEWHERE: &str = "203.0.113.9:5";

    fn typed(role: &str) -> Vec<HeldRole> {
        vec![HeldRole::parse(role).unwrap()]
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn local_roles_that_change_in_the_configuration_hold_from_the_next_request_on() {
        let folder = tempfile::tempdir().unwrap();
        let host = host(&folder, "[\"naas:view\"]").await;
        let callers = Callers::new(host.clone(), vec![], false);
        assert_eq!(who(&callers, HERE), Some(("local".into(), vec!["naas:view".into()])));
        fs::write(folder.path().join("fleetgate.toml"), "").unwrap();
        host.reload().await;
        assert_eq!(who(&callers, HERE), Some(("local".into(), vec![])));
        assert_eq!(who(&callers, ELSEWHERE), None);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn what_outlives_a_request_has_the_roles_of_this_moment_too() {
        let folder = tempfile::tempdir().unwrap();
        let host = host(&folder, "[\"naas:view\"]").await;
        let settings = host.survey().settings.clone();
        let began = Principal::new(LOCAL, typed("naas:admin"));
        let roles = |given: &[HeldRole], who: &Principal| -> Vec<String> {
            LocalRoles::shared(given).holding(who, &settings).roles().map(ToString::to_string).collect()
        };
        assert_eq!(roles(&[], &began), ["naas:view"]);
        assert_eq!(roles(&typed("naas:admin"), &began), ["naas:admin"]);
        assert_eq!(roles(&[], &Principal::new(ANYBODY, typed("naas:admin"))), ["naas:admin"]);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn typed_roles_hold_instead_of_the_configured_ones() {
        let folder = tempfile::tempdir().unwrap();
        let callers = Callers::new(host(&folder, "[\"naas:admin\"]").await, typed("naas:view"), false);
        assert_eq!(who(&callers, HERE), Some(("local".into(), vec!["naas:view".into()])));
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn local_roles_are_not_for_callers_from_elsewhere() {
        let folder = tempfile::tempdir().unwrap();
        let host = host(&folder, "[\"naas:admin\"]").await;
        let nothing_typed = Callers::new(host.clone(), vec![], true);
        assert_eq!(who(&nothing_typed, ELSEWHERE), Some(("anybody".into(), vec![])));
        assert_eq!(who(&nothing_typed, HERE), Some(("local".into(), vec!["naas:admin".into()])));
        let typed = Callers::new(host, typed("naas:view"), true);
        assert_eq!(who(&typed, ELSEWHERE), Some(("anybody".into(), vec!["naas:view".into()])));
    }
    #[tokio::test(flavor = "multi_thread")]
    async fn behind_a_proxy_nobody_is_a_local_caller() {
        let folder = tempfile::tempdir().unwrap();
        let host = host(&folder, "[\"naas:admin\"]\npublic_url = \"https://fleet.example.com\"").await;
        let callers = Callers::new(host, typed("naas:view"), true);
        assert_eq!(who(&callers, HERE), Some(("anybody".into(), vec!["naas:view".into()])));
    }
}

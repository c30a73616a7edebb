//! One granted capability of a binding, ready for calls.

use std::sync::Arc;

use fleetgate_core::address::Opening;
use tokio::sync::Semaphore;

use crate::brake::Brake;
use crate::connect::{Dialling, JumpHost};
use crate::credential::Keeper;
use crate::grant::SshLimits;
use crate::known_hosts::HostKeys;
use crate::legacy::Legacy;
use crate::method::Methods;
use crate::pattern::Commands;
use crate::pool::Pool;
use crate::request::SshRequest;
use crate::target::Target;

/// What becomes of a request and its grant.
pub(crate) struct Route {
    /// `ssh.devices`
    pub(crate) capability: String,
    /// `plugins.naas.grant.ssh.devices`
    pub(crate) grant: String,
    /// What the manifest asks for.
    pub(crate) request: SshRequest,
    pub(crate) targets: Vec<Target>,
    pub(crate) networks: Vec<Opening>,
    /// What the grant narrows.
    pub(crate) methods: Option<Methods>,
    pub(crate) commands: Option<Commands>,
    /// The grant's credential.
    pub(crate) credential: Option<Keeper>,
    /// Reads the enable password where the credential is the call's.
    pub(crate) enable:
        Option<Box<dyn Fn() -> Result<fleetgate_core::settings::Secret, String> + Send + Sync>>,
    pub(crate) from_call: bool,
    /// Passwords that calls bring and devices refuse.
    pub(crate) brake: Brake,
    /// The login's password is typed too.
    pub(crate) type_password: bool,
    /// Lines after which passwords are typed.
    pub(crate) password_after: Commands,
    pub(crate) host_keys: HostKeys,
    pub(crate) legacy: Legacy,
    /// The way there, the nearest host first.
    pub(crate) jump: Option<Arc<JumpHost>>,
    pub(crate) dialling: Dialling,
    pub(crate) limits: SshLimits,
    pub(crate) pool: Arc<Pool>,
    /// Commands and terminals at once.
    pub(crate) sessions: Arc<Semaphore>,
}

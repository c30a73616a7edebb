//! What one call uses devices with, from the decision to the login.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use fleetgate_core::address::Unreached;
use fleetgate_core::capability::{Refusal, Refusals};
use fleetgate_core::diagnostic::quoted;
use fleetgate_core::mask::Mask;
use fleetgate_core::sandbox::{CallInfo, UsedEntry};
use russh::client::Msg;
use russh::{Channel, ChannelOpenFailure};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::brought::LoginArguments;
use crate::connect::ConnectFailed;
use crate::credential::Login;
use crate::failure::Failure;
use crate::guard::{Asker, Permit, Routes};
use crate::login::LoginFailed;
use crate::pool::{Lease, LeaseFailed};
use crate::target::parse_host;

/// Commands and terminals that a call may have open at once.
pub const MOST_AT_ONCE: usize = 16;

/// Commands, lines and keys that one call sends. What its record has no room for stands in the log.
const MOST_SENT: usize = 10_000;
/// What is shown of a command in the record, in characters.
const SHOWN: usize = 200;

/// What one call uses devices with. Cheap to clone.
#[derive(Clone)]
pub struct Session(Arc<Inner>);

pub(crate) struct Inner {
    routes: Arc<Routes>,
    pub(crate) call: Arc<CallInfo>,
    /// Commands and terminals of this call.
    open: Arc<Semaphore>,
    refusals: Refusals,
    sent: AtomicUsize,
}

/// A device that the call is logged in to.
pub struct Device {
    pub(crate) session: Session,
    pub(crate) permit: Permit,
    pub(crate) login: Arc<Login>,
    /// Finds what must not be read: the login's passwords, and the call's secret arguments. None: nothing.
    pub(crate) mask: Option<Arc<Mask>>,
    banner: Option<String>,
}

/// The right to have a command or a terminal open.
pub(crate) struct Room {
    _call: OwnedSemaphorePermit,
    _grant: OwnedSemaphorePermit,
}

impl Session {
    pub(crate) fn new(routes: Arc<Routes>, call: Arc<CallInfo>) -> Self {
        let open = Arc::new(Semaphore::new(MOST_AT_ONCE));
        Self(Arc::new(Inner {
            routes,
            call,
            open,
            refusals: Refusals::default(),
            sent: AtomicUsize::default(),
        }))
    }

    pub(crate) fn call(&self) -> &Arc<CallInfo> {
        &self.0.call
    }

    /// Something is about to be sent to a device: into the call's record, and where that has no room, into the log.
    pub(crate) fn uses(&self, what: String) -> Result<UsedEntry<'_>, Failure> {
        if self.0.sent.fetch_add(1, Ordering::Relaxed) >= MOST_SENT {
            return Err(Failure::TooMuch(MOST_SENT));
        }
        let call = self.call();
        let entry = call.used.begin(what.as_str());
        if entry.is_beyond() {
            tracing::info!(
                call = %call.id, binding = %call.binding, principal = %call.principal,
                used = %call.secrets.hide(&what),
                "more than the record has room for"
            );
        }
        Ok(entry)
    }

    /// Connects to a device and logs in, or takes a kept connection. What was used and refused is noted in the call.
    pub async fn connect(
        &self,
        capability: &str,
        host: &str,
        port: u16,
        login: Option<LoginArguments>,
    ) -> Result<Device, Failure> {
        self.noted(self.connected(capability, host, port, login)).await
    }

    async fn connected(
        &self,
        capability: &str,
        host: &str,
        port: u16,
        login: Option<LoginArguments>,
    ) -> Result<Device, Failure> {
        let parsed = parse_host(host).filter(|_| port != 0).ok_or_else(|| {
            Failure::Invalid(format!("{} is not a host, or {port} not a port", quoted(&shortened(host))))
        })?;
        let asker = Asker { granted: &self.call().granted, policy: &self.call().policy };
        let permit = asker.target(&self.0.routes, capability, parsed, port).map_err(Failure::Refused)?;
        let guessed = login.as_ref().is_some_and(|login| login.password.is_some());
        let login = self.login(&permit, login)?;
        let entry = self.uses(format!(
            "{} connect {} as {}",
            permit.route.capability,
            permit.device(),
            quoted(&login.user)
        ))?;
        let work = async {
            let attempt = match guessed {
                true => {
                    let attempt = permit.route.brake.attempt(&permit.device(), &login.user).await;
                    Some(attempt.ok_or(Failure::TooManyGuesses)?)
                }
                false => None,
            };
            let leased = permit.route.pool.lease(&permit, &login).await;
            if let (Err(ConnectFailed::Login(LoginFailed::Refused { .. })), Some(attempt)) =
                (&leased, attempt)
            {
                attempt.refused();
            }
            leased.map_err(|failed| failed_to_connect(failed, &permit))
        };
        let failure = match self.call().in_time(None, work).await {
            Ok(Ok((lease, kept))) => {
                entry.end(if kept { "kept" } else { "new" });
                let banner = lease.connection.banner();
                let mask = self.mask(&login);
                return Ok(Device { session: self.clone(), permit, login, mask, banner });
            }
            Ok(Err(failure)) => failure,
            Err(cut) => Failure::cut_short(cut, "connecting", false),
        };
        entry.end(format!("failed: {}", failure.guest().code));
        Err(failure)
    }

    /// What must not be read of what a device says.
    fn mask(&self, login: &Login) -> Option<Arc<Mask>> {
        let secrets = &self.call().secrets;
        match secrets.is_empty() {
            true => login.mask.clone(),
            false => Mask::new(login.values().chain(secrets.values())),
        }
    }

    /// Refuses to send a placeholder where it would be taken for what it stands for: the device would be told a wrong
    /// password, and the plugin is wrong.
    pub(crate) fn no_placeholder(&self, bytes: &[u8]) -> Result<(), Failure> {
        if !self.call().secrets.finds(bytes) {
            return Ok(());
        }
        let why =
            "the placeholder of a secret argument in what is typed: it is good for a login and send-secret";
        Err(Failure::Refused(Refusal::new("placeholder", why)))
    }

    /// Room for one more command or terminal.
    pub(crate) fn room(&self, permit: &Permit) -> Result<Room, Failure> {
        let taken = |semaphore: &Arc<Semaphore>| Arc::clone(semaphore).try_acquire_owned();
        let call =
            taken(&self.0.open).map_err(|_| Failure::TooManySessions { most: MOST_AT_ONCE, of: "call" })?;
        let grant = taken(&permit.route.sessions)
            .map_err(|_| Failure::TooManySessions { most: permit.route.limits.sessions, of: "plugin" })?;
        Ok(Room { _call: call, _grant: grant })
    }

    /// Does something and tells the operator how it failed, who alone learns which rule it was.
    pub(crate) async fn noted<T>(
        &self,
        work: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        let done = work.await;
        if let Err(failure) = &done {
            self.note(failure);
        }
        done
    }

    pub(crate) fn note(&self, failure: &Failure) {
        let call = self.call();
        let said = failure.to_string();
        let why = call.secrets.hide(&said);
        let refusal = |rule| Refusal::new(rule, said.as_str());
        let refusal = match failure {
            Failure::Refused(refusal) => refusal.clone(),
            Failure::Connect(failed) => match for_the_operator(failed) {
                Some((rule, allow)) => Refusal { allow, ..refusal(rule) },
                None => {
                    tracing::info!(call = %call.id, binding = %call.binding, %why, "no SSH connection");
                    return;
                }
            },
            Failure::TooManySessions { .. } | Failure::TooMuch(_) => refusal("limit"),
            Failure::Echo(_) | Failure::Unasked(_) => refusal("secret"),
            Failure::Begun => refusal("keys"),
            Failure::TooManyGuesses => refusal("guesses"),
            Failure::Credential(why) => {
                tracing::error!(call = %call.id, binding = %call.binding, %why, "a credential cannot be had");
                return;
            }
            _ => {
                tracing::debug!(call = %call.id, binding = %call.binding, %why, "SSH failed");
                return;
            }
        };
        self.0.refusals.note(call, &refusal, "SSH refused");
    }
}

impl Device {
    /// `host:22`
    pub(crate) fn name(&self) -> String {
        self.permit.device()
    }

    /// What the device said before the login.
    pub fn banner(&self) -> Option<&str> {
        self.banner.as_deref()
    }

    /// How often the grant's connections are there, for tests.
    #[doc(hidden)]
    pub fn connections(&self) -> usize {
        self.permit.route.pool.count()
    }

    /// A new channel to the device.
    pub(crate) async fn channel(&self) -> Result<(Channel<Msg>, Lease), Failure> {
        let opened = self.permit.route.pool.channel(&self.permit, &self.login).await;
        opened.map_err(|failed| match failed {
            LeaseFailed::Connect(failed) => failed_to_connect(failed, &self.permit),
            LeaseFailed::Refused(ChannelOpenFailure::ResourceShortage) => {
                Failure::ChannelRefused { what: "another session now" }
            }
            LeaseFailed::Refused(_) => Failure::ChannelRefused { what: "a session" },
        })
    }

    /// A line of the record: `ssh.devices exec host:22 "show version"`, without a password.
    pub(crate) fn record(&self, what: &str, text: &str) -> String {
        let masked = self.mask.as_ref().map_or_else(|| text.to_owned(), |mask| mask.replace(text));
        format!("{} {what} {} {}", self.permit.route.capability, self.name(), quoted(&shortened(&masked)))
    }
}

/// So much of a text as is shown.
fn shortened(text: &str) -> String {
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// The second layer's refusals, with the line of the grant that would open the address.
fn failed_to_connect(failed: ConnectFailed, permit: &Permit) -> Failure {
    let (name, grant) = (&permit.route.capability, &permit.route.grant);
    match &failed {
        ConnectFailed::Unreached(Unreached::Blocked { blocked, .. }) => {
            let refusal = Refusal::new("address", format!("{name}: {failed}"));
            Failure::Refused(match blocked.opening() {
                Some(opening) => refusal.allowed_by(format!("[{grant}] networks = [… \"{opening}\"]")),
                None => refusal,
            })
        }
        _ => Failure::Connect(failed),
    }
}

/// The rule and the line for what an operator has to settle. None: the device's own trouble.
fn for_the_operator(failed: &ConnectFailed) -> Option<(&'static str, Option<String>)> {
    Some(match failed.root().0 {
        ConnectFailed::Kex { add, .. } => ("kex", add.map(|name| format!("legacy = [… {name:?}]"))),
        ConnectFailed::HostKeyUnknown { line, .. } | ConnectFailed::HostKeyUnusable { line, .. } => (
            "host-key",
            Some(format!("compare the key with the device's, and add this line to known_hosts: {line}")),
        ),
        ConnectFailed::HostKeyChanged { place, .. } => {
            ("host-key", Some(format!("find out why, and if it is right, replace the line at {place}")))
        }
        ConnectFailed::HostKeyRevoked { .. } | ConnectFailed::HostKeys(_) => ("host-key", None),
        ConnectFailed::Login(_) | ConnectFailed::Credential(_) => ("login", None),
        ConnectFailed::Unreached(Unreached::Blocked { .. }) => ("address", None),
        _ => return None,
    })
}

//! Accepting a version that was held: `fleetgate approve ID` shows what is different and records the operator's
//! answer in the lock, from where the running host takes it.

use std::path::PathBuf;
use std::sync::{Arc, Weak};

use jiff::Timestamp;

use super::bind::{Surface, Workshop};
use super::differences::Differences;
use super::host::{HostOptions, StartFailed, open};
use super::load::{self, Candidate};
use super::lock::{Approved, Lock, LockFailed};
use super::reload::Reload;
use super::{Problem, Version};
use crate::capability::Capabilities;
use crate::diagnostic::did_you_mean;
use crate::sandbox::Sandbox;
use crate::settings::Binding;

/// What approving a plugin would accept. It holds for the file that was looked at and for no other.
#[derive(Debug)]
pub struct Approval {
    /// The plugin.
    pub id: String,
    /// What is approved now. None: nothing so far.
    pub from: Option<Approved>,
    /// What lies in the drop directory.
    pub to: Arc<Version>,
    /// What it asks for beyond, one sentence each.
    pub widening: Vec<String>,
    /// How what it shows differs for a model. None: see `not_compared`.
    pub differences: Option<Differences>,
    /// Why that could not be compared.
    pub not_compared: Option<String>,
    candidate: Arc<Candidate>,
    lock: PathBuf,
}

/// A plugin that cannot be approved or enabled.
#[derive(Debug, thiserror::Error)]
pub enum ApprovalFailed {
    /// The settings, the lock or the cache cannot be used.
    #[error(transparent)]
    Start(#[from] StartFailed),
    /// There is no such file.
    #[error("there is no {id}.wasm in {}", .directory.display())]
    NoFile {
        /// The plugin.
        id: String,
        /// The drop directory.
        directory: PathBuf,
        /// Which one may have been meant. Empty: none is alike.
        suggestion: String,
    },
    /// The file is no plugin that can be served.
    #[error("{id} cannot be served: {why}")]
    Broken {
        /// The plugin.
        id: String,
        /// Why.
        why: Arc<Problem>,
    },
    /// It has no table.
    #[error("{0} has no table in fleetgate.toml: run `fleetgate enable {0}`")]
    NotEnabled(String),
    /// It has one already.
    #[error("{0} has a table in fleetgate.toml already")]
    AlreadyEnabled(String),
    /// Exactly this file is approved.
    #[error("{id} {version} is approved already")]
    AlreadyApproved {
        /// The plugin.
        id: String,
        /// Its version.
        version: String,
    },
    /// The file is another one than was shown.
    #[error("{0} was replaced meanwhile: look at the difference again")]
    Replaced(String),
    /// The lock cannot be written.
    #[error(transparent)]
    Lock(#[from] LockFailed),
    /// `fleetgate.toml` cannot be written.
    #[error("{} cannot be written: {reason}; add this yourself:\n\n{table}", .path.display())]
    Settings {
        /// Which.
        path: PathBuf,
        /// What is wrong.
        reason: String,
        /// What to add.
        table: String,
    },
}

/// What is known of a plugin's file, for approving or enabling it.
pub(super) struct Seen {
    pub(super) reload: Reload,
    pub(super) candidate: Arc<Candidate>,
}

pub(super) async fn see(
    options: HostOptions,
    id: &str,
    sandbox: Option<Arc<Sandbox>>,
    capabilities: Capabilities,
) -> Result<Seen, ApprovalFailed> {
    let options = HostOptions { only_plugin: None, ..options };
    let mut reload = open(options, sandbox, capabilities, false, Weak::new()).await?;
    reload.look().await;
    let broken = |why: &Arc<Problem>| ApprovalFailed::Broken { id: id.to_owned(), why: why.clone() };
    if let Some(refused) = reload.directory_refused() {
        return Err(broken(refused));
    }
    match reload.candidate(id) {
        Some(Ok(candidate)) => Ok(Seen { reload, candidate }),
        Some(Err(why)) => Err(broken(&why)),
        None => {
            let directory = reload.settings.serve.plugins.clone();
            let suggestion = did_you_mean(id, reload.ids());
            Err(ApprovalFailed::NoFile { id: id.to_owned(), directory, suggestion })
        }
    }
}

impl Approval {
    /// Compares what lies in the drop directory with what is approved. What they show is compared by running both
    /// versions in probes, which takes a sandbox and compiles what is not compiled yet.
    pub async fn of(
        id: &str,
        options: HostOptions,
        sandbox: Option<Arc<Sandbox>>,
        capabilities: Capabilities,
    ) -> Result<Self, ApprovalFailed> {
        let lock = Lock::path_beside(&options.settings);
        let Seen { reload, candidate } = see(options, id, sandbox, capabilities.clone()).await?;
        let binding = reload.settings.bindings.values().find(|binding| binding.plugin == id).cloned();
        let Some(binding) = binding else { return Err(ApprovalFailed::NotEnabled(id.to_owned())) };
        let to = candidate.version.clone();
        let from = reload.approved(id).cloned();
        if from.as_ref().is_some_and(|from| from.digest == to.digest) {
            let version = to.manifest.plugin.version.clone();
            return Err(ApprovalFailed::AlreadyApproved { id: id.to_owned(), version });
        }
        let widening =
            from.as_ref().map(|from| from.widened_by(&to.manifest, &capabilities)).unwrap_or_default();
        // A version that cannot be served must not take the place of one that can.
        let broken = |why| ApprovalFailed::Broken { id: id.to_owned(), why: Arc::new(why) };
        let new = surface(&reload, &binding, &candidate).await.map_err(broken)?;
        let (differences, not_compared) = match old_surface(&reload, &binding, from.as_ref(), id).await {
            Ok(old) => (Some(Differences::between(&old, &new)), None),
            Err(why) => (None, Some(why)),
        };
        Ok(Self { id: id.to_owned(), from, to, widening, differences, not_compared, candidate, lock })
    }

    /// Records that `by` accepts this version. The host, if it runs, serves it within a second.
    pub fn approve(&self, by: &str) -> Result<(), ApprovalFailed> {
        record(&self.lock, &self.candidate, by)
    }
}

/// Writes an approval into the lock, if the file is still the one that was looked at.
pub(super) fn record(lock: &std::path::Path, candidate: &Candidate, by: &str) -> Result<(), ApprovalFailed> {
    let id = &candidate.id;
    candidate.bytes().map_err(|why| match why {
        Problem::Changing(_) => ApprovalFailed::Replaced(id.clone()),
        why => ApprovalFailed::Broken { id: id.clone(), why: Arc::new(why) },
    })?;
    let Version { digest, manifest, .. } = &*candidate.version;
    let approved = Approved {
        version: manifest.plugin.version.clone(),
        digest: *digest,
        approved_at: Timestamp::now(),
        by: by.to_owned(),
        manifest: manifest.text.clone(),
    };
    Lock::change(lock, |lock| {
        lock.plugins.insert(id.clone(), approved);
    })?;
    Ok(())
}

/// What the approved version shows, from the copy that was kept of it. None is approved: nothing.
async fn old_surface(
    reload: &Reload,
    binding: &Arc<Binding>,
    from: Option<&Approved>,
    id: &str,
) -> Result<Surface, String> {
    let Some(running) = &reload.means.running else { return Err("nothing was run".into()) };
    let Some(from) = from else { return Ok(Surface::default()) };
    let copy = running.kept.get(id, &from.digest).ok_or("no copy of the approved version was kept")?;
    let old = Candidate::kept(&copy, running.kept.clone(), &reload.means.capabilities);
    let old = old.map_err(|why| format!("the approved version: {why}"))?;
    surface(reload, binding, &Arc::new(old)).await.map_err(|why| format!("the approved version: {why}"))
}

async fn surface(
    reload: &Reload,
    binding: &Arc<Binding>,
    candidate: &Arc<Candidate>,
) -> Result<Surface, Problem> {
    let Some(running) = &reload.means.running else { return Ok(Surface::default()) };
    let plugin = load::load(candidate.clone(), running.compiler.clone(), running.sandbox.clone()).await?;
    let workshop: Arc<Workshop> = running.workshop.clone();
    workshop.surface(binding.clone(), plugin, reload.settings.clone()).await
}

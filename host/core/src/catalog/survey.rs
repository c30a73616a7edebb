//! What is found, what is served, and why something is not: for `fleetgate check`, the log and readiness.

use std::path::PathBuf;
use std::sync::Arc;

use super::probe::ProbeFailed;
use super::{LiveBinding, LivePlugin, LockFailed, NameClash};
use crate::artifact::{ArtifactError, Digest};
use crate::diagnostic::Diagnostics;
use crate::manifest::Manifest;
use crate::ownership::FileRefused;
use crate::sandbox::NotRunnable;
use crate::sandbox::compile::CompileFailed;
use crate::settings::{Grants, Settings};

/// Everything that one look found.
#[derive(Debug, Clone)]
pub struct Survey {
    /// What the host runs by. Not always what stands in the file: see `refused`.
    pub settings: Arc<Settings>,
    /// Why `fleetgate.toml` as it is now was not taken. The settings before it hold.
    pub refused: Option<Arc<Diagnostics>>,
    /// What concerns no single plugin: the drop directory, the lock, the watcher.
    pub problems: Vec<Arc<Problem>>,
    /// Sorted by id.
    pub plugins: Vec<Found>,
    /// Of the catalog that this led to.
    pub revision: u64,
}

/// One plugin: a file, a table in `fleetgate.toml`, or both.
#[derive(Debug, Clone)]
pub struct Found {
    /// Its id.
    pub id: String,
    /// Its file. None: there is none.
    pub path: Option<PathBuf>,
    /// What the file is. None: it could not be read so far.
    pub version: Option<Arc<Version>>,
    /// What serves now, which is an older version if the file is held or broken.
    pub serving: Option<Arc<LivePlugin>>,
    /// How it stands with the file.
    pub state: PluginState,
    /// Its bindings, sorted by name. None for a plugin that is not served.
    pub bindings: Vec<FoundBinding>,
}

/// One version of a plugin.
#[derive(Debug)]
pub struct Version {
    /// Of its file.
    pub digest: Digest,
    /// Of its code, without the manifest.
    pub code_digest: Digest,
    /// What its author says.
    pub manifest: Manifest,
}

/// How it stands with a plugin's file.
#[derive(Debug, Clone)]
pub enum PluginState {
    /// It has no table in `fleetgate.toml`: not served until `fleetgate enable ID`.
    Found,
    /// It is being compiled or probed. An older version serves meanwhile, if there is one.
    Loading,
    /// It is served. In a survey that does not compile: it would be, as far as can be told.
    Live,
    /// It asks for more than was approved: not served until `fleetgate approve ID`. The old version serves on. Where
    /// the environment grants in place of a table: more than the first version that this process saw, and not served
    /// until it is started again.
    Held {
        /// What it asks for beyond, one sentence each.
        widening: Vec<String>,
    },
    /// It cannot be served. The old version serves on, if there is one.
    Broken {
        /// Why.
        why: Arc<Problem>,
    },
    /// There is a table and no file.
    Missing,
}

/// One `[plugins.<name>]` table, or a plugin that is served without one.
#[derive(Debug, Clone)]
pub struct FoundBinding {
    /// Its name.
    pub name: String,
    /// How it stands.
    pub state: BindingState,
    /// What it grants and sets, read against the newest manifest that fits. None: it could not be read so far.
    pub grants: Option<Arc<Grants>>,
    /// What takes calls now. It stays the one from before where something newer failed.
    pub live: Option<Arc<LiveBinding>>,
}

/// How it stands with a binding.
#[derive(Debug, Clone)]
pub enum BindingState {
    /// It takes calls. In a survey that does not compile: it would, as far as can be told.
    Live,
    /// It is being made.
    Loading,
    /// Its plugin cannot be served: see there.
    NoPlugin,
    /// It cannot be served as it stands now.
    Broken {
        /// Why.
        why: Arc<Problem>,
    },
}

/// Why something is not served.
#[derive(Debug, thiserror::Error)]
pub enum Problem {
    /// The file is not a plugin, or may not be trusted.
    #[error("{error} ({help})", error = .0, help = .0.help())]
    File(#[from] ArtifactError),
    /// It is still being written.
    #[error("{} is being written; it is read when it stays as it is", .0.display())]
    Changing(PathBuf),
    /// Its name is not a plugin's.
    #[error("{} is not named after a plugin: name it <id>.wasm, where the id has the form [a-z][a-z0-9-]*", .0.display())]
    Misnamed(PathBuf),
    /// Its manifest is not valid.
    #[error("its manifest is not valid: {0}")]
    Manifest(Diagnostics),
    /// It could not be compiled.
    #[error("{0}")]
    Compile(#[from] CompileFailed),
    /// It needs something that this host does not have.
    #[error("{0}")]
    Import(#[from] NotRunnable),
    /// Its table in `fleetgate.toml` does not fit it, or a credential cannot be had.
    #[error("{0}")]
    Grants(Diagnostics),
    /// `pin` names another file.
    #[error(
        "[plugins.{binding}] is pinned to {pinned}, and the file is {found}: put the pinned file there, or change pin"
    )]
    Pinned {
        /// Whose pin.
        binding: String,
        /// What it allows.
        pinned: Digest,
        /// What is there.
        found: Digest,
    },
    /// What it lists is not what its manifest says.
    #[error("its probe failed: {0}")]
    Probe(#[from] ProbeFailed),
    /// Its tools' names clash with another's.
    #[error("{0}")]
    Clash(#[from] NameClash),
    /// That it is served could not be written down, so a later version could not be compared with it.
    #[error("it is not served, since that cannot be recorded: {0}; run `fleetgate approve {id}` as a user who may write there", id = .1)]
    Unrecorded(Arc<LockFailed>, String),
    /// The lock cannot be read. What was approved before holds.
    #[error("{0}")]
    Lock(Arc<LockFailed>),
    /// The drop directory cannot be used. What was found before holds.
    #[error("the drop directory is not looked at: {refused} ({help})", refused = .0, help = .0.help())]
    Directory(FileRefused),
    /// Changes are looked for at intervals only.
    #[error("changes of files are not reported here ({0}): they are looked for every second")]
    Watcher(String),
    /// The state directory was changed in `fleetgate.toml`.
    #[error("[serve] state is another directory now: restart the host to use it")]
    StateMoved,
    /// The host's own code failed.
    #[error("the host failed while loading it: {0}")]
    Host(String),
}

impl Problem {
    /// What is wrong with a file that somebody wrote, with spans.
    pub fn diagnostics(&self) -> Option<&Diagnostics> {
        match self {
            Self::Manifest(problems) | Self::Grants(problems) => Some(problems),
            _ => None,
        }
    }
}

impl Survey {
    /// Before the first look.
    pub(super) fn nothing(settings: Settings) -> Self {
        let settings = Arc::new(settings);
        Self { settings, refused: None, problems: Vec::new(), plugins: Vec::new(), revision: 0 }
    }

    /// Whether everything that was asked for is served, and nothing is wrong.
    pub fn is_fine(&self) -> bool {
        let plugin = |found: &Found| match found.state {
            PluginState::Found | PluginState::Live | PluginState::Loading => {
                found.bindings.iter().all(|binding| !matches!(binding.state, BindingState::Broken { .. }))
            }
            PluginState::Held { .. } | PluginState::Broken { .. } | PluginState::Missing => false,
        };
        self.refused.is_none() && self.problems.is_empty() && self.plugins.iter().all(plugin)
    }

    /// One plugin.
    pub fn plugin(&self, id: &str) -> Option<&Found> {
        self.plugins.iter().find(|found| found.id == id)
    }

    /// One binding.
    pub fn binding(&self, name: &str) -> Option<&FoundBinding> {
        self.plugins.iter().flat_map(|found| &found.bindings).find(|binding| binding.name == name)
    }
}

//! The look: what has changed on disk.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use tokio::time::Instant;

use super::super::drop_directory::{self, Listing, Stamp};
use super::super::inputs::Inputs;
use super::super::load::Candidate;
use super::super::{Lock, Problem};
use super::{CHANGING, File, Reload};
use crate::settings;

/// Files that are read at the same time, for each core.
const READS_PER_CORE: usize = 2;
/// A file that looks truncated and was written longer ago is not looked at again by itself.
const MAY_STILL_GROW: Duration = Duration::from_secs(2);

impl Reload {
    /// Reads what has changed.
    pub(in super::super) async fn look(&mut self) {
        self.again = None;
        self.look_at_settings().await;
        self.look_at_lock().await;
        self.look_at_directory().await;
    }

    async fn look_at_settings(&mut self) {
        let path = self.means.settings_path.clone();
        let stamp = Stamp::of(&path);
        if stamp.is_some() && stamp == self.settings_stamp {
            self.inputs.values_mut().for_each(Inputs::look_again);
            return;
        }
        let loaded = tokio::task::spawn_blocking(move || settings::load(&path)).await;
        match loaded {
            Ok(Ok(settings)) => {
                if self.refused.take().is_some() {
                    tracing::info!("fleetgate.toml is valid again");
                }
                self.settings_stamp = stamp;
                self.inputs = Inputs::of_all(&settings);
                self.settings = Arc::new(settings);
            }
            Ok(Err(problems)) => {
                let problems = Arc::new(problems);
                if self.refused.as_ref() != Some(&problems) {
                    tracing::error!(%problems, "fleetgate.toml is not valid: what it said before still holds");
                }
                self.refused = Some(problems);
            }
            Err(panic) => tracing::error!(%panic, "fleetgate.toml could not be read"),
        }
    }

    async fn look_at_lock(&mut self) {
        let path = Lock::path_beside(&self.means.settings_path);
        let stamp = Stamp::of(&path);
        if stamp == self.lock_stamp {
            return;
        }
        match tokio::task::spawn_blocking(move || Lock::read(&path)).await {
            Ok(Ok(lock)) => {
                self.lock = lock;
                self.lock_stamp = stamp;
                self.problems.lock = None;
                // What could not be recorded may stand there now.
                for slot in self.bindings.values_mut() {
                    slot.failed.retain(|(.., why)| !matches!(**why, Problem::Unrecorded(..)));
                }
            }
            Ok(Err(failed)) => {
                tracing::error!(%failed, "the lock is not taken: what it said before still holds");
                self.problems.lock = Some(Arc::new(Problem::Lock(Arc::new(failed))));
            }
            Err(panic) => tracing::error!(%panic, "the lock could not be read"),
        }
    }

    async fn look_at_directory(&mut self) {
        let directory = self.settings.serve.plugins.clone();
        let listed = tokio::task::spawn_blocking(move || drop_directory::list(&directory)).await;
        let Listing { mut entries, misnamed } = match listed {
            Ok(Ok(listing)) => listing,
            Ok(Err(refused)) => {
                tracing::error!(%refused, "the drop directory is not used: what was found before is kept");
                self.problems.directory = Some(Arc::new(Problem::Directory(refused)));
                return;
            }
            Err(panic) => return tracing::error!(%panic, "the drop directory could not be read"),
        };
        self.problems.directory = None;
        self.problems.misnamed = misnamed.into_iter().map(|path| Arc::new(Problem::Misnamed(path))).collect();
        if let Some(id) = self.only_id() {
            entries.retain(|other, _| *other == id);
            self.problems.misnamed.clear();
        }

        self.files.retain(|id, _| entries.contains_key(id));
        let changed = entries.into_iter().filter(|(id, entry)| {
            entry.changing || self.files.get(id).is_none_or(|file| file.stamp != Some(entry.stamp))
        });
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let reads: Vec<_> = futures_util::stream::iter(changed)
            .map(|(id, entry)| {
                let capabilities = self.means.capabilities.clone();
                async move {
                    let (path, changing) = (entry.path.clone(), entry.changing);
                    let read = tokio::task::spawn_blocking(move || {
                        if changing {
                            Err(Problem::Changing(path))
                        } else {
                            Candidate::read(&path, &capabilities)
                        }
                    });
                    let read = read.await.unwrap_or_else(|panic| Err(Problem::Host(panic.to_string())));
                    (id, entry, read)
                }
            })
            .buffer_unordered(cores * READS_PER_CORE)
            .collect()
            .await;
        for (id, entry, read) in reads {
            let mut stamp = Some(entry.stamp);
            if read.as_ref().is_err_and(|problem| may_pass(problem, &entry.stamp)) {
                // Without a stamp it is read again whatever it looks like then.
                stamp = None;
                self.again = Some(Instant::now() + CHANGING);
            }
            let read = read.map(Arc::new).map_err(Arc::new);
            let first = self.first.as_ref().is_none_or(|first| first.manifest.plugin.id != id);
            if let (Some(_), true, Ok(candidate)) = (&self.means.only, first, &read) {
                self.first = Some(candidate.version.clone());
            }
            self.files.insert(id, File { path: entry.path, stamp, read });
        }
    }

    /// The files and directories on which all this depends.
    pub(in super::super) fn watched(&self) -> BTreeSet<PathBuf> {
        let settings = &self.means.settings_path;
        let mut watched = BTreeSet::from([self.settings.serve.plugins.clone()]);
        let files =
            self.inputs.values().flat_map(|inputs| inputs.files()).chain(self.settings.secrets.files());
        for file in files.chain([settings.as_path()]) {
            watched.extend(file.parent().map(PathBuf::from));
            // Where the path is a link, its target may be what changes.
            if let Ok(target) = file.canonicalize() {
                watched.extend(target.parent().map(PathBuf::from));
            }
        }
        watched
    }
}

/// Whether another look may go better.
fn may_pass(problem: &Problem, stamp: &Stamp) -> bool {
    match problem {
        Problem::Changing(_) => true,
        Problem::File(error) => error.is_passing() && stamp.is_fresher_than(MAY_STILL_GROW),
        _ => false,
    }
}

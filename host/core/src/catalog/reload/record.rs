//! What is served is written down: in the lock, so that a later version can be compared with it, and as a copy, so
//! that it can be served again after a restart.

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::sync::Arc;

use jiff::Timestamp;

use super::super::drop_directory::Stamp;
use super::super::load::Candidate;
use super::super::lock::{Approved, Lock, LockFailed};
use super::super::{LivePlugin, Problem};
use super::Reload;
use super::plan::Wanted;
use crate::artifact::Digest;

impl Reload {
    /// Writes into the lock what is about to be served: what is new to it, and versions that ask for no more. The
    /// plugins whose first version could not be recorded must not be served, since what comes next could not be
    /// compared with it.
    pub(super) async fn record(
        &mut self,
        wanted: &BTreeMap<String, Wanted>,
        ready: &[String],
    ) -> HashMap<String, Arc<Problem>> {
        if !self.means.running.as_ref().is_some_and(|running| running.writes) {
            return HashMap::new();
        }
        let mut records = BTreeMap::new();
        let mut keep = Vec::new();
        for name in ready {
            let Some(Wanted { listed: true, .. }) = wanted.get(name) else { continue };
            let Some((made, _)) = self.bindings.get(name).and_then(|slot| slot.ready.as_ref()) else {
                continue;
            };
            let plugin = made.live.plugin.clone();
            let id = plugin.manifest.plugin.id.clone();
            let before = self.lock.plugins.get(&id);
            if before.is_none_or(|before| before.digest != plugin.digest) && self.is_file(&id, plugin.digest)
            {
                records.insert(id.clone(), plugin.clone());
            }
            keep.push((id, plugin.digest));
        }
        let mut failed = HashMap::new();
        if !records.is_empty() {
            let path = Lock::path_beside(&self.means.settings_path);
            let ids: Vec<_> = records.keys().cloned().collect();
            let (at, known) = (path.clone(), self.lock.clone());
            // Another process may hold the lock for a while, and the disk may be slow.
            let changed =
                tokio::task::spawn_blocking(move || Lock::change(&at, |lock| lock.take(&records, &known)));
            let changed = changed.await.unwrap_or_else(|panic| {
                Err(LockFailed::Unwritable { path: path.clone(), reason: io::Error::other(panic) })
            });
            match changed {
                Ok(lock) => {
                    self.lock = lock;
                    self.lock_stamp = Stamp::of(&path);
                }
                Err(error) => {
                    tracing::error!(%error, "what is served could not be recorded");
                    let error = Arc::new(error);
                    for id in ids.into_iter().filter(|id| !self.lock.plugins.contains_key(id)) {
                        let problem = Problem::Unrecorded(error.clone(), id.clone());
                        failed.insert(id, Arc::new(problem));
                    }
                }
            }
        }
        self.keep_copies(keep);
        failed
    }

    fn is_file(&self, id: &str, digest: Digest) -> bool {
        self.files
            .get(id)
            .and_then(|file| file.read.as_ref().ok())
            .is_some_and(|file| file.version.digest == digest)
    }

    /// Copies what was recorded into the state directory, in the background: it matters after a restart.
    fn keep_copies(&self, served: Vec<(String, Digest)>) {
        let Some(running) = &self.means.running else { return };
        let approved = |id: &String, digest: &Digest| {
            self.lock.plugins.get(id).is_some_and(|approved| approved.digest == *digest)
        };
        let missing: Vec<Arc<Candidate>> = served
            .into_iter()
            .filter(|(id, digest)| approved(id, digest) && running.kept.wants(id, digest))
            .filter_map(|(id, digest)| {
                let candidate = self.files.get(&id)?.read.as_ref().ok()?;
                (candidate.version.digest == digest).then(|| candidate.clone())
            })
            .collect();
        if missing.is_empty() {
            return;
        }
        let kept = running.kept.clone();
        tokio::task::spawn_blocking(move || {
            for candidate in missing {
                let copied = candidate.bytes().map_err(|problem| problem.to_string());
                let copied = copied.and_then(|file| kept.put(&file).map_err(|error| error.to_string()));
                if let Err(error) = copied {
                    tracing::warn!(plugin = candidate.id, error, "no copy of the approved version was kept");
                }
            }
        });
    }
}

impl Lock {
    /// Takes in what is served now. `known` is what the decision was made by: an entry that somebody else has
    /// changed since then is left as it is.
    fn take(&mut self, records: &BTreeMap<String, Arc<LivePlugin>>, known: &Lock) {
        for (id, plugin) in records {
            if self.plugins.get(id) != known.plugins.get(id) {
                continue;
            }
            let about = &plugin.manifest.plugin;
            let before = self.plugins.get(id);
            let approved = Approved {
                version: about.version.clone(),
                digest: plugin.digest,
                approved_at: before.map_or_else(Timestamp::now, |before| before.approved_at),
                by: before
                    .map_or_else(|| "its table in fleetgate.toml".to_owned(), |before| before.by.clone()),
                manifest: plugin.manifest.text.clone(),
            };
            self.plugins.insert(id.clone(), approved);
        }
    }
}

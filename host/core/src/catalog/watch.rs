//! When to look again: the operating system says that something happened in a directory on which the catalog
//! depends.
//!
//! What happened is not asked for: a look is cheap and finds it. So the plain watcher is enough, and the waiting
//! until a burst of events is over is the host's (see [`super::host`]). Where changes are not reported (too few
//! watches, some network file systems), looking at intervals finds them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use notify::event::{AccessKind, AccessMode, MetadataKind, ModifyKind};
use notify::{EventKind, RecommendedWatcher, RecursiveMode, Watcher};
use tokio::sync::Notify;

/// Without a watcher.
const POLL: Duration = Duration::from_secs(1);
/// While a directory is not there.
const POLL_MISSING: Duration = Duration::from_secs(2);
/// With a watcher, since it may miss something.
const POLL_ANYWAY: Duration = Duration::from_secs(30);

/// Watches directories.
pub(super) struct Watch {
    watcher: Option<RecommendedWatcher>,
    /// Each with its device and inode: another directory of that name has to be watched anew.
    watched: BTreeMap<PathBuf, (u64, u64)>,
    missing: bool,
    heard: Arc<Notify>,
    problem: Option<String>,
}

impl Watch {
    /// Watches nothing yet.
    pub(super) fn new() -> Self {
        let heard = Arc::new(Notify::new());
        let tell = heard.clone();
        let watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
            // An error means that events may have been lost: a reason to look.
            if event.map_or(true, |event| may_matter(event.kind)) {
                tell.notify_one();
            }
        });
        let (watcher, problem) = match watcher {
            Ok(watcher) => (Some(watcher), None),
            Err(error) => (None, Some(error.to_string())),
        };
        Self { watcher, watched: BTreeMap::new(), missing: false, heard, problem }
    }

    /// Watches these directories and no others. True: one is watched only now, so it has to be looked at once more.
    pub(super) fn follow(&mut self, wanted: &BTreeSet<PathBuf>) -> bool {
        let Some(watcher) = &mut self.watcher else { return false };
        let now: BTreeMap<PathBuf, (u64, u64)> =
            wanted.iter().filter_map(|path| Some((path.clone(), identity(path)?))).collect();
        self.missing = now.len() < wanted.len();
        for (path, before) in &self.watched {
            if now.get(path) != Some(before) {
                // A directory that is gone took its watch along.
                let _ = watcher.unwatch(path);
            }
        }
        self.problem = None;
        let mut followed = BTreeMap::new();
        let mut news = false;
        for (path, identity) in now {
            if self.watched.get(&path) != Some(&identity) {
                if let Err(error) = watcher.watch(&path, RecursiveMode::NonRecursive) {
                    self.problem = Some(format!("{}: {error}", path.display()));
                    continue;
                }
                news = true;
            }
            followed.insert(path, identity);
        }
        self.watched = followed;
        news
    }

    /// Waits until something happened.
    pub(super) async fn heard(&self) {
        self.heard.notified().await;
    }

    /// Why changes are not reported.
    pub(super) fn problem(&self) -> Option<&str> {
        self.problem.as_deref()
    }

    /// How often to look although nothing was heard.
    pub(super) fn interval(&self) -> Duration {
        match (&self.problem, self.missing) {
            (Some(_), _) => POLL,
            (None, true) => POLL_MISSING,
            (None, false) => POLL_ANYWAY,
        }
    }
}

fn identity(directory: &Path) -> Option<(u64, u64)> {
    let meta = fs::metadata(directory).ok()?;
    Some((meta.dev(), meta.ino()))
}

/// Reading is an event too, and the host reads: looking because of that would never end.
fn may_matter(kind: EventKind) -> bool {
    match kind {
        EventKind::Access(AccessKind::Close(AccessMode::Write)) => true,
        EventKind::Access(_) => false,
        EventKind::Modify(ModifyKind::Metadata(MetadataKind::AccessTime)) => false,
        _ => true,
    }
}

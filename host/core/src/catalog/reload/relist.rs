//! Lists that running guests say are others now (`call.tools-changed` and its like): they are taken again, and clients
//! are told.
//!
//! A guest may say it in every call, so it costs one look a second of each binding at most, and never two at a time.
//! Nobody waits for these looks: a host is settled without them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::super::bind::Made;
use super::super::{Change, LiveBinding, Problem};
use super::names::{Names, changed_between};
use super::{Done, Reload, guarded};
use crate::sandbox::{Lists, ListsChanged};

/// The pause between two looks at the lists of one binding.
const PAUSE: Duration = Duration::from_secs(1);

/// What is known of one binding.
#[derive(Default)]
pub(super) struct Relist {
    /// What its guests said since the last look began.
    said: Lists,
    looking: bool,
    not_before: Option<Instant>,
    /// Taken, and waiting to be adopted.
    taken: Option<(Arc<LiveBinding>, Made)>,
}

impl Reload {
    /// Where running guests say it.
    pub(in super::super) fn lists(&self) -> Option<Arc<ListsChanged>> {
        self.means.running.as_ref().map(|running| running.workshop.lists.clone())
    }

    /// Starts the looks that are due. Gives back when the next one is.
    pub(in super::super) fn relist(&mut self) -> Option<Instant> {
        let running = self.means.running.as_ref()?;
        for (name, lists) in running.workshop.lists.take() {
            if self.bindings.get(&*name).is_some_and(|slot| slot.live.is_some()) {
                let relist = self.relists.entry(name.to_string()).or_default();
                relist.said = relist.said.and(lists);
            }
        }
        let mut next = None;
        let now = Instant::now();
        for (name, relist) in &mut self.relists {
            if relist.looking || relist.said == Lists::default() {
                continue;
            }
            if let Some(at) = relist.not_before.filter(|at| *at > now) {
                next = Some(next.map_or(at, |next: Instant| next.min(at)));
                continue;
            }
            let Some((made, _)) = self.bindings.get(name).and_then(|slot| slot.live.as_ref()) else {
                relist.said = Lists::default();
                continue;
            };
            relist.looking = true;
            let said = std::mem::take(&mut relist.said);
            let (name, of) = (name.clone(), made.live.clone());
            let work = guarded(running.workshop.clone().relist(made.clone(), self.settings.clone()));
            self.relisting.spawn(async move { Done::Lists { name, of, said, result: work.await } });
        }
        next
    }

    pub(super) fn relisted(
        &mut self,
        name: String,
        of: Arc<LiveBinding>,
        said: Lists,
        result: Result<Made, Arc<Problem>>,
    ) {
        let Some(relist) = self.relists.get_mut(&name) else { return };
        relist.looking = false;
        relist.not_before = Some(Instant::now() + PAUSE);
        let live = self.bindings.get(&name).and_then(|slot| slot.live.as_ref());
        // Another version has come meanwhile, and its lists with it.
        if !live.is_some_and(|(made, _)| Arc::ptr_eq(&made.live, &of)) {
            return;
        }
        match result {
            Ok(made) => {
                for (said, told) in [
                    (said.tools, &mut self.told.tools),
                    (said.prompts, &mut self.told.prompts),
                    (said.resources, &mut self.told.resources),
                ] {
                    if said && !told.contains(&of.name) {
                        told.push(of.name.clone());
                    }
                }
                relist.taken = Some((of, made));
            }
            Err(why) => tracing::warn!(
                binding = name,
                "it says that its lists are others, and what it lists now is not taken: {why}"
            ),
        }
    }

    /// Makes live what was taken, unless its names clash with another's.
    pub(super) fn adopt_lists(&mut self) {
        self.relists.retain(|name, _| self.bindings.contains_key(name));
        let taken: Vec<_> = self
            .relists
            .iter_mut()
            .filter_map(|(name, relist)| Some((name.clone(), relist.taken.take()?)))
            .collect();
        for (name, (of, new)) in taken {
            let mut names = Names::default();
            for (other, slot) in &self.bindings {
                if let Some((made, _)) = slot.live.as_ref().filter(|_| *other != name) {
                    let _ = names.add(&made.live);
                }
            }
            let live = self.bindings.get_mut(&name).and_then(|slot| slot.live.as_mut());
            let Some((made, _)) = live.filter(|(made, _)| Arc::ptr_eq(&made.live, &of)) else { continue };
            if !changed_between(&of, &new.live) {
                continue;
            }
            match names.add(&new.live) {
                Ok(()) => *made = new,
                Err(clash) => tracing::error!(binding = name, "its new lists are not taken: {clash}"),
            }
        }
    }

    /// Adds what guests said to what is different in the catalog.
    pub(super) fn told(&mut self, change: Change) -> Change {
        let said = std::mem::take(&mut self.told);
        let all = |mut one: Vec<Arc<str>>, other: Vec<Arc<str>>| {
            one.extend(other);
            one.sort();
            one.dedup();
            one
        };
        Change {
            revision: change.revision,
            tools: all(change.tools, said.tools),
            prompts: all(change.prompts, said.prompts),
            resources: all(change.resources, said.resources),
        }
    }
}

/// By binding.
pub(super) type Relists = BTreeMap<String, Relist>;

//! The plan: from what is known to what should be live.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use super::super::bind::{Made, check_pin};
use super::super::inputs::Inputs;
use super::super::load::{self, Candidate};
use super::super::{Catalog, Change, LiveBinding, LivePlugin, Problem, environment};
use super::names::{Names, changed};
use super::{Done, Reload, Slot, guarded};
use crate::artifact::Digest;
use crate::diagnostic::Document;
use crate::manifest::{self, Manifest};
use crate::settings::{Binding, LimitsTable, Settings, Unlisted};

/// A catalog, and what clients may see differently in it.
pub(in super::super) struct Next {
    pub(in super::super) catalog: Arc<Catalog>,
    pub(in super::super) change: Change,
}

/// A binding that should be served.
#[derive(Clone)]
pub(super) struct Wanted {
    pub(super) binding: Arc<Binding>,
    /// It has a table in `fleetgate.toml`.
    pub(super) listed: bool,
    /// What it is read by.
    pub(super) settings: Arc<Settings>,
    pub(super) inputs: Arc<Inputs>,
}

/// What may be done with a plugin's file.
pub(super) enum Verdict {
    /// It may be served.
    Allowed(Arc<Candidate>),
    /// It asks for more than was approved.
    Held(Vec<String>),
    /// It cannot be read.
    Broken(Arc<Problem>),
    /// There is none.
    Missing,
}

impl Wanted {
    fn unlisted(binding: Binding, settings: Arc<Settings>) -> Self {
        let inputs = Arc::new(Inputs::of_binding(&binding, &settings));
        Self { binding: Arc::new(binding), listed: false, settings, inputs }
    }
}

impl Reload {
    /// The plugin that this host is for, if it is for one alone.
    pub(super) fn only_id(&self) -> Option<String> {
        let only = self.means.only.as_ref()?;
        Some(self.settings.bindings.get(only).map_or_else(|| only.clone(), |binding| binding.plugin.clone()))
    }

    /// The plugin that this host is for, if no table binds it: its environment grants.
    pub(super) fn only_without_table(&self) -> Option<&String> {
        let bound = |only: &String| {
            self.settings.bindings.iter().any(|(name, binding)| name == only || binding.plugin == *only)
        };
        self.means.only.as_ref().filter(|only| !bound(only))
    }

    /// What the environment is read by: the manifest of the version that may be served. A version that may not be
    /// must not choose the variables of the one that serves on.
    fn served_manifest(&self, only: &str) -> Option<&Manifest> {
        if let (Verdict::Allowed(_), Some(file)) = (self.verdict(only, false), self.files.get(only)) {
            return file.read.as_ref().ok().map(|candidate| &candidate.version.manifest);
        }
        self.files.get(only)?;
        let first = &self.first.as_ref()?.manifest;
        let live = self.bindings.get(only).and_then(|slot| slot.live.as_ref());
        let live = live.map(|(made, _)| &made.live.plugin.manifest);
        live.filter(|live| manifest::widening(first, live).is_empty()).or(Some(first))
    }

    /// The bindings that should be served, by name.
    pub(super) fn wanted(&self) -> BTreeMap<String, Wanted> {
        let mut wanted = BTreeMap::new();
        for (name, binding) in &self.settings.bindings {
            let chosen = match &self.means.only {
                None => true,
                Some(only) if self.settings.bindings.contains_key(only) => name == only,
                Some(only) => binding.plugin == *only,
            };
            if chosen {
                let settings = self.settings.clone();
                let inputs = self.inputs.get(name).cloned();
                let inputs = inputs.unwrap_or_else(|| Arc::new(Inputs::of_binding(binding, &settings)));
                wanted.insert(
                    name.clone(),
                    Wanted { binding: binding.clone(), listed: true, settings, inputs },
                );
            }
        }
        match &self.means.only {
            Some(only) if wanted.is_empty() => {
                let (binding, settings) = match self.served_manifest(only) {
                    Some(manifest) => {
                        let (binding, settings) =
                            environment::binding(manifest, &self.settings, &self.means.environment);
                        (binding, Arc::new(settings))
                    }
                    None => (self.without_table(only), self.settings.clone()),
                };
                wanted.insert(only.clone(), Wanted::unlisted(binding, settings));
            }
            None if self.settings.serve.unlisted == Unlisted::Serve => {
                let listed: HashSet<&String> =
                    self.settings.bindings.values().map(|binding| &binding.plugin).collect();
                for id in self.files.keys().filter(|id| !listed.contains(id)) {
                    // A binding of another plugin may have taken the name.
                    let settings = self.settings.clone();
                    let unlisted = || Wanted::unlisted(self.without_table(id), settings);
                    wanted.entry(id.clone()).or_insert_with(unlisted);
                }
            }
            _ => {}
        }
        wanted
    }

    /// A binding that grants nothing.
    fn without_table(&self, id: &str) -> Binding {
        Binding {
            name: id.to_owned(),
            plugin: id.to_owned(),
            label: None,
            pin: None,
            limits: LimitsTable::default(),
            document: Arc::new(Document::new("no table", "")),
        }
    }

    /// Whether a plugin's file may be served. `listed`: some table binds it, and the lock says what was approved.
    /// Without a table the environment grants, to the plugin that this host is for: what came first is accepted.
    /// Any other plugin without a table is granted nothing, so there is nothing to approve.
    pub(super) fn verdict(&self, id: &str, listed: bool) -> Verdict {
        let Some(file) = self.files.get(id) else { return Verdict::Missing };
        let candidate = match &file.read {
            Ok(candidate) => candidate,
            Err(why) => return Verdict::Broken(why.clone()),
        };
        let new = &candidate.version;
        let widening = if listed {
            let approved = self.lock.plugins.get(id).filter(|approved| approved.digest != new.digest);
            approved.map(|approved| approved.widened_by(&new.manifest, &self.means.capabilities))
        } else {
            let first = self.first.as_ref().filter(|first| first.digest != new.digest);
            first.map(|first| manifest::widening(&first.manifest, &new.manifest))
        };
        match widening {
            Some(widening) if !widening.is_empty() => Verdict::Held(widening),
            _ => Verdict::Allowed(candidate.clone()),
        }
    }

    /// Decides, adopts and starts. Gives back a catalog if it is another one now.
    pub(in super::super) async fn plan(&mut self) -> Option<Next> {
        let wanted = self.wanted();
        let mut by_plugin: BTreeMap<&str, Vec<(&String, &Wanted)>> = BTreeMap::new();
        for (name, wanted) in &wanted {
            by_plugin.entry(&wanted.binding.plugin).or_default().push((name, wanted));
        }
        self.drop_unwanted(&wanted, &by_plugin);
        let mut ready = Vec::new();
        for (id, bindings) in &by_plugin {
            let usable = self.versions(id, bindings).await;
            for (name, wanted) in bindings {
                if self.settle_binding(name, wanted, &usable) {
                    ready.push((*name).clone());
                }
            }
        }
        ready.sort();
        self.adopt(&wanted, ready).await;
        self.adopt_lists();
        self.publish()
    }

    /// Stops what nobody wants any more: no table, no file, or a pin that names another file.
    fn drop_unwanted(
        &mut self,
        wanted: &BTreeMap<String, Wanted>,
        by_plugin: &BTreeMap<&str, Vec<(&String, &Wanted)>>,
    ) {
        let files = &self.files;
        self.bindings.retain(|name, slot| {
            let keep = wanted.get(name).is_some_and(|wanted| files.contains_key(&wanted.binding.plugin));
            if !keep {
                slot.making.take().inspect(|(.., job)| job.abort());
            }
            keep
        });
        for (name, Wanted { binding, .. }) in wanted {
            if let Some(slot) = self.bindings.get_mut(name) {
                slot.live.take_if(|(made, _)| {
                    made.live.plugin.manifest.plugin.id != binding.plugin
                        || check_pin(binding, made.live.plugin.digest).is_err()
                });
            }
        }
        self.plugins.retain(|id, plugin| {
            let keep = files.contains_key(id) && by_plugin.contains_key(id.as_str());
            if !keep {
                plugin.loading.take().inspect(|(_, job)| job.abort());
            }
            keep
        });
    }

    /// The versions of a plugin that can be bound, best first. Starts loading where that is missing.
    async fn versions(&mut self, id: &str, bindings: &[(&String, &Wanted)]) -> Vec<Arc<LivePlugin>> {
        let listed = bindings.iter().any(|(_, wanted)| wanted.listed);
        let verdict = self.verdict(id, listed);
        let live = self.live_versions(bindings);
        let mut usable = Vec::new();
        let mut chosen = Vec::new();
        if let Verdict::Allowed(candidate) = &verdict {
            chosen.push(candidate.version.digest);
            match self.load(candidate) {
                Some(Ok(plugin)) => {
                    let left_without = self.leaves_one_without(&plugin, bindings);
                    usable.push(plugin);
                    if left_without {
                        usable.extend(self.kept_version(id, listed, &live, &mut chosen).await);
                    }
                }
                // The old version serves while the new one loads.
                None => {}
                Some(Err(())) => usable.extend(self.kept_version(id, listed, &live, &mut chosen).await),
            }
        } else if !matches!(verdict, Verdict::Missing) {
            usable.extend(self.kept_version(id, listed, &live, &mut chosen).await);
        }
        for plugin in live {
            if !usable.iter().any(|known| known.digest == plugin.digest) {
                usable.push(plugin);
            }
        }
        if let Some(plugin) = self.plugins.get_mut(id) {
            plugin.ready.retain(|plugin| usable.iter().any(|known| known.digest == plugin.digest));
            plugin.failed.retain(|(digest, _)| chosen.contains(digest));
            plugin.loading.take_if(|(digest, _)| !chosen.contains(digest)).inspect(|(_, job)| job.abort());
        }
        usable
    }

    /// Whether some binding could not be made of this version and has no other.
    fn leaves_one_without(&self, plugin: &LivePlugin, bindings: &[(&String, &Wanted)]) -> bool {
        bindings.iter().filter_map(|(name, _)| self.bindings.get(*name)).any(|slot| {
            slot.live.is_none() && slot.failed.iter().any(|(failed, ..)| *failed == plugin.digest)
        })
    }

    fn live_versions(&self, bindings: &[(&String, &Wanted)]) -> Vec<Arc<LivePlugin>> {
        let slots = bindings.iter().filter_map(|(name, _)| self.bindings.get(*name));
        let mut versions: Vec<_> =
            slots.filter_map(|slot| Some(slot.live.as_ref()?.0.live.plugin.clone())).collect();
        versions.sort_by_key(|plugin| plugin.digest);
        versions.dedup_by_key(|plugin| plugin.digest);
        versions
    }

    /// A candidate's plugin. None: it is being loaded. `Err`: that failed.
    fn load(&mut self, candidate: &Arc<Candidate>) -> Option<Result<Arc<LivePlugin>, ()>> {
        let digest = candidate.version.digest;
        let plugin = self.plugins.entry(candidate.id.clone()).or_default();
        if let Some(ready) = plugin.ready.iter().find(|plugin| plugin.digest == digest) {
            return Some(Ok(ready.clone()));
        }
        if plugin.failed.iter().any(|(failed, _)| *failed == digest) {
            return Some(Err(()));
        }
        let running = self.means.running.as_ref()?;
        if plugin.loading.as_ref().is_some_and(|(loading, _)| *loading == digest) {
            return None;
        }
        let work = guarded(load::load(candidate.clone(), running.compiler.clone(), running.sandbox.clone()));
        let id = candidate.id.clone();
        let job = self.jobs.spawn(async move { Done::Plugin { id, digest, result: work.await } });
        if let Some((_, other)) = plugin.loading.replace((digest, job)) {
            other.abort();
        }
        None
    }

    /// The approved version from its copy, where no binding has it live: after a restart.
    async fn kept_version(
        &mut self,
        id: &str,
        listed: bool,
        live: &[Arc<LivePlugin>],
        chosen: &mut Vec<Digest>,
    ) -> Option<Arc<LivePlugin>> {
        let running = self.means.running.as_ref()?;
        let digest = self.lock.plugins.get(id).filter(|_| listed)?.digest;
        if live.iter().any(|plugin| plugin.digest == digest) || chosen.contains(&digest) {
            return None;
        }
        let plugin = self.plugins.entry(id.to_owned()).or_default();
        if plugin.kept.as_ref().is_none_or(|(of, _)| *of != digest) {
            let (kept, capabilities, of) =
                (running.kept.clone(), self.means.capabilities.clone(), id.to_owned());
            let read = tokio::task::spawn_blocking(move || {
                let artifact = kept.get(&of, &digest)?;
                Candidate::kept(&artifact, kept, &capabilities).ok().map(Arc::new)
            });
            plugin.kept = Some((digest, read.await.unwrap_or_default()));
        }
        let candidate = plugin.kept.as_ref()?.1.clone()?;
        chosen.push(digest);
        self.load(&candidate)?.ok()
    }

    /// Sees to it that a binding gets the best that is there. True: something new is ready for it.
    fn settle_binding(&mut self, name: &str, wanted: &Wanted, usable: &[Arc<LivePlugin>]) -> bool {
        let Some(running) = &self.means.running else { return false };
        let slot = self.bindings.entry(name.to_owned()).or_default();
        slot.failed.retain(|(digest, inputs, _)| {
            *inputs == wanted.inputs && usable.iter().any(|plugin| plugin.digest == *digest)
        });
        for plugin in usable {
            let is = |made: &Made, inputs: &Arc<Inputs>| {
                made.live.plugin.digest == plugin.digest && *inputs == wanted.inputs
            };
            let stop_making = |slot: &mut Slot| slot.making.take().map(|(.., job)| job.abort());
            if slot.live.as_ref().is_some_and(|(made, inputs)| is(made, inputs)) {
                stop_making(slot);
                slot.ready = None;
                return false;
            }
            if slot.ready.as_ref().is_some_and(|(made, inputs)| is(made, inputs)) {
                stop_making(slot);
                return true;
            }
            if slot.failed.iter().any(|(digest, ..)| *digest == plugin.digest) {
                continue;
            }
            let making = |(digest, inputs, _): &(Digest, Arc<Inputs>, _)| {
                *digest == plugin.digest && *inputs == wanted.inputs
            };
            if slot.making.as_ref().is_some_and(making) {
                return false;
            }
            stop_making(slot);
            let before = slot.live.as_ref().map(|(made, _)| made.clone());
            let work = guarded(running.workshop.clone().make(
                wanted.binding.clone(),
                plugin.clone(),
                wanted.settings.clone(),
                wanted.inputs.clone(),
                wanted.listed,
                before,
            ));
            let (name, digest, inputs) = (name.to_owned(), plugin.digest, wanted.inputs.clone());
            let of = inputs.clone();
            let job =
                self.jobs.spawn(async move { Done::Binding { name, digest, inputs, result: work.await } });
            slot.making = Some((digest, of, job));
            return false;
        }
        slot.ready = None;
        false
    }

    /// Makes what is ready live: recorded in the lock, and without a clash of names.
    async fn adopt(&mut self, wanted: &BTreeMap<String, Wanted>, ready: Vec<String>) {
        if ready.is_empty() {
            return;
        }
        let unrecorded = self.record(wanted, &ready).await;
        let mut taken = Names::default();
        for slot in self.bindings.values() {
            if let Some((made, _)) = &slot.live {
                // What is live did not clash when it came.
                let _ = taken.add(&made.live);
            }
        }
        for name in ready {
            let Some(slot) = self.bindings.get_mut(&name) else { continue };
            let Some((made, inputs)) = slot.ready.take() else { continue };
            let digest = made.live.plugin.digest;
            if let Some(failed) = unrecorded.get(&wanted[&name].binding.plugin) {
                // Tried again when the lock or the file changes, or somebody asks.
                slot.failed.push((digest, inputs, failed.clone()));
                continue;
            }
            let old = slot.live.as_ref().map(|(old, _)| old.live.clone());
            if let Some(old) = &old {
                taken.remove(old);
            }
            match taken.add(&made.live) {
                Ok(()) => slot.live = Some((made, inputs)),
                Err(clash) => {
                    slot.failed.push((digest, inputs, Arc::new(Problem::Clash(clash))));
                    if let Some(old) = &old {
                        let _ = taken.add(old);
                    }
                }
            }
        }
    }

    /// The catalog of what is live, if it is another one than before, or if there is news of it.
    fn publish(&mut self) -> Option<Next> {
        let live: Vec<Arc<LiveBinding>> =
            self.bindings.values().filter_map(|slot| Some(slot.live.as_ref()?.0.live.clone())).collect();
        let same = self.catalog.bindings().count() == live.len()
            && self.catalog.bindings().zip(&live).all(|(before, now)| Arc::ptr_eq(before, now));
        if same {
            let revision = self.catalog.revision;
            let change = self.told(Change { revision, ..Change::default() });
            let quiet = change == Change { revision, ..Change::default() };
            return (!quiet).then(|| Next { catalog: self.catalog.clone(), change });
        }
        let catalog = match Catalog::new(self.catalog.revision + 1, live) {
            Ok(catalog) => Arc::new(catalog),
            // Each was added without a clash.
            Err(clash) => {
                tracing::error!(%clash, "the catalog stays as it is");
                return None;
            }
        };
        let change = self.told(changed(&self.catalog, &catalog));
        self.catalog = catalog.clone();
        Some(Next { catalog, change })
    }
}

//! What is found and served, for people: the survey, and a line in the log for each change.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::super::bind::{check_pin, read_table};
use super::super::survey::{BindingState, Found, FoundBinding, PluginState, Survey};
use super::super::{LivePlugin, Problem};
use super::plan::{Verdict, Wanted};
use super::{Reload, Slot};

impl Reload {
    /// How everything stands. `watcher`: why changes are not reported.
    pub(in super::super) fn survey(&self, watcher: Option<&str>) -> Survey {
        let wanted = self.wanted();
        let mut by_id: BTreeMap<&str, Vec<&Wanted>> = BTreeMap::new();
        for wanted in wanted.values() {
            by_id.entry(&wanted.binding.plugin).or_default().push(wanted);
        }
        let ids: BTreeSet<&str> =
            self.files.keys().map(String::as_str).chain(by_id.keys().copied()).collect();
        let plugins =
            ids.into_iter().map(|id| self.found(id, by_id.get(id).map(Vec::as_slice).unwrap_or_default()));
        let mut problems: Vec<_> =
            [&self.problems.lock, &self.problems.directory].into_iter().flatten().cloned().collect();
        problems.extend(self.problems.misnamed.iter().cloned());
        problems.extend(watcher.map(|why| Arc::new(Problem::Watcher(why.to_owned()))));
        if self.means.running.as_ref().is_some_and(|running| running.state != self.settings.serve.state) {
            problems.push(Arc::new(Problem::StateMoved));
        }
        Survey {
            settings: self.settings.clone(),
            refused: self.refused.clone(),
            problems,
            plugins: plugins.collect(),
            revision: self.catalog.revision,
        }
    }

    fn found(&self, id: &str, wanted: &[&Wanted]) -> Found {
        let listed = wanted.iter().any(|wanted| wanted.listed);
        let verdict = self.verdict(id, listed);
        let file = self.files.get(id);
        let version =
            file.and_then(|file| file.read.as_ref().ok()).map(|candidate| candidate.version.clone());
        let bindings: Vec<FoundBinding> =
            wanted.iter().map(|wanted| self.found_binding(wanted, &verdict)).collect();
        let state = match verdict {
            Verdict::Missing => PluginState::Missing,
            Verdict::Broken(why) => PluginState::Broken { why },
            _ if wanted.is_empty() => PluginState::Found,
            Verdict::Held(widening) => PluginState::Held { widening },
            Verdict::Allowed(candidate) => self.state_of(id, candidate.version.digest, &bindings),
        };
        let serving = bindings.iter().find_map(|binding| Some(binding.live.as_ref()?.plugin.clone()));
        Found {
            id: id.to_owned(),
            path: file.map(|file| file.path.clone()),
            version,
            serving,
            state,
            bindings,
        }
    }

    /// A file that may be served: whether it is.
    fn state_of(&self, id: &str, digest: crate::artifact::Digest, bindings: &[FoundBinding]) -> PluginState {
        if self.means.running.is_none() {
            return PluginState::Live;
        }
        let serves = |plugin: &Arc<LivePlugin>| plugin.digest == digest;
        if bindings.iter().any(|binding| binding.live.as_ref().is_some_and(|live| serves(&live.plugin))) {
            return PluginState::Live;
        }
        let plugin = self.plugins.get(id);
        if let Some((_, why)) =
            plugin.and_then(|plugin| plugin.failed.iter().find(|(failed, _)| *failed == digest))
        {
            return PluginState::Broken { why: why.clone() };
        }
        // Loaded, but no binding took it: the plugin is as broken as its bindings say.
        let all_broken = bindings.iter().filter_map(|binding| match &binding.state {
            BindingState::Broken { why } => Some(why.clone()),
            _ => None,
        });
        let all_broken: Vec<_> = all_broken.collect();
        match all_broken.first() {
            Some(why) if all_broken.len() == bindings.len() => PluginState::Broken { why: why.clone() },
            _ => PluginState::Loading,
        }
    }

    fn found_binding(&self, wanted: &Wanted, verdict: &Verdict) -> FoundBinding {
        let name = wanted.binding.name.clone();
        if self.means.running.is_none() {
            return self.foreseen(wanted, verdict);
        }
        let empty = Slot::default();
        let slot = self.bindings.get(&name).unwrap_or(&empty);
        let live = slot.live.as_ref().map(|(made, _)| made.live.clone());
        let grants = slot.live.as_ref().map(|(made, _)| made.grants.clone());
        let newest = match verdict {
            Verdict::Allowed(candidate) => Some(candidate.version.digest),
            _ => None,
        };
        let failed = slot.failed.iter().find(|(digest, ..)| newest.is_none_or(|newest| newest == *digest));
        let current = slot.live.as_ref().is_some_and(|(made, inputs)| {
            *inputs == wanted.inputs && newest.is_none_or(|newest| newest == made.live.plugin.digest)
        });
        let state = match failed {
            _ if current => BindingState::Live,
            Some((.., why)) => BindingState::Broken { why: why.clone() },
            None if slot.making.is_some() || slot.ready.is_some() => BindingState::Loading,
            None if newest.is_some() && self.is_loading(&wanted.binding.plugin) => BindingState::Loading,
            None if live.is_some() => BindingState::Live,
            None => BindingState::NoPlugin,
        };
        FoundBinding { name, state, grants, live }
    }

    fn is_loading(&self, id: &str) -> bool {
        self.plugins.get(id).is_some_and(|plugin| plugin.loading.is_some())
    }

    /// Without running anything: what can be told from the table and the manifest.
    fn foreseen(&self, wanted: &Wanted, verdict: &Verdict) -> FoundBinding {
        let name = wanted.binding.name.clone();
        let found = self.files.get(&wanted.binding.plugin).and_then(|file| file.read.as_ref().ok());
        let Some(candidate) = found else {
            return FoundBinding { name, state: BindingState::NoPlugin, grants: None, live: None };
        };
        let version = &candidate.version;
        let read = check_pin(&wanted.binding, version.digest).and_then(|()| {
            let Wanted { binding, settings, listed, .. } = wanted;
            read_table(binding, &version.manifest, &self.means.capabilities, settings, *listed)
        });
        let (state, grants) = match read {
            Ok(grants) if matches!(verdict, Verdict::Allowed(_)) => {
                (BindingState::Live, Some(Arc::new(grants)))
            }
            Ok(grants) => (BindingState::NoPlugin, Some(Arc::new(grants))),
            Err(why) => (BindingState::Broken { why: Arc::new(why) }, None),
        };
        FoundBinding { name, state, grants, live: None }
    }

    /// Writes a line for each plugin and each binding that stands differently than at the last time.
    pub(in super::super) fn log_changes(&mut self, survey: &Survey) {
        let mut said = std::mem::take(&mut self.logged);
        let accept_by_restart = self.only_without_table().is_some();
        let mut say = |key: String, text: String, line: &dyn Fn()| {
            if said.remove(&key).as_ref() != Some(&text) {
                line();
            }
            self.logged.insert(key, text);
        };
        for problem in &survey.problems {
            say(problem.to_string(), String::new(), &|| tracing::warn!("{problem}"));
        }
        for found in &survey.plugins {
            let plugin = &found.id;
            let of = |version: &Option<_>| {
                version.as_ref().map(|live: &Arc<LivePlugin>| live.manifest.plugin.version.clone())
            };
            let version = found.version.as_ref().map(|version| version.manifest.plugin.version.clone());
            let digest = found.version.as_ref().map(|version| version.digest.to_string()).unwrap_or_default();
            let serving = of(&found.serving);
            let text = format!("{:?} {digest}", found.state);
            say(format!("plugin {plugin}"), text, &|| match &found.state {
                PluginState::Found => {
                    tracing::info!(plugin, version, "found; serve it with `fleetgate enable {plugin}`");
                }
                PluginState::Loading => tracing::debug!(plugin, version, "loading"),
                PluginState::Live => tracing::info!(plugin, version, digest, "live"),
                PluginState::Held { widening } if accept_by_restart => tracing::warn!(
                    plugin,
                    version,
                    serving,
                    asks = widening.join("; "),
                    "held, since it asks for more than the version that this process started with: restart it to \
                     accept that, or give the plugin a table with `fleetgate enable {plugin}`"
                ),
                PluginState::Held { widening } => tracing::warn!(
                    plugin,
                    version,
                    serving,
                    asks = widening.join("; "),
                    "held, since it asks for more than was approved: `fleetgate approve {plugin}` shows it"
                ),
                PluginState::Broken { why } => tracing::error!(plugin, serving, "not loaded: {why}"),
                PluginState::Missing => {
                    tracing::warn!(plugin, "it has a table in fleetgate.toml and no file")
                }
            });
            for binding in &found.bindings {
                let name = &binding.name;
                let text = format!("{:?}", binding.state);
                say(format!("binding {name}"), text, &|| match (&binding.state, &found.state) {
                    // Said with the plugin.
                    (BindingState::Broken { .. }, PluginState::Broken { .. })
                        if found.bindings.len() == 1 => {}
                    (BindingState::Broken { why }, _) => {
                        tracing::error!(binding = name, "not as it should be: {why}")
                    }
                    _ => {}
                });
            }
        }
        for key in said.into_keys() {
            if let Some(plugin) = key.strip_prefix("plugin ") {
                tracing::info!(plugin, "gone");
            }
        }
    }
}

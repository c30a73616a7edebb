//! From a plugin and a `[plugins.<name>]` table to a binding that takes calls.

use std::collections::BTreeMap;
use std::sync::{Arc, Once, Weak};

use indexmap::IndexMap;

use super::inputs::Inputs;
use super::probe;
use super::shown::{Shown, reading};
use super::{LiveBinding, LivePlugin, Problem};
use crate::abi::log::LogGate;
use crate::asking::Asks;
use crate::asking::SKILLS;
use crate::capability::{BindingParts, Bound, Capabilities};
use crate::diagnostic::Diagnostics;
use crate::domain::{Prompt, ResourceTemplate, Skill, Tool};
use crate::events::LiveEvent;
use crate::jobs::Jobs;
use crate::manifest::Manifest;
use crate::sandbox::{BindingMemory, BindingPermits, ListsChanged, Permits};
use crate::settings::{Binding, Grants, Limits, Settings};
use crate::store::Store;

/// What bindings are made with.
pub(super) struct Workshop {
    pub(super) capabilities: Capabilities,
    /// The pool's permits.
    pub(super) permits: Arc<Permits>,
    /// Probes have a share of their own, so that a plugin that is busy can be replaced.
    pub(super) probes: BindingPermits,
    /// The host's jobs; gone where it keeps none.
    pub(super) jobs: Weak<Jobs>,
    /// What capabilities keep state in.
    pub(super) store: Arc<dyn Store>,
    /// What running guests say of their lists.
    pub(super) lists: Arc<ListsChanged>,
}

/// What a version shows to clients.
#[derive(Debug, Default)]
pub(super) struct Surface {
    pub(super) tools: IndexMap<String, Tool>,
    pub(super) prompts: IndexMap<String, Prompt>,
    pub(super) templates: IndexMap<String, ResourceTemplate>,
    pub(super) skills: IndexMap<String, Skill>,
}

/// A binding that was made, with the table that it was made from.
#[derive(Clone)]
pub(super) struct Made {
    pub(super) live: Arc<LiveBinding>,
    pub(super) grants: Arc<Grants>,
}

/// Reads a table against the plugin's manifest. `listed`: it stands in `fleetgate.toml`, so what is missing there is
/// a mistake; a plugin that is served without a table gets nothing and may do without.
pub(super) fn read_table(
    binding: &Binding,
    manifest: &Manifest,
    capabilities: &Capabilities,
    settings: &Settings,
    listed: bool,
) -> Result<Grants, Problem> {
    let grants = binding
        .grants(manifest, capabilities, &settings.secrets, &settings.limits)
        .map_err(Problem::Grants)?;
    // Looking for what is missing reads the whole file once more.
    let missing =
        if listed && !grants.missing.is_empty() { binding.missing(manifest, &grants) } else { None };
    match missing {
        Some(missing) => Err(Problem::Grants(missing)),
        None => Ok(grants),
    }
}

/// `pin` allows one file alone.
pub(super) fn check_pin(binding: &Binding, digest: crate::artifact::Digest) -> Result<(), Problem> {
    match binding.pin {
        Some(pinned) if pinned != digest => {
            Err(Problem::Pinned { binding: binding.name.clone(), pinned, found: digest })
        }
        _ => Ok(()),
    }
}

impl Workshop {
    /// Makes a binding. From `before`, what belongs to the binding and not to its version is taken over: its
    /// permits, memory and log allowance hold for the calls of both versions together.
    pub(super) async fn make(
        self: Arc<Self>,
        binding: Arc<Binding>,
        plugin: Arc<LivePlugin>,
        settings: Arc<Settings>,
        inputs: Arc<Inputs>,
        listed: bool,
        before: Option<Made>,
    ) -> Result<Made, Problem> {
        check_pin(&binding, plugin.digest)?;
        // Reads credentials and certificates.
        let prepared = {
            let (workshop, binding, plugin) = (self.clone(), binding.clone(), plugin.clone());
            tokio::task::spawn_blocking(move || workshop.prepare(&binding, &plugin, &settings, listed)).await
        };
        let Prepared { grants, bounds, ungranted } =
            prepared.unwrap_or_else(|panic| Err(Problem::Host(panic.to_string())))?;

        let name: Arc<str> = binding.name.as_str().into();
        let config = Arc::new(grants.config.clone());
        let log = before.as_ref().map_or_else(LogGate::new, |before| before.live.log.clone());
        let probed = probe::probe(&probe::Subject {
            binding: &name,
            plugin: &plugin,
            config: &config,
            bounds: &ungranted,
            memory: grants.limits.memory,
            cpu: grants.limits.cpu,
            permits: &self.probes,
            log: &log,
            skills: grants.granted.contains_key(SKILLS),
        })
        .await?;

        let limits = &grants.limits;
        let same = |of: fn(&Limits) -> u64| {
            before
                .as_ref()
                .filter(|before| of(&before.grants.limits) == of(limits))
                .map(|before| &before.live)
        };
        let permits = match same(|limits| limits.concurrency.into()) {
            Some(before) => before.permits.clone(),
            None => self.permits.binding(limits.concurrency),
        };
        let memory = match same(|limits| limits.binding_memory) {
            Some(before) => before.memory.clone(),
            None => BindingMemory::new(limits.binding_memory),
        };
        let Shown { tools, prompts, templates, skills, skill_files, rules } =
            Shown::of(probed, &plugin.manifest, &grants, binding.label.as_deref());
        let live = LiveBinding {
            name,
            plugin_id: plugin.manifest.plugin.id.as_str().into(),
            label: binding.label.clone(),
            tools,
            prompts,
            rules,
            templates,
            skills,
            skill_files,
            reading: reading(&grants),
            config,
            granted: Arc::new(grants.granted.keys().cloned().collect()),
            asks: Asks::of(&grants.granted),
            events: self.events(&plugin.manifest, &grants, &bounds),
            bounds,
            permits,
            log,
            memory,
            jobs: self.jobs.clone(),
            lists: self.lists.clone(),
            uncovered: Arc::new(Once::new()),
            inputs,
            plugin,
        };
        Ok(Made { live: Arc::new(live), grants: Arc::new(grants) })
    }

    /// The same binding with its lists taken anew: its guest said that they are others. Its connections, permits and
    /// whatever else calls use stay.
    pub(super) async fn relist(
        self: Arc<Self>,
        made: Made,
        settings: Arc<Settings>,
    ) -> Result<Made, Problem> {
        let Made { live, grants } = made;
        let ungranted = {
            let (workshop, live, grants) = (self.clone(), live.clone(), grants.clone());
            tokio::task::spawn_blocking(move || {
                let nothing = Grants { limits: grants.limits, ..Grants::default() };
                workshop.bounds(&live.name, &live.plugin.manifest, &nothing, &settings)
            })
            .await
        };
        let ungranted =
            ungranted.map_err(|panic| Problem::Host(panic.to_string()))?.map_err(Problem::Grants)?;
        let probed = probe::probe(&probe::Subject {
            binding: &live.name,
            plugin: &live.plugin,
            config: &live.config,
            bounds: &ungranted,
            memory: grants.limits.memory,
            cpu: grants.limits.cpu,
            permits: &self.probes,
            log: &live.log,
            skills: live.granted.contains(SKILLS),
        })
        .await?;
        let Shown { tools, prompts, templates, skills, skill_files, rules } =
            Shown::of(probed, &live.plugin.manifest, &grants, live.label.as_deref());
        let live = LiveBinding { tools, prompts, templates, skills, skill_files, rules, ..(*live).clone() };
        Ok(Made { live: Arc::new(live), grants })
    }

    /// What a version would show to clients under this table, as far as it fits: a version that is not approved yet
    /// may ask for other settings and grants.
    pub(super) async fn surface(
        self: Arc<Self>,
        binding: Arc<Binding>,
        plugin: Arc<LivePlugin>,
        settings: Arc<Settings>,
    ) -> Result<Surface, Problem> {
        let manifest = &plugin.manifest;
        let read = binding.grants(manifest, &self.capabilities, &settings.secrets, &settings.limits);
        let grants = read.unwrap_or_else(|_| {
            let defaults = manifest
                .config
                .iter()
                .filter_map(|(key, declared)| Some((key.clone(), declared.default.clone()?)));
            Grants { config: defaults.collect(), limits: settings.limits, ..Grants::default() }
        });
        let nothing = Grants { limits: grants.limits, ..Grants::default() };
        let bounds = self.bounds(&binding.name, manifest, &nothing, &settings).map_err(Problem::Grants)?;
        let probed = probe::probe(&probe::Subject {
            binding: &binding.name.as_str().into(),
            plugin: &plugin,
            config: &Arc::new(grants.config),
            bounds: &bounds,
            memory: grants.limits.memory,
            cpu: grants.limits.cpu,
            permits: &self.probes,
            log: &LogGate::new(),
            skills: true,
        })
        .await?;
        Ok(Surface {
            tools: probed.tools.into_iter().map(|(name, probed)| (name, probed.definition)).collect(),
            prompts: probed.prompts.into_iter().collect(),
            templates: probed.templates.into_iter().collect(),
            skills: probed.skills.into_iter().collect(),
        })
    }

    fn prepare(
        &self,
        binding: &Binding,
        plugin: &LivePlugin,
        settings: &Settings,
        listed: bool,
    ) -> Result<Prepared, Problem> {
        let grants = read_table(binding, &plugin.manifest, &self.capabilities, settings, listed)?;
        let bounds =
            self.bounds(&binding.name, &plugin.manifest, &grants, settings).map_err(Problem::Grants)?;
        let nothing = Grants { limits: grants.limits, ..Grants::default() };
        let ungranted =
            self.bounds(&binding.name, &plugin.manifest, &nothing, settings).map_err(Problem::Grants)?;
        Ok(Prepared { grants, bounds, ungranted })
    }

    /// What is to be handled when nobody calls. `bounds`: of every capability, in their order.
    fn events(
        &self,
        manifest: &Manifest,
        grants: &Grants,
        bounds: &[Arc<dyn Bound>],
    ) -> BTreeMap<Arc<str>, Arc<LiveEvent>> {
        let bound = |kind: &str| {
            self.capabilities.iter().position(|(known, _)| known == kind).map(|at| bounds[at].clone())
        };
        LiveEvent::all(manifest, &grants.granted, reading(grants).limits, bound)
    }

    /// Every capability's side of the binding, also of those that it does not use: their host functions are linked
    /// for all.
    fn bounds(
        &self,
        name: &str,
        manifest: &Manifest,
        grants: &Grants,
        settings: &Settings,
    ) -> Result<Vec<Arc<dyn Bound>>, Diagnostics> {
        let mut bounds = Vec::new();
        for (kind, capability) in self.capabilities.iter() {
            let of_kind = manifest.capabilities.iter().filter(|(_, asked)| asked.kind == kind);
            let wants: BTreeMap<_, _> = of_kind
                .map(|(key, asked)| {
                    (asked.name.clone(), (asked.request.clone(), grants.granted.get(key).cloned()))
                })
                .collect();
            bounds.push(capability.bind(BindingParts {
                name,
                wants,
                secrets: &settings.secrets,
                limits: &grants.limits,
                state: &settings.serve.state,
                store: &self.store,
            })?);
        }
        Ok(bounds)
    }
}

struct Prepared {
    grants: Grants,
    bounds: Vec<Arc<dyn Bound>>,
    /// The same with nothing granted, for the probe.
    ungranted: Vec<Arc<dyn Bound>>,
}

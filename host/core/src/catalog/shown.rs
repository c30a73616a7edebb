//! From what was probed to what clients see.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::parts::label;
use super::probe::{Probed, ProbedTool};
use super::resource::add;
use super::{LivePrompt, LiveSkill, LiveTemplate, LiveTool, Rules, Terms};
use crate::domain::{Skill, SkillFile};
use crate::manifest::{Manifest, ToolEntry};
use crate::sandbox::{CallLimits, CallPolicy};
use crate::settings::Grants;
use crate::uri::{ResourceUri, UriTemplate};

/// What clients see of a binding: what was probed, as far as the operator leaves it on, labelled.
pub(super) struct Shown {
    pub(super) tools: BTreeMap<String, Arc<LiveTool>>,
    pub(super) prompts: BTreeMap<String, Arc<LivePrompt>>,
    pub(super) templates: BTreeMap<String, Arc<LiveTemplate>>,
    pub(super) skills: BTreeMap<String, Arc<LiveSkill>>,
    pub(super) skill_files: BTreeMap<String, SkillFile>,
    pub(super) rules: Rules,
}

impl Shown {
    pub(super) fn of(probed: Probed, manifest: &Manifest, grants: &Grants, fleet: Option<&str>) -> Self {
        let rules = Rules::of(manifest, grants);
        let tools = probed.tools.into_iter().filter_map(|(name, probed)| {
            let entry = manifest.tools.get(&name).filter(|entry| grants.enabled(&name, entry))?;
            let tool = tool(&name, probed, entry, grants, fleet);
            Some((name, Arc::new(tool)))
        });
        let prompts = probed.prompts.into_iter().filter_map(|(name, mut definition)| {
            let over = grants.prompts.get(&name).cloned().unwrap_or_default();
            let requires = manifest.prompts.get(&name)?.requires.clone();
            label(fleet, &mut definition.title, &mut definition.description);
            let live = LivePrompt { definition, requires, also_requires: over.requires };
            over.enabled.unwrap_or(true).then(|| (name, Arc::new(live)))
        });
        let templates = probed.templates.into_iter().filter_map(|(text, mut definition)| {
            let template = UriTemplate::parse(&text).ok()?;
            let rules = rules.over_template(&template)?;
            label(fleet, &mut definition.title, &mut definition.description);
            Some((text, Arc::new(LiveTemplate { definition, template, rules })))
        });
        let skills: BTreeMap<_, _> = probed
            .skills
            .into_iter()
            .filter_map(|(path, skill)| Some((path, Arc::new(self::skill(skill, &rules)?))))
            .collect();
        let files = skills.values().flat_map(|live| &live.skill.files);
        Self {
            tools: tools.collect(),
            prompts: prompts.collect(),
            templates: templates.collect(),
            skill_files: files.map(|file| (file.uri.clone(), file.clone())).collect(),
            skills,
            rules,
        }
    }
}

/// Who sees a skill sees the names and digests of all of its files, so what guards one of them guards it.
fn skill(skill: Skill, rules: &Rules) -> Option<LiveSkill> {
    let mut deciding = Vec::new();
    for file in &skill.files {
        add(&mut deciding, rules.over(&ResourceUri::parse(&file.uri).ok()?)?);
    }
    Some(LiveSkill { skill: Arc::new(skill), rules: deciding })
}

/// What is no tool changes nothing, and takes no longer than a call whose tool asks for no time.
pub(super) fn reading(grants: &Grants) -> Terms {
    let limits = &grants.limits;
    Terms {
        policy: Arc::new(CallPolicy { read_only: true, ..CallPolicy::default() }),
        limits: CallLimits {
            memory: limits.memory,
            cpu: limits.cpu,
            timeout: limits.timeout.min(limits.max_timeout),
            result: limits.result,
            response: limits.response,
        },
        repeatable: true,
    }
}

fn tool(name: &str, probed: ProbedTool, entry: &ToolEntry, grants: &Grants, fleet: Option<&str>) -> LiveTool {
    let mut definition = probed.definition;
    label(fleet, &mut definition.title, &mut definition.description);
    LiveTool {
        own_name: name.into(),
        definition,
        requires: entry.requires.clone(),
        also_requires: grants.tools.get(name).and_then(|over| over.requires.clone()),
        destructive: entry.destructive,
        idempotent: entry.idempotent,
        open_world: entry.open_world,
        policy: Arc::new(CallPolicy {
            read_only: entry.read_only,
            reach: entry.reach.clone(),
            ..CallPolicy::default()
        }),
        limits: CallLimits { timeout: grants.timeout(entry), ..reading(grants).limits },
        secret: entry.secret.clone(),
        audit: entry.audit.clone(),
        verbatim: entry.verbatim,
        task: entry.task,
        asks_first: entry.asks_first,
        input: probed.input,
        output: probed.output,
    }
}

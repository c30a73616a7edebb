//! The probe: what a component lists, before anybody may have it.
//!
//! Its tools, prompts, templates and skills are taken twice, each time in a sandbox that has the binding's settings
//! and nothing granted ([`take`]). What it says is hostile text: both lists must be equal, stay within bounds, agree
//! with the manifest, and hold nothing that cannot be enforced. What hides or forges is made visible before a client
//! sees it. Its resources are no matter of the probe: they are listed for each request, as its caller.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use indexmap::IndexMap;

use super::LivePlugin;
use crate::abi::log::LogGate;
use crate::capability::Bound;
use crate::domain::{Prompt, ResourceTemplate, Skill};
use crate::events;
use crate::manifest::ConfigValue;
use crate::sandbox::BindingPermits;
use crate::sandbox::work::{ListPrompts, ListSkills, ListTemplates, ListTools};

mod failed;
mod front_matter;
mod prompts;
mod skills;
mod take;
mod templates;
mod tools;

pub use failed::{Item, List, ProbeFailed, SkillRefused};
pub use front_matter::FrontMatterRefused;
pub(super) use tools::ProbedTool;

/// Tools of one plugin.
pub const MAX_TOOLS: usize = 512;
/// Bytes of a whole list, as it leaves the guest.
pub const MAX_LIST: u64 = 8 << 20;
/// How long a probe waits for its turn.
const TURN: Duration = Duration::from_secs(60);
/// Bytes of all files of all skills of one plugin.
pub const MAX_SKILL_BYTES: usize = 8 << 20;

/// What a binding has, as its component says it: cleaned, without a label.
pub(super) struct Probed {
    pub(super) tools: BTreeMap<String, ProbedTool>,
    pub(super) prompts: BTreeMap<String, Prompt>,
    /// By URI template.
    pub(super) templates: BTreeMap<String, ResourceTemplate>,
    /// By path.
    pub(super) skills: BTreeMap<String, Skill>,
}

/// What a probe needs of a binding.
pub(super) struct Subject<'a> {
    pub(super) binding: &'a Arc<str>,
    pub(super) plugin: &'a LivePlugin,
    pub(super) config: &'a Arc<IndexMap<String, ConfigValue>>,
    /// Each linked capability's side of a binding to which nothing was granted.
    pub(super) bounds: &'a [Arc<dyn Bound>],
    /// Memory of one call, in bytes.
    pub(super) memory: u64,
    /// Time in guest code of one call.
    pub(super) cpu: Duration,
    pub(super) permits: &'a BindingPermits,
    pub(super) log: &'a Arc<LogGate>,
    /// Whether the skills may be shown; otherwise they are not looked at.
    pub(super) skills: bool,
}

/// Takes each list twice, and checks it.
pub(super) async fn probe(subject: &Subject<'_>) -> Result<Probed, ProbeFailed> {
    let exported = subject.plugin.guest.exports();
    let manifest = &subject.plugin.manifest;
    if exported.is_nothing() {
        return Err(ProbeFailed::NothingExported);
    }
    if !manifest.resources.is_empty() && !exported.resources && !exported.skills {
        return Err(ProbeFailed::NoResources);
    }
    let asks_for_events = manifest.capabilities.values().any(|asked| asked.kind == events::KIND);
    match (asks_for_events, exported.events) {
        (true, false) => return Err(ProbeFailed::NoHandler),
        (false, true) => return Err(ProbeFailed::NoEvents),
        _ => {}
    }
    let tools = subject.take(List::Tools, || ListTools).await?;
    let prompts = subject.take(List::Prompts, || ListPrompts).await?;
    // Without an entry nothing is exposed, whatever it lists.
    let templates = match manifest.resources.is_empty() {
        true => Vec::new(),
        false => subject.take(List::Templates, || ListTemplates).await?,
    };
    let skills = match subject.skills {
        true => subject.take(List::Skills, || ListSkills).await?,
        false => Vec::new(),
    };
    Ok(Probed {
        tools: tools::check(tools, manifest)?,
        prompts: prompts::check(prompts, manifest)?,
        templates: templates::check(templates, manifest)?,
        skills: skills::check(skills, manifest)?,
    })
}

//! Which resources of a binding are exposed, and to whom.
//!
//! One function decides over a URI, for lists and for reads: [`LiveBinding::resource`]. Of the entries whose pattern
//! stands for it, the longest decide: those with the most characters that are no wildcard. If several are equally
//! long, each must be met. The same holds for every [reading](ResourceUri::readings) of the URI that an entry covers;
//! what no entry covers is not exposed.

use std::sync::Arc;

use super::guarded::Guarded;
use super::{Catalog, LiveBinding, Scope};
use crate::domain::ResourceTemplate;
use crate::manifest::{Manifest, Requirement};
use crate::principal::Principal;
use crate::settings::Grants;
use crate::uri::{ResourceUri, Steps, UriPattern, UriTemplate};

/// A `[resources]` entry, as a binding has it.
#[derive(Debug, PartialEq, Eq)]
pub struct Rule {
    /// Which URIs.
    pub pattern: UriPattern,
    /// The manifest's requirement.
    pub requires: Requirement,
    /// What the operator requires as well.
    pub also_requires: Option<Requirement>,
    /// False: the operator switched it off. It still decides, and nobody gets what it decides over.
    pub enabled: bool,
}

/// All rules of a binding, the longest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rules(Vec<Arc<Rule>>);

impl Rules {
    /// From the manifest, with what the operator changed.
    pub(super) fn of(manifest: &Manifest, grants: &Grants) -> Self {
        let mut rules: Vec<_> = manifest
            .resources
            .iter()
            .map(|(pattern, entry)| {
                let over = grants.resources.get(pattern.as_str());
                Arc::new(Rule {
                    pattern: pattern.clone(),
                    requires: entry.requires.clone(),
                    also_requires: over.and_then(|over| over.requires.clone()),
                    enabled: over.and_then(|over| over.enabled).unwrap_or(true),
                })
            })
            .collect();
        rules.sort_by_key(|rule| std::cmp::Reverse(rule.pattern.length()));
        Self(rules)
    }

    /// Each.
    pub fn iter(&self) -> impl Iterator<Item = &Rule> {
        self.0.iter().map(|rule| &**rule)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Those that decide over a URI. None: it is not exposed.
    pub(super) fn over(&self, uri: &ResourceUri) -> Option<Vec<Arc<Rule>>> {
        let mut steps = Steps::default();
        let mut deciding = Vec::new();
        for (index, reading) in uri.readings().iter().enumerate() {
            let longest = self.longest(|pattern| pattern.matches(reading, &mut steps));
            if index == 0 && longest.is_empty() {
                return None;
            }
            add(&mut deciding, longest);
        }
        // Out of steps, a rule may have been missed.
        (steps.are_left() && deciding.iter().all(|rule| rule.enabled)).then_some(deciding)
    }

    /// Whether any rule, on or off, stands for a URI or one of its readings.
    pub(crate) fn guard(&self, uri: &ResourceUri) -> bool {
        let mut steps = Steps::default();
        let mut stands = |reading| self.0.iter().any(|rule| rule.pattern.matches(reading, &mut steps));
        let guarded = uri.readings().iter().any(&mut stands);
        guarded || !steps.are_left()
    }

    /// Those that decide over a template: the longest that stand for all of its URIs.
    pub(super) fn over_template(&self, template: &UriTemplate) -> Option<Vec<Arc<Rule>>> {
        let longest = self.longest(|pattern| pattern.covers(template));
        (!longest.is_empty() && longest.iter().all(|rule| rule.enabled)).then_some(longest)
    }

    fn longest(&self, mut stands_for: impl FnMut(&UriPattern) -> bool) -> Vec<Arc<Rule>> {
        let mut found: Vec<Arc<Rule>> = Vec::new();
        for rule in &self.0 {
            if found.first().is_some_and(|first| first.pattern.length() > rule.pattern.length()) {
                break;
            }
            if stands_for(&rule.pattern) {
                found.push(rule.clone());
            }
        }
        found
    }
}

/// Adds rules that are not there yet.
pub(super) fn add(all: &mut Vec<Arc<Rule>>, more: Vec<Arc<Rule>>) {
    for rule in more {
        if !all.iter().any(|known| Arc::ptr_eq(known, &rule)) {
            all.push(rule);
        }
    }
}

/// What several rules together require.
pub(super) fn requirements(rules: &[Arc<Rule>]) -> impl Iterator<Item = &Requirement> {
    rules.iter().flat_map(|rule| [&rule.requires].into_iter().chain(&rule.also_requires))
}

/// A URI of a binding that is exposed. Whether there is anything at it, its guest knows.
#[derive(Debug, Clone)]
pub struct FoundResource {
    /// Whose it is.
    pub binding: Arc<LiveBinding>,
    /// In the spelling that its guest gets.
    pub uri: ResourceUri,
    /// What decides over it.
    pub rules: Vec<Arc<Rule>>,
}

impl Guarded for FoundResource {
    fn binding(&self) -> &Arc<LiveBinding> {
        &self.binding
    }

    fn requirements(&self) -> impl Iterator<Item = &Requirement> {
        requirements(&self.rules)
    }
}

/// A template that can be used.
#[derive(Debug)]
pub struct LiveTemplate {
    /// As clients see it, but for its URI on the shared endpoint: cleaned and labelled.
    pub definition: ResourceTemplate,
    /// The same, read.
    pub template: UriTemplate,
    /// What decides over it.
    pub rules: Vec<Arc<Rule>>,
}

/// One template of one binding.
#[derive(Debug, Clone)]
pub struct FoundTemplate {
    /// Whose it is.
    pub binding: Arc<LiveBinding>,
    /// What it is.
    pub template: Arc<LiveTemplate>,
}

impl Guarded for FoundTemplate {
    fn binding(&self) -> &Arc<LiveBinding> {
        &self.binding
    }

    fn requirements(&self) -> impl Iterator<Item = &Requirement> {
        requirements(&self.template.rules)
    }
}

/// The resources of a binding, as a list. Everybody may ask; who may see what is decided for each.
#[derive(Debug, Clone)]
pub struct FoundList {
    /// Whose they are.
    pub binding: Arc<LiveBinding>,
}

impl Guarded for FoundList {
    fn binding(&self) -> &Arc<LiveBinding> {
        &self.binding
    }

    fn requirements(&self) -> impl Iterator<Item = &Requirement> {
        std::iter::empty()
    }
}

impl LiveBinding {
    /// A URI, if it is exposed, whoever asks.
    pub fn resource(self: &Arc<Self>, uri: &ResourceUri) -> Option<FoundResource> {
        let rules = self.rules.over(uri)?;
        Some(FoundResource { binding: self.clone(), uri: uri.clone(), rules })
    }

    /// Whether this principal may see any resource that a guest lists.
    pub fn lists_for(self: &Arc<Self>, principal: &Principal) -> bool {
        let one = |rule: &Arc<Rule>| {
            let one = OneRule { binding: self, rule };
            rule.enabled && one.allows(principal)
        };
        self.exports().resources && self.rules.0.iter().any(one)
    }
}

struct OneRule<'a> {
    binding: &'a Arc<LiveBinding>,
    rule: &'a Rule,
}

impl Guarded for OneRule<'_> {
    fn binding(&self) -> &Arc<LiveBinding> {
        self.binding
    }

    fn requirements(&self) -> impl Iterator<Item = &Requirement> {
        [&self.rule.requires].into_iter().chain(&self.rule.also_requires)
    }
}

impl Catalog {
    /// The binding, if this scope shows it.
    pub fn shown(&self, scope: &Scope, binding: &str) -> Option<&Arc<LiveBinding>> {
        match scope {
            Scope::Binding(name) if **name != *binding => None,
            _ => self.bindings.get(binding),
        }
    }

    /// The bindings that this scope shows, sorted by name.
    pub fn all_shown<'a>(&'a self, scope: &'a Scope) -> impl Iterator<Item = &'a Arc<LiveBinding>> {
        self.bindings.values().filter(move |binding| match scope {
            Scope::Shared => true,
            Scope::Binding(name) => binding.name == *name,
        })
    }

    /// A URI in a plugin's own scheme, if its binding exposes it here, whoever asks.
    pub fn find_resource(&self, scope: &Scope, binding: &str, uri: &str) -> Option<FoundResource> {
        let binding = self.shown(scope, binding)?;
        binding.resource(&ResourceUri::parse(uri).ok()?)
    }

    /// A template of a binding, whoever asks.
    pub fn find_template(&self, scope: &Scope, binding: &str, uri_template: &str) -> Option<FoundTemplate> {
        let binding = self.shown(scope, binding)?;
        let template = binding.templates.get(uri_template)?;
        Some(FoundTemplate { binding: binding.clone(), template: template.clone() })
    }

    /// The templates that a principal may use in this scope, sorted by binding and URI template.
    pub fn templates(&self, scope: &Scope, principal: &Principal) -> Vec<FoundTemplate> {
        let found = |binding: &Arc<LiveBinding>, template: &Arc<LiveTemplate>| FoundTemplate {
            binding: binding.clone(),
            template: template.clone(),
        };
        self.all_shown(scope)
            .flat_map(|binding| binding.templates.values().map(move |template| found(binding, template)))
            .filter(|found| found.allows(principal))
            .collect()
    }
}

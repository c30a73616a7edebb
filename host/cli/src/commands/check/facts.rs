//! A survey as JSON, for programs.

use std::collections::BTreeMap;

use fleetgate_core::catalog::{BindingState, Found, FoundBinding, PluginState, Problem, Survey};
use fleetgate_core::manifest::{Manifest, Requirement};
use fleetgate_core::settings::{Grants, Override};
use fleetgate_keyvalue::kept::Kept;
use serde_json::{Map, Value, json};

/// `{"fine", "config", "plugin_directory", "config_problems", "problems", "plugins", "left"}`
pub fn of(survey: &Survey, left: &Result<Vec<Kept>, String>) -> Value {
    json!({
        "fine": survey.is_fine(),
        "config": survey.settings.document.path.display().to_string(),
        "plugin_directory": survey.settings.serve.plugins.display().to_string(),
        "config_problems": survey.refused.as_ref().map_or_else(|| json!([]), |problems| problems.to_json()),
        "problems": survey.problems.iter().map(|problem| reason(problem)).collect::<Vec<_>>(),
        "plugins": survey.plugins.iter().map(|found| plugin(survey, found)).collect::<Vec<_>>(),
        // What bindings remember that have no table any more.
        "left": left.as_ref().map_or_else(|why| json!({ "unknown": why }), |left| json!(left)),
    })
}

fn plugin(survey: &Survey, found: &Found) -> Value {
    let (state, why) = match &found.state {
        PluginState::Found => ("found", Value::Null),
        PluginState::Loading => ("loading", Value::Null),
        PluginState::Live => ("live", Value::Null),
        PluginState::Held { .. } => ("held", Value::Null),
        PluginState::Broken { why } => ("broken", reason(why)),
        PluginState::Missing => ("missing", Value::Null),
    };
    let widening = match &found.state {
        PluginState::Held { widening } => widening.as_slice(),
        _ => &[],
    };
    let version = found.version.as_ref();
    json!({
        "id": found.id,
        "file": found.path.as_ref().map(|path| path.display().to_string()),
        "version": version.map(|version| version.manifest.plugin.version.as_str()),
        "digest": version.map(|version| version.digest.to_string()),
        "serving": found.serving.as_ref().map(|plugin| plugin.digest.to_string()),
        "state": state,
        "why": why,
        "widening": widening,
        "bindings": found.bindings.iter().map(|binding| self::binding(survey, found, binding)).collect::<Vec<_>>(),
    })
}

fn binding(survey: &Survey, found: &Found, binding: &FoundBinding) -> Value {
    let (state, why) = match &binding.state {
        BindingState::Live => ("live", Value::Null),
        BindingState::Loading => ("loading", Value::Null),
        BindingState::NoPlugin => ("no plugin", Value::Null),
        BindingState::Broken { why } => ("broken", reason(why)),
    };
    let grants: Map<_, _> = binding
        .grants
        .iter()
        .flat_map(|grants| &grants.granted)
        .map(|(name, grant)| (name.clone(), grant.describe().into()))
        .collect();
    let settings: Map<_, _> = binding
        .grants
        .iter()
        .flat_map(|grants| &grants.config)
        .map(|(key, value)| (key.clone(), value.json.clone()))
        .collect();
    let tools: Option<Map<_, _>> =
        found.version.as_ref().zip(binding.grants.as_ref()).map(|(version, grants)| {
            let enabled = version.manifest.tools.iter().filter(|(name, tool)| grants.enabled(name, tool));
            enabled.map(|(name, tool)| (name.clone(), tool.requires.to_string().into())).collect()
        });
    let exposed = |part: fn(&Manifest, &Grants) -> Map<String, Value>| {
        let version = found.version.as_ref().zip(binding.grants.as_ref());
        version.map(|(version, grants)| part(&version.manifest, grants))
    };
    let prompts = exposed(|manifest, grants| {
        let entries = manifest.prompts.iter().map(|(name, entry)| (name.as_str(), &entry.requires));
        enabled(entries, &grants.prompts)
    });
    let resources = exposed(|manifest, grants| {
        let entries = manifest.resources.iter().map(|(name, entry)| (name.as_str(), &entry.requires));
        enabled(entries, &grants.resources)
    });
    let live = binding.live.as_ref();
    let table = survey.settings.bindings.get(&binding.name);
    json!({
        "name": binding.name,
        "label": table.and_then(|table| table.label.as_deref()),
        "state": state,
        "why": why,
        "granted": grants,
        "config": settings,
        "tools": tools,
        "prompts": prompts,
        "resources": resources,
        "templates": live.map(|live| live.templates.keys().collect::<Vec<_>>()),
        "skills": live.map(|live| live.skills.keys().collect::<Vec<_>>()),
        "completions": live.map(|live| live.exports().completions),
    })
}

/// What is not switched off, with the manifest's requirement.
fn enabled<'a>(
    entries: impl Iterator<Item = (&'a str, &'a Requirement)>,
    overrides: &BTreeMap<String, Override>,
) -> Map<String, Value> {
    let on = |name: &str| overrides.get(name).and_then(|over| over.enabled) != Some(false);
    entries
        .filter(|(name, _)| on(name))
        .map(|(name, requires)| (name.to_owned(), requires.to_string().into()))
        .collect()
}

/// A sentence, and the places where there are some.
fn reason(problem: &Problem) -> Value {
    let places = problem.diagnostics().map(|problems| problems.to_json());
    json!({ "message": problem.to_string(), "places": places })
}

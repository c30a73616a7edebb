//! A survey as sentences, for people.

use std::borrow::Borrow;
use std::collections::BTreeMap;

use fleetgate_core::asking::SKILLS;
use fleetgate_core::catalog::{BindingState, Found, FoundBinding, LiveBinding, PluginState, Problem, Survey};
use fleetgate_core::diagnostic::Diagnostics;
use fleetgate_core::manifest::{ExposedEntry, Manifest, Requirement};
use fleetgate_core::settings::{Grants, Override};
use fleetgate_keyvalue::kept::Kept;

use crate::failure::one_line as problem_line;
use crate::output::{self, bad, bold, good, one_line, waits};

pub fn print(survey: &Survey, left: &Result<Vec<Kept>, String>) {
    let settings = &survey.settings;
    output::line(format_args!("{}", bold(settings.document.path.display())));
    output::line(format_args!("plugins in {}", settings.serve.plugins.display()));
    if let Some(problems) = &survey.refused {
        places(problems, "");
    }
    for problem in &survey.problems {
        output::line(format_args!("{} {}", bad("wrong:"), one_line(&problem.to_string())));
    }
    for found in &survey.plugins {
        plugin(survey, found);
    }
    if survey.plugins.is_empty() {
        output::line("\nThere is no plugin yet: copy one there, then run `fleetgate enable ID`.");
    }
    roles(survey);
    remembered(left);
    let end = if survey.is_fine() {
        good("Everything is fine.")
    } else {
        bad("Something is not served as it should be.")
    };
    output::line(format_args!("\n{end}"));
}

/// What bindings remember that are not there any more.
fn remembered(left: &Result<Vec<Kept>, String>) {
    let left = match left {
        Ok(left) if left.is_empty() => return,
        Ok(left) => left,
        Err(why) => {
            output::line(format_args!(
                "\n{} {}",
                waits("what plugins remember cannot be looked at:"),
                one_line(why)
            ));
            return;
        }
    };
    output::line(format_args!("\n{}", bold("Left by bindings that have no table")));
    for Kept { binding, bucket, entries, bytes, .. } in left {
        output::line(format_args!("  {binding}/{bucket}: {entries} entries, {bytes} bytes"));
    }
    output::line("  they find it again when they have one; delete it: fleetgate state delete BINDING");
}

fn plugin(survey: &Survey, found: &Found) {
    let id = &found.id;
    let version =
        found.version.as_ref().map(|version| one_line(&version.manifest.plugin.version).into_owned());
    let name = format!("{id} {}", version.unwrap_or_default());
    let state = match &found.state {
        PluginState::Found => waits("found, not served"),
        PluginState::Loading => waits("is being compiled"),
        PluginState::Live => good("fine"),
        PluginState::Held { .. } => waits("held: it asks for more than was approved"),
        PluginState::Broken { .. } => bad("cannot be served"),
        PluginState::Missing => bad("missing"),
    };
    output::line(format_args!("\n{}  {state}", bold(name.trim_end())));
    match &found.state {
        PluginState::Found => output::line(format_args!("  serve it: fleetgate enable {id}")),
        PluginState::Held { widening } => {
            widening.iter().for_each(|sentence| output::line(format_args!("  {}", one_line(sentence))));
            output::line(format_args!("  accept it: fleetgate approve {id}"));
        }
        PluginState::Broken { why } => reason(why, "  "),
        PluginState::Missing => output::line(format_args!(
            "  [plugins.{id}] waits for {id}.wasm in {}",
            survey.settings.serve.plugins.display()
        )),
        PluginState::Loading | PluginState::Live => {}
    }
    if matches!(found.state, PluginState::Found)
        && let Some(version) = &found.version
    {
        asks(&version.manifest);
    }
    for binding in &found.bindings {
        self::binding(survey, found, binding);
    }
}

/// What a plugin that nobody enabled would want.
fn asks(manifest: &Manifest) {
    if manifest.capabilities.is_empty() {
        output::line("  it asks for nothing");
    }
    for (name, asked) in &manifest.capabilities {
        output::line(format_args!("  it asks for {name}: {}", one_line(&asked.why)));
    }
}

fn binding(survey: &Survey, found: &Found, binding: &FoundBinding) {
    let name = &binding.name;
    let label = survey.settings.bindings.get(name).and_then(|table| table.label.as_deref());
    let label = label.map_or_else(String::new, |label| format!(", {}", one_line(label)));
    output::line(format_args!("  as {}{label}", bold(name)));
    if let BindingState::Broken { why } = &binding.state {
        // Said above already when it is the plugin's only one.
        if !matches!(&found.state, PluginState::Broken { why: other } if other.to_string() == why.to_string())
        {
            reason(why, "    ");
        }
    }
    let (Some(grants), Some(version)) = (&binding.grants, &found.version) else { return };
    may(grants, &version.manifest);
    binding.live.iter().for_each(|live| shows(live));
}

/// What a binding may do.
fn may(grants: &Grants, manifest: &Manifest) {
    for (name, grant) in &grants.granted {
        for sentence in grant.describe() {
            output::line(format_args!("    {name}: {}", one_line(&sentence)));
        }
    }
    for name in manifest.capabilities.keys().filter(|name| !grants.granted.contains_key(*name)) {
        output::line(format_args!("    {name}: not granted"));
    }
    if manifest.capabilities.is_empty() {
        output::line("    it can reach nothing outside its sandbox");
    }
    for (key, value) in &grants.config {
        output::line(format_args!("    {key} = {}", one_line(&value.text)));
    }
    let mut by_role: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    let mut off = Vec::new();
    for (name, tool) in &manifest.tools {
        if grants.enabled(name, tool) {
            by_role.entry(who(&tool.requires, grants.tools.get(name))).or_default().push(name);
        } else {
            off.push(name.as_str());
        }
    }
    exposed("call", by_role, off);
    for (may, entries, overrides) in [
        ("start from the prompts", named(&manifest.prompts), &grants.prompts),
        ("read", named(&manifest.resources), &grants.resources),
    ] {
        let mut by_role: BTreeMap<String, Vec<&str>> = BTreeMap::new();
        let mut off = Vec::new();
        for (name, requires) in entries {
            let over = overrides.get(name);
            match over.and_then(|over| over.enabled) {
                Some(false) => off.push(name),
                _ => by_role.entry(who(requires, over)).or_default().push(name),
            }
        }
        exposed(may, by_role, off);
    }
}

fn named<N: Borrow<str>>(entries: &BTreeMap<N, ExposedEntry>) -> Vec<(&str, &Requirement)> {
    entries.iter().map(|(name, entry)| (name.borrow(), &entry.requires)).collect()
}

/// Who meets a requirement, and what the operator requires as well.
fn who(requires: &Requirement, over: Option<&Override>) -> String {
    let words = |requires: &Requirement| match requires {
        Requirement::Any => "everybody who may call at all".to_owned(),
        Requirement::All(_) => requires.to_string(),
    };
    match over.and_then(|over| over.requires.as_ref()) {
        Some(raised) => format!("{} with {}", words(requires), words(raised)),
        None => words(requires),
    }
}

fn exposed(may: &str, by_role: BTreeMap<String, Vec<&str>>, off: Vec<&str>) {
    for (role, names) in by_role {
        output::line(format_args!("    {role} may {may} {}", one_line(&names.join(", "))));
    }
    if !off.is_empty() {
        output::line(format_args!("    nobody may {may} {}: not enabled", one_line(&off.join(", "))));
    }
}

/// What a binding that runs shows beside its tools.
fn shows(live: &LiveBinding) {
    let exports = live.exports();
    if exports.resources && live.rules.is_empty() {
        output::line("    its resources are not exposed: the manifest has no entry for them");
    }
    if !live.templates.is_empty() {
        let templates: Vec<&str> = live.templates.keys().map(String::as_str).collect();
        output::line(format_args!("    it has the templates {}", one_line(&templates.join(", "))));
    }
    if exports.skills && !live.granted.contains(SKILLS) {
        output::line("    its skills are not shown: client.skills is not granted");
    }
    if !live.skills.is_empty() {
        let skills: Vec<&str> = live.skills.keys().map(String::as_str).collect();
        output::line(format_args!("    it has the skills {}", one_line(&skills.join(", "))));
    }
    if exports.completions {
        output::line("    it completes arguments of its prompts and templates, for whoever may have those");
    }
}

fn roles(survey: &Survey) {
    let local = &survey.settings.serve.local_roles;
    let held: Vec<String> = local.iter().map(ToString::to_string).collect();
    let held = if held.is_empty() { "no role".to_owned() } else { held.join(", ") };
    output::line(format_args!("\nA caller on this machine holds {held}"));
    for unknown in crate::callers::unknown_roles(survey, local) {
        output::line(format_args!("  {}", waits(unknown)));
    }
}

fn reason(problem: &Problem, indent: &str) {
    match problem.diagnostics() {
        Some(problems) => places(problems, indent),
        None => output::line(format_args!("{indent}{}", one_line(&problem.to_string()))),
    }
}

/// `file:line:column: key: message (help)`, each on lines of its own.
fn places(problems: &Diagnostics, indent: &str) {
    for problem in problems.iter() {
        output::line(format_args!(
            "{indent}{}",
            problem_line(problem).replace('\n', &format!("\n{indent}  "))
        ));
    }
}

//! A plugin that replaces another program's MCP server reads the environment variables of that server:
//! `fleetgate stdio --plugin ID`, where `fleetgate.toml` has no table for it, and then alone. Those that are its own by
//! name ([`names`]), and those that the operator names with `--env`; what else a manifest names is not looked into.
//!
//! What the manifest names in `env` becomes the table that the operator would have written. `bearer`, `password`,
//! `key` and `token` are secrets and stay in the environment, read when they are used; `user` stands beside them in
//! the credential; everything else is the grant's own key. Durations are written as those servers take them: a plain
//! number is seconds.
//!
//! A key may have a default in the manifest, as that server had one (`http://localhost:8080`). It counts only where the
//! person set at least one of the plugin's variables: without any, an author's word alone would grant something.
//!
//! A grant that came about so has what the capability adds to it ([`Request::granted_alone`]): whoever sets the
//! variable names the place himself, and an author's default names none. What the plugin asks of its client
//! (`[client]`) is granted too, but for web pages, whose sites nobody named: its own server asked as it liked, and the
//! person sits in front. So is what reaches nothing beyond the host ([`Request::granted_unasked`]): its own server
//! kept things too.
//!
//! Starting the process accepts the version that it finds. One that is dropped later and asks for more, other
//! variables too, is held until the process is started again or the plugin has a table.
//!
//! [`Request::granted_alone`]: crate::capability::Request::granted_alone
//! [`Request::granted_unasked`]: crate::capability::Request::granted_unasked

mod names;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use toml::{Table, Value};

pub use names::Environment;

use crate::asking;
use crate::diagnostic::{Document, quoted};
use crate::manifest::{CapabilityRequest, ConfigKind, Manifest, SECRET_KEYS};
use crate::settings::{Binding, LimitsTable, SecretSource, Secrets, Settings};
use crate::units::format_duration;

/// What the variables of a manifest say.
#[derive(Default)]
struct Said {
    config: Table,
    /// By kind.
    grants: Table,
    secrets: BTreeMap<String, SecretSource>,
    /// Those that were read, for errors.
    variables: BTreeSet<String>,
    /// One sentence each, without a value that came from the environment.
    lines: Vec<String>,
}

/// What the environment says to a plugin without a table, one sentence each, for the person who starts it. Names
/// variables, and never a value of one.
pub fn sentences(manifest: &Manifest, environment: &Environment) -> Vec<String> {
    Said::of(manifest, environment).lines
}

/// A binding of the plugin under its own id, and the settings with the secrets that it names. What is not set is not
/// granted.
pub(super) fn binding(
    manifest: &Manifest,
    settings: &Settings,
    environment: &Environment,
) -> (Binding, Settings) {
    let Said { config, grants, secrets: named, variables, .. } = Said::of(manifest, environment);
    let known = settings.secrets.names();
    let mut secrets: BTreeMap<String, SecretSource> =
        known.filter_map(|name| Some((name.to_owned(), settings.secrets.source(name)?.clone()))).collect();
    secrets.extend(named);

    let id = manifest.plugin.id.clone();
    let table = Table::from_iter([("config".to_owned(), config), ("grant".to_owned(), grants)].map(in_value));
    let text = Table::from_iter([in_value((
        "plugins".to_owned(),
        Table::from_iter([in_value((id.clone(), table))]),
    ))]);
    // What is wrong with a variable's text is said with this in front: whoever set it knows no table.
    let place = match Vec::from_iter(variables).join(", ") {
        none if none.is_empty() => "the environment".to_owned(),
        names => format!("the environment ({names})"),
    };
    let binding = Binding {
        name: id.clone(),
        plugin: id,
        label: None,
        pin: None,
        limits: LimitsTable::default(),
        document: Arc::new(Document::new(Path::new(&place), text.to_string())),
    };
    let mut settings = settings.clone();
    settings.secrets = Secrets::new(settings.directory(), secrets);
    (binding, settings)
}

impl Said {
    fn of(manifest: &Manifest, environment: &Environment) -> Self {
        let mut said = Self::default();
        let plugin = manifest.plugin.id.as_str();
        let read = |name: &str| environment.value(plugin, name);
        for (key, declared) in &manifest.config {
            if let Some((variable, text)) = first(&declared.env, &read) {
                said.config.insert(key.clone(), value(declared.kind, text));
                said.variables.insert(variable.clone());
                said.lines.push(format!("the setting {key} is read from {variable}"));
            }
        }
        let known = known(manifest);
        let any = known.iter().any(|name| read(name).is_some());
        for asked in manifest.capabilities.values() {
            said.capability(asked, any, &read);
        }
        let (withheld, readable): (Vec<_>, Vec<_>) =
            known.iter().copied().partition(|name| environment.withholds(plugin, name));
        if !any && !known.is_empty() {
            let why = match readable.as_slice() {
                [] => String::new(),
                names => format!(": none of {} is set", names.join(", ")),
            };
            said.lines.push(format!("the environment grants nothing{why}"));
        }
        for name in withheld {
            said.lines.push(format!(
                "{name} is set and not read, since it is not {plugin}'s by name; to give it, add --env {name}"
            ));
        }
        for name in environment.given().iter().filter(|name| !known.contains(name.as_str())) {
            said.lines
                .push(format!("--env {} gives nothing: the plugin reads no such variable", quoted(name)));
        }
        said
    }

    /// `any`: some variable of the plugin is set.
    fn capability(&mut self, asked: &CapabilityRequest, any: bool, read: &dyn Fn(&str) -> Option<String>) {
        let name = format!("{}.{}", asked.kind, asked.name);
        let mut from_variables = BTreeSet::new();
        let mut grant = Table::new();
        let mut credential = Table::new();
        for (key, variables) in &asked.env {
            match (first(&variables.names, read), &variables.default) {
                (Some((variable, text)), _) => {
                    self.lines.push(format!("{name} is granted: {key} is read from {variable}"));
                    self.variables.insert(variable.clone());
                    from_variables.insert(key.as_str());
                    match key.as_str() {
                        key if SECRET_KEYS.contains(&key) => {
                            let secret = format!("env-{}-{}-{key}", asked.kind, asked.name);
                            self.secrets.insert(secret.clone(), SecretSource::Env(variable));
                            credential.insert(key.to_owned(), Value::String(secret));
                        }
                        "user" => {
                            credential.insert(key.clone(), Value::String(text));
                        }
                        key if key.ends_with("timeout") => {
                            grant.insert(key.to_owned(), value(ConfigKind::Duration, text));
                        }
                        _ => {
                            grant.insert(key.clone(), Value::String(text));
                        }
                    }
                }
                (None, Some(default)) if any => {
                    let (names, shown) = (variables.names.join(", "), quoted(default));
                    self.lines.push(format!("{name} is granted: {key} is {shown}, since {names} is not set"));
                    grant.insert(key.clone(), Value::String(default.clone()));
                }
                (None, _) => {}
            }
        }
        if !credential.is_empty() {
            grant.insert("credential".into(), Value::Table(credential));
        }
        if !grant.is_empty() {
            let alone: Table = asked.request.granted_alone(&from_variables).parse().unwrap_or_default();
            for (key, value) in alone {
                grant.entry(key).or_insert(value);
            }
        }
        if !grant.is_empty() || asking::granted_where_alone(asked) || asked.request.granted_unasked() {
            let of_kind = self.grants.entry(asked.kind.clone()).or_insert_with(|| Value::Table(Table::new()));
            if let Value::Table(of_kind) = of_kind {
                of_kind.insert(asked.name.clone(), Value::Table(grant));
            }
        }
    }
}

/// Every variable that the manifest names.
fn known(manifest: &Manifest) -> BTreeSet<&str> {
    let settings = manifest.config.values().flat_map(|declared| &declared.env);
    let of_grants = manifest.capabilities.values().flat_map(|asked| asked.env.values());
    settings.chain(of_grants.flat_map(|variables| &variables.names)).map(String::as_str).collect()
}

fn first(names: &[String], read: &dyn Fn(&str) -> Option<String>) -> Option<(String, String)> {
    names.iter().find_map(|name| Some((name.clone(), read(name)?)))
}

fn in_value((key, table): (String, Table)) -> (String, Value) {
    (key, Value::Table(table))
}

/// A variable's text as TOML would have it. What does not parse stays text, and is refused where it is read.
fn value(kind: ConfigKind, text: String) -> Value {
    let parsed = match kind {
        ConfigKind::String | ConfigKind::Size => None,
        ConfigKind::Duration => seconds(&text).map(Value::String),
        ConfigKind::Bool => text.parse().ok().map(Value::Boolean),
        ConfigKind::Integer => text.parse().ok().map(Value::Integer),
        // NaN would not equal itself, so that the binding would be made again and again.
        ConfigKind::Number => text.parse().ok().filter(|number: &f64| number.is_finite()).map(Value::Float),
        ConfigKind::Strings => {
            let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
            Some(Value::Array(items.map(|item| Value::String(item.to_owned())).collect()))
        }
    };
    parsed.unwrap_or(Value::String(text))
}

/// `30` and `0.5` as `30s` and `500ms`. None: there is a unit, or it is no number that can be a time.
fn seconds(text: &str) -> Option<String> {
    let number: f64 = text.trim().parse().ok()?;
    let duration = Duration::try_from_secs_f64(number).ok()?;
    Some(format_duration(Duration::from_millis(duration.as_secs_f64().mul_add(1000.0, 0.5) as u64)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_numbers_are_seconds() {
        for (text, meant) in [
            ("30", "30s"),
            ("0.5", "500ms"),
            (" 300 ", "5m"),
            ("2.0", "2s"),
            ("0.0004", "0ms"),
            ("0.001", "1ms"),
            ("1.5", "1500ms"),
            ("0", "0ms"),
        ] {
            assert_eq!(seconds(text).as_deref(), Some(meant), "{text}");
        }
        for text in ["30s", "", "-1", "nan", "inf", "1e300", "soon"] {
            assert_eq!(seconds(text), None, "{text}");
        }
    }
}

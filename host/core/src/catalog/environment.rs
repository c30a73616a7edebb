//! A plugin that replaces another program's MCP server reads the environment variables of that server:
//! `fleetgate stdio --plugin ID`, where `fleetgate.toml` has no table for it, and then alone.
//!
//! What the manifest names in `env` becomes the table that the operator would have written. `bearer`, `password`,
//! `key` and `token` are secrets and stay in the environment, read when they are used; `user` stands beside them in
//! the credential; everything else is the grant's own key.
//!
//! What the plugin asks of its client (`[client]`) is granted too, but for web pages, whose sites nobody named: its own
//! server asked as it liked, and the person sits in front.
//!
//! Starting the process accepts the version that it finds. One that is dropped later and asks for more, other
//! variables too, is held until the process is started again or the plugin has a table.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use toml::{Table, Value};

use crate::asking;
use crate::diagnostic::Document;
use crate::manifest::{ConfigKind, Manifest};
use crate::settings::{Binding, LimitsTable, SecretSource, Secrets, Settings};

/// Where variables are read from.
pub type Environment = Arc<dyn Fn(&str) -> Option<String> + Send + Sync>;

/// The environment of this process. What is empty or not text counts as not set.
pub fn of_this_process() -> Environment {
    Arc::new(|name| std::env::var(name).ok().filter(|value| !value.is_empty()))
}

/// A binding of the plugin under its own id, and the settings with the secrets that it names. What is not set is not
/// granted.
pub(super) fn binding(manifest: &Manifest, settings: &Settings, read: &Environment) -> (Binding, Settings) {
    let first = |names: &[String]| names.iter().find_map(|name| Some((name.clone(), read(name)?)));
    let mut secrets: BTreeMap<String, SecretSource> = settings
        .secrets
        .names()
        .filter_map(|name| Some((name.to_owned(), settings.secrets.source(name)?.clone())))
        .collect();

    let mut config = Table::new();
    for (key, declared) in &manifest.config {
        if let Some((_, text)) = first(&declared.env) {
            config.insert(key.clone(), value(declared.kind, text));
        }
    }
    let mut grants = Table::new();
    for asked in manifest.capabilities.values() {
        let mut grant = Table::new();
        let mut credential = Table::new();
        for (key, names) in &asked.env {
            let Some((variable, text)) = first(names) else { continue };
            match key.as_str() {
                "bearer" | "password" | "key" | "token" => {
                    let name = format!("env-{}-{}-{key}", asked.kind, asked.name);
                    secrets.insert(name.clone(), SecretSource::Env(variable));
                    credential.insert(key.clone(), Value::String(name));
                }
                "user" => {
                    credential.insert(key.clone(), Value::String(text));
                }
                _ => {
                    grant.insert(key.clone(), Value::String(text));
                }
            }
        }
        if !credential.is_empty() {
            grant.insert("credential".into(), Value::Table(credential));
        }
        if !grant.is_empty() || asking::granted_where_alone(asked) {
            let of_kind = grants.entry(asked.kind.clone()).or_insert_with(|| Value::Table(Table::new()));
            if let Value::Table(of_kind) = of_kind {
                of_kind.insert(asked.name.clone(), Value::Table(grant));
            }
        }
    }

    let id = manifest.plugin.id.clone();
    let table = Table::from_iter([("config".to_owned(), config), ("grant".to_owned(), grants)].map(in_value));
    let text = Table::from_iter([in_value((
        "plugins".to_owned(),
        Table::from_iter([in_value((id.clone(), table))]),
    ))]);
    let binding = Binding {
        name: id.clone(),
        plugin: id,
        label: None,
        pin: None,
        limits: LimitsTable::default(),
        document: Arc::new(Document::new(Path::new("the environment"), text.to_string())),
    };
    let mut settings = settings.clone();
    settings.secrets = Secrets::new(settings.directory(), secrets);
    (binding, settings)
}

fn in_value((key, table): (String, Table)) -> (String, Value) {
    (key, Value::Table(table))
}

/// A variable's text as TOML would have it. What does not parse stays text, and is refused where it is read.
fn value(kind: ConfigKind, text: String) -> Value {
    let parsed = match kind {
        ConfigKind::String | ConfigKind::Duration | ConfigKind::Size => None,
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

//! What a binding is made from, beside its plugin. Two bindings with equal inputs are the same binding, and the one
//! that takes calls is left alone: its connections and permits live on.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use toml::Value;

use super::drop_directory::Stamp;
use crate::settings::{Binding, Limits, SecretSource, Settings};

/// Everything that a binding depends on.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Inputs {
    /// Its table, as TOML says it and not as it is spelled.
    table: Option<Value>,
    limits: Limits,
    /// The secrets that it names, with where they come from.
    secrets: BTreeMap<String, String>,
    /// The files that hold those secrets, or that it names itself (known hosts, certificates).
    files: BTreeMap<PathBuf, Option<Stamp>>,
}

impl Inputs {
    /// Of each binding in these settings.
    pub(super) fn of_all(settings: &Settings) -> BTreeMap<String, Arc<Self>> {
        let Ok(mut root) = settings.document.text.parse::<toml::Table>() else { return BTreeMap::new() };
        let Some(Value::Table(plugins)) = root.remove("plugins") else { return BTreeMap::new() };
        plugins.into_iter().map(|(name, table)| (name, Arc::new(Self::of(Some(table), settings)))).collect()
    }

    /// Of a binding whose table does not stand in `fleetgate.toml`.
    pub(super) fn of_binding(binding: &Binding, settings: &Settings) -> Self {
        let root = binding.document.text.parse::<toml::Table>().unwrap_or_default();
        let table = root.get("plugins").and_then(|plugins| plugins.get(&binding.name)).cloned();
        Self::of(table, settings)
    }

    fn of(table: Option<Value>, settings: &Settings) -> Self {
        let mut texts = BTreeSet::new();
        if let Some(table) = &table {
            collect(table, &mut texts);
        }
        let mut inputs =
            Self { table, limits: settings.limits, secrets: BTreeMap::new(), files: BTreeMap::new() };
        for text in texts {
            if let Some(source) = settings.secrets.source(&text) {
                inputs.secrets.insert(text.clone(), format!("{source:?}"));
                inputs.files.extend(file_of(source).map(|path| (path, None)));
            }
            let path = settings.directory().join(&text);
            if !text.is_empty() && path.is_file() {
                inputs.files.insert(path, None);
            }
        }
        inputs.look();
        inputs
    }

    fn look(&mut self) {
        for (path, stamp) in &mut self.files {
            *stamp = Stamp::of(path);
        }
    }

    /// Stamps the files anew. What has not changed stays the same one.
    pub(super) fn look_again(self: &mut Arc<Self>) {
        if self.files.iter().any(|(path, stamp)| *stamp != Stamp::of(path)) {
            Arc::make_mut(self).look();
        }
    }

    /// The files to watch.
    pub(super) fn files(&self) -> impl Iterator<Item = &Path> {
        self.files.keys().map(PathBuf::as_path)
    }
}

/// systemd's credentials and the environment stay as they are while the host runs.
fn file_of(source: &SecretSource) -> Option<PathBuf> {
    match source {
        SecretSource::File(path) => Some(path.clone()),
        SecretSource::Systemd(_) | SecretSource::Env(_) => None,
    }
}

fn collect(value: &Value, texts: &mut BTreeSet<String>) {
    match value {
        Value::String(text) => {
            texts.insert(text.clone());
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, texts)),
        Value::Table(table) => table.values().for_each(|item| collect(item, texts)),
        _ => {}
    }
}

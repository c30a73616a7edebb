//! How what two versions of a plugin show differs for the model that reads it.

use std::collections::BTreeMap;

use indexmap::IndexMap;
use serde::Serialize;
use serde_json::Value;

use super::bind::Surface;
use crate::artifact::Digest;
use crate::domain::{Prompt, ResourceTemplate, Skill, Tool};

/// Everything that is new, gone or another, by name.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Differences {
    /// Tools.
    pub tools: BTreeMap<String, ItemChange>,
    /// Prompts.
    pub prompts: BTreeMap<String, ItemChange>,
    /// Templates, by URI template.
    pub templates: BTreeMap<String, ItemChange>,
    /// Skills, by path.
    pub skills: BTreeMap<String, ItemChange>,
}

/// How one item differs between two versions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "change", rename_all = "kebab-case")]
pub enum ItemChange {
    /// It is new.
    Added {
        /// What the model will read.
        description: String,
    },
    /// It is gone.
    Removed,
    /// It is described differently.
    Changed {
        /// By part (`title`, `description`, `input schema`, `files`, …).
        parts: BTreeMap<&'static str, Part>,
    },
}

/// One part of an item, as text; JSON is laid out over several lines.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Part {
    /// In the approved version. Empty: not there.
    pub before: String,
    /// In the new one. Empty: not there.
    pub after: String,
}

impl Differences {
    pub(super) fn between(old: &Surface, new: &Surface) -> Self {
        Self {
            tools: compare(&old.tools, &new.tools),
            prompts: compare(&old.prompts, &new.prompts),
            templates: compare(&old.templates, &new.templates),
            skills: compare(&old.skills, &new.skills),
        }
    }
}

type Parts = BTreeMap<&'static str, String>;

/// Something that a model reads.
trait Shown {
    /// By part; always the same parts.
    fn parts(&self) -> Parts;

    fn description(&self) -> String {
        self.parts().remove("description").unwrap_or_default()
    }
}

fn compare<T: Shown>(old: &IndexMap<String, T>, new: &IndexMap<String, T>) -> BTreeMap<String, ItemChange> {
    let mut changes = BTreeMap::new();
    for (name, item) in new {
        match old.get(name) {
            None => {
                changes.insert(name.clone(), ItemChange::Added { description: item.description() });
            }
            Some(before) => {
                let before = before.parts();
                let changed: BTreeMap<_, _> = item
                    .parts()
                    .into_iter()
                    .filter_map(|(part, after)| {
                        let before = before[part].clone();
                        (before != after).then_some((part, Part { before, after }))
                    })
                    .collect();
                if !changed.is_empty() {
                    changes.insert(name.clone(), ItemChange::Changed { parts: changed });
                }
            }
        }
    }
    let gone = old.keys().filter(|name| !new.contains_key(*name));
    changes.extend(gone.map(|name| (name.clone(), ItemChange::Removed)));
    changes
}

fn text(text: &Option<String>) -> String {
    text.clone().unwrap_or_default()
}

fn json(value: Option<&Value>) -> String {
    value.map(|value| format!("{value:#}")).unwrap_or_default()
}

impl Shown for Tool {
    fn parts(&self) -> Parts {
        BTreeMap::from([
            ("title", text(&self.title)),
            ("description", text(&self.description)),
            ("input schema", json(Some(&self.input_schema))),
            ("output schema", json(self.output_schema.as_deref())),
            ("meta", json(self.meta.as_ref())),
            ("extra", json(self.extra.as_ref())),
        ])
    }
}

impl Shown for Prompt {
    fn parts(&self) -> Parts {
        let arguments = self.arguments.iter().map(|argument| {
            let required = if argument.required { " (required)" } else { "" };
            let said = [&argument.title, &argument.description].into_iter().flatten();
            let said: Vec<&str> = said.map(String::as_str).collect();
            format!("{}{required}: {}", argument.name, said.join(": "))
        });
        BTreeMap::from([
            ("title", text(&self.title)),
            ("description", text(&self.description)),
            ("arguments", arguments.collect::<Vec<_>>().join("\n")),
            ("meta", json(self.meta.as_ref())),
            ("extra", json(self.extra.as_ref())),
        ])
    }
}

impl Shown for ResourceTemplate {
    fn parts(&self) -> Parts {
        BTreeMap::from([
            ("name", self.name.clone()),
            ("title", text(&self.title)),
            ("description", text(&self.description)),
            ("media type", text(&self.mime_type)),
            ("meta", json(self.meta.as_ref())),
            ("extra", json(self.extra.as_ref())),
        ])
    }
}

impl Shown for Skill {
    fn parts(&self) -> Parts {
        let files = self.files.iter().map(|file| format!("{} {}", file.uri, Digest::of(&file.data)));
        let instructions =
            self.files.iter().find(|file| file.uri == format!("skill://{}/SKILL.md", self.path));
        let instructions = instructions.map(|file| String::from_utf8_lossy(&file.data).into_owned());
        BTreeMap::from([
            ("front matter", json(Some(&self.frontmatter))),
            ("instructions", instructions.unwrap_or_default()),
            ("files", files.collect::<Vec<_>>().join("\n")),
        ])
    }

    fn description(&self) -> String {
        self.frontmatter.get("description").and_then(Value::as_str).unwrap_or_default().to_owned()
    }
}

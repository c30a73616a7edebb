//! Tools: their schemas are compiled, and their hints must be the manifest's.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use super::super::parts::Parts;
use super::MAX_TOOLS;
use super::failed::{List, ProbeFailed, short};
use crate::domain::Tool;
use crate::manifest::{Manifest, ToolEntry, grammar};
use crate::secret_arguments;
use crate::text::clean_json;
use crate::validate::{Schema, SchemaRefused};

/// A tool that passed the probe.
#[derive(Debug)]
pub(in super::super) struct ProbedTool {
    /// Cleaned, without a label.
    pub(in super::super) definition: Tool,
    pub(in super::super) input: Schema,
    pub(in super::super) output: Option<Schema>,
}

pub(super) fn check(
    tools: Vec<Tool>,
    manifest: &Manifest,
) -> Result<BTreeMap<String, ProbedTool>, ProbeFailed> {
    if tools.len() > MAX_TOOLS {
        return Err(ProbeFailed::TooMany(tools.len()));
    }
    let mut probed = BTreeMap::new();
    for tool in tools {
        let item = List::Tools.item(&tool.name);
        if !grammar::is_tool(&tool.name) {
            return Err(ProbeFailed::BadName { item, help: grammar::TOOL });
        }
        let entry = manifest.tools.get(&tool.name).ok_or_else(|| ProbeFailed::NoEntry(item.clone()))?;
        let name = tool.name.clone();
        if probed.insert(name, check_tool(tool, entry)?).is_some() {
            return Err(ProbeFailed::Twice(item));
        }
    }
    let absent = manifest.tools.iter().find(|(name, entry)| !entry.opt_in && !probed.contains_key(*name));
    match absent {
        Some((name, _)) => Err(ProbeFailed::NotListed(List::Tools.item(name))),
        None => Ok(probed),
    }
}

fn check_tool(mut tool: Tool, entry: &ToolEntry) -> Result<ProbedTool, ProbeFailed> {
    let parts = Parts {
        title: &mut tool.title,
        description: &mut tool.description,
        meta: &mut tool.meta,
        extra: &mut tool.extra,
    };
    parts.take().map_err(|refused| ProbeFailed::Part { item: List::Tools.item(&tool.name), refused })?;
    contradiction(&tool, entry)?;

    let refused = |which| {
        let tool = tool.name.clone();
        move |why| match why {
            SchemaRefused::Invalid(text) => {
                ProbeFailed::Schema { tool, which, why: SchemaRefused::Invalid(short(&text)) }
            }
            why => ProbeFailed::Schema { tool, which, why },
        }
    };
    let input = Schema::of_arguments(&tool.input_schema).map_err(refused("input"))?;
    secret_arguments::check_schema(&tool.input_schema, &entry.secret)
        .map_err(|why| ProbeFailed::Secret { tool: tool.name.clone(), why })?;
    let output = tool.output_schema.as_deref().map(Schema::compile).transpose().map_err(refused("output"))?;

    clean_json(Arc::make_mut(&mut tool.input_schema));
    if let Some(schema) = &mut tool.output_schema {
        clean_json(Arc::make_mut(schema));
    }
    Ok(ProbedTool { definition: tool, input, output })
}

/// Hints are emitted from the manifest. A component that says otherwise was packed with the wrong one, or lies.
fn contradiction(tool: &Tool, entry: &ToolEntry) -> Result<(), ProbeFailed> {
    let Some(annotations) = tool.extra.as_ref().and_then(|extra| extra.get("annotations")) else {
        return Ok(());
    };
    let expected = [
        ("readOnlyHint", Some(entry.read_only)),
        ("destructiveHint", Some(entry.destructive)),
        ("idempotentHint", Some(entry.idempotent)),
        ("openWorldHint", entry.open_world),
    ];
    for (hint, expected) in expected {
        if let (Some(said), Some(expected)) = (annotations.get(hint).and_then(Value::as_bool), expected)
            && said != expected
        {
            return Err(ProbeFailed::Contradiction { tool: tool.name.clone(), hint, said, expected });
        }
    }
    Ok(())
}

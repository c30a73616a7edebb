//! A tool of the catalog as MCP describes it. The hints come from the manifest, never from the component.

use std::sync::Arc;

use fleetgate_core::catalog::Scope;
use rmcp::model::{Icon, JsonObject, Tool, ToolAnnotations};
use serde_json::{Value, json};

use crate::meta;
use crate::view::Definition;

/// The longest icon, in bytes of its URI. Icons travel with every list.
const MAX_ICON: usize = 32 * 1024;
/// The most icons of one thing.
const MAX_ICONS: usize = 4;

/// One item of `tools/list`.
pub(crate) fn tool(scope: &Scope, definition: &Definition) -> Tool {
    let declared = &definition.tool;
    let description = declared.description.clone().map(Into::into);
    let mut tool = Tool::new_with_raw(definition.name.clone(), description, object(&declared.input_schema));
    tool.title = declared.title.clone();
    tool.output_schema = declared.output_schema.as_ref().map(object);
    tool.annotations = Some(hints(definition));
    tool.icons = icons(declared.extra.as_ref());
    tool.meta = Some(meta::of_binding(declared.meta.as_ref(), scope, &definition.binding));
    tool
}

/// Whether clients of before 2026-07-28 can read this output schema: theirs describes an object, and some of them
/// refuse the whole list over one that does not.
pub(crate) fn legacy_output(tool: &Tool) -> bool {
    tool.output_schema.as_ref().is_none_or(|schema| schema.get("type") == Some(&json!("object")))
}

fn hints(definition: &Definition) -> ToolAnnotations {
    ToolAnnotations::from_raw(
        // Where clients of 2025-03-26 look for the title.
        definition.tool.title.clone(),
        Some(definition.read_only),
        Some(definition.destructive && !definition.read_only),
        Some(definition.idempotent),
        definition.open_world,
    )
}

/// Icons that need no fetching: an icon from elsewhere would tell its server who looks at this list.
pub(crate) fn icons(extra: Option<&Value>) -> Option<Vec<Icon>> {
    let given = extra?.get("icons")?.as_array()?;
    let kept: Vec<Icon> = given
        .iter()
        .filter_map(|icon| serde_json::from_value::<Icon>(icon.clone()).ok())
        .filter(|icon| icon.src.len() <= MAX_ICON && icon.src.starts_with("data:image/"))
        .take(MAX_ICONS)
        .collect();
    Some(kept).filter(|icons| !icons.is_empty())
}

/// A schema's root object. The probe let nothing else through; what is not an object would accept nothing.
fn object(schema: &Arc<Value>) -> Arc<JsonObject> {
    Arc::new(match &**schema {
        Value::Object(object) => object.clone(),
        _ => JsonObject::from_iter([("not".to_owned(), json!({}))]),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use fleetgate_core::domain::Tool as Declared;

    fn definition() -> Definition {
        Definition {
            name: "lab_reboot".into(),
            binding: "lab".into(),
            tool: Declared {
                name: "reboot".into(),
                title: Some("Reboot".into()),
                description: Some("Restarts a device.".into()),
                input_schema: Arc::new(json!({"type": "object", "$defs": {"a": {"$anchor": "x"}}})),
                output_schema: None,
                meta: Some(json!({"ui": {"resourceUri": "ui://panel"}, "io.modelcontextprotocol/x": 1})),
                extra: Some(json!({"icons": [
                    {"src": "https://tracker.example/i.png"},
                    {"src": "data:image/png;base64,AAAA", "mimeType": "image/png"},
                    {"src": "javascript:alert(1)"},
                    "not an icon",
                ]})),
            },
            read_only: false,
            destructive: true,
            idempotent: false,
            open_world: Some(false),
        }
    }

    #[test]
    fn an_item_says_what_the_manifest_says() {
        let item = serde_json::to_value(tool(&Scope::Shared, &definition())).unwrap();
        assert_eq!(
            item,
            json!({
                "name": "lab_reboot",
                "title": "Reboot",
                "description": "Restarts a device.",
                "inputSchema": {"type": "object", "$defs": {"a": {"$anchor": "x"}}},
                "annotations": {"title": "Reboot", "readOnlyHint": false, "destructiveHint": true,
                                "idempotentHint": false, "openWorldHint": false},
                "icons": [{"src": "data:image/png;base64,AAAA", "mimeType": "image/png"}],
                "_meta": {"ui": {"resourceUri": "ui://lab/panel"}, "dev.fleetgate/binding": "lab"},
            })
        );
    }

    #[test]
    fn what_reads_only_destroys_nothing() {
        let item = tool(&Scope::Shared, &Definition { read_only: true, ..definition() });
        let hints = item.annotations.unwrap();
        assert_eq!((hints.read_only_hint, hints.destructive_hint), (Some(true), Some(false)));
    }
}

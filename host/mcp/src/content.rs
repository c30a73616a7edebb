//! What a tool, a prompt or a resource returned, as MCP says it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use fleetgate_core::catalog::Scope;
use fleetgate_core::domain::{self, Content, ToolResult};
use rmcp::model::{
    Annotations, AudioContent, CallToolResult, ContentBlock, EmbeddedResource, ImageContent, MetaObject,
    PromptMessage, Resource, ResourceContents, Role, TextContent,
};
use serde_json::Value;

use crate::caller::Era;
use crate::{meta, uri};

/// Where a result came from, and for whom it is.
pub(crate) struct From<'a> {
    pub(crate) scope: &'a Scope,
    pub(crate) binding: &'a str,
    pub(crate) era: Era,
}

/// A whole result. Structured content is passed on as it is; if the plugin gave nothing to read beside it, its text
/// is the content too (specification, `server/tools`, "Structured Content").
pub(crate) fn result(from: &From<'_>, returned: &ToolResult) -> CallToolResult {
    let mut content: Vec<_> = returned.content.iter().map(|one| block(from, one)).collect();
    let structured = returned.structured.as_deref();
    if let (true, Some(structured)) = (content.is_empty(), structured) {
        content.push(ContentBlock::text(structured.get()));
    }
    let mut result =
        if returned.is_error { CallToolResult::error(content) } else { CallToolResult::success(content) };
    result.structured_content = structured
        .and_then(|raw| serde_json::from_str(raw.get()).ok())
        // Before 2026-07-28 it is an object or nothing.
        .filter(|value: &Value| from.era == Era::Modern || value.is_object());
    result.meta = said(from, returned.meta.as_ref());
    result
}

fn block(from: &From<'_>, content: &Content) -> ContentBlock {
    let text = || content.text.clone().unwrap_or_default();
    let data = || STANDARD.encode(content.data.as_deref().unwrap_or_default());
    let mime = || content.mime_type.clone().unwrap_or_else(|| "application/octet-stream".into());
    let meta = said(from, content.meta.as_ref());
    let annotations = annotations(content.extra.as_ref());
    match content.kind.as_str() {
        "text" => {
            let mut block = TextContent::new(text());
            (block.meta, block.annotations) = (meta, annotations);
            ContentBlock::Text(block)
        }
        "image" => {
            let mut block = ImageContent::new(data(), mime());
            (block.meta, block.annotations) = (meta, annotations);
            ContentBlock::Image(block)
        }
        "audio" => {
            let mut block = AudioContent::new(data(), mime());
            (block.meta, block.annotations) = (meta, annotations);
            ContentBlock::Audio(block)
        }
        "link" if content.uri.is_some() => ContentBlock::ResourceLink(link(from, content)),
        "resource" if content.uri.is_some() => {
            let mut block = EmbeddedResource::new(embedded(from, content));
            block.annotations = annotations;
            ContentBlock::Resource(block)
        }
        // The set is open: a plugin built for a later host still gets its text across.
        kind => ContentBlock::text(match &content.text {
            Some(text) => text.clone(),
            None => format!(
                "(content of kind \"{}\" was left out: this host cannot pass it on)",
                kind.escape_default()
            ),
        }),
    }
}

/// What the plugin says in `_meta`, if anything.
fn said(from: &From<'_>, meta: Option<&Value>) -> Option<MetaObject> {
    let mut said = meta::from_plugin(meta);
    uri::panel_outward(from.scope, from.binding, &mut said);
    Some(said).filter(|said| !said.is_empty())
}

fn link(from: &From<'_>, content: &Content) -> Resource {
    let own = content.uri.as_deref().unwrap_or_default();
    let given = |key: &str| content.extra.as_ref().and_then(|extra| extra.get(key));
    let text = |key: &str| given(key).and_then(Value::as_str).map(str::to_owned);
    let name = content.text.clone().filter(|name| !name.is_empty()).unwrap_or_else(|| own.to_owned());
    let mut link = Resource::new(uri::outward(from.scope, from.binding, own), name);
    link.title = text("title");
    link.description = text("description");
    link.mime_type = content.mime_type.clone();
    link.size = given("size").and_then(Value::as_u64);
    link.meta = said(from, content.meta.as_ref());
    link.annotations = annotations(content.extra.as_ref());
    link
}

/// One of the contents of a resource that was read. What carries no URI of its own is at the one that was asked for.
pub(crate) fn contents(from: &From<'_>, content: &Content, asked: &str) -> ResourceContents {
    embedded_at(from, content, content.uri.as_deref().unwrap_or(asked))
}

/// One message of a prompt.
pub(crate) fn message(from: &From<'_>, message: &domain::PromptMessage) -> PromptMessage {
    let role = if message.role == "assistant" { Role::Assistant } else { Role::User };
    PromptMessage::new(role, block(from, &message.content))
}

fn embedded(from: &From<'_>, content: &Content) -> ResourceContents {
    embedded_at(from, content, content.uri.as_deref().unwrap_or_default())
}

fn embedded_at(from: &From<'_>, content: &Content, own: &str) -> ResourceContents {
    let uri = uri::outward(from.scope, from.binding, own).into_owned();
    let (mime_type, meta) = (content.mime_type.clone(), said(from, content.meta.as_ref()));
    match (&content.text, &content.data) {
        (None, Some(data)) => {
            ResourceContents::BlobResourceContents { uri, mime_type, blob: STANDARD.encode(data), meta }
        }
        (text, _) => ResourceContents::TextResourceContents {
            uri,
            mime_type,
            text: text.clone().unwrap_or_default(),
            meta,
        },
    }
}

/// `annotations` of `extra`; one that says nothing MCP knows is left out.
pub(crate) fn annotations(extra: Option<&Value>) -> Option<Annotations> {
    let given = extra?.get("annotations")?;
    let mut read: Annotations = serde_json::from_value(given.clone()).ok()?;
    read.priority = read.priority.filter(|priority| (0.0..=1.0).contains(priority));
    Some(read).filter(|read| *read != Annotations::default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use serde_json::value::RawValue;

    fn shown(content: Content, scope: &Scope) -> Value {
        let from = From { scope, binding: "naas", era: Era::Modern };
        serde_json::to_value(block(&from, &content)).unwrap()
    }

    fn of(kind: &str) -> Content {
        Content { kind: kind.into(), ..Content::default() }
    }

    #[test]
    fn every_kind_has_its_block() {
        let extra =
            Some(json!({"annotations": {"audience": ["user"], "priority": 0.5}, "title": "T", "size": 3}));
        let cases = [
            (Content::text("hi"), json!({"type": "text", "text": "hi"})),
            (
                Content { data: Some(vec![1, 2, 3]), mime_type: Some("image/png".into()), ..of("image") },
                json!({"type": "image", "data": "AQID", "mimeType": "image/png"}),
            ),
            (
                Content { data: Some(vec![1]), mime_type: Some("audio/wav".into()), ..of("audio") },
                json!({"type": "audio", "data": "AQ==", "mimeType": "audio/wav"}),
            ),
            (
                Content {
                    uri: Some("naas://jobs/1".into()),
                    text: Some("job 1".into()),
                    extra,
                    ..of("link")
                },
                json!({"type": "resource_link", "uri": "naas+naas://jobs/1", "name": "job 1", "title": "T", "size": 3,
                       "annotations": {"audience": ["user"], "priority": 0.5}}),
            ),
            (
                Content { uri: Some("naas://a".into()), text: Some("x".into()), ..of("resource") },
                json!({"type": "resource", "resource": {"uri": "naas+naas://a", "text": "x"}}),
            ),
            (
                Content { uri: Some("naas://b".into()), data: Some(vec![255]), ..of("resource") },
                json!({"type": "resource", "resource": {"uri": "naas+naas://b", "blob": "/w=="}}),
            ),
        ];
        for (content, expected) in cases {
            assert_eq!(shown(content, &Scope::Shared), expected);
        }
    }

    #[test]
    fn a_kind_of_tomorrow_still_gets_its_text_across() {
        assert_eq!(
            shown(Content { text: Some("seen".into()), ..of("hologram") }, &Scope::Shared)["text"],
            "seen"
        );
        let left_out = shown(of("holo\ngram"), &Scope::Shared);
        assert!(left_out["text"].as_str().unwrap().contains("holo\\ngram"), "{left_out}");
        assert_eq!(shown(of("link"), &Scope::Shared)["type"], "text");
    }

    #[test]
    fn structured_content_goes_across_as_it_is_and_can_be_read() {
        let raw = r#"{"z":1,"a":[1.0,18446744073709551615],"n":null}"#;
        let returned = ToolResult {
            structured: Some(RawValue::from_string(raw.into()).unwrap()),
            ..ToolResult::default()
        };
        let from = From { scope: &Scope::Shared, binding: "naas", era: Era::Legacy };
        let result = result(&from, &returned);
        assert_eq!(serde_json::to_string(&result.structured_content).unwrap(), raw);
        assert_eq!(result.content[0].as_text().unwrap().text, raw);
        assert_eq!(result.is_error, Some(false));
    }

    #[test]
    fn structured_content_that_is_no_object_is_for_modern_clients_alone() {
        let structured = Some(RawValue::from_string("[1]".into()).unwrap());
        let returned = ToolResult { structured, ..ToolResult::default() };
        let with = |era| result(&From { scope: &Scope::Shared, binding: "naas", era }, &returned);
        assert_eq!(with(Era::Modern).structured_content, Some(json!([1])));
        assert_eq!(with(Era::Legacy).structured_content, None);
        assert_eq!(with(Era::Legacy).content[0].as_text().unwrap().text, "[1]");
    }
}

//! A job's result as bytes: a length, the result as JSON, and what in it is binary, as it is.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::domain::{Content, ToolResult};

#[derive(Serialize, Deserialize)]
struct Kept {
    content: Vec<KeptContent>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    structured: Option<Box<RawValue>>,
    #[serde(default)]
    is_error: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    meta: Option<Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    extra: Option<Value>,
}

#[derive(Serialize, Deserialize)]
struct KeptContent {
    kind: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    /// Bytes of it; they come after the JSON, in the order of the blocks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    data: Option<usize>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    mime_type: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    uri: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    meta: Option<Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    extra: Option<Value>,
}

/// What is stored of a result.
pub(super) fn to_bytes(result: ToolResult) -> Vec<u8> {
    let mut binary = Vec::new();
    let content = result
        .content
        .into_iter()
        .map(|block| KeptContent {
            kind: block.kind,
            text: block.text,
            data: block.data.map(|data| {
                binary.extend_from_slice(&data);
                data.len()
            }),
            mime_type: block.mime_type,
            uri: block.uri,
            meta: block.meta,
            extra: block.extra,
        })
        .collect();
    let kept = Kept {
        content,
        structured: result.structured,
        is_error: result.is_error,
        meta: result.meta,
        extra: result.extra,
    };
    let json = serde_json::to_vec(&kept).expect("plain data with text keys");
    let mut bytes = Vec::with_capacity(8 + json.len() + binary.len());
    bytes.extend_from_slice(&(json.len() as u64).to_le_bytes());
    bytes.extend_from_slice(&json);
    bytes.extend_from_slice(&binary);
    bytes
}

/// The result of which these bytes were stored. None: they are of something else.
pub(super) fn from_bytes(bytes: &[u8]) -> Option<ToolResult> {
    let (length, rest) = bytes.split_first_chunk::<8>()?;
    let (json, mut binary) = rest.split_at_checked(usize::try_from(u64::from_le_bytes(*length)).ok()?)?;
    let kept: Kept = serde_json::from_slice(json).ok()?;
    let mut content = Vec::with_capacity(kept.content.len());
    let Kept { content: blocks, structured, is_error, meta, extra } = kept;
    for block in blocks {
        let data = match block.data {
            Some(length) => {
                let (data, rest) = binary.split_at_checked(length)?;
                binary = rest;
                Some(data.to_vec())
            }
            None => None,
        };
        content.push(Content {
            kind: block.kind,
            text: block.text,
            data,
            mime_type: block.mime_type,
            uri: block.uri,
            meta: block.meta,
            extra: block.extra,
        });
    }
    Some(ToolResult { content, structured, is_error, meta, extra })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_result_comes_back_as_it_was() {
        let image = Content {
            kind: "image".into(),
            data: Some(vec![0, 255, 10]),
            mime_type: Some("image/png".into()),
            meta: Some(json!({"a": 1})),
            ..Content::default()
        };
        let empty = Content { kind: "audio".into(), data: Some(Vec::new()), ..Content::default() };
        let result = ToolResult {
            content: vec![Content::text("ä\n"), image, empty, Content::text("after")],
            structured: Some(RawValue::from_string("{ \"exact\": 1.50 }".into()).expect("JSON")),
            is_error: true,
            meta: Some(json!({"m": []})),
            extra: None,
        };
        let back = from_bytes(&to_bytes(result.clone())).expect("it is one");
        assert_eq!(back.content, result.content);
        assert_eq!(back.structured.expect("structured").get(), "{ \"exact\": 1.50 }");
        assert!(back.is_error && back.meta == result.meta && back.extra.is_none());
    }

    #[test]
    fn bytes_of_something_else_are_no_result() {
        let whole = to_bytes(ToolResult { content: vec![Content::text("x")], ..ToolResult::default() });
        for wrong in
            [&[][..], &[0; 7], &[255; 64], b"not a result at all, but some text", &whole[..whole.len() - 1]]
        {
            assert!(from_bytes(wrong).is_none());
        }
    }
}

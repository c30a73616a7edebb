//! How much memory a message takes, roughly: what is kept of a session is bounded by it.

use std::io;

use rmcp::model::{ContentBlock, JsonRpcMessage, ResourceContents, ServerJsonRpcMessage, ServerResult};
use serde_json::Value;

/// The weight of a message, in bytes. What a tool answers is the largest, and is not written out for it.
pub(super) fn weight(message: &ServerJsonRpcMessage) -> usize {
    const OVERHEAD: usize = 512;
    let inside = match message {
        JsonRpcMessage::Response(response) => match &response.result {
            ServerResult::CallToolResult(result) => {
                let content: usize = result.content.iter().map(block).sum();
                content + result.structured_content.as_ref().map_or(0, value)
            }
            _ => written(message),
        },
        _ => written(message),
    };
    OVERHEAD + inside
}

/// What a value takes besides its text.
pub(super) const VALUE: usize = size_of::<Value>();

/// The length of a message as JSON, with what its values take in memory: small ones take more than their text.
fn written(message: &ServerJsonRpcMessage) -> usize {
    struct Scale(usize);
    impl io::Write for Scale {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            // serde_json writes each of these by itself, and one of them stands before every value.
            self.0 += bytes.len() + if matches!(bytes, b"," | b"[" | b"{") { VALUE } else { 0 };
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let mut scale = Scale(0);
    // What cannot be written is never sent.
    serde_json::to_writer(&mut scale, message).map_or(usize::MAX / 2, |()| scale.0)
}

fn block(block: &ContentBlock) -> usize {
    match block {
        ContentBlock::Text(text) => text.text.len(),
        ContentBlock::Image(image) => image.data.len(),
        ContentBlock::Audio(audio) => audio.data.len(),
        ContentBlock::Resource(embedded) => match &embedded.resource {
            ResourceContents::TextResourceContents { text, .. } => text.len(),
            ResourceContents::BlobResourceContents { blob, .. } => blob.len(),
            _ => 0,
        },
        _ => 256,
    }
}

fn value(value: &Value) -> usize {
    VALUE
        + match value {
            Value::String(text) => text.len(),
            Value::Array(items) => items.iter().map(self::value).sum(),
            Value::Object(fields) => {
                fields.iter().map(|(key, field)| size_of::<String>() + key.len() + self::value(field)).sum()
            }
            _ => 0,
        }
}

//! Tools that return each kind of content: the `tools-call-*` scenarios of both eras.

use fleetgate_sdk::prelude::*;

/// One red pixel.
pub(crate) const PIXEL: &[u8] = include_bytes!("media/pixel.png");
/// Ten milliseconds of nothing.
const SILENCE: &[u8] = include_bytes!("media/silence.wav");

/// Returns a line of text.
#[tool(requires = "any", read_only)]
pub fn test_simple_text() -> Result<String, Fault> {
    Ok("This is a simple text response for testing.".to_owned())
}

/// Returns a picture.
#[tool(requires = "any", read_only)]
pub fn test_image_content() -> Result<ToolResult, Fault> {
    Ok(ToolResult::new().image(PIXEL, "image/png"))
}

/// Returns a sound.
#[tool(requires = "any", read_only)]
pub fn test_audio_content() -> Result<ToolResult, Fault> {
    Ok(ToolResult::new().audio(SILENCE, "audio/wav"))
}

/// Returns a resource within the result.
#[tool(requires = "any", read_only)]
pub fn test_embedded_resource() -> Result<ToolResult, Fault> {
    let text = "This is an embedded resource content.";
    Ok(Content::resource_text("test://embedded-resource", text, "text/plain").into())
}

/// Returns text, a picture and a resource.
#[tool(requires = "any", read_only)]
pub fn test_multiple_content_types() -> Result<ToolResult, Fault> {
    let data = json!({ "test": "data", "value": 123 }).to_string();
    Ok(ToolResult::text("Multiple content types test:")
        .image(PIXEL, "image/png")
        .content(Content::resource_text("test://mixed-content-resource", data, "application/json")))
}

/// Runs, and says that it failed.
#[tool(requires = "any", read_only)]
pub fn test_error_handling() -> Result<ToolResult, Fault> {
    Ok(ToolResult::error("This tool intentionally returns an error for testing"))
}

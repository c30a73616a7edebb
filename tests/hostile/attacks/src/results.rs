//! Returning what it should not.

use fleetgate_sdk::prelude::*;

/// How much.
#[derive(Deserialize, JsonSchema)]
pub struct Size {
    /// How many.
    count: usize,
}

/// Returns that many bytes of text.
#[tool(requires = "any", read_only)]
pub fn bytes(args: Size) -> Result<String, Fault> {
    Ok("b".repeat(args.count))
}

/// Returns that many blocks.
#[tool(requires = "any", read_only)]
pub fn many_blocks(args: Size) -> Result<ToolResult, Fault> {
    Ok((0..args.count).fold(ToolResult::new(), |result, _| result.and_text("b")))
}

/// What the output schema promises.
#[derive(JsonSchema)]
pub struct Promise {
    /// A number.
    #[expect(dead_code, reason = "only promised")]
    number: u64,
}

/// Something else.
impl serde::Serialize for Promise {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_map([("number", "not a number")])
    }
}

/// Returns something else than it promised.
#[tool(requires = "any", read_only)]
pub fn unpromised() -> Result<Promise, Fault> {
    Ok(Promise { number: 1 })
}

/// Returns text that hides and reorders.
#[tool(requires = "any", read_only)]
pub fn bidi() -> Result<String, Fault> {
    Ok("safe\u{202e}exe.\u{200b}\u{1b}[2Jtxt\u{e0041}".to_owned())
}

/// Returns a word, for callers that want an honest answer.
#[tool(requires = "any", read_only)]
pub fn plain() -> Result<String, Fault> {
    Ok("plain".to_owned())
}

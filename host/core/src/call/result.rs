//! What a guest returned, on its way out: bounded, checked against the tool's schema, cleaned.

use serde_json::Value;
use serde_json::value::RawValue;

use crate::asking::{self, Asker};
use crate::catalog::parts::clean_text;
use crate::catalog::{LiveBinding, LiveTool};
use crate::domain::{Content, Fault, Question, ToolResult};
use crate::sandbox::Used;
use crate::text::{clean, clean_json};

/// The most blocks of content in one result.
const MAX_BLOCKS: usize = 10_000;
/// The most values in a structured result. Parsed, small ones take tens of times their text.
const MAX_VALUES: usize = 250_000;
/// The longest message of a fault.
const MAX_MESSAGE: usize = 8 << 10;
/// The largest details of a fault, as JSON text.
const MAX_DETAILS: usize = 64 << 10;

/// A tool's result that may leave the host, or the fault that takes its place.
pub(super) fn tool(mut result: ToolResult, tool: &LiveTool) -> Result<ToolResult, Fault> {
    within(size_of(&result), tool.limits.result)?;
    count(result.content.len())?;
    if let Some(structured) = &result.structured {
        let values = values(structured.get());
        if values > MAX_VALUES {
            return Err(Fault::new(
                "limit",
                format!(
                    "the structured result has about {values} values; at most {MAX_VALUES} may be returned"
                ),
            ));
        }
    }
    if let Some(schema) = &tool.output {
        match &result.structured {
            Some(structured) => {
                let value: Value =
                    serde_json::from_str(structured.get()).map_err(|error| broken(&error.to_string()))?;
                schema.check_result(&value).map_err(|why| broken(&why))?;
            }
            None if !result.is_error => return Err(broken("there is no structured result")),
            None => {}
        }
    }
    if !tool.verbatim {
        clean_result(&mut result)?;
    }
    if result.content.is_empty()
        && let Some(structured) = &result.structured
    {
        result.content.push(Content::text(structured.get()));
    }
    Ok(result)
}

/// The plugin broke its own promise: its author's defect, not the caller's.
fn broken(why: &str) -> Fault {
    Fault::new(
        "protocol",
        format!("the tool returned something else than its output schema promises: {}", clean(why)),
    )
}

/// How much a tool's result holds, in bytes.
pub(super) fn size_of(result: &ToolResult) -> usize {
    size_of_blocks(&result.content) + result.structured.as_ref().map_or(0, |json| json.get().len())
}

/// How much these blocks hold, in bytes.
pub(super) fn size_of_blocks<'a>(blocks: impl IntoIterator<Item = &'a Content>) -> usize {
    blocks
        .into_iter()
        .map(|block| {
            let texts = [&block.text, &block.mime_type, &block.uri].into_iter().flatten().map(String::len);
            texts.sum::<usize>() + block.data.as_ref().map_or(0, Vec::len)
        })
        .sum()
}

/// Whether these blocks may leave the host together.
pub(super) fn check_blocks<'a>(
    blocks: impl IntoIterator<Item = &'a Content> + Clone,
    limit: u64,
) -> Result<(), Fault> {
    within(size_of_blocks(blocks.clone()), limit)?;
    count(blocks.into_iter().count())
}

fn within(size: usize, limit: u64) -> Result<(), Fault> {
    if size as u64 > limit {
        let limit = crate::units::format_size(limit);
        return Err(Fault::new(
            "limit",
            format!("the result is {size} bytes long; at most {limit} may be returned"),
        ));
    }
    Ok(())
}

fn count(blocks: usize) -> Result<(), Fault> {
    if blocks > MAX_BLOCKS {
        return Err(Fault::new(
            "limit",
            format!("the result has {blocks} blocks of content; at most {MAX_BLOCKS}"),
        ));
    }
    Ok(())
}

fn clean_result(result: &mut ToolResult) -> Result<(), Fault> {
    result.content.iter_mut().for_each(clean_block);
    [&mut result.meta, &mut result.extra].into_iter().flatten().for_each(clean_json);
    if let Some(structured) = &result.structured
        && let Some(cleaned) = clean_raw(structured)?
    {
        result.structured = Some(cleaned);
    }
    Ok(())
}

/// Makes visible what hides or forges.
pub(super) fn clean_block(block: &mut Content) {
    [&mut block.text, &mut block.mime_type, &mut block.uri].into_iter().for_each(clean_text);
    [&mut block.meta, &mut block.extra].into_iter().flatten().for_each(clean_json);
}

/// About how many values JSON text holds: never fewer than there are.
fn values(json: &str) -> usize {
    1 + json.bytes().filter(|byte| matches!(byte, b',' | b'[' | b'{')).count()
}

/// Cleans JSON text, and leaves it verbatim (number formats, order, spacing) when nothing is to be done. Within JSON
/// text, hostile characters stand literally or as escapes.
fn clean_raw(json: &RawValue) -> Result<Option<Box<RawValue>>, Fault> {
    let text = json.get();
    let escaped = ["\\u", "\\r", "\\b", "\\f"].iter().any(|escape| text.contains(escape));
    if !escaped && matches!(clean(text), std::borrow::Cow::Borrowed(_)) {
        return Ok(None);
    }
    let unreadable = |error: serde_json::Error| {
        Fault::new("protocol", format!("the structured result cannot be read: {error}"))
    };
    let mut value: Value = serde_json::from_str(text).map_err(unreadable)?;
    clean_json(&mut value);
    serde_json::value::to_raw_value(&value).map(Some).map_err(unreadable)
}

/// A question that may leave the host, or the fault that takes its place; why stands in the record.
pub(super) fn asked(question: Question, binding: &LiveBinding, used: &Used) -> Result<Question, Fault> {
    let asker = Asker { binding: &binding.name, label: binding.label.as_deref(), asks: &binding.asks };
    asking::check(question, &asker).map_err(|refused| {
        used.refuse(refused.why);
        refused.fault
    })
}

/// A plugin's fault, bounded and cleaned.
pub(super) fn fault(mut fault: Fault) -> Fault {
    fault.code = clean(&fault.code[..fault.code.floor_char_boundary(64)]).into_owned();
    fault.message = clean(&fault.message[..fault.message.floor_char_boundary(MAX_MESSAGE)]).into_owned();
    fault.field = fault.field.map(|field| clean(&field[..field.floor_char_boundary(256)]).into_owned());
    fault.details = fault.details.filter(|details| details.to_string().len() <= MAX_DETAILS);
    if let Some(details) = &mut fault.details {
        clean_json(details);
    }
    fault
}

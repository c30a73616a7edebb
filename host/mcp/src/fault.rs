//! Calls that did not end with a result, as MCP says it.
//!
//! A model reads a tool error and can act on it; it never sees a JSON-RPC error. So whatever happened to a call that
//! was let in is a tool error, and only a call that was not let in is a JSON-RPC error.

use fleetgate_core::call::Refused;
use fleetgate_core::domain::{Fault, Question};
use rmcp::ErrorData;
use rmcp::model::{CallToolResult, ContentBlock, ErrorCode, MetaObject};
use serde_json::json;

use crate::meta;

/// "Not allowed" as a JSON-RPC error code. MCP has none; the specification asks for codes of one's own to lie
/// outside the range that JSON-RPC reserves (`basic/index`, "Error Codes").
pub(crate) const FORBIDDEN: i32 = 403;

/// A call that failed: the message for the model, the facts in `_meta`.
pub(crate) fn result(fault: &Fault) -> CallToolResult {
    let mut text = fault.message.clone();
    match (fault.retryable, fault.retry_after_ms) {
        (true, Some(wait)) => {
            text.push_str(&format!("\nThe same call may succeed after {} s.", f64::from(wait) / 1000.0));
        }
        (true, None) => text.push_str("\nThe same call may succeed later."),
        (false, _) => {}
    }
    let mut facts = json!({"code": fault.code, "retryable": fault.retryable});
    for (key, value) in [
        ("field", fault.field.as_ref().map(|field| json!(field))),
        ("retryAfterMs", fault.retry_after_ms.map(|wait| json!(wait))),
        ("details", fault.details.clone()),
    ] {
        if let Some(value) = value {
            facts[key] = value;
        }
    }
    let mut result = CallToolResult::error(vec![ContentBlock::text(text)]);
    result.meta = Some(MetaObject(serde_json::Map::from_iter([(meta::FAULT.to_owned(), facts)])));
    result
}

/// A call that asks the client something. This host cannot pass questions on, and says so rather than drop them.
pub(crate) fn unasked(question: &Question) -> CallToolResult {
    let kinds: Vec<_> = question.requests.iter().map(|request| request.kind.as_str()).collect();
    result(&Fault::new(
        "unavailable",
        format!("The tool needs an answer from you ({}), and this host cannot ask yet.", kinds.join(", ")),
    ))
}

/// A call that was not let in.
pub(crate) fn refused(refused: &Refused) -> Result<CallToolResult, ErrorData> {
    match refused {
        Refused::Unknown { reference, .. } => {
            Err(ErrorData::invalid_params(refused.to_string(), Some(json!({"reference": reference}))))
        }
        Refused::Forbidden { scopes, reference, .. } => Err(ErrorData::new(
            ErrorCode(FORBIDDEN),
            refused.to_string(),
            Some(json!({"reference": reference, "scopes": scopes})),
        )),
        Refused::Unrecorded { .. } => Ok(result(&Fault::new("unavailable", refused.to_string()).retryable())),
    }
}

#[cfg(test)]
mod tests {
    use fleetgate_core::call::Kind;

    use super::*;

    #[test]
    fn a_fault_is_a_tool_error_with_its_facts() {
        let fault = Fault {
            retry_after_ms: Some(1500),
            details: Some(json!({"status": 503})),
            ..Fault::new("upstream", "The API said 503.").retryable().at("/identifier")
        };
        let result = serde_json::to_value(result(&fault)).unwrap();
        assert_eq!(result["isError"], true);
        assert_eq!(result["content"][0]["text"], "The API said 503.\nThe same call may succeed after 1.5 s.");
        assert_eq!(
            result["_meta"]["dev.fleetgate/fault"],
            json!({"code": "upstream", "retryable": true, "field": "/identifier", "retryAfterMs": 1500,
                   "details": {"status": 503}})
        );
    }

    #[test]
    fn a_call_that_was_not_let_in_is_a_protocol_error_with_its_reference() {
        let reference: std::sync::Arc<str> = "abc".into();
        let unknown =
            refused(&Refused::Unknown { kind: Kind::Tool, name: "x".into(), reference: reference.clone() })
                .unwrap_err();
        assert_eq!((unknown.code.0, unknown.data), (-32602, Some(json!({"reference": "abc"}))));
        let forbidden = refused(&Refused::Forbidden {
            kind: Kind::Tool,
            name: "x".into(),
            scopes: vec!["a:b".into()],
            reference: reference.clone(),
        })
        .unwrap_err();
        assert_eq!(
            (forbidden.code.0, forbidden.data),
            (403, Some(json!({"reference": "abc", "scopes": ["a:b"]})))
        );
        // Not the caller's doing, and it may pass: the model should read it.
        let unrecorded = refused(&Refused::Unrecorded { reference }).unwrap();
        assert_eq!(unrecorded.is_error, Some(true));
    }
}

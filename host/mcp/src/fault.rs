//! Calls that did not end with a result, as MCP says it.
//!
//! A model reads a tool error and can act on it; it never sees a JSON-RPC error. So whatever happened to a call of a
//! tool that was let in is a tool error, and only one that was not let in is a JSON-RPC error. Prompts, resources and
//! completions have nothing but JSON-RPC errors; the facts are in `data`.

use fleetgate_core::call::{Kind, Refused};
use fleetgate_core::domain::{Fault, Question};
use rmcp::ErrorData;
use rmcp::model::{CallToolResult, ContentBlock, ErrorCode, MetaObject};
use serde_json::{Value, json};

use crate::meta;

/// "Not allowed" as a JSON-RPC error code. MCP has none; the specification asks for codes of one's own to lie
/// outside the range that JSON-RPC reserves (`basic/index`, "Error Codes").
pub(crate) const FORBIDDEN: i32 = 403;
/// "Too many", likewise.
pub(crate) const TOO_MANY: ErrorCode = ErrorCode(429);

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
    let mut result = CallToolResult::error(vec![ContentBlock::text(text)]);
    result.meta = Some(MetaObject(serde_json::Map::from_iter([(meta::FAULT.to_owned(), facts(fault))])));
    result
}

/// A fault as data.
fn facts(fault: &Fault) -> Value {
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
    facts
}

/// A prompt, a resource (with its URI as the client named it), a completion or a list that failed.
pub(crate) fn error(fault: &Fault, reference: &str, uri: Option<&str>) -> ErrorData {
    if let Some(error) = protocol_error(fault, reference) {
        return error;
    }
    let mut data = facts(fault);
    data["reference"] = reference.into();
    if let Some(uri) = uri {
        data["uri"] = uri.into();
    }
    let code = match fault.code.as_str() {
        "unknown" if uri.is_some() => ErrorCode::RESOURCE_NOT_FOUND,
        "unknown" | "invalid-arguments" => ErrorCode::INVALID_PARAMS,
        _ => ErrorCode::INTERNAL_ERROR,
    };
    ErrorData::new(code, fault.message.clone(), Some(data))
}

/// What its plugin did not say.
pub(crate) fn silent(message: &str) -> Fault {
    Fault::new("internal", message)
}

/// A question where nothing can be asked: in answer to a list, for example.
pub(crate) fn unaskable(question: &Question) -> Fault {
    let kinds: Vec<_> = question.requests.iter().map(|request| request.kind.as_str()).collect();
    Fault::new(
        "unavailable",
        format!("The plugin needs an answer from you ({}), and cannot ask for it here.", kinds.join(", ")),
    )
}

/// Anything but a tool that was not let in. The code of a resource that is not there is the one of before 2026-07-28
/// (-32002); to newer clients rmcp says -32602 instead.
pub(crate) fn refusal(refused: &Refused, uri: Option<&str>) -> ErrorData {
    let mut data = json!({"reference": refused.reference()});
    if let Some(uri) = uri {
        data["uri"] = uri.into();
    }
    let code = match refused {
        Refused::Unknown { kind: Kind::Resource, .. } if uri.is_some() => ErrorCode::RESOURCE_NOT_FOUND,
        Refused::Unknown { .. } => ErrorCode::INVALID_PARAMS,
        Refused::Forbidden { scopes, .. } => {
            data["scopes"] = json!(scopes);
            ErrorCode(FORBIDDEN)
        }
        Refused::Unrecorded { .. } => {
            (data["code"], data["retryable"]) = ("unavailable".into(), true.into());
            ErrorCode::INTERNAL_ERROR
        }
    };
    ErrorData::new(code, refused.to_string(), Some(data))
}

/// A fault that its plugin wants to be a JSON-RPC error and no tool error: code `protocol`, with `code` in its details.
/// A program sees such an error, a model does not. A plugin may say -32603 ("internal error"), and numbers that neither
/// JSON-RPC nor HTTP nor this host uses; for every other one it gets -32603. Its `data` is in the details too.
pub(crate) fn protocol_error(fault: &Fault, reference: &str) -> Option<ErrorData> {
    let details = fault.details.as_ref().filter(|_| fault.code == "protocol")?;
    let code = details.get("code")?.as_i64()?;
    let reserved = (-32768..=-32000).contains(&code) || (100..600).contains(&code);
    let code = i32::try_from(code).ok().filter(|_| !reserved).map_or(ErrorCode::INTERNAL_ERROR, ErrorCode);
    let mut data = json!({ "reference": reference });
    if let Some(said) = details.get("data") {
        data["data"] = said.clone();
    }
    Some(ErrorData::new(code, fault.message.clone(), Some(data)))
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
    fn a_plugin_may_make_a_json_rpc_error_but_none_that_means_something_else() {
        let said = |details| {
            let fault = Fault { details: Some(details), ..Fault::new("protocol", "The job broke.") };
            protocol_error(&fault, "abc").map(|error| (error.code.0, error.data.unwrap()))
        };
        let data = json!({"reference": "abc", "data": {"job": 7}});
        for code in [-32603, 1, 42, 1001, -1, -31999, -40000, i32::MAX, i32::MIN] {
            assert_eq!(said(json!({"code": code, "data": {"job": 7}})), Some((code, data.clone())));
        }
        for code in
            [-32700, -32600, -32601, -32602, -32000, -32020, -32021, -32022, -32768, 401, 403, 404, 429, 503]
        {
            assert_eq!(said(json!({"code": code})), Some((-32603, json!({"reference": "abc"}))), "{code}");
        }
        assert_eq!(said(json!({"code": 1i64 << 40})).unwrap().0, -32603);
        for details in [json!({}), json!({"code": "x"}), json!({"code": 1.5}), json!([1])] {
            assert_eq!(said(details), None);
        }
        let other = Fault { details: Some(json!({"code": 42})), ..Fault::new("upstream", "x") };
        assert!(protocol_error(&other, "abc").is_none());
        assert!(protocol_error(&Fault::new("protocol", "x"), "abc").is_none());
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

    #[test]
    fn what_is_no_tool_fails_with_an_error_that_carries_the_facts() {
        let cases = [
            ("unknown", Some("a://b"), -32002),
            ("unknown", None, -32602),
            ("invalid-arguments", Some("a://b"), -32602),
            ("upstream", Some("a://b"), -32603),
            ("of-its-own", None, -32603),
        ];
        for (code, uri, expected) in cases {
            let fault = Fault { retry_after_ms: Some(5), ..Fault::new(code, "no").retryable() };
            let error = error(&fault, "ref", uri);
            assert_eq!(error.code.0, expected, "{code}");
            let mut data = json!({"code": code, "retryable": true, "retryAfterMs": 5, "reference": "ref"});
            if let Some(uri) = uri {
                data["uri"] = uri.into();
            }
            assert_eq!(error.data, Some(data));
        }
    }

    #[test]
    fn what_was_not_let_in_says_so_by_its_code() {
        let reference: std::sync::Arc<str> = "abc".into();
        let unknown = |kind| Refused::Unknown { kind, name: "x".into(), reference: reference.clone() };
        assert_eq!(refusal(&unknown(Kind::Resource), Some("a://b")).code.0, -32002);
        assert_eq!(refusal(&unknown(Kind::Resource), Some("a://b")).data.unwrap()["uri"], "a://b");
        assert_eq!(refusal(&unknown(Kind::Prompt), None).code.0, -32602);
        let unrecorded = refusal(&Refused::Unrecorded { reference }, None);
        assert_eq!((unrecorded.code.0, &unrecorded.data.unwrap()["retryable"]), (-32603, &json!(true)));
    }
}

//! `_meta`: what plugins may put there, and what the host does.
//!
//! Prefixes that the specification reserves for MCP (`basic/index`, "`_meta`") and this host's own prefix are dropped
//! from whatever a plugin returns: it would speak for the protocol, or for the host.

use std::sync::LazyLock;

use fleetgate_core::catalog::Scope;
use rmcp::model::MetaObject;
use serde_json::Value;

use crate::caller::Era;
use crate::{about, uri};

/// Whose tool it is, on every tool and result.
pub(crate) const BINDING: &str = "dev.fleetgate/binding";
/// The call's reference, on every result; `fleetgate why` takes it.
pub(crate) const REFERENCE: &str = "dev.fleetgate/reference";
/// What went wrong, as data, on a failed call's result.
pub(crate) const FAULT: &str = "dev.fleetgate/fault";
/// On a list of the shared endpoint: the bindings whose part of it is missing, since their plugins did not answer.
pub(crate) const UNAVAILABLE: &str = "dev.fleetgate/unavailable";
/// MCP's own key for who answers.
const SERVER_INFO: &str = "io.modelcontextprotocol/serverInfo";

/// Everything below belongs to this host.
const OWN: &str = "dev.fleetgate";
/// Keys without a prefix that belong to the protocol.
const BARE: [&str; 4] = ["progressToken", "traceparent", "tracestate", "baggage"];

/// What a plugin said, without what it may not say. Anything but an object says nothing.
pub(crate) fn from_plugin(meta: Option<&Value>) -> MetaObject {
    let Some(Value::Object(meta)) = meta else { return MetaObject::new() };
    MetaObject(
        meta.iter()
            .filter(|(key, _)| !reserved(key))
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect(),
    )
}

/// What a plugin said of something of its own that a list shows, and whose it is.
pub(crate) fn of_binding(meta: Option<&Value>, scope: &Scope, binding: &str) -> MetaObject {
    let mut said = from_plugin(meta);
    uri::panel_outward(scope, binding, &mut said);
    said.insert(BINDING.to_owned(), binding.into());
    said
}

/// What every result says besides: to modern clients, who answers.
pub(crate) fn stamp(era: Era, meta: &mut Option<MetaObject>) {
    if era == Era::Modern {
        set_server_info(meta.get_or_insert_default());
    }
}

/// Says who answers. The specification wants it on every result of 2026-07-28 and later.
pub(crate) fn set_server_info(meta: &mut MetaObject) {
    static INFO: LazyLock<Value> =
        LazyLock::new(|| serde_json::to_value(about::implementation()).unwrap_or_default());
    meta.insert(SERVER_INFO.to_owned(), INFO.clone());
}

/// 2026-07-28 reserves prefixes whose second label is `mcp` or `modelcontextprotocol`; 2025-06-18 and 2025-11-25
/// reserve those where such a label is followed by one more. Both are kept.
fn reserved(key: &str) -> bool {
    let Some((prefix, _)) = key.split_once('/') else { return BARE.contains(&key) };
    prefix == OWN
        || prefix.starts_with("dev.fleetgate.")
        || prefix.split('.').take(2).any(|label| matches!(label, "mcp" | "modelcontextprotocol"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_plugin_speaks_neither_for_the_protocol_nor_for_the_host() {
        let said = json!({
            "io.modelcontextprotocol/serverInfo": 1, "dev.mcp/x": 1, "com.mcp.tools/x": 1, "mcp.dev/x": 1,
            "org.modelcontextprotocol.api/x": 1, "modelcontextprotocol.io/x": 1,
            "dev.fleetgate/binding": "other", "dev.fleetgate.more/x": 1, "progressToken": 1, "traceparent": "00",
            "com.example.mcp/x": 2, "com.example/x": 2, "ui": {"resourceUri": "ui://x"}, "plain": 2,
        });
        let kept = from_plugin(Some(&said));
        let names: Vec<_> = kept.keys().map(String::as_str).collect();
        assert_eq!(names, ["com.example.mcp/x", "com.example/x", "ui", "plain"]);
    }

    #[test]
    fn what_is_no_object_says_nothing() {
        for said in [json!([1]), json!("x"), json!(null), json!({"mcp.dev/x": 1})] {
            assert!(from_plugin(Some(&said)).is_empty());
        }
        assert!(from_plugin(None).is_empty());
    }
}

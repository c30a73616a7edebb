//! `_meta`: what plugins may put there, and what the host does.
//!
//! Keys that are the protocol's or the host's are dropped from whatever a plugin returns ([`is_reserved`]).

use std::sync::LazyLock;

use fleetgate_core::catalog::Scope;
use fleetgate_core::meta::is_reserved;
use rmcp::model::{MetaObject, TaskAckResult};
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

/// What a plugin said, without what it may not say. Anything but an object says nothing.
pub(crate) fn from_plugin(meta: Option<&Value>) -> MetaObject {
    let Some(Value::Object(meta)) = meta else { return MetaObject::new() };
    MetaObject(
        meta.iter()
            .filter(|(key, _)| !is_reserved(key))
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

/// What the result of a call says besides: whose it is, which call it was if there was one yet, and who answers.
pub(crate) fn answered(era: Era, meta: &mut Option<MetaObject>, binding: &str, reference: Option<&str>) {
    let said = meta.get_or_insert_default();
    said.insert(BINDING.to_owned(), binding.into());
    if let Some(reference) = reference {
        said.insert(REFERENCE.to_owned(), reference.into());
    }
    stamp(era, meta);
}

/// What every result says: to modern clients, who answers.
pub(crate) fn stamp(era: Era, meta: &mut Option<MetaObject>) {
    if era == Era::Modern {
        set_server_info(meta.get_or_insert_default());
    }
}

/// The same for the empty acknowledgement of `tasks/update` and `tasks/cancel`, which rmcp makes by itself: on a line,
pub(crate) fn stamp_acknowledgement(acknowledgement: &mut TaskAckResult) {
    stamp(Era::Modern, &mut acknowledgement.meta);
}

/// and as the body of an HTTP response. What is no result stays as it is.
pub(crate) fn stamped_acknowledgement(body: &[u8]) -> Option<Vec<u8>> {
    let mut message: Value = serde_json::from_slice(body).ok()?;
    let result = message.get_mut("result")?.as_object_mut()?;
    let mut said = None;
    stamp(Era::Modern, &mut said);
    result.insert("_meta".to_owned(), serde_json::to_value(said).ok()?);
    serde_json::to_vec(&message).ok()
}

/// Says who answers. The specification wants it on every result of 2026-07-28 and later.
fn set_server_info(meta: &mut MetaObject) {
    static INFO: LazyLock<Value> =
        LazyLock::new(|| serde_json::to_value(about::implementation()).unwrap_or_default());
    meta.insert(SERVER_INFO.to_owned(), INFO.clone());
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_plugin_speaks_neither_for_the_protocol_nor_for_the_host() {
        let said = json!({
            "io.modelcontextprotocol/serverInfo": 1, "dev.fleetgate/binding": "other", "progressToken": 1,
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

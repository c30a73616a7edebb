//! `null` for an argument that need not be given: what many clients say for "not given".

use std::sync::Arc;

use fleetgate_core::audit::Record;
use fleetgate_core::call::{Answered, End, ToolCall};
use fleetgate_core::catalog::{Host, Scope};
use serde_json::{Value, json};

use super::fake::capabilities;
use super::guest::Does;
use super::host::{Place, Plugin, SANDBOX, context, in_time};
use super::written::Written;

/// A call of a tool that answers with its arguments, and its record.
async fn called(arguments: Value) -> (Answered, Record) {
    let schema = json!({
        "type": "object",
        "properties": {
            "host": {"type": "string"}, "page": {"type": "integer"}, "note": {"type": ["string", "null"]}
        },
        "required": ["host"],
        "additionalProperties": false,
    });
    let tool = json!({
        "name": "look", "title": null, "description": "Looks.", "input-schema": schema.to_string(),
        "output-schema": null, "meta": null, "extra": null,
    });
    let plugin = Plugin::bare("lab")
        .and("[tools.look]\nrequires = \"any\"\naudit = [\"/host\", \"/page\"]\n")
        .lists("tools", "list-tools", json!([tool]))
        .exports("tools", "call-tool", Does::Answers(json!({ "ok": { "done": { "structured": "$2" } } })));
    let place = Place::new("[plugins.lab]\n");
    place.drop_plugin(&plugin);
    let audit = Arc::<Written>::default();
    let host = Host::start(place.options(), SANDBOX.clone(), capabilities(), audit.clone());
    let host = in_time(host).await.unwrap_or_else(|failed| panic!("{failed}"));
    assert!(host.survey().is_fine(), "{:?}", host.survey());
    let call = ToolCall {
        context: context(Scope::Binding("lab".into()), &[]),
        tool: "look".into(),
        arguments: arguments.to_string().into(),
        answers: None,
    };
    let answered = in_time(host.call_tool(&host.catalog(), call)).await.unwrap();
    let record = audit.0.lock().unwrap().last().cloned().expect("a record");
    (answered, record)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn null_for_what_need_not_be_given_is_not_given_to_the_guest() {
    for (given, seen) in [
        (json!({"host": "h", "page": null}), json!({"host": "h"})),
        (json!({"host": "h", "page": null, "note": null}), json!({"host": "h", "note": null})),
        (json!({"host": "h", "page": 7}), json!({"host": "h", "page": 7})),
    ] {
        let (answered, record) = called(given).await;
        let End::Done(result) = answered.end else { panic!("{:?}", answered.end) };
        let got: Value = serde_json::from_str(result.structured.unwrap().get()).unwrap();
        assert_eq!(got, seen);
        // What is recorded is what the guest got.
        assert_eq!(record.intent.arguments_hash, format!("hash of {seen}"));
        assert_eq!(record.intent.arguments.get("page"), seen.get("page"));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn null_for_what_must_be_given_is_refused() {
    for (given, field) in [(json!({"host": null}), "/host"), (json!({"host": "h", "other": null}), "/other")]
    {
        let (answered, record) = called(given).await;
        let End::Fault(fault) = answered.end else { panic!("{:?}", answered.end) };
        assert_eq!((fault.code.as_str(), fault.field.as_deref()), ("invalid-arguments", Some(field)));
        assert_eq!(record.outcome, "fault:invalid-arguments");
    }
}

//! Completions: whoever may have the prompt or the template gets its arguments completed, and nobody else.

use fleetgate_core::call::{Completed, Kind, Refused};
use serde_json::{Value, json};

use super::asking_for::{ROLES, complete, done, fault, nothing, recorded, serving};
use super::guest::Does;
use super::host::Plugin;

const SETTINGS: &str = "[plugins.naas]\n";
const BOTH: [&str; 2] = ["naas:viewer", "naas:operator"];

/// Answers with what it was asked.
fn plugin() -> Plugin {
    bare().exports(
        "completions",
        "complete",
        Does::Answers(json!({ "ok": { "values": ["$1", "$2", "$3", "$4"] } })),
    )
}

fn bare() -> Plugin {
    Plugin::bare("naas")
        .and(ROLES)
        .and(
            "[prompts.push]\nrequires = \"operator\"\n[resources.\"naas://jobs/*\"]\nrequires = \"viewer\"\n",
        )
        .lists(
            "prompts",
            "list-prompts",
            json!([{ "name": "push", "arguments": [{ "name": "host" }, { "name": "note" }] }]),
        )
        .lists("resources", "list-templates", json!([{ "uri-template": "naas://jobs/{id}", "name": "job" }]))
}

fn prompt() -> Completed {
    Completed::Prompt("naas_push".into())
}

fn template(text: &str) -> Completed {
    Completed::Template { binding: "naas".into(), uri_template: text.into() }
}

#[tokio::test]
async fn completing_takes_the_role_of_what_is_completed() {
    let (_place, host) = serving(plugin(), SETTINGS).await;
    let done = done(complete(&host, prompt(), "host", json!({ "note": "n" }), &["naas:operator"]).await);
    assert_eq!(done.values, ["prompt:push", "host", "so far", "{\"note\":\"n\"}"]);
    let done = super::asking_for::done(
        complete(&host, template("naas://jobs/{id}"), "id", nothing(), &["naas:viewer"]).await,
    );
    assert_eq!(done.values[0], "resource:naas://jobs/{id}");

    for (of, argument, roles, kind) in [
        (prompt(), "host", &["naas:viewer"], Kind::Prompt),
        (template("naas://jobs/{id}"), "id", &["naas:operator"], Kind::Template),
    ] {
        let refused =
            complete(&host, of, argument, nothing(), roles).await.map(drop).expect_err("too little");
        assert!(matches!(refused, Refused::Forbidden { kind: refused, .. } if refused == kind), "{refused}");
    }
    for of in [Completed::Prompt("push".into()), template("naas://jobs/{other}"), template("naas://jobs/7")] {
        let refused = complete(&host, of, "id", nothing(), &BOTH).await.map(drop).expect_err("no such thing");
        assert!(matches!(refused, Refused::Unknown { .. }), "{refused}");
    }
}

#[tokio::test]
async fn an_argument_that_is_not_there_is_not_completed_and_others_are_checked() {
    let (_place, host) = serving(plugin(), SETTINGS).await;
    for (of, argument, given) in [
        (prompt(), "hots", nothing()),
        (template("naas://jobs/{id}"), "host", nothing()),
        (prompt(), "host", json!({ "note": 7 })),
        (prompt(), "host", json!({ "note": "x".repeat(70_000) })),
    ] {
        let fault = fault(complete(&host, of, argument, given, &BOTH).await);
        assert_eq!(fault.code, "invalid-arguments", "{argument}");
    }
    // What is no argument of it does not reach the guest.
    let done = done(complete(&host, prompt(), "host", json!({ "note": "n", "other": "x" }), &BOTH).await);
    assert_eq!(done.values[3], "{\"note\":\"n\"}");
}

#[tokio::test]
async fn at_most_a_hundred_values_leave_the_host() {
    let values: Vec<Value> = (0..500).map(|number| json!(format!("v{number}"))).collect();
    let answer = json!({ "ok": { "values": values, "total": 500 } });
    let (_place, host) =
        serving(bare().exports("completions", "complete", Does::Answers(answer)), SETTINGS).await;
    let done = done(complete(&host, prompt(), "host", nothing(), &BOTH).await);
    assert_eq!((done.values.len(), done.total, done.has_more), (100, Some(500), true));
}

#[tokio::test]
async fn nothing_follows_where_the_plugin_completes_nothing() {
    let (_place, host) = serving(bare(), SETTINGS).await;
    let done = done(complete(&host, prompt(), "host", nothing(), &BOTH).await);
    assert!(done.values.is_empty() && !done.has_more);
    complete(&host, prompt(), "host", nothing(), &[]).await.map(drop).expect_err("too little, all the same");
}

#[tokio::test]
async fn completing_is_recorded() {
    let (_place, host, kept) = recorded(plugin()).await;
    done(complete(&host, prompt(), "host", nothing(), &BOTH).await);
    done(complete(&host, template("naas://jobs/{id}"), "id", nothing(), &BOTH).await);
    assert_eq!(
        kept.lines(),
        ["naas complete prompt:push/host ok", "naas complete resource:naas://jobs/{id}/id ok"]
    );
}

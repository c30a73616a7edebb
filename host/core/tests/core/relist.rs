//! A guest says that its lists are others: they are taken again, and clients are told.

use std::sync::Arc;
use std::time::Duration;

use fleetgate_core::call::ToolCall;
use fleetgate_core::catalog::{Change, Host, Scope};
use serde_json::{Value, json};
use tokio::sync::broadcast::Receiver;

use super::asking_for::done;
use super::fake::{choose, looks};
use super::guest::Does;
use super::host::{Place, Plugin, context, in_time};

const TOOLS: [&str; 3] = ["look", "peek", "stir"];

fn tool(name: &str) -> Value {
    json!({ "name": name, "input-schema": "{\"type\":\"object\"}" })
}

/// With one tool by the number that the test chooses; calling it says that all lists are others. Number 3 lists what
/// the manifest does not have.
fn restless(id: &str) -> Plugin {
    let lists: Vec<Value> = [vec!["look"], vec!["look", "peek"], vec!["look", "stir"], vec!["look", "none"]]
        .iter()
        .map(|names| json!({ "ok": names.iter().map(|name| tool(name)).collect::<Vec<_>>() }))
        .collect();
    let prompts: Vec<Value> = ["One.", "Two."]
        .iter()
        .map(|text| json!({ "ok": [{ "name": "hi", "description": text }] }))
        .collect();
    let manifest =
        TOOLS.map(|name| format!("[tools.{name}]\nrequires = \"any\"\nread_only = true\nopt_in = true\n"));
    let answer = json!({ "ok": { "done": {} } });
    Plugin::bare(id)
        .and(&manifest.concat())
        .and("[prompts.hi]\nrequires = \"any\"\n")
        .exports("tools", "list-tools", Does::Chooses(lists))
        .exports(
            "tools",
            "call-tool",
            Does::Says(vec!["tools-changed", "prompts-changed", "resources-changed"], answer),
        )
        .exports("prompts", "list-prompts", Does::Chooses(prompts))
}

fn settings(id: &str) -> String {
    let tools = TOOLS.map(|name| format!("[plugins.{id}.tools.{name}]\nenabled = true\n"));
    format!("[plugins.{id}]\n{}", tools.concat())
}

async fn started(id: &str) -> (Place, Arc<Host>, Receiver<Change>) {
    let place = Place::new(&settings(id));
    place.drop_plugin(&restless(id));
    let host = place.start().await;
    assert!(host.survey().is_fine(), "{:?}", host.survey().plugins);
    let changes = host.changes();
    (place, host, changes)
}

/// All that clients are told until this holds: what a guest says in one breath may be taken up in two.
async fn told(changes: &mut Receiver<Change>, all: impl Fn(&Change) -> bool) -> Change {
    let mut told = in_time(changes.recv()).await.expect("a change");
    while !all(&told) {
        let next = in_time(changes.recv()).await.expect("another change");
        told.revision = next.revision;
        told.tools.extend(next.tools);
        told.prompts.extend(next.prompts);
        told.resources.extend(next.resources);
    }
    told
}

async fn call(host: &Host, id: &str) {
    let call = ToolCall {
        context: context(Scope::Binding(id.into()), &[]),
        tool: "look".into(),
        arguments: "{}".into(),
        answers: None,
    };
    done(in_time(host.call_tool(&host.catalog(), call)).await);
}

fn tools(host: &Host, id: &str) -> Vec<String> {
    host.catalog().binding(id).expect("served").tools.keys().cloned().collect()
}

#[tokio::test]
async fn what_a_guest_lists_anew_is_live_when_clients_hear_of_it() {
    let (_place, host, mut changes) = started("restless").await;
    assert_eq!(tools(&host, "restless"), ["look"]);
    choose("restless", 1);
    call(&host, "restless").await;
    let change = told(&mut changes, |told| {
        [&told.tools, &told.prompts, &told.resources].into_iter().all(|names| !names.is_empty())
    })
    .await;
    assert_eq!(tools(&host, "restless"), ["look", "peek"]);
    let live = host.catalog().binding("restless").expect("served").clone();
    assert_eq!(live.prompts["hi"].definition.description.as_deref(), Some("Two."));
    let of = |names: &[Arc<str>]| names.iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(of(&change.tools), ["restless"]);
    assert_eq!(of(&change.prompts), ["restless"]);
    assert_eq!(of(&change.resources), ["restless"]);
    assert_eq!(change.revision, host.catalog().revision);
    // The new name is callable on the shared endpoint too.
    assert!(host.catalog().find_tool(&Scope::Shared, "restless_peek").is_some());
}

#[tokio::test]
async fn clients_hear_of_it_even_where_the_probe_sees_no_difference() {
    let (_place, host, mut changes) = started("calm").await;
    let before = host.catalog();
    call(&host, "calm").await;
    let change = told(&mut changes, |told| !told.resources.is_empty()).await;
    assert_eq!(change.resources.iter().map(|name| &**name).collect::<Vec<_>>(), ["calm"]);
    assert_eq!(change.revision, before.revision);
    assert!(Arc::ptr_eq(&before, &host.catalog()), "nothing was swapped");
}

#[tokio::test]
async fn a_guest_that_says_it_all_the_time_is_not_looked_at_each_time() {
    let (_place, host, mut changes) = started("chatty").await;
    for _ in 0..100 {
        call(&host, "chatty").await;
    }
    choose("chatty", 1);
    call(&host, "chatty").await;
    // The last word is heard.
    in_time(async {
        while tools(&host, "chatty") != ["look", "peek"] {
            changes.recv().await.expect("a change");
        }
    })
    .await;
    // Two lists, each taken twice, at the start and at each look.
    let each = 4;
    assert!(looks("chatty") < 50 * each, "{}", looks("chatty"));
}

#[tokio::test]
async fn a_list_that_the_manifest_does_not_allow_leaves_the_old_one() {
    let (_place, host, mut changes) = started("lying").await;
    let before = looks("lying");
    choose("lying", 3);
    call(&host, "lying").await;
    in_time(async {
        while looks("lying") < before + 4 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    })
    .await;
    assert_eq!(tools(&host, "lying"), ["look"]);
    choose("lying", 2);
    call(&host, "lying").await;
    in_time(async {
        while tools(&host, "lying") != ["look", "stir"] {
            changes.recv().await.expect("a change");
        }
    })
    .await;
}

#[tokio::test]
async fn names_that_clash_are_not_taken() {
    // A name that is too long for the shared endpoint.
    let id = "x2345678901234567890123456789012";
    let long = "y".repeat(40);
    let lists = vec![json!({ "ok": [tool("look")] }), json!({ "ok": [tool("look"), tool(&long)] })];
    let manifest = format!(
        "[tools.look]\nrequires = \"any\"\nread_only = true\n[tools.{long}]\nrequires = \"any\"\nopt_in = true\n"
    );
    let plugin = Plugin::bare(id)
        .and(&manifest)
        .exports("tools", "list-tools", Does::Chooses(lists))
        .exports("tools", "call-tool", Does::Says(vec!["tools-changed"], json!({ "ok": { "done": {} } })));
    let place = Place::new(&format!("[plugins.{id}]\n[plugins.{id}.tools.{long}]\nenabled = true\n"));
    place.drop_plugin(&plugin);
    let host = place.start().await;
    let mut changes = host.changes();
    choose(id, 1);
    call(&host, id).await;
    in_time(changes.recv()).await.expect("clients are told in any case");
    assert_eq!(tools(&host, id), ["look"]);
}

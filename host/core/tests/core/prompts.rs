//! Prompts: listed and had by the same role, filled in with checked arguments.

use fleetgate_core::call::{Kind, Refused};
use fleetgate_core::catalog::Scope;
use serde_json::{Value, json};

use super::asking_for::{ROLES, done, fault, get, nothing, recorded, refused, serving};
use super::guest::Does;
use super::host::{Place, Plugin, principal};

const SETTINGS: &str = "[plugins.naas]\n";

fn naas() -> Scope {
    Scope::Binding("naas".into())
}

fn prompts(listed: Value) -> Plugin {
    Plugin::bare("naas")
        .and(ROLES)
        .and("[prompts.hi]\nrequires = \"viewer\"\n[prompts.push]\nrequires = \"operator\"\n")
        .lists("prompts", "list-prompts", listed)
        .exports("prompts", "get-prompt", says("user", "$1 $2"))
}

/// The same, in order.
fn two() -> Plugin {
    prompts(json!([
        { "name": "hi", "title": "H\u{200b}i", "description": "Says hi." },
        { "name": "push", "arguments": [
            { "name": "host", "required": true, "description": "Wh\u{1b}ere." }, { "name": "note" }
        ] },
    ]))
}

/// Two messages: the name that the guest got, and its arguments.
fn says(role: &str, _: &str) -> Does {
    let text = |text: &str| json!({ "role": role, "content": { "kind": "text", "text": text } });
    Does::Answers(json!({ "ok": { "done": [text("$1"), text("$2")] } }))
}

#[tokio::test]
async fn who_sees_a_prompt_can_have_it_and_nobody_else_can() {
    let (_place, host) = serving(two(), SETTINGS).await;
    for (roles, seen) in [
        (&[][..], &[][..]),
        (&["naas:viewer"], &["hi"]),
        (&["naas:operator"], &["push"]),
        (&["naas:*"], &["hi", "push"]),
        (&["other:*"], &[]),
    ] {
        let names: Vec<String> =
            host.catalog().prompts(&naas(), &principal(roles)).into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, seen, "{roles:?}");
        for name in ["hi", "push"] {
            let arguments = if name == "push" { json!({ "host": "sw1" }) } else { nothing() };
            let got = get(&host, naas(), name, arguments, roles).await;
            if seen.contains(&name) {
                assert_eq!(done(got)[0].content.text.as_deref(), Some(name));
            } else {
                let refused = got.map(drop).expect_err("it is not for this caller");
                assert!(matches!(refused, Refused::Forbidden { kind: Kind::Prompt, .. }), "{refused}");
            }
        }
    }
    let absent =
        get(&host, naas(), "peek", nothing(), &["naas:*"]).await.map(drop).expect_err("no such prompt");
    assert!(matches!(absent, Refused::Unknown { kind: Kind::Prompt, .. }), "{absent}");
}

#[tokio::test]
async fn on_the_shared_endpoint_a_prompt_bears_its_bindings_name() {
    let (_place, host) = serving(two(), SETTINGS).await;
    let got = done(get(&host, Scope::Shared, "naas_hi", nothing(), &["naas:viewer"]).await);
    assert_eq!(got[0].content.text.as_deref(), Some("hi"));
    get(&host, Scope::Shared, "hi", nothing(), &["naas:viewer"])
        .await
        .map(drop)
        .expect_err("its name is another");

    // a_b + c and a + b_c are one name.
    let place = Place::new("[plugins.naas]\n[plugins.naas-long-name-of-a-binding-here]\nuse = \"naas\"\n");
    let long = "p".repeat(40);
    let plugin = Plugin::bare("naas").and(&format!("[prompts.{long}]\nrequires = \"any\"\n")).lists(
        "prompts",
        "list-prompts",
        json!([{ "name": long }]),
    );
    place.drop_plugin(&plugin);
    let survey = place.start().await.survey();
    let state = format!("{:?}", survey.binding("naas-long-name-of-a-binding-here").expect("found").state);
    assert!(state.contains("TooLong"), "{state}");
}

#[tokio::test]
async fn a_prompt_and_a_tool_may_have_one_name_and_two_prompts_may_not() {
    let both = Plugin::new("naas", "0.1.0").and("[prompts.look]\nrequires = \"any\"\n").lists(
        "prompts",
        "list-prompts",
        json!([{ "name": "look" }]),
    );
    serving(both, SETTINGS).await;
}

#[tokio::test]
async fn arguments_are_text_known_and_there_if_they_must_be() {
    let (_place, host) = serving(two(), SETTINGS).await;
    for (arguments, field) in [
        (json!({}), Some("/host")),
        (json!({ "note": "x" }), Some("/host")),
        (json!({ "host": 7 }), Some("/host")),
        (json!({ "host": null }), Some("/host")),
        (json!({ "host": ["sw1"] }), Some("/host")),
        (json!({ "host": "sw1", "hots": "x" }), Some("/hots")),
        (json!({ "host": "sw1", "a/b~c": "x" }), Some("/a~1b~0c")),
        (json!({ "host": "x".repeat(300_000) }), None),
    ] {
        let fault = fault(get(&host, naas(), "push", arguments.clone(), &["naas:operator"]).await);
        assert_eq!((fault.code.as_str(), fault.field.as_deref()), ("invalid-arguments", field));
    }
    let given = json!({ "host": "sw1", "note": "n\u{e4}" });
    let got = done(get(&host, naas(), "push", given.clone(), &["naas:operator"]).await);
    let seen: Value = serde_json::from_str(got[1].content.text.as_ref().unwrap()).unwrap();
    assert_eq!(seen, given);
}

#[tokio::test]
async fn messages_are_of_users_and_assistants_bounded_and_harmless() {
    let answering = |messages: Value| {
        two().exports("prompts", "get-prompt", Does::Answers(json!({ "ok": { "done": messages } })))
    };
    let text = |role: &str, text: &str| json!({ "role": role, "content": { "kind": "text", "text": text } });
    let (_place, host) = serving(answering(json!([text("assistant", "a\u{202e}b")])), SETTINGS).await;
    let got = done(get(&host, naas(), "hi", nothing(), &["naas:viewer"]).await);
    assert_eq!((got[0].role.as_str(), got[0].content.text.as_deref()), ("assistant", Some("a\\u{202e}b")));

    let many: Vec<Value> = (0..1_001).map(|_| text("user", "x")).collect();
    for (messages, code) in [
        (json!([text("system", "x")]), "protocol"),
        (json!([text("user", &"x".repeat(70_000))]), "limit"),
        (json!(many), "limit"),
    ] {
        let settings = "[limits]\nresult = \"64KiB\"\n[plugins.naas]\n";
        let (_place, host) = serving(answering(messages), settings).await;
        assert_eq!(fault(get(&host, naas(), "hi", nothing(), &["naas:viewer"]).await).code, code);
    }
}

#[tokio::test]
async fn the_operator_raises_and_switches_off() {
    let settings = "[plugins.naas]\n[plugins.naas.prompts.hi]\nrequires = \"operator\"\n\
                    [plugins.naas.prompts.push]\nenabled = false\n";
    let (_place, host) = serving(two(), settings).await;
    assert!(host.catalog().prompts(&naas(), &principal(&["naas:viewer"])).is_empty());
    let refused =
        get(&host, naas(), "hi", nothing(), &["naas:viewer"]).await.map(drop).expect_err("too little");
    let Refused::Forbidden { scopes, .. } = refused else { panic!("{refused}") };
    assert_eq!(scopes, ["naas:viewer", "naas:operator"]);
    done(get(&host, naas(), "hi", nothing(), &["naas:*"]).await);
    let off =
        get(&host, naas(), "push", json!({ "host": "x" }), &["naas:*"]).await.map(drop).expect_err("off");
    assert!(matches!(off, Refused::Unknown { .. }), "{off}");
}

#[tokio::test]
async fn what_hides_is_shown_and_the_label_comes_first() {
    let (_place, host) = serving(two(), "[plugins.naas]\nlabel = \"LAB\"\n").await;
    let live = host.catalog().binding("naas").expect("served").clone();
    let hi = &live.prompts["hi"].definition;
    assert_eq!(hi.title.as_deref(), Some("[LAB] H\\u{200b}i"));
    assert_eq!(hi.description.as_deref(), Some("[LAB] Says hi."));
    let push = &live.prompts["push"].definition;
    assert_eq!(push.description.as_deref(), Some("[LAB]"));
    assert_eq!(push.arguments[0].description.as_deref(), Some("Wh\\u{1b}ere."));
}

#[tokio::test]
async fn a_list_that_is_not_as_it_should_be_is_refused_with_the_prompt_that_is_meant() {
    let arguments = |arguments: Value| json!([{ "name": "push" }, { "name": "hi", "arguments": arguments }]);
    let many: Vec<Value> = (0..65).map(|number| json!({ "name": format!("a{number}") })).collect();
    for (listed, words) in [
        (
            json!([{ "name": "hi" }]),
            "the manifest has [prompts.push], and the component lists no such prompt",
        ),
        (
            json!([{ "name": "hi" }, { "name": "push" }, { "name": "peek" }]),
            "its prompt \"peek\" has no entry",
        ),
        (json!([{ "name": "hi" }, { "name": "push" }, { "name": "hi" }]), "two prompts named \"hi\""),
        (json!([{ "name": "h i" }]), "a prompt named \"h i\""),
        (json!([{ "name": "hi", "title": "x".repeat(257) }]), "the title of its prompt \"hi\" has 257 bytes"),
        (json!([{ "name": "hi", "meta": "[]" }]), "meta of its prompt \"hi\" is not an object"),
        (json!([{ "name": "hi", "meta": "{" }]), "meta of the prompt \"hi\" that is not JSON"),
        (arguments(json!([{ "name": "a b" }])), "has an argument named \"a b\""),
        (arguments(json!([{ "name": "a" }, { "name": "a" }])), "has two arguments named \"a\""),
        (
            arguments(json!([{ "name": "a", "title": "x".repeat(257) }])),
            "an argument \"a\": the title has 257",
        ),
        (arguments(json!(many)), "has 65 arguments"),
        (json!([{ "name": "hi", "title": "$tick" }, { "name": "push" }]), "\"hi\" is described in two ways"),
        (json!((0..257).map(|n| json!({ "name": format!("p{n}") })).collect::<Vec<_>>()), "257 prompts"),
    ] {
        let why = refused(prompts(listed)).await;
        assert!(why.contains(words), "{words}: {why}");
    }
    let why = refused(prompts(json!([])).exports("prompts", "list-prompts", Does::Forever)).await;
    assert!(why.contains("listing its prompts was ended"), "{why}");
}

#[tokio::test]
async fn entries_without_the_export_are_refused() {
    let why = refused(Plugin::new("naas", "0.1.0").and("[prompts.hi]\nrequires = \"any\"\n")).await;
    assert!(why.contains("the manifest has [prompts.hi], and the component lists no such prompt"), "{why}");
}

#[tokio::test]
async fn filling_in_is_recorded_without_what_was_filled_in() {
    let (_place, host, kept) = recorded(two()).await;
    done(get(&host, naas(), "push", json!({ "host": "sw1" }), &["naas:operator"]).await);
    get(&host, naas(), "push", json!({ "host": "sw1" }), &[]).await.map(drop).expect_err("too little");
    get(&host, Scope::Shared, "naas_p\u{1b}ush", nothing(), &[]).await.map(drop).expect_err("no such prompt");
    assert_eq!(
        kept.lines(),
        ["naas prompt push ok", "naas prompt push refused", " prompt naas_p\\u{1b}ush refused"]
    );
    let records = kept.0.lock().unwrap();
    assert!(records[0].intent.arguments.is_empty());
    assert_eq!(records[0].intent.arguments_hash, "hash of {\"host\":\"sw1\"}");
}

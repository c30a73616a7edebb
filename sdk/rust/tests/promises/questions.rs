//! Asking, and being called again with the answers.

use fleetgate_sdk::prelude::*;
use fleetgate_sdk::testing::{self, Harness};
use fleetgate_sdk::{Root, Sampling};

#[derive(Deserialize, JsonSchema)]
struct Reboot {
    identifiers: Vec<String>,
}

#[derive(Deserialize, JsonSchema)]
struct Sure {
    /// Really reboot them?
    reboot: bool,
}

#[derive(Serialize, JsonSchema)]
struct Rebooted {
    count: usize,
}

/// Reboots devices, after asking.
#[tool(requires = "manage", destructive)]
fn reboot(args: Reboot) -> Result<Outcome<Rebooted>, Fault> {
    let ask = || {
        let question =
            Question::new().form::<Sure>("sure", format!("{} devices reboot.", args.identifiers.len()));
        Ok(Outcome::Ask(question.state(&args.identifiers.len())?))
    };
    let answers = call::answers();
    match answers.form::<Sure>("sure") {
        Answer::Missing => ask(),
        Answer::Accepted(Sure { reboot: true }) => {
            let count = answers.state()?.unwrap_or(0);
            Ok(Outcome::Done(Rebooted { count }))
        }
        _ => Err(Fault::custom("declined", "Nobody was rebooted.")),
    }
}

fn two() -> Value {
    json!({ "identifiers": ["a", "b"] })
}

#[test]
fn the_first_call_asks_with_a_form_of_the_structs_fields() {
    let question = testing::ask::<reboot>(two()).expect("it asks");
    assert_eq!(question.requests.len(), 1);
    let request = &question.requests[0];
    assert_eq!((request.key.as_str(), request.kind.as_str()), ("sure", "elicitation-form"));
    assert_eq!(request.params["message"], "2 devices reboot.");
    let schema = &request.params["requestedSchema"];
    assert_eq!(schema["properties"]["reboot"]["description"], "Really reboot them?");
    assert_eq!(schema["type"], "object");
}

#[test]
fn the_second_call_has_the_answers_and_the_state() {
    let state = testing::ask::<reboot>(two()).expect("it asks").state;
    let host = Harness::new().accept("sure", json!({ "reboot": true })).answered_state(state);
    let result = host.run(|| testing::call::<reboot>(two())).expect("it runs");
    assert_eq!(result.structured, Some(json!({ "count": 2 })));
}

#[test]
fn declining_and_dismissing_are_answers_too() {
    for action in ["decline", "cancel"] {
        let host = Harness::new().answer("sure", json!({ "action": action }));
        let fault = host.run(|| testing::call::<reboot>(two())).expect_err(action);
        assert!(fault.is("declined"), "{fault}");
    }
}

#[test]
fn an_answer_to_something_else_is_asked_again() {
    let host = Harness::new().accept("other", json!({}));
    assert!(host.run(|| testing::ask::<reboot>(two())).is_ok());
}

#[test]
fn an_answer_of_the_wrong_shape_counts_as_missing_and_is_asked_again() {
    for answer in [
        json!({ "action": "accept", "content": { "reboot": "yes" } }),
        json!({ "action": "accept" }),
        json!({ "action": "perhaps" }),
        json!({ "reboot": true }),
        json!(12345),
        json!(null),
    ] {
        let host = Harness::new().answer("sure", answer.clone());
        assert!(host.run(|| testing::ask::<reboot>(two())).is_ok(), "{answer}");
    }
}

#[test]
fn a_state_of_another_version_is_an_internal_fault() {
    let host = Harness::new().accept("sure", json!({ "reboot": true })).answered_state(Some(b"[]".to_vec()));
    let fault = host.run(|| testing::call::<reboot>(two())).expect_err("it is refused");
    assert!(fault.is("internal"), "{fault}");
}

#[test]
fn answers_are_gone_when_the_call_is_over() {
    let host = Harness::new().accept("sure", json!({ "reboot": true }));
    host.run(|| {
        let _ = testing::call::<reboot>(two()).expect("it runs");
        assert!(call::answers().is_empty());
    });
}

#[test]
fn every_kind_of_question_can_be_asked() {
    let question = Question::new()
        .url("sign-in", "Please sign in.", "https://example.com/sign-in")
        .sampling("guess", json!({ "maxTokens": 1 }))
        .form_schema("free", "Fill it in.", json!({ "type": "object", "$schema": "x" }))
        .roots("where")
        .request("new", "something-newer", json!(1));
    let kinds: Vec<_> = question.requests.iter().map(|request| request.kind.as_str()).collect();
    assert_eq!(kinds, ["elicitation-url", "sampling", "elicitation-form", "roots", "something-newer"]);
    assert_eq!(question.requests[1].params, json!({ "maxTokens": 1 }));
    assert_eq!(question.requests[2].params["requestedSchema"], json!({ "type": "object", "$schema": "x" }));
    assert_eq!(question.requests[0].params["url"], "https://example.com/sign-in");
    assert_eq!(Outcome::<ToolResult>::from(question.clone()), Outcome::Ask(question));
}

/// Asks nothing.
#[tool(requires = "any")]
fn silent() -> Result<Outcome, Fault> {
    Ok(Question::new().into())
}

#[test]
fn a_question_that_asks_nothing_is_an_internal_fault() {
    assert!(testing::ask::<silent>(json!({})).expect_err("it asks nothing").is("internal"));
}

#[test]
#[should_panic(expected = "`reboot` asks")]
fn a_test_that_expects_a_result_is_told_about_the_question() {
    let _ = testing::call::<reboot>(two());
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[allow(dead_code)]
struct Contact {
    /// How to call you.
    name: String,
    /// Where to write.
    #[schemars(email)]
    mail: Option<String>,
    /// How old.
    #[serde(default = "thirty")]
    age: u8,
    /// How urgent it is.
    urgency: Urgency,
    colors: Vec<Color>,
}

fn thirty() -> u8 {
    30
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[allow(dead_code)]
enum Urgency {
    /// Whenever it suits you
    Low,
    /// At once
    High,
}

#[derive(Deserialize, JsonSchema)]
#[allow(dead_code)]
enum Color {
    /// Dark red
    Red,
    Blue,
}

#[test]
fn a_form_is_spelled_as_elicitations_are() {
    let question = Question::new().form::<Contact>("contact", "Who are you?");
    assert_eq!(
        question.requests[0].params["requestedSchema"],
        json!({
            "type": "object",
            "properties": {
                "name": { "description": "How to call you.", "type": "string" },
                "mail": { "description": "Where to write.", "type": "string", "format": "email" },
                "age": {
                    "description": "How old.", "type": "integer", "minimum": 0, "maximum": 255, "default": 30
                },
                "urgency": {
                    "description": "How urgent it is.",
                    "oneOf": [
                        { "const": "low", "title": "Whenever it suits you" },
                        { "const": "high", "title": "At once" }
                    ],
                    "type": "string",
                },
                "colors": {
                    "type": "array",
                    "items": { "anyOf": [
                        { "const": "Blue", "title": "Blue" }, { "const": "Red", "title": "Dark red" }
                    ] },
                },
            },
            "required": ["name", "urgency", "colors"],
        })
    );
}

#[test]
fn a_url_that_was_opened_is_accepted_and_nothing_else_is() {
    let host =
        Harness::new().answer("a", json!({ "action": "accept" })).answer("d", json!({ "action": "decline" }));
    let host = host.answer("c", json!({ "action": "cancel" })).answer("x", json!("accept"));
    let seen = host.run(|| {
        // As the host does, so that the answers are there.
        testing::call::<look>(json!({})).expect("it runs").all_text()
    });
    assert_eq!(seen, "[Accepted(()), Declined, Cancelled, Missing, Missing]");
}

/// Looks at the answers to URLs.
#[tool(requires = "any")]
fn look() -> Result<String, Fault> {
    let answers = call::answers();
    Ok(format!("{:?}", ["a", "d", "c", "x", "none"].map(|key| answers.url(key))))
}

/// Asks the model, and for the roots.
#[tool(requires = "any")]
fn think() -> Result<Outcome, Fault> {
    let answers = call::answers();
    match (answers.sampling("thought"), answers.roots("where")) {
        (Some(thought), Some(roots)) => {
            let uris: Vec<_> = roots.iter().map(|Root { uri, .. }| uri.as_str()).collect();
            Ok(ToolResult::text(format!("{} {:?} {uris:?}", thought.text(), thought.model)).into())
        }
        _ => {
            let sampling = Sampling::user("Why?").and_assistant("Because.").and_user("And?").max_tokens(100);
            let sampling = sampling.system("Be brief.").temperature(0.5).param("stopSequences", json!(["."]));
            Ok(Question::new().sampling("thought", sampling).roots("where").into())
        }
    }
}

#[test]
fn a_question_to_the_model_is_spelled_as_the_protocol_wants_it() {
    let question = testing::ask::<think>(json!({})).expect("it asks");
    let text = |role: &str, text: &str| json!({ "role": role, "content": { "type": "text", "text": text } });
    assert_eq!(
        question.requests[0].params,
        json!({
            "messages": [text("user", "Why?"), text("assistant", "Because."), text("user", "And?")],
            "maxTokens": 100,
            "systemPrompt": "Be brief.",
            "temperature": 0.5,
            "stopSequences": ["."],
        })
    );
}

#[test]
fn what_the_model_and_the_roots_say_is_read() {
    let roots = json!({ "roots": [{ "uri": "file:///a", "name": "A" }, { "uri": "file:///b" }] });
    let block = json!({ "type": "text", "text": "Hm." });
    for content in [block.clone(), json!([block, { "type": "image" }])] {
        let thought =
            json!({ "role": "assistant", "content": content, "model": "m", "stopReason": "endTurn" });
        let host = Harness::new().answer("thought", thought).answer("where", roots.clone());
        let result = host.run(|| testing::call::<think>(json!({}))).expect("it runs");
        assert_eq!(result.all_text(), "Hm. Some(\"m\") [\"file:///a\", \"file:///b\"]");
    }
}

#[test]
fn a_thought_or_roots_of_the_wrong_shape_are_asked_for_again() {
    let good = json!({ "role": "assistant", "content": { "type": "text", "text": "Hm." } });
    let roots = json!({ "roots": [] });
    for (thought, roots) in [
        (json!({ "role": "assistant", "content": "Hm." }), roots.clone()),
        (json!({ "role": "assistant", "content": [] }), roots.clone()),
        (json!({ "content": { "type": "text", "text": "Hm." } }), roots.clone()),
        (json!(null), roots),
        (good.clone(), json!([])),
        (good.clone(), json!({ "roots": [{ "name": "A" }] })),
        (good, json!({ "roots": {} })),
    ] {
        let host = Harness::new().answer("thought", thought.clone()).answer("where", roots.clone());
        assert!(host.run(|| testing::ask::<think>(json!({}))).is_ok(), "{thought} {roots}");
    }
}

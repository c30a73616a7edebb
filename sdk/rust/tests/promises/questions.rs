//! Asking, and being called again with the answers.

use fleetgate_sdk::prelude::*;
use fleetgate_sdk::testing::{self, Harness};

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
    let Some(answers) = call::answers() else { return ask() };
    match answers.form::<Sure>("sure")? {
        None => ask(),
        Some(fleetgate_sdk::Answer::Accepted(Sure { reboot: true })) => {
            let count = answers.state()?.unwrap_or(0);
            Ok(Outcome::Done(Rebooted { count }))
        }
        Some(_) => Err(Fault::custom("declined", "Nobody was rebooted.")),
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
fn an_answer_that_does_not_fit_is_refused() {
    for answer in [
        json!({ "action": "accept", "content": { "reboot": "yes" } }),
        json!({ "action": "accept" }),
        json!({ "action": "perhaps" }),
        json!(null),
    ] {
        let host = Harness::new().answer("sure", answer.clone());
        let fault = host.run(|| testing::call::<reboot>(two())).expect_err("it is refused");
        assert!(fault.is("invalid-arguments"), "{answer}: {fault}");
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
        assert!(call::answers().is_none());
    });
}

#[test]
fn every_kind_of_question_can_be_asked() {
    let question = Question::new()
        .url("sign-in", "Please sign in.", "https://example.com/sign-in")
        .sampling("guess", json!({ "maxTokens": 1 }))
        .roots("where")
        .request("new", "something-newer", json!(1));
    let kinds: Vec<_> = question.requests.iter().map(|request| request.kind.as_str()).collect();
    assert_eq!(kinds, ["elicitation-url", "sampling", "roots", "something-newer"]);
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

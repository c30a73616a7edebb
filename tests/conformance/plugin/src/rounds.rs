//! Asking in 2026-07-28, where a question is the call's result and the answers come with the next call: the scenarios
//! `input-required-result-*`.
//!
//! A fixture is a function of what came with the call: it asks for what is missing, and only for that. Where a
//! scenario wants the state to be looked at, what is kept in it decides; the host seals it, so a state that arrives
//! here is the one that was given out.

use fleetgate_sdk::prelude::*;
use fleetgate_sdk::{Root, Sampling};

#[derive(Deserialize, JsonSchema)]
pub(crate) struct Name {
    pub(crate) name: String,
}

#[derive(Deserialize, JsonSchema)]
struct Confirmed {
    ok: bool,
}

#[derive(Deserialize, JsonSchema)]
struct Colour {
    color: String,
}

/// Instead of a result, where a person does not want to answer.
pub(crate) const UNANSWERED: &str = "Nobody wanted to answer.";

fn done(text: impl Into<String>) -> Result<Outcome, Fault> {
    Ok(ToolResult::text(text).into())
}

/// Asks for a name, and greets.
#[tool(requires = "any")]
pub fn test_input_required_result_elicitation() -> Result<Outcome, Fault> {
    match call::answers().form::<Name>("user_name") {
        Answer::Accepted(answer) => done(format!("Hello, {}!", answer.name)),
        Answer::Declined | Answer::Cancelled => done(UNANSWERED),
        Answer::Missing => Ok(Question::new().form::<Name>("user_name", "What is your name?").into()),
    }
}

/// Asks the client's model about a capital.
#[tool(requires = "any")]
pub fn test_input_required_result_sampling() -> Result<Outcome, Fault> {
    match call::answers().sampling("capital_question") {
        Some(answer) => done(answer.text()),
        None => {
            let prompt = Sampling::user("What is the capital of France?").max_tokens(100);
            Ok(Question::new().sampling("capital_question", prompt).into())
        }
    }
}

/// Asks for the client's roots.
#[tool(requires = "any")]
pub fn test_input_required_result_list_roots() -> Result<Outcome, Fault> {
    match call::answers().roots("client_roots") {
        Some(roots) => done(format!("Roots: {}", listed(&roots))),
        None => Ok(Question::new().roots("client_roots").into()),
    }
}

fn listed(roots: &[Root]) -> String {
    roots.iter().map(|root| root.uri.as_str()).collect::<Vec<_>>().join(", ")
}

/// Asks with a state, and finds it again.
#[tool(requires = "any")]
pub fn test_input_required_result_request_state() -> Result<Outcome, Fault> {
    confirmed("request-state")
}

/// The same; for a client that changes the state on its way.
#[tool(requires = "any")]
pub fn test_input_required_result_tampered_state() -> Result<Outcome, Fault> {
    confirmed("tampered-state")
}

fn confirmed(mine: &str) -> Result<Outcome, Fault> {
    let answers = call::answers();
    let known = answers.state::<String>()?.is_some_and(|state| state == mine);
    match answers.form::<Confirmed>("confirm") {
        Answer::Accepted(answer) if known => done(format!("state-ok, ok: {}", answer.ok)),
        Answer::Declined | Answer::Cancelled if known => done(format!("state-ok. {UNANSWERED}")),
        _ => Ok(Question::new().form::<Confirmed>("confirm", "Please confirm").state(&mine)?.into()),
    }
}

/// Asks a person, a model and the client at once.
#[tool(requires = "any")]
pub fn test_input_required_result_multiple_inputs() -> Result<Outcome, Fault> {
    const MINE: &str = "multiple-inputs";
    let answers = call::answers();
    let known = answers.state::<String>()?.is_some_and(|state| state == MINE);
    match (answers.form::<Name>("user_name"), answers.sampling("greeting"), answers.roots("client_roots")) {
        (Answer::Accepted(person), Some(greeting), Some(roots)) if known => {
            done(format!("{}: {} ({})", person.name, greeting.text(), listed(&roots)))
        }
        (Answer::Declined | Answer::Cancelled, ..) if known => done(UNANSWERED),
        _ => Ok(Question::new()
            .form::<Name>("user_name", "What is your name?")
            .sampling("greeting", Sampling::user("Generate a greeting").max_tokens(50))
            .roots("client_roots")
            .state(&MINE)?
            .into()),
    }
}

/// Asks twice, the second time knowing the first answer.
#[tool(requires = "any")]
pub fn test_input_required_result_multi_round() -> Result<Outcome, Fault> {
    /// The name that was given; none while that is asked.
    #[derive(Serialize, Deserialize, Default)]
    struct Known {
        name: Option<String>,
    }
    let answers = call::answers();
    let known = answers.state::<Known>()?.unwrap_or_default();
    let name = match (known.name, answers.form::<Name>("step1")) {
        (Some(name), _) => name,
        (None, Answer::Accepted(answer)) => answer.name,
        (None, Answer::Declined | Answer::Cancelled) => return done(UNANSWERED),
        (None, Answer::Missing) => {
            let question = Question::new().form::<Name>("step1", "Step 1: What is your name?");
            return Ok(question.state(&Known::default())?.into());
        }
    };
    match answers.form::<Colour>("step2") {
        Answer::Accepted(answer) => done(format!("{name} likes {}.", answer.color)),
        Answer::Declined | Answer::Cancelled => done(UNANSWERED),
        Answer::Missing => {
            let question = Question::new().form::<Colour>("step2", "Step 2: What is your favorite color?");
            Ok(question.state(&Known { name: Some(name) })?.into())
        }
    }
}

/// Asks what this client can be asked, and nothing else.
#[tool(requires = "any")]
pub fn test_input_required_result_capabilities() -> Result<Outcome, Fault> {
    let answers = call::answers();
    if let Some(answer) = answers.sampling("model") {
        return done(answer.text());
    }
    if let Answer::Accepted(answer) = answers.form::<Name>("person") {
        return done(answer.name);
    }
    let client = call::client();
    let mut question = Question::new();
    if client.sampling() {
        question = question.sampling("model", Sampling::user("Who are you?").max_tokens(50));
    }
    if client.elicitation() {
        question = question.form::<Name>("person", "Who are you?");
    }
    if question.requests.is_empty() {
        return done("This client can be asked nothing.");
    }
    Ok(question.into())
}

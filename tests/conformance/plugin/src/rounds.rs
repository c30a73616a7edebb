//! Asking in 2026-07-28, where a question is the call's result and the answers come with the next call: the scenarios
//! `input-required-result-*`.
//!
//! A fixture is a function of what came with the call: it asks for what is missing, and only for that. Where a
//! scenario wants the state to be looked at, what is kept in it decides; the host seals it, so a state that arrives
//! here is the one that was given out.

use fleetgate_sdk::prelude::*;

use crate::form::{Filled, answered, filled, prompt, sampled, state};

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

fn done(text: impl Into<String>) -> Result<Outcome, Fault> {
    Ok(ToolResult::text(text).into())
}

/// Asks for a name, and greets.
#[tool(requires = "any")]
pub fn test_input_required_result_elicitation() -> Result<Outcome, Fault> {
    match filled::<Name>("user_name") {
        Some(Filled::In(answer)) => done(format!("Hello, {}!", answer.name)),
        Some(Filled::Not(instead)) => done(format!("The question was {instead}.")),
        None => Ok(Question::new().form::<Name>("user_name", "What is your name?").into()),
    }
}

/// Asks the client's model about a capital.
#[tool(requires = "any")]
pub fn test_input_required_result_sampling() -> Result<Outcome, Fault> {
    match answered("capital_question") {
        Some(answer) => done(sampled(&answer)),
        None => {
            let question = prompt("What is the capital of France?", 100);
            Ok(Question::new().sampling("capital_question", question).into())
        }
    }
}

/// Asks for the client's roots.
#[tool(requires = "any")]
pub fn test_input_required_result_list_roots() -> Result<Outcome, Fault> {
    match answered("client_roots") {
        Some(answer) => done(format!("Roots: {}", roots(&answer))),
        None => Ok(Question::new().roots("client_roots").into()),
    }
}

fn roots(answer: &Value) -> String {
    let roots = answer["roots"].as_array().cloned().unwrap_or_default();
    roots.iter().filter_map(|root| root["uri"].as_str()).collect::<Vec<_>>().join(", ")
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
    match (state::<String>().filter(|state| state == mine), filled::<Confirmed>("confirm")) {
        (Some(_), Some(Filled::In(answer))) => done(format!("state-ok, ok: {}", answer.ok)),
        (Some(_), Some(Filled::Not(instead))) => done(format!("state-ok, {instead}")),
        _ => Ok(Question::new().form::<Confirmed>("confirm", "Please confirm").state(&mine)?.into()),
    }
}

/// Asks a person, a model and the client at once.
#[tool(requires = "any")]
pub fn test_input_required_result_multiple_inputs() -> Result<Outcome, Fault> {
    let asked = "multiple-inputs".to_owned();
    if let (Some(Filled::In(person)), Some(greeting), Some(places)) =
        (filled::<Name>("user_name"), answered("greeting"), answered("client_roots"))
        && state().as_ref() == Some(&asked)
    {
        return done(format!("{}: {} ({})", person.name, sampled(&greeting), roots(&places)));
    }
    Ok(Question::new()
        .form::<Name>("user_name", "What is your name?")
        .sampling("greeting", prompt("Generate a greeting", 50))
        .roots("client_roots")
        .state(&asked)?
        .into())
}

/// Asks twice, the second time knowing the first answer.
#[tool(requires = "any")]
pub fn test_input_required_result_multi_round() -> Result<Outcome, Fault> {
    /// The name that was given; none while that is asked.
    #[derive(Serialize, Deserialize, Default)]
    struct Known {
        name: Option<String>,
    }
    let known = state::<Known>().unwrap_or_default();
    let name = match (known.name, filled::<Name>("step1")) {
        (Some(name), _) => name,
        (None, Some(Filled::In(answer))) => answer.name,
        (None, Some(Filled::Not(instead))) => return done(format!("The first step was {instead}.")),
        (None, None) => {
            let question = Question::new().form::<Name>("step1", "Step 1: What is your name?");
            return Ok(question.state(&Known::default())?.into());
        }
    };
    match filled::<Colour>("step2") {
        Some(Filled::In(answer)) => done(format!("{name} likes {}.", answer.color)),
        Some(Filled::Not(instead)) => done(format!("The second step was {instead}.")),
        None => {
            let question = Question::new().form::<Colour>("step2", "Step 2: What is your favorite color?");
            Ok(question.state(&Known { name: Some(name) })?.into())
        }
    }
}

/// Asks what this client can be asked, and nothing else.
#[tool(requires = "any")]
pub fn test_input_required_result_capabilities() -> Result<Outcome, Fault> {
    if let Some(answer) = answered("model") {
        return done(sampled(&answer));
    }
    if let Some(Filled::In(answer)) = filled::<Name>("person") {
        return done(answer.name);
    }
    let client = call::client_capabilities();
    let mut question = Question::new();
    if client.get("sampling").is_some() {
        question = question.sampling("model", prompt("Who are you?", 50));
    }
    if client.get("elicitation").is_some() {
        question = question.form::<Name>("person", "Who are you?");
    }
    if question.requests.is_empty() {
        return done("This client can be asked nothing.");
    }
    Ok(question.into())
}

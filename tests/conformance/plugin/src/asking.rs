//! Tools that ask the client: as requests over the session before 2026-07-28, and for `server-stateless` since then.
//!
//! Scenarios `tools-call-sampling`, `tools-call-elicitation`, `elicitation-sep1034-defaults` (a form's fields carry
//! their defaults) and `elicitation-sep1330-enums` (all five ways to write a choice arrive as they were written).

use fleetgate_sdk::Sampling;
use fleetgate_sdk::prelude::*;

#[derive(Deserialize, JsonSchema)]
pub struct Prompt {
    /// What the client's model is asked.
    prompt: String,
}

/// Asks the client's model.
#[tool(requires = "any")]
pub fn test_sampling(args: Prompt) -> Result<Outcome, Fault> {
    match call::answers().sampling("completion") {
        Some(answer) => Ok(ToolResult::text(format!("LLM response: {}", answer.text())).into()),
        None => {
            Ok(Question::new().sampling("completion", Sampling::user(args.prompt).max_tokens(100)).into())
        }
    }
}

#[derive(Deserialize, JsonSchema)]
pub struct Message {
    /// What the person is told.
    message: String,
}

#[derive(Deserialize, Serialize, JsonSchema)]
struct Person {
    /// User's response
    username: String,
    /// User's email address
    email: String,
}

/// Asks the person for a name and an address.
#[tool(requires = "any")]
pub fn test_elicitation(args: Message) -> Result<Outcome, Fault> {
    shown(call::answers().form::<Person>("person"), || Question::new().form::<Person>("person", args.message))
}

/// Each field has a default, which the form shows.
#[derive(Deserialize, Serialize, JsonSchema)]
#[serde(default)]
struct Profile {
    name: String,
    age: i64,
    score: f64,
    status: Status,
    verified: bool,
}

#[derive(Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
enum Status {
    Active,
    Inactive,
    Pending,
}

impl Default for Profile {
    fn default() -> Self {
        Self { name: "John Doe".into(), age: 30, score: 95.5, status: Status::Active, verified: true }
    }
}

/// Asks with a form that is filled in already.
#[tool(requires = "any")]
pub fn test_elicitation_sep1034_defaults() -> Result<Outcome, Fault> {
    shown(call::answers().form::<Profile>("profile"), || {
        Question::new().form::<Profile>("profile", "Please look at your profile.")
    })
}

/// Asks with every kind of choice that a form may have.
#[tool(requires = "any")]
pub fn test_elicitation_sep1330_enums() -> Result<Outcome, Fault> {
    shown(call::answers().form::<Value>("choices"), || {
        let titled: Vec<_> =
            (1..=3).map(|n| json!({ "const": format!("value{n}"), "title": format!("Value {n}") })).collect();
        let untitled = ["option1", "option2", "option3"];
        let schema = json!({
            "type": "object",
            "properties": {
                "untitledSingle": { "type": "string", "enum": untitled },
                "titledSingle": { "type": "string", "oneOf": titled },
                "legacyEnum": {
                    "type": "string",
                    "enum": ["opt1", "opt2", "opt3"],
                    "enumNames": ["Option One", "Option Two", "Option Three"],
                },
                "untitledMulti": { "type": "array", "items": { "type": "string", "enum": untitled } },
                "titledMulti": { "type": "array", "items": { "anyOf": titled } },
            },
        });
        Question::new().form_schema("choices", "Please choose.", schema)
    })
}

/// Asks the client's model; for clients that have none to be refused by.
#[tool(requires = "any")]
pub fn test_missing_capability() -> Result<Outcome, Fault> {
    test_sampling(Prompt { prompt: "Say something.".into() })
}

/// Asks the person while the client still reads its stream.
#[tool(requires = "any")]
pub fn test_streaming_elicitation() -> Result<Outcome, Fault> {
    call::progress(1.0, Some(2.0), Some("About to ask."));
    test_elicitation(Message { message: "Who is there?".into() })
}

/// What was filled in, as text; the question where it was not.
fn shown<T: Serialize>(answer: Answer<T>, ask: impl FnOnce() -> Question) -> Result<Outcome, Fault> {
    let said = match answer {
        Answer::Missing => return Ok(ask().into()),
        Answer::Accepted(content) => json!({ "action": "accept", "content": content }),
        Answer::Declined => json!({ "action": "decline" }),
        Answer::Cancelled => json!({ "action": "cancel" }),
    };
    Ok(ToolResult::text(format!("User response: {said}")).into())
}

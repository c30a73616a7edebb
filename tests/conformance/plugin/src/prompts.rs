//! What a person may start from: the `prompts-*` scenarios, `completion-complete`, and
//! `input-required-result-non-tool-request`, for which a prompt asks before it is there.

use fleetgate_sdk::prelude::*;

use crate::content::PIXEL;

/// One message.
#[prompt(requires = "any")]
pub fn test_simple_prompt() -> Result<&'static str, Fault> {
    Ok("This is a simple prompt for testing.")
}

#[derive(Deserialize, JsonSchema)]
pub struct Both {
    /// First test argument
    arg1: String,
    /// Second test argument
    arg2: String,
}

/// One message with two arguments in it.
#[prompt(requires = "any")]
pub fn test_prompt_with_arguments(args: Both) -> Result<String, Fault> {
    Ok(format!("Prompt with arguments: arg1='{}', arg2='{}'", args.arg1, args.arg2))
}

/// What may follow in the first argument.
#[complete(prompt = test_prompt_with_arguments, argument = "arg1")]
pub fn first_arguments(value: &str) -> Completion {
    Completion::matching(["paris", "park", "party", "test", "testing"], value)
}

#[derive(Deserialize, JsonSchema)]
pub struct Embedded {
    /// URI of the resource to embed
    #[serde(rename = "resourceUri")]
    resource_uri: String,
}

/// A resource, and what to do with it.
#[prompt(requires = "any")]
pub fn test_prompt_with_embedded_resource(args: Embedded) -> Result<Vec<PromptMessage>, Fault> {
    let text = "Embedded resource content for testing.";
    Ok(vec![
        PromptMessage::user(Content::resource_text(args.resource_uri, text, "text/plain")),
        PromptMessage::user("Please process the embedded resource above."),
    ])
}

/// A picture, and what to do with it.
#[prompt(requires = "any")]
pub fn test_prompt_with_image() -> Result<Vec<PromptMessage>, Fault> {
    Ok(vec![
        PromptMessage::user(Content::image(PIXEL, "image/png")),
        PromptMessage::user("Please analyze the image above."),
    ])
}

#[derive(Deserialize, JsonSchema)]
struct Context {
    context: String,
}

/// Asks what it is about, and says so.
#[prompt(requires = "any")]
pub fn test_input_required_result_prompt() -> Result<Outcome<String>, Fault> {
    match call::answers().form::<Context>("user_context") {
        Answer::Accepted(answer) => Ok(Outcome::Done(format!("Keep in mind: {}", answer.context))),
        Answer::Missing => {
            Ok(Question::new().form::<Context>("user_context", "What context should the prompt use?").into())
        }
        Answer::Declined | Answer::Cancelled => Ok(Outcome::Done("There is nothing to keep in mind.".into())),
    }
}

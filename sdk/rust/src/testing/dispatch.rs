//! The way that the host's calls take.

use serde_json::{Map, Value, json};

use super::policy::{self, Policy};
use crate::plugin::{self, PromptEntry, ToolEntry};
use crate::{
    Answers, Complete, Completion, Content, Fault, Given, Outcome, Plugin, Prompt, PromptMessage, Question,
    ResourcePage, Tool, ToolResult,
};

/// Calls a tool with JSON arguments: `testing::call::<greet>(json!({ "name": "Ann" }))`.
///
/// # Errors
/// `invalid-arguments` when the arguments do not fit, and whatever the tool answers.
///
/// # Panics
/// When the tool asks the client something; see [`ask`].
#[track_caller]
pub fn call<T: Tool>(arguments: Value) -> Result<ToolResult, Fault> {
    done(T::NAME, run(&ToolEntry::of::<T>(), &arguments)?)
}

/// Calls a tool that asks the client something, and returns the question.
///
/// # Errors
/// As [`call`].
///
/// # Panics
/// When the tool answers without asking.
#[track_caller]
pub fn ask<T: Tool>(arguments: Value) -> Result<Question, Fault> {
    asked(T::NAME, run(&ToolEntry::of::<T>(), &arguments)?)
}

/// Calls a tool by its name, as the host does: `testing::call_tool::<Exported>("greet", json!({ … }))`.
///
/// # Errors
/// `unknown` when the plugin has no such tool, and as [`call`].
pub fn call_tool<P: Plugin>(name: &str, arguments: Value) -> Result<Outcome, Fault> {
    run(plugin::find_tool::<P>(name)?, &arguments)
}

/// Fills in a prompt: `testing::get::<config_push>(json!({ "platform": "ios" }))`.
///
/// # Errors
/// `invalid-arguments` when the arguments do not fit, and whatever the prompt answers.
///
/// # Panics
/// When the prompt asks the client something; see [`get_prompt`].
#[track_caller]
pub fn get<T: Prompt>(arguments: Value) -> Result<Vec<PromptMessage>, Fault> {
    let _reads = policy::under(Policy::reading());
    done(T::NAME, PromptEntry::of::<T>().get(&arguments.to_string(), answers())?)
}

/// Fills in a prompt by its name, as the host does.
///
/// # Errors
/// `unknown` when the plugin has no such prompt, and as [`get`].
pub fn get_prompt<P: Plugin>(name: &str, arguments: Value) -> Result<Outcome<Vec<PromptMessage>>, Fault> {
    let _reads = policy::under(Policy::reading());
    plugin::find_prompt::<P>(name)?.get(&arguments.to_string(), answers())
}

/// Reads what lies at a URI: `testing::read::<Exported>("naas://jobs/7")`.
///
/// # Errors
/// `unknown` when there is nothing, and whatever the resource answers.
///
/// # Panics
/// When the resource asks the client something; see [`read_resource`].
#[track_caller]
pub fn read<P: Plugin>(uri: &str) -> Result<Vec<Content>, Fault> {
    done(uri, read_resource::<P>(uri)?)
}

/// Reads what lies at a URI, as the host does.
///
/// # Errors
/// As [`read`].
pub fn read_resource<P: Plugin>(uri: &str) -> Result<Outcome<Vec<Content>>, Fault> {
    let _reads = policy::under(Policy::reading());
    plugin::read_resource::<P>(uri, answers())
}

/// One page of what there is to read.
///
/// # Errors
/// `invalid-arguments` when the cursor is none, and whatever a listing function answers.
pub fn list_resources<P: Plugin>(cursor: Option<&str>) -> Result<ResourcePage, Fault> {
    let _reads = policy::under(Policy::reading());
    plugin::list_resources::<P>(cursor)
}

/// Completes an argument: `testing::complete::<platforms>("ci", &[("site", "lab")])`.
///
/// # Errors
/// Whatever the completion answers.
pub fn complete<T: Complete>(value: &str, given: &[(&str, &str)]) -> Result<Completion, Fault> {
    let _reads = policy::under(Policy::reading());
    T::complete(value, &given.iter().copied().collect::<Given>())
}

/// Completes an argument as the host asks: `reference` is `prompt:<name>` or `resource:<template>`.
///
/// # Errors
/// As [`complete`].
pub fn complete_argument<P: Plugin>(
    reference: &str,
    argument: &str,
    value: &str,
    given: Value,
) -> Result<Completion, Fault> {
    let _reads = policy::under(Policy::reading());
    plugin::complete::<P>(reference, argument, value, &given.to_string())
}

fn run(tool: &ToolEntry, arguments: &Value) -> Result<Outcome, Fault> {
    let _policy = policy::under(Policy::of_tool(tool.manifest));
    tool.run(&arguments.to_string(), answers())
}

fn answers() -> Answers {
    super::current().map(|state| state.answers.borrow().clone()).unwrap_or_default()
}

#[track_caller]
fn done<T>(what: &str, outcome: Outcome<T>) -> Result<T, Fault> {
    match outcome {
        Outcome::Done(result) => Ok(result),
        Outcome::Ask(question) => panic!("`{what}` asks: {question:?}"),
    }
}

#[track_caller]
fn asked<T: std::fmt::Debug>(what: &str, outcome: Outcome<T>) -> Result<Question, Fault> {
    match outcome {
        Outcome::Ask(question) => Ok(question),
        Outcome::Done(result) => panic!("`{what}` does not ask: {result:?}"),
    }
}

/// Everything that the host learns about a plugin's tools: `name`, `title`, `description`, `inputSchema`,
/// `outputSchema`, `_meta`, `extra` (icons), and `manifest` (what `fleetgate pack` finds).
///
/// # Errors
/// `internal` when a tool's arguments are not an object.
pub fn list_tools<P: Plugin>() -> Result<Vec<Value>, Fault> {
    P::TOOLS
        .iter()
        .map(|tool| {
            Ok(json!({
                "name": tool.name,
                "title": tool.title,
                "description": tool.description,
                "inputSchema": tool.input_schema()?,
                "outputSchema": tool.output_schema()?,
                "_meta": object(tool.meta),
                "extra": object(tool.extra),
                "manifest": line(tool.manifest),
            }))
        })
        .collect()
}

/// Everything that the host learns about a plugin's templates: `uriTemplate`, `name`, `title`, `description`,
/// `mimeType`, `_meta`, `extra` (annotations, icons), and `manifest`.
///
/// # Errors
/// `internal` when a variable has no field, or a completion no argument.
pub fn list_templates<P: Plugin>() -> Result<Vec<Value>, Fault> {
    plugin::check_templates::<P>()?;
    let templates = P::RESOURCES.iter().filter(|resource| resource.is_template());
    Ok(templates
        .map(|template| {
            json!({
                "uriTemplate": template.uri,
                "name": template.name,
                "title": template.title,
                "description": template.description,
                "mimeType": template.mime_type,
                "_meta": object(template.meta),
                "extra": object(template.extra),
                "manifest": line(template.manifest),
            })
        })
        .collect())
}

/// Everything that the host learns about a plugin's prompts: `name`, `title`, `description`, `arguments`, `_meta`,
/// `extra` (icons), and `manifest`.
///
/// # Errors
/// `internal` when an argument cannot be text, or a completion has no argument.
pub fn list_prompts<P: Plugin>() -> Result<Vec<Value>, Fault> {
    plugin::check_completions::<P>()?;
    P::PROMPTS
        .iter()
        .map(|prompt| {
            let arguments = prompt.arguments()?.into_iter().map(|argument| {
                json!({
                    "name": argument.name,
                    "title": argument.title,
                    "description": argument.description,
                    "required": argument.required,
                })
            });
            Ok(json!({
                "name": prompt.name,
                "title": prompt.title,
                "description": prompt.description,
                "arguments": arguments.collect::<Vec<_>>(),
                "_meta": object(prompt.meta),
                "extra": object(prompt.extra),
                "manifest": line(prompt.manifest),
            }))
        })
        .collect()
}

/// Everything that the host learns about a plugin's skills: `path`, `frontmatter`, `files` (path and length of each)
/// and `manifest`.
#[must_use]
pub fn list_skills<P: Plugin>() -> Vec<Value> {
    P::SKILLS
        .iter()
        .map(|skill| {
            let files = skill.files.iter().map(|file| json!({ "path": file.path, "size": file.data.len() }));
            json!({
                "path": skill.path,
                "frontmatter": object(Some(skill.frontmatter)),
                "files": files.collect::<Vec<_>>(),
                "manifest": line(skill.manifest),
            })
        })
        .collect()
}

/// What the attributes wrote.
fn object(json: Option<&str>) -> Option<Map<String, Value>> {
    json.map(|json| serde_json::from_str(json).expect("the attributes write JSON"))
}

fn line(manifest: &str) -> Value {
    serde_json::from_str(manifest).expect("a manifest entry is a line of JSON")
}

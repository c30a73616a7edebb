//! A plugin that has one of everything.

use fleetgate_sdk::prelude::*;
use fleetgate_sdk::{Plugin, testing};

/// Pushes.
#[tool(requires = "operator", name = "push")]
pub(crate) fn push_it() -> Result<(), Fault> {
    Ok(())
}

/// What there is.
#[resource(uri = "x://things", requires = "viewer")]
pub(crate) fn things() -> Result<&'static str, Fault> {
    Ok("one, two")
}

#[derive(Deserialize, JsonSchema)]
pub(crate) struct Thing {
    id: String,
}

/// One of them.
#[template(uri = "x://things/{id}", requires = ["viewer", "operator"])]
pub(crate) fn thing(args: Thing) -> Result<String, Fault> {
    Ok(args.id)
}

/// Starts.
#[prompt(requires = "any")]
pub(crate) fn start(args: Thing) -> Result<String, Fault> {
    Ok(args.id)
}

#[complete(prompt = start, argument = "id")]
pub(crate) fn ids(value: &str) -> Completion {
    Completion::matching(["one", "two"], value)
}

#[skill("tests/skills/push-config", requires = "operator")]
pub(crate) struct PushConfig;

fleetgate_sdk::export! {
    skills: PushConfig;
    tools: push_it;
    resources: things, thing,;
    prompts: start;
    completions: ids
}

#[test]
fn everything_is_in_its_table() {
    assert_eq!(Exported::TOOLS.len(), 1);
    assert_eq!(Exported::RESOURCES.len(), 2);
    assert_eq!(Exported::PROMPTS.len(), 1);
    assert_eq!(Exported::COMPLETIONS.len(), 1);
    assert_eq!(Exported::SKILLS.len(), 1);
}

#[test]
fn each_entry_of_the_manifest_has_its_line() {
    let lines: Vec<Value> =
        Exported::MANIFEST.iter().map(|line| serde_json::from_str(line).expect("a line is JSON")).collect();
    assert_eq!(
        lines,
        [
            json!({ "tool": "push", "requires": "operator" }),
            json!({ "resource": "x://things", "requires": "viewer" }),
            json!({ "resource": "x://things/*", "requires": ["viewer", "operator"] }),
            json!({ "prompt": "start", "requires": "any" }),
            json!({ "resource": "skill://push-config/**", "requires": "operator" }),
        ]
    );
    assert!(Exported::MANIFEST.iter().all(|line| line.ends_with('\n')));
}

#[test]
fn everything_can_be_listed() {
    assert_eq!(testing::list_tools::<Exported>().expect("tools").len(), 1);
    assert_eq!(testing::list_templates::<Exported>().expect("templates").len(), 1);
    assert_eq!(testing::list_prompts::<Exported>().expect("prompts").len(), 1);
    assert_eq!(testing::list_resources::<Exported>(None).expect("resources").resources.len(), 1);
    assert_eq!(testing::list_skills::<Exported>().len(), 1);
}

mod half {
    use super::*;

    fleetgate_sdk::export! { completions: ids }
}

#[test]
fn a_completion_of_something_that_is_not_exported_is_a_mistake_of_the_plugin() {
    let fault = testing::list_prompts::<half::Exported>().expect_err("the prompt is not there");
    assert!(fault.is("internal") && fault.message.contains("`id` of `start`"), "{fault}");
    assert!(testing::list_templates::<half::Exported>().is_err());
}

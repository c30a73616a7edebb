//! Prompts.

use fleetgate_sdk::Role;
use fleetgate_sdk::prelude::*;
use fleetgate_sdk::testing::{self, Harness};

#[derive(Deserialize, JsonSchema)]
struct Push {
    /// Which devices.
    #[schemars(title = "Platform")]
    platform: Platform,
    /// How many at once.
    at_once: Option<u8>,
    note: Option<String>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Platform {
    Ios,
    Junos,
}

/// Pushes a configuration.
#[prompt(requires = "operator", title = "Push", icons = ["tests/skills/lamp.svg"], meta = { "a/b" = true })]
fn config_push(args: Push) -> Result<Vec<PromptMessage>, Fault> {
    Ok(vec![
        PromptMessage::user(format!("{:?} {:?} {:?}", args.platform, args.at_once, args.note)),
        PromptMessage::assistant(Content::image([1], "image/png")),
    ])
}

/// Says hello.
#[prompt(requires = "any", name = "say-hello")]
fn hello() -> Result<&'static str, Fault> {
    Ok("Hello.")
}

/// Asks for a name.
#[prompt(requires = "any")]
fn named() -> Result<Outcome<PromptMessage>, Fault> {
    match call::answers().form::<Name>("name") {
        Answer::Accepted(Name { name }) => Ok(Outcome::Done(PromptMessage::user(name))),
        _ => Ok(Question::new().form::<Name>("name", "Who?").into()),
    }
}

#[derive(Deserialize, JsonSchema)]
struct Name {
    name: String,
}

fleetgate_sdk::export! { prompts: config_push, hello, named }

#[test]
fn a_struct_of_texts_is_the_list_of_arguments() {
    let prompts = testing::list_prompts::<Exported>().expect("they are listed");
    assert_eq!(prompts[0]["name"], "config_push");
    assert_eq!(prompts[0]["description"], "Pushes a configuration.");
    assert_eq!(
        prompts[0]["arguments"],
        json!([
            { "name": "platform", "title": "Platform", "description": "Which devices.", "required": true },
            { "name": "at_once", "title": null, "description": "How many at once.", "required": false },
            { "name": "note", "title": null, "description": null, "required": false },
        ])
    );
    assert_eq!(prompts[0]["manifest"], json!({ "prompt": "config_push", "requires": "operator" }));
    assert_eq!(prompts[0]["_meta"], json!({ "a/b": true }));
    let icon = &prompts[0]["extra"]["icons"][0];
    assert_eq!(icon["mimeType"], "image/svg+xml");
    assert!(
        icon["src"].as_str().is_some_and(|src| src.starts_with("data:image/svg+xml;base64,PHN2Z")),
        "{icon}"
    );
    assert_eq!((&prompts[1]["name"], &prompts[1]["arguments"]), (&json!("say-hello"), &json!([])));
}

#[test]
fn arguments_are_read_from_text() {
    let messages =
        testing::get::<config_push>(json!({ "platform": "junos", "at_once": "12" })).expect("it runs");
    assert_eq!(messages[0].content, Content::text("Junos Some(12) None"));
    assert_eq!((messages[0].role, messages[1].role), (Role::User, Role::Assistant));
    assert_eq!(messages[1].content.kind, "image");
}

#[test]
fn a_field_that_a_person_left_empty_is_left_out() {
    let arguments = json!({ "platform": "ios", "at_once": "", "note": "" });
    let messages = testing::get::<config_push>(arguments).expect("it runs");
    assert_eq!(messages[0].content, Content::text("Ios None None"));
}

#[test]
fn an_argument_that_does_not_fit_is_refused_by_its_name() {
    for (arguments, field) in [
        (json!({}), "/platform"),
        (json!({ "platform": "vms" }), "/platform"),
        (json!({ "platform": "ios", "at_once": "many" }), "/at_once"),
        (json!({ "platform": "ios", "at_once": "300" }), "/at_once"),
        (json!({ "platform": 1 }), "/platform"),
    ] {
        let fault = testing::get::<config_push>(arguments.clone()).expect_err("it is refused");
        assert!(fault.is("invalid-arguments"), "{arguments}: {fault}");
        assert_eq!(fault.field.as_deref(), Some(field), "{arguments}: {fault}");
    }
}

#[test]
fn a_prompt_without_arguments_takes_none() {
    let messages = testing::get::<hello>(json!({})).expect("it runs");
    assert_eq!(messages, [PromptMessage::user("Hello.")]);
    let fault = testing::get::<hello>(json!({ "a": "b" })).expect_err("it takes none");
    assert_eq!(fault.field.as_deref(), Some("/a"));
}

#[test]
fn a_prompt_may_ask_and_go_on_with_the_answer() {
    let asked = testing::get_prompt::<Exported>("named", json!({})).expect("it asks");
    assert!(matches!(asked, Outcome::Ask(_)));
    let host = Harness::new().accept("name", json!({ "name": "Ann" }));
    let messages = host.run(|| testing::get::<named>(json!({}))).expect("it runs");
    assert_eq!(messages, [PromptMessage::user("Ann")]);
}

#[test]
fn a_prompt_that_is_not_there_is_unknown() {
    assert!(
        testing::get_prompt::<Exported>("hello", json!({})).expect_err("its name is another").is("unknown")
    );
}

mod unfit {
    use super::*;

    #[derive(Deserialize, JsonSchema)]
    struct Many {
        names: Vec<String>,
    }

    /// Takes a list.
    #[prompt(requires = "any")]
    fn many(args: Many) -> Result<String, Fault> {
        Ok(args.names.join(","))
    }

    fleetgate_sdk::export! { prompts: many }
}

#[test]
fn an_argument_that_cannot_be_text_is_a_mistake_of_the_plugin() {
    let fault = testing::list_prompts::<unfit::Exported>().expect_err("it is refused");
    assert!(fault.is("internal") && fault.message.contains("`names` of `many`"), "{fault}");
}

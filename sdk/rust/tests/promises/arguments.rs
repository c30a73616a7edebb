//! From JSON arguments to the function.

use fleetgate_sdk::prelude::*;
use fleetgate_sdk::testing;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Tag {
    identifier: String,
    #[serde(default)]
    tags: Vec<String>,
    #[serde(default)]
    place: Option<Place>,
}

#[derive(Deserialize, JsonSchema)]
struct Place {
    #[serde(rename = "a/b~c")]
    floor: u8,
}

/// Tags a device.
#[tool(requires = "manage")]
fn tag(args: Tag) -> Result<String, Fault> {
    let floor = args.place.map_or(0, |place| place.floor);
    Ok(format!("{} {:?} {floor}", args.identifier, args.tags))
}

/// Who am I.
#[tool(requires = "any", read_only)]
fn whoami() -> Result<String, Fault> {
    Ok("me".to_owned())
}

#[track_caller]
fn refused(arguments: Value) -> Fault {
    let fault = testing::call::<tag>(arguments).expect_err("the arguments are refused");
    assert!(fault.is("invalid-arguments"), "{fault}");
    assert!(!fault.retryable);
    fault
}

#[test]
fn arguments_reach_the_function() {
    let result = testing::call::<tag>(json!({ "identifier": "d1", "tags": ["a"], "place": { "a/b~c": 3 } }));
    assert_eq!(result, Ok(ToolResult::text("d1 [\"a\"] 3")));
}

#[test]
fn a_missing_argument_is_named() {
    let fault = refused(json!({ "tags": [] }));
    assert_eq!(fault.field.as_deref(), Some("/identifier"));
    assert_eq!(fault.message, "`identifier` is missing.");
}

#[test]
fn an_unknown_argument_is_named() {
    let fault = refused(json!({ "identifier": "d1", "tag": "x" }));
    assert_eq!(fault.field.as_deref(), Some("/tag"));
    assert!(fault.message.contains("unknown field `tag`"), "{fault}");
}

#[test]
fn a_wrong_type_deep_inside_is_named_by_its_json_pointer() {
    let fault = refused(json!({ "identifier": "d1", "tags": ["a", 7] }));
    assert_eq!(fault.field.as_deref(), Some("/tags/1"));
    assert!(fault.message.contains("expected a string"), "{fault}");
    assert!(!fault.message.contains("line"), "a position in a text that nobody sees: {fault}");
}

#[test]
fn slashes_and_tildes_in_names_are_escaped_in_the_pointer() {
    let fault = refused(json!({ "identifier": "d1", "place": { "a/b~c": 300 } }));
    assert_eq!(fault.field.as_deref(), Some("/place/a~1b~0c"));
    let fault = refused(json!({ "identifier": "d1", "place": {} }));
    assert_eq!(fault.field.as_deref(), Some("/place/a~1b~0c"));
}

#[test]
fn arguments_that_are_no_object_are_refused() {
    let fault = refused(json!("d1"));
    assert_eq!(fault.field, None);
}

#[test]
fn text_that_is_no_json_is_refused() {
    for text in ["{", "{} {}", "nonsense"] {
        let fault = <tag as fleetgate_sdk::Tool>::run(text).expect_err("it is refused");
        assert!(fault.is("invalid-arguments"), "{text}: {fault}");
    }
}

#[test]
fn no_text_at_all_is_no_arguments() {
    let ran = <whoami as fleetgate_sdk::Tool>::run("");
    assert_eq!(ran, Ok(Outcome::Done(ToolResult::text("me"))));
}

#[test]
fn a_tool_without_arguments_refuses_some() {
    assert_eq!(testing::call::<whoami>(json!({})), Ok(ToolResult::text("me")));
    let fault = testing::call::<whoami>(json!({ "who": 1 })).expect_err("it is refused");
    assert_eq!(fault.field.as_deref(), Some("/who"));
}

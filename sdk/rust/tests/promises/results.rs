//! From what the function returns to the result.

use fleetgate_sdk::prelude::*;
use fleetgate_sdk::{Tool, testing};

#[derive(Serialize, JsonSchema)]
struct Count {
    /// How many.
    count: u32,
}

/// A struct.
#[tool(requires = "any")]
fn structure() -> Result<Count, Fault> {
    Ok(Count { count: 3 })
}

/// Text.
#[tool(requires = "any")]
fn text() -> Result<String, Fault> {
    Ok("three".to_owned())
}

/// Fixed text.
#[tool(requires = "any")]
fn fixed_text() -> Result<&'static str, Fault> {
    Ok("three")
}

/// Nothing.
#[tool(requires = "any")]
fn nothing() -> Result<(), Fault> {
    Ok(())
}

/// A list.
#[tool(requires = "any")]
fn list() -> Result<Vec<u8>, Fault> {
    Ok(vec![1, 2])
}

/// Free JSON.
#[tool(requires = "any")]
fn free() -> Result<Value, Fault> {
    Ok(json!({ "a": 1 }))
}

/// Built by hand.
#[tool(requires = "any")]
fn by_hand() -> Result<ToolResult, Fault> {
    Ok(ToolResult::text("A picture:").image([1, 2], "image/png").link("x://y", "y").meta("k", 1))
}

/// Built by hand, whatever it is called.
#[tool(requires = "any")]
fn anonymous() -> Result<impl fleetgate_sdk::IntoOutcome, Fault> {
    Ok(ToolResult::error("It did not work."))
}

/// A plain outcome.
#[tool(requires = "any")]
fn outcome() -> Result<Outcome<Count>, Fault> {
    Ok(Outcome::Done(Count { count: 4 }))
}

struct OwnError;

impl From<OwnError> for Fault {
    fn from(_: OwnError) -> Self {
        Fault::custom("jammed", "The door is jammed.")
    }
}

/// An error of the plugin's own.
#[tool(requires = "any")]
fn own_error() -> Result<(), OwnError> {
    Err(OwnError)
}

type Answered<T> = Result<T, Fault>;

/// A return type that has another name.
#[tool(requires = "any")]
fn aliased() -> Answered<Count> {
    Ok(Count { count: 5 })
}

/// A value that JSON cannot hold.
#[tool(requires = "any")]
fn unwritable() -> Result<std::collections::HashMap<Pair, u8>, Fault> {
    Ok([(Pair { a: 1, b: 2 }, 1)].into())
}

#[derive(Serialize, JsonSchema, PartialEq, Eq, Hash)]
struct Pair {
    a: u8,
    b: u8,
}

#[test]
fn a_struct_is_a_structured_result_with_an_output_schema() {
    let result = testing::call::<structure>(json!({})).expect("it runs");
    assert_eq!(result.structured, Some(json!({ "count": 3 })));
    assert!(result.content.is_empty(), "the host adds the text");
    let schema = structure::output_schema().expect("it is JSON").expect("there is one");
    assert_eq!(schema["type"], "object");
    assert_eq!(schema["properties"]["count"]["description"], "How many.");
    assert_eq!(schema["required"], json!(["count"]));
}

#[test]
fn text_is_text_as_it_is() {
    assert_eq!(testing::call::<text>(json!({})), Ok(ToolResult::text("three")));
    assert_eq!(testing::call::<fixed_text>(json!({})), Ok(ToolResult::text("three")));
    assert_eq!(text::output_schema(), Ok(None));
    assert_eq!(fixed_text::output_schema(), Ok(None));
}

#[test]
fn nothing_is_done() {
    assert_eq!(testing::call::<nothing>(json!({})), Ok(ToolResult::text("Done.")));
    assert_eq!(nothing::output_schema(), Ok(None));
}

#[test]
fn a_list_is_its_json_as_text_because_structured_results_are_objects() {
    assert_eq!(testing::call::<list>(json!({})), Ok(ToolResult::text("[1,2]")));
    assert_eq!(list::output_schema(), Ok(None));
}

#[test]
fn a_free_object_is_structured_and_promises_no_schema() {
    let result = testing::call::<free>(json!({})).expect("it runs");
    assert_eq!(result.structured, Some(json!({ "a": 1 })));
    assert_eq!(free::output_schema(), Ok(None));
}

#[test]
fn a_result_built_by_hand_goes_out_as_it_is() {
    let result = testing::call::<by_hand>(json!({})).expect("it runs");
    let kinds: Vec<_> = result.content.iter().map(|block| block.kind.as_str()).collect();
    assert_eq!(kinds, ["text", "image", "link"]);
    assert_eq!(result.all_text(), "A picture:\ny");
    assert_eq!(result.content[1].data.as_deref(), Some(&[1, 2][..]));
    assert_eq!(result.meta.expect("there is some")["k"], 1);
    assert_eq!(by_hand::output_schema(), Ok(None));
}

#[test]
fn a_return_type_without_a_name_works() {
    assert!(testing::call::<anonymous>(json!({})).expect("it runs").is_error);
}

#[test]
fn an_outcome_keeps_the_output_schema_of_what_is_in_it() {
    assert_eq!(outcome::output_schema(), structure::output_schema());
    assert_eq!(aliased::output_schema(), structure::output_schema());
    let result = testing::call::<outcome>(json!({})).expect("it runs");
    assert_eq!(result.structured, Some(json!({ "count": 4 })));
}

#[test]
fn an_error_that_becomes_a_fault_can_be_returned() {
    let fault = testing::call::<own_error>(json!({})).expect_err("it fails");
    assert_eq!(fault, Fault::custom("jammed", "The door is jammed."));
}

#[test]
fn a_value_that_json_cannot_hold_is_an_internal_fault() {
    let fault = testing::call::<unwritable>(json!({})).expect_err("it fails");
    assert!(fault.is("internal"), "{fault}");
}

#[test]
fn structured_by_hand_must_be_an_object() {
    let result = ToolResult::structured(&Count { count: 1 }).expect("it is an object").and_text("one");
    assert_eq!(result.structured, Some(json!({ "count": 1 })));
    assert!(ToolResult::structured(&[1]).expect_err("it is a list").is("internal"));
}

#[test]
fn every_kind_of_content_holds_what_the_interface_wants() {
    let audio = Content::audio([0], "audio/wav");
    assert_eq!((audio.kind.as_str(), audio.mime_type.as_deref()), ("audio", Some("audio/wav")));
    let text = Content::resource_text("x://1", "hello", "text/plain").extra("title", "One").meta("m", true);
    assert_eq!(
        (text.kind.as_str(), text.uri.as_deref(), text.text.as_deref()),
        ("resource", Some("x://1"), Some("hello"))
    );
    assert_eq!(
        (&text.extra.expect("extra")["title"], &text.meta.expect("meta")["m"]),
        (&json!("One"), &json!(true))
    );
    let bytes = Content::resource_bytes("x://2", [7], "application/octet-stream");
    assert_eq!((bytes.data, bytes.text), (Some(vec![7]), None));
    assert_eq!(
        Content::text("{}").mime_type("application/json").mime_type.as_deref(),
        Some("application/json")
    );
}

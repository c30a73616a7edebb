//! Schemas as clients and models see them.

use fleetgate_sdk::Tool;
use fleetgate_sdk::prelude::*;

/// What to run, and where.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[allow(dead_code)]
struct Run {
    /// The device's identifier.
    identifier: String,
    /// How often.
    #[serde(default = "one")]
    #[schemars(range(min = 1, max = 5))]
    times: u32,
    /// Where to begin.
    from: Option<Level>,
    /// Everything else.
    options: Vec<Choice>,
    bytes: u64,
    port: u16,
    ratio: f64,
    format: Option<String>,
}

fn one() -> u32 {
    1
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum Level {
    /// The lowest.
    VeryLow,
    /// The highest.
    High,
}

#[derive(Deserialize, JsonSchema)]
#[allow(dead_code)]
struct Choice {
    /// A key.
    key: String,
}

/// Runs something.
#[tool(requires = "operator")]
fn run(_args: Run) -> Result<String, Fault> {
    Ok(String::new())
}

#[derive(Deserialize, JsonSchema)]
#[serde(tag = "by")]
#[allow(dead_code)]
enum Find {
    Name { name: String },
    Id { id: u32 },
}

/// Finds something.
#[tool(requires = "any")]
fn find(_args: Find) -> Result<Tree, Fault> {
    Ok(Tree { children: Vec::new(), skipped: None })
}

#[derive(Serialize, Deserialize, JsonSchema)]
struct Tree {
    children: Vec<Tree>,
    #[serde(skip_serializing_if = "Option::is_none")]
    skipped: Option<u8>,
}

/// Takes a tree.
#[tool(requires = "any")]
fn plant(args: Tree) -> Result<Tree, Fault> {
    Ok(args)
}

/// Takes text, which cannot be.
#[tool(requires = "any")]
fn wrong(_args: String) -> Result<(), Fault> {
    Ok(())
}

/// Takes a map.
#[tool(requires = "any")]
fn map(_args: std::collections::BTreeMap<String, u8>) -> Result<(), Fault> {
    Ok(())
}

#[derive(Deserialize, JsonSchema)]
#[schemars(title = "A title that somebody wrote")]
struct Titled {}

/// Takes something with a title.
#[tool(requires = "any")]
fn titled(_args: Titled) -> Result<(), Fault> {
    Ok(())
}

/// Takes nothing.
#[tool(requires = "any")]
fn idle() -> Result<(), Fault> {
    Ok(())
}

fn schema_of_run() -> Value {
    run::input_schema().expect("it is an object")
}

#[test]
fn doc_comments_become_descriptions() {
    let schema = schema_of_run();
    assert_eq!(schema["description"], "What to run, and where.");
    assert_eq!(schema["properties"]["identifier"]["description"], "The device's identifier.");
    assert_eq!(schema["properties"]["from"]["description"], "Where to begin.");
    assert_eq!(schema["properties"]["options"]["items"]["properties"]["key"]["description"], "A key.");
    assert!(schema["properties"]["from"].to_string().contains("The lowest."), "{schema}");
}

#[test]
fn the_root_is_an_object_without_the_name_of_a_rust_type() {
    let schema = schema_of_run();
    assert_eq!(schema["type"], "object");
    assert_eq!(schema.get("title"), None);
    assert_eq!(schema.get("$schema"), None, "2020-12 is the protocol's default");
}

#[test]
fn a_title_that_the_author_wrote_stays() {
    assert_eq!(titled::input_schema().expect("it is an object")["title"], "A title that somebody wrote");
}

#[test]
fn required_defaults_and_unknown_fields_are_as_serde_says() {
    let schema = schema_of_run();
    assert_eq!(schema["required"], json!(["identifier", "options", "bytes", "port", "ratio"]));
    assert_eq!(schema["additionalProperties"], false);
    assert_eq!(schema["properties"]["times"]["default"], 1);
    assert_eq!(titled::input_schema().expect("it is an object").get("additionalProperties"), None);
}

#[test]
fn fields_stand_in_the_order_in_which_they_were_written() {
    let schema = schema_of_run();
    let names: Vec<_> = schema["properties"].as_object().expect("an object").keys().collect();
    assert_eq!(names, ["identifier", "times", "from", "options", "bytes", "port", "ratio", "format"]);
}

#[test]
fn subschemas_stand_where_they_are_used() {
    let schema = schema_of_run();
    assert!(!schema.to_string().contains("$ref"), "{schema}");
    assert!(schema["properties"]["from"].to_string().contains("very-low"), "{schema}");
}

#[test]
fn numbers_have_bounds_and_no_formats_that_only_rust_knows() {
    let properties = &schema_of_run()["properties"];
    assert_eq!(properties["port"], json!({ "type": "integer", "minimum": 0, "maximum": 65535 }));
    assert_eq!(properties["bytes"], json!({ "type": "integer", "minimum": 0 }));
    assert_eq!(properties["ratio"], json!({ "type": "number" }));
    assert_eq!((&properties["times"]["minimum"], &properties["times"]["maximum"]), (&json!(1), &json!(5)));
    assert_eq!(properties["times"].get("format"), None);
}

#[test]
fn an_argument_that_is_called_format_stays() {
    assert_eq!(schema_of_run()["properties"]["format"], json!({ "type": "string" }));
}

#[derive(Serialize, Deserialize, JsonSchema)]
struct Nullable {
    /// Words.
    words: Option<String>,
    /// How high.
    level: Option<Depth>,
    number: Option<u8>,
    list: Vec<Option<bool>>,
    #[serde(default)]
    next: Option<Box<Nullable>>,
    /// Whatever it is.
    any: Value,
    free: serde_json::Map<String, Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    skipped: Option<String>,
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum Depth {
    Low,
    High,
}

/// Goes in and out.
#[tool(requires = "any")]
fn nullable(args: Nullable) -> Result<Nullable, Fault> {
    Ok(args)
}

#[test]
fn an_argument_that_may_be_left_out_is_not_null_too() {
    let schema = nullable::input_schema().expect("it is an object");
    let properties = &schema["properties"];
    assert_eq!(properties["words"], json!({ "description": "Words.", "type": "string" }));
    assert_eq!(properties["level"]["description"], "How high.");
    assert_eq!(properties["level"]["enum"], json!(["low", "high"]));
    assert_eq!(properties["level"]["type"], "string");
    assert_eq!(properties["number"], json!({ "type": "integer", "minimum": 0, "maximum": 255 }));
    assert_eq!(properties["next"], json!({ "$ref": "#" }));
    assert_eq!(schema["required"], json!(["list", "any", "free"]));
}

#[test]
fn a_value_that_may_be_null_is_a_choice_of_single_types() {
    let nothing = json!({ "type": "null" });
    let schema = nullable::input_schema().expect("it is an object");
    assert_eq!(schema["properties"]["list"]["items"], json!({ "anyOf": [{ "type": "boolean" }, nothing] }));

    let schema = nullable::output_schema().expect("it is JSON").expect("there is one");
    let properties = &schema["properties"];
    assert_eq!(
        properties["words"],
        json!({ "description": "Words.", "anyOf": [{ "type": "string" }, nothing] })
    );
    assert_eq!(
        properties["number"],
        json!({ "anyOf": [{ "type": "integer", "minimum": 0, "maximum": 255 }, nothing] })
    );
    assert_eq!(properties["level"]["anyOf"][0]["enum"], json!(["low", "high"]));
    assert_eq!(properties["level"]["anyOf"][1], nothing);
    assert_eq!(properties["skipped"]["anyOf"][1], nothing, "only the author knows when it is left out");
}

#[test]
fn anything_is_a_choice_of_all_types_and_free_keys_stay_a_flag() {
    let schema = nullable::input_schema().expect("it is an object");
    let any = &schema["properties"]["any"];
    assert_eq!(any["description"], "Whatever it is.");
    assert_eq!(any["anyOf"].as_array().map(Vec::len), Some(6));
    assert_eq!(schema["properties"]["free"], json!({ "type": "object", "additionalProperties": true }));
}

#[test]
fn no_schema_has_a_list_of_types_or_a_flag_instead_of_a_schema() {
    let schemas =
        [run::input_schema(), plant::input_schema(), nullable::input_schema(), find::input_schema()];
    let inputs = schemas.into_iter().map(|schema| schema.expect("it is an object"));
    for schema in
        inputs.chain([plant::output_schema(), nullable::output_schema()].into_iter().flatten().flatten())
    {
        let text = schema.to_string();
        assert!(!text.contains("\"type\":["), "{text}");
        assert!(!text.replace("\"additionalProperties\":true", "").contains(":true"), "{text}");
    }
}

#[derive(Deserialize, JsonSchema)]
#[allow(dead_code)]
struct Header {
    /// Which region.
    #[schemars(extend("x-mcp-header" = "Region"))]
    region: String,
    #[schemars(extend("x-mcp-header" = "Zone"))]
    zone: Option<String>,
}

/// Goes to a region.
#[tool(requires = "any")]
fn routed(_args: Header) -> Result<(), Fault> {
    Ok(())
}

#[test]
fn an_argument_can_name_the_header_that_carries_it() {
    let schema = routed::input_schema().expect("it is an object");
    assert_eq!(
        schema["properties"],
        json!({
            "region": { "description": "Which region.", "type": "string", "x-mcp-header": "Region" },
            "zone": { "type": "string", "x-mcp-header": "Zone" },
        })
    );
}

#[test]
fn an_enum_of_objects_says_that_it_is_an_object() {
    let schema = find::input_schema().expect("every case is an object");
    assert_eq!(schema["type"], "object");
    assert_eq!(schema["oneOf"].as_array().map(Vec::len), Some(2));
    assert_eq!(schema["oneOf"][1]["properties"]["id"]["maximum"], json!(u32::MAX));
}

#[test]
fn a_recursive_type_stays_inside_its_document() {
    for schema in [
        plant::input_schema().expect("it is an object"),
        find::output_schema().expect("it is JSON").expect("there is one"),
    ] {
        let text = schema.to_string();
        assert_eq!(schema["type"], "object");
        assert!(text.contains("$ref"), "{text}");
        assert_eq!(text.matches("$ref\":\"#").count(), text.matches("$ref").count(), "{text}");
    }
}

#[test]
fn an_output_that_may_be_left_out_is_not_required() {
    let schema = plant::output_schema().expect("it is JSON").expect("there is one");
    assert_eq!(schema["required"], json!(["children"]));
}

#[test]
fn arguments_that_are_no_object_are_a_mistake_of_the_plugin() {
    let fault = wrong::input_schema().expect_err("text is no object");
    assert!(fault.is("internal"));
    assert!(fault.message.contains("`string` cannot be a tool's arguments"), "{fault}");
}

#[test]
fn a_map_can_be_arguments() {
    let schema = map::input_schema().expect("it is an object");
    assert_eq!(schema["additionalProperties"]["maximum"], 255);
}

#[test]
fn a_tool_without_arguments_takes_an_empty_object() {
    assert_eq!(
        idle::input_schema(),
        Ok(json!({ "type": "object", "properties": {}, "additionalProperties": false }))
    );
}

const RAW: &str = r##"{"type":"object","$schema":"https://json-schema.org/draft/2020-12/schema","properties":
    {"z":{"$ref":"#/$defs/z"},"a":{"type":["string","null"]}},"$defs":{"z":{"$anchor":"z","type":"string"}}}"##;

fn made() -> Value {
    json!({ "type": "object", "properties": { "n": true } })
}

/// Has schemas of its author's own.
#[tool(requires = "any", input_schema = RAW, output_schema = made)]
fn raw(args: Value) -> Result<Value, Fault> {
    Ok(args)
}

/// Has a schema that is none.
#[tool(requires = "any", input_schema = BROKEN)]
fn broken(args: Value) -> Result<Value, Fault> {
    Ok(args)
}

const BROKEN: &str = "{";

#[test]
fn a_schema_of_the_authors_own_is_passed_on_as_it_is() {
    let schema = raw::input_schema().expect("it is JSON");
    assert_eq!(schema, serde_json::from_str::<Value>(RAW).expect("it is JSON"));
    let order: Vec<_> = schema.as_object().expect("an object").keys().collect();
    assert_eq!(order, ["type", "$schema", "properties", "$defs"]);
    assert_eq!(raw::output_schema(), Ok(Some(made())));
}

#[test]
fn a_schema_that_is_no_json_is_a_mistake_of_the_plugin() {
    assert!(broken::input_schema().expect_err("it is none").is("internal"));
}

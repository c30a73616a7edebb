//! The table of tools.

use fleetgate_sdk::prelude::*;
use fleetgate_sdk::{Plugin, plugin, testing};

mod devices {
    use fleetgate_sdk::prelude::*;

    /// Lists them.
    #[tool(title = "List", requires = "view", read_only, timeout = "60s")]
    pub(crate) fn list() -> Result<String, Fault> {
        Ok("d1".to_owned())
    }

    /// Removes one.
    #[tool(name = "remove-device", requires = ["manage", "delete"], destructive, opt_in)]
    pub(crate) fn remove() -> Result<(), Fault> {
        Ok(())
    }
}

/// Says who calls.
#[tool(requires = "any", read_only)]
fn whoami() -> Result<String, Fault> {
    Ok(call::principal())
}

fleetgate_sdk::export!(whoami, devices::list, devices::remove);

#[test]
fn tools_are_listed_in_the_order_of_export() {
    let names: Vec<_> = Exported::TOOLS.iter().map(|tool| tool.name).collect();
    assert_eq!(names, ["whoami", "list", "remove-device"]);
}

#[test]
fn the_list_holds_what_the_host_learns() {
    let tools = testing::list_tools::<Exported>().expect("they can be listed");
    assert_eq!(tools[1]["title"], "List");
    assert_eq!(tools[1]["description"], "Lists them.");
    assert_eq!(tools[1]["inputSchema"]["type"], "object");
    assert_eq!(
        tools[1]["manifest"],
        json!({ "tool": "list", "requires": "view", "read_only": true, "timeout": "60s" })
    );
    assert_eq!(tools[0]["title"], Value::Null);
}

#[test]
fn the_section_for_pack_is_one_line_for_each_tool() {
    const LENGTH: usize = plugin::length_of(Exported::MANIFEST);
    let bytes: [u8; LENGTH] = plugin::joined(Exported::MANIFEST);
    let text = std::str::from_utf8(&bytes).expect("it is text");
    let names: Vec<_> = text
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).expect("a line is JSON")["tool"].clone())
        .collect();
    assert_eq!(names, ["whoami", "list", "remove-device"]);
    assert!(text.ends_with('\n'));
}

#[test]
fn a_tool_is_called_by_its_name() {
    let harness = testing::Harness::new().principal("ann");
    let outcome = harness.run(|| testing::call_tool::<Exported>("whoami", json!({})));
    assert_eq!(outcome, Ok(Outcome::Done(ToolResult::text("ann"))));
}

#[test]
fn a_tool_that_is_not_there_is_unknown() {
    let fault = testing::call_tool::<Exported>("remove", json!({})).expect_err("its name is another");
    assert!(fault.is("unknown"), "{fault}");
    assert!(fault.message.contains("`remove`"), "{fault}");
}

#[test]
fn the_function_is_still_a_function() {
    assert_eq!(devices::remove(), Ok(()));
}

//! The interfaces `fleetgate:plugin`, `fleetgate:ssh`, `fleetgate:keyvalue` and `fleetgate:mqtt`, generated from their
//! WIT, and the way between their types and ours.
//!
//! Each export has a world of its own, and all share the imports and their types. `export!` names the worlds of what a
//! plugin has, so that its component exports nothing else. Imports need no such care: a component has those that its code
//! calls, so a plugin without SSH does not import it.

mod completions;
mod convert;
mod events;
mod prompts;
mod resources;
mod skills;
mod tools;

pub(crate) use convert::{from_fault, from_tool_result};

macro_rules! world {
    ($module:ident, $package:tt, $world:tt, { $($more:tt)* }) => {
        pub mod $module {
            #![allow(missing_docs)]
            #![allow(clippy::all)]

            wit_bindgen::generate!({
                path: $package,
                world: $world,
                $($more)*
            });
        }
    };
}

macro_rules! exports {
    ($module:ident, $world:tt, $export:tt) => {
        world!($module, "../../wit/fleetgate-plugin", $world, {
            pub_export_macro: true,
            export_macro_name: $export,
            with: {
                "fleetgate:plugin/types@0.1.0": crate::bindings::imports::fleetgate::plugin::types,
                "fleetgate:plugin/call@0.1.0": crate::bindings::imports::fleetgate::plugin::call,
                "fleetgate:plugin/config@0.1.0": crate::bindings::imports::fleetgate::plugin::config,
                "fleetgate:plugin/capabilities@0.1.0": crate::bindings::imports::fleetgate::plugin::capabilities,
                "fleetgate:plugin/jobs@0.1.0": crate::bindings::imports::fleetgate::plugin::jobs,
            },
        });
    };
}

world!(imports, "../../wit/fleetgate-plugin", "imports", {});
world!(ssh, "../../wit/fleetgate-ssh", "imports", {});
world!(keyvalue, "../../wit/fleetgate-keyvalue", "imports", {});
world!(mqtt, "../../wit/fleetgate-mqtt", "imports", {});
exports!(with_tools, "with-tools", "export_tools");
exports!(with_resources, "with-resources", "export_resources");
exports!(with_prompts, "with-prompts", "export_prompts");
exports!(with_completions, "with-completions", "export_completions");
exports!(with_skills, "with-skills", "export_skills");
exports!(with_events, "with-events", "export_events");

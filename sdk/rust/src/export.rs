//! The one line that makes a crate a plugin.

/// Exports tools, by the names of their functions. Once for each plugin.
///
/// ```
/// # use fleetgate_sdk::prelude::*;
/// mod devices {
///     # use fleetgate_sdk::prelude::*;
///     /// How many devices there are.
///     #[tool(requires = "view", read_only)]
///     pub fn count_devices() -> Result<String, Fault> {
///         Ok("12".into())
///     }
/// }
///
/// fleetgate_sdk::export!(devices::count_devices);
/// # fn main() {}
/// ```
///
/// Two tools of one name are refused:
///
/// ```compile_fail
/// # use fleetgate_sdk::prelude::*;
/// /// One.
/// #[tool(requires = "any")]
/// fn one() -> Result<(), Fault> { Ok(()) }
/// /// Another.
/// #[tool(requires = "any", name = "one")]
/// fn other() -> Result<(), Fault> { Ok(()) }
///
/// fleetgate_sdk::export!(one, other);
/// # fn main() {}
/// ```
///
/// It defines a type `Exported` with the table of the tools (see [`Plugin`](crate::Plugin)), which tests may look
/// at. In a component it also writes the tools' manifest entries into the custom section `fleetgate:tools`, one line
/// of JSON for each, where `fleetgate pack` finds them.
#[macro_export]
macro_rules! export {
    ($($tool:path),+ $(,)?) => {
        /// What this plugin exports.
        pub struct Exported;

        impl $crate::Plugin for Exported {
            const TOOLS: &'static [$crate::plugin::ToolEntry] = &[
                $($crate::plugin::ToolEntry::of::<$tool>()),+
            ];
        }

        const _: () = $crate::plugin::assert_names_are_unique(<Exported as $crate::Plugin>::TOOLS);

        #[cfg(target_arch = "wasm32")]
        const _: () = {
            const TOOLS: &[$crate::plugin::ToolEntry] = <Exported as $crate::Plugin>::TOOLS;
            const LENGTH: usize = $crate::plugin::manifest_length(TOOLS);

            #[used]
            #[unsafe(link_section = "fleetgate:tools")]
            static MANIFEST: [u8; LENGTH] = $crate::plugin::manifest_lines::<LENGTH>(TOOLS);
        };

        #[cfg(target_arch = "wasm32")]
        $crate::bindings::export_tools!(Exported with_types_in $crate::bindings);
    };
}

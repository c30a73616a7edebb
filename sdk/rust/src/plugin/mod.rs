//! All that a plugin has: what the host lists and calls.

mod completions;
mod events;
mod prompts;
mod resources;
mod skills;
mod tools;

pub use completions::{CompletionEntry, check_completions, complete};
pub use events::{EventsEntry, handle_events};
pub use prompts::{PromptEntry, find_prompt};
pub use resources::{ResourceEntry, check_templates, list_resources, read_resource};
pub use skills::SkillEntry;
pub use tools::{ToolEntry, find_tool};

use crate::{Fault, Outcome};

/// What a crate exports. [`crate::export!`] implements it for a type `Exported`; each table is in the order in which
/// `export!` names what is in it.
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
/// Two things of one name are refused:
///
/// ```compile_fail,E0080
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
/// So is a thing in a section of another kind:
///
/// ```compile_fail,E0277
/// # use fleetgate_sdk::prelude::*;
/// /// One.
/// #[tool(requires = "any")]
/// fn one() -> Result<(), Fault> { Ok(()) }
///
/// fleetgate_sdk::export! { prompts: one }
/// # fn main() {}
/// ```
pub trait Plugin {
    /// Its tools.
    const TOOLS: &'static [ToolEntry] = &[];
    /// Its resources and templates.
    const RESOURCES: &'static [ResourceEntry] = &[];
    /// Its prompts.
    const PROMPTS: &'static [PromptEntry] = &[];
    /// What it completes.
    const COMPLETIONS: &'static [CompletionEntry] = &[];
    /// Its skills.
    const SKILLS: &'static [SkillEntry] = &[];
    /// What handles its events: one, or none.
    const EVENTS: &'static [EventsEntry] = &[];
    /// The manifest entries of all: each one line of JSON and a line feed. What `fleetgate pack` finds.
    const MANIFEST: &'static [&'static str];
}

/// A question must ask something.
fn asked<T>(what: &str, outcome: Outcome<T>) -> Result<Outcome<T>, Fault> {
    match outcome {
        Outcome::Ask(question) if question.requests.is_empty() => {
            Err(Fault::internal(format!("`{what}` asked a question without requests.")))
        }
        outcome => Ok(outcome),
    }
}

/// Checked while the plugin is compiled.
#[doc(hidden)]
pub const fn assert_unique(names: &[&str], message: &str) {
    let mut first = 0;
    while first < names.len() {
        let mut second = first + 1;
        while second < names.len() {
            assert!(!equal(names[first].as_bytes(), names[second].as_bytes()), "{}", message);
            second += 1;
        }
        first += 1;
    }
}

const fn equal(left: &[u8], right: &[u8]) -> bool {
    if left.len() != right.len() {
        return false;
    }
    let mut at = 0;
    while at < left.len() {
        if left[at] != right[at] {
            return false;
        }
        at += 1;
    }
    true
}

/// The length of all lines together.
#[doc(hidden)]
#[must_use]
pub const fn length_of(lines: &[&str]) -> usize {
    let mut length = 0;
    let mut line = 0;
    while line < lines.len() {
        length += lines[line].len();
        line += 1;
    }
    length
}

/// All lines, one after the other: the content of the `fleetgate:entries` section.
#[doc(hidden)]
#[must_use]
pub const fn joined<const LENGTH: usize>(lines: &[&str]) -> [u8; LENGTH] {
    let mut joined = [0; LENGTH];
    let mut end = 0;
    let mut line = 0;
    while line < lines.len() {
        let bytes = lines[line].as_bytes();
        let mut at = 0;
        while at < bytes.len() {
            joined[end] = bytes[at];
            end += 1;
            at += 1;
        }
        line += 1;
    }
    joined
}

//! Names on the shared endpoint, which must not clash.

use std::fmt;

/// What has a name there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Named {
    /// A tool.
    Tool,
    /// A prompt.
    Prompt,
}

impl fmt::Display for Named {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tool => "tool",
            Self::Prompt => "prompt",
        })
    }
}

/// Two tools or two prompts that would have one name on the shared endpoint, or a name that is too long for it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameClash {
    /// `a-b` + `c` and `a` + `b-c` cannot clash, but `a_b` + `c` can with `a` + `b_c`.
    #[error(
        "on /mcp the {what} \"{name}\" would be both {first} and {second}: rename one of the two bindings in fleetgate.toml"
    )]
    Twice {
        /// Two tools, or two prompts.
        what: Named,
        /// The shared name.
        name: String,
        /// `binding/tool`
        first: String,
        /// `binding/tool`
        second: String,
    },
    /// More than 64 characters.
    #[error(
        "on /mcp the {what} {own} of {binding} would be named \"{name}\", which is over 64 characters: give the binding a shorter name"
    )]
    TooLong {
        /// A tool or a prompt.
        what: Named,
        /// The shared name.
        name: String,
        /// Whose.
        binding: String,
        /// Which.
        own: String,
    },
}

/// The most characters of a name on the shared endpoint; what the strictest clients accept.
const MAX_SHARED_NAME: usize = 64;

/// A name on the shared endpoint.
pub(super) fn shared_name(what: Named, binding: &str, own: &str) -> Result<String, NameClash> {
    let name = format!("{binding}_{own}");
    if name.len() > MAX_SHARED_NAME {
        return Err(NameClash::TooLong { what, name, binding: binding.to_owned(), own: own.to_owned() });
    }
    Ok(name)
}

//! How names are spelled, and the sentence that teaches it.

use crate::text::hostile;

/// Ids of plugins and names of bindings. No underscore, since tools are `<binding>_<tool>` on the shared endpoint.
pub(crate) const ID: &str =
    "write 1 to 32 characters: a lower-case letter first, then lower-case letters, digits and hyphens";
/// Names of capability requests; they are host names for the guest (`api.upstream`).
pub(crate) const CAPABILITY: &str = ID;
/// Roles.
pub(crate) const ROLE: &str = "write 1 to 64 characters: a lower-case letter first, then lower-case letters, digits, \
                               colons, underscores and hyphens";
/// Keys of settings, names of secrets and groups.
pub(crate) const KEY: &str = "write 1 to 64 characters: a lower-case letter first, then lower-case letters, digits, \
                              underscores and hyphens";
/// Tools and prompts.
pub(crate) const TOOL: &str = "write 1 to 64 letters, digits, underscores, hyphens and dots";
/// JSON pointers to arguments.
pub(crate) const POINTER: &str = "write a JSON pointer to an argument, like \"/password\" (RFC 6901)";
/// URI patterns.
pub(crate) const URI: &str =
    "write a URI with a scheme, like \"naas://jobs/*\"; * stands for anything but a slash, ** for anything";

fn word(text: &str, most: usize, others: &str) -> bool {
    text.len() <= most
        && text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || others.contains(c))
}

pub(crate) fn is_id(text: &str) -> bool {
    word(text, 32, "-")
}

pub(crate) fn is_role(text: &str) -> bool {
    word(text, 64, ":_-")
}

pub(crate) fn is_key(text: &str) -> bool {
    word(text, 64, "_-")
}

pub(crate) fn is_tool(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.'))
}

/// RFC 6901, without the empty pointer: the whole of the arguments is never one argument.
pub(crate) fn is_pointer(text: &str) -> bool {
    text.len() <= 256
        && text.starts_with('/')
        && !text.chars().any(char::is_control)
        && text.split('~').skip(1).all(|rest| rest.starts_with(['0', '1']))
}

/// One line of text for people: not empty, no control or bidi characters.
pub(crate) fn is_line(text: &str, most: usize) -> bool {
    !text.trim().is_empty()
        && text.chars().count() <= most
        && !text.contains(['\n', '\t'])
        && !text.chars().any(hostile)
}

//! TextFSM: a template describes a command's output as values and states, and a machine reads the output line by
//! line and makes records of it.
//!
//! The reference is the `textfsm` package for Python, version 2.1.0, which network automation has used since 2011 and
//! whose behaviour thousands of published templates rely on: where its documentation and its code differ, the code is
//! followed. The crates that exist were not enough for output that is hostile text: one panics on templates that it
//! does not understand, both take a rule that could not be decided for one that did not match, and neither has bounds.
//!
//! - [`Template`] is a checked template ([`template`], [`value`], [`rule`]); its errors name the line.
//! - [`pattern`] turns Python's regular expressions into those of `fancy-regex`, which runs them.
//! - [`machine`] reads a text with a template, under a [`Budget`].
//!
//! The bounds: a regular expression that backtracks too often, a line that is too long, more records than memory is
//! for, and a parse that takes too long are each an error, and none of them hangs.

mod budget;
mod class;
mod error;
mod lines;
mod machine;
mod pattern;
mod record;
mod rule;
mod template;
mod value;

pub use budget::Budget;
pub use error::{RunError, TemplateError};
pub use pattern::{Alphabet, Pattern};
pub use record::{Cell, Item};
pub use template::Template;

/// What a template made of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// The names of the values, in the template's order.
    pub header: Vec<String>,
    /// A cell for each value.
    pub rows: Vec<Vec<Cell>>,
}

#[cfg(test)]
mod tests;

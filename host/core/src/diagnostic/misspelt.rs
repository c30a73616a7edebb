//! A word of a grammar of its own that is not spelled as it must be.

use std::fmt;

use super::quoted;

/// Why one text of a list is not what it should be, and how it is written instead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Misspelt {
    /// What is wrong, with the text.
    pub message: String,
    /// What to write.
    pub help: String,
}

impl Misspelt {
    /// `text`: as it stands there. `error`: what is wrong with it, without the text.
    pub fn new(text: &str, error: impl fmt::Display, help: impl Into<String>) -> Self {
        Self { message: format!("{}: {error}", quoted(text)), help: help.into() }
    }
}

//! The two ways to use a device.

use std::fmt;

use fleetgate_core::diagnostic::{Spanned, TableReader};

/// One way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Method {
    /// One command, without a terminal.
    Exec,
    /// A terminal.
    Shell,
}

impl Method {
    const WORDS: [(&'static str, Self); 2] = [("exec", Self::Exec), ("shell", Self::Shell)];

    /// The word in tables.
    pub fn word(self) -> &'static str {
        if self == Self::Exec { "exec" } else { "shell" }
    }
}

/// Some of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Methods(Vec<Method>);

impl Methods {
    /// Both.
    pub fn all() -> Self {
        Self(vec![Method::Exec, Method::Shell])
    }

    /// Of these.
    pub fn new(methods: impl IntoIterator<Item = Method>) -> Self {
        let mut methods: Vec<_> = methods.into_iter().collect();
        methods.sort_unstable();
        methods.dedup();
        Self(methods)
    }

    /// Whether it is among them.
    pub fn contains(&self, method: Method) -> bool {
        self.0.contains(&method)
    }

    /// Those of `other` that are not among them.
    pub fn beyond(&self, other: &Self) -> Vec<Method> {
        other.0.iter().filter(|method| !self.contains(**method)).copied().collect()
    }

    /// As it stands in TOML.
    pub fn toml(&self) -> String {
        let quoted: Vec<_> = self.0.iter().map(|method| format!("{:?}", method.word())).collect();
        format!("[{}]", quoted.join(", "))
    }

    /// Reads `methods`, if it stands there and is right.
    pub(crate) fn read(table: &mut TableReader<'_>) -> Option<Vec<Spanned<Method>>> {
        let methods = table.enumerations("methods", &Method::WORDS)?;
        if methods.is_empty() {
            table.error_at("methods", "no method is named", "name \"exec\", \"shell\" or both");
        }
        Some(methods)
    }
}

impl fmt::Display for Methods {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words: Vec<_> = self.0.iter().map(|method| method.word()).collect();
        f.write_str(&words.join(" and "))
    }
}

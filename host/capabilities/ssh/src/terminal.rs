//! How a terminal looks, as a guest says it.

use serde::Deserialize;

use crate::failure::Failure;

/// How a terminal looks.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Terminal {
    /// Its kind, as `$TERM` names it.
    pub term: String,
    /// Characters in a line, 80 to 4096. Wide by default, so that lines are not folded; and never so narrow that
    /// passwords come in pieces, which are not masked.
    pub columns: u32,
    /// Lines. Many by default, so that devices seldom stop for the next page.
    pub rows: u32,
    /// What Enter sends.
    pub line_end: LineEnd,
}

/// What Enter sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs)]
pub enum LineEnd {
    Lf,
    Cr,
    CrLf,
}

impl LineEnd {
    pub(crate) fn bytes(self) -> &'static [u8] {
        match self {
            Self::Lf => b"\n",
            Self::Cr => b"\r",
            Self::CrLf => b"\r\n",
        }
    }
}

impl Default for Terminal {
    fn default() -> Self {
        Self { term: "vt100".into(), columns: 511, rows: 1000, line_end: LineEnd::Lf }
    }
}

impl Terminal {
    /// Reads what a guest says.
    pub fn parse(options: Option<&str>) -> Result<Self, Failure> {
        let invalid = |why: String| Failure::Invalid(format!("the terminal's options: {why}"));
        let Some(options) = options else { return Ok(Self::default()) };
        // A list would be taken for the values in their order.
        let options: serde_json::Map<String, serde_json::Value> =
            serde_json::from_str(options).map_err(|error| invalid(error.to_string()))?;
        let terminal: Self =
            serde_json::from_value(options.into()).map_err(|error| invalid(error.to_string()))?;
        let name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '+' | '.');
        if !(1..=32).contains(&terminal.term.len()) || !terminal.term.chars().all(name) {
            return Err(invalid("term is not the name of a terminal".into()));
        }
        if !(80..=4096).contains(&terminal.columns) || !(1..=4096).contains(&terminal.rows) {
            return Err(invalid("columns are 80 to 4096, rows 1 to 4096".into()));
        }
        Ok(terminal)
    }
}

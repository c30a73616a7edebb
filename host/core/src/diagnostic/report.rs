//! Problems, as text, as JSON and for miette.

use std::fmt;
use std::sync::Arc;

use miette::{LabeledSpan, SourceCode, SourceSpan};
use serde_json::{Value, json};

use super::Document;
use super::document::clamp;

/// One problem: what, where, and what to do. Prints as its message alone; [`Diagnostic::line`] has the place too.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Diagnostic {
    /// What is wrong, without the place.
    pub message: String,
    /// The key that is meant, dotted (`plugins.naas.grant.http.api`). Empty: the whole file.
    pub key: String,
    /// What to do. Empty: nothing to say.
    pub help: String,
    /// The file.
    pub document: Arc<Document>,
    /// Bytes of the file. None: the file itself is what is wrong.
    pub span: Option<SourceSpan>,
}

impl Diagnostic {
    /// A problem at these bytes of the document.
    pub fn new(
        document: &Arc<Document>,
        span: std::ops::Range<usize>,
        key: impl Into<String>,
        message: impl Into<String>,
        help: impl Into<String>,
    ) -> Self {
        let span = clamp(document, span);
        Self {
            message: message.into(),
            key: key.into(),
            help: help.into(),
            document: Arc::clone(document),
            span: Some(span.into()),
        }
    }

    /// A problem of the whole file: it cannot be read, it belongs to somebody else.
    pub fn whole_file(document: &Arc<Document>, message: impl Into<String>, help: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            key: String::new(),
            help: help.into(),
            document: Arc::clone(document),
            span: None,
        }
    }

    /// Line and column, from 1. None: the whole file.
    pub fn position(&self) -> Option<(usize, usize)> {
        self.span.map(|span| self.document.position(span.offset()))
    }

    /// `{"file", "line", "column", "key", "message", "help"}`; what is not known is null.
    pub fn to_json(&self) -> Value {
        let position = self.position();
        json!({
            "file": self.document.path.display().to_string(),
            "line": position.map(|(line, _)| line),
            "column": position.map(|(_, column)| column),
            "key": some(&self.key),
            "message": self.message,
            "help": some(&self.help),
        })
    }

    /// `file:line:column: key: message (help)`
    pub fn line(&self) -> String {
        let mut line = self.document.path.display().to_string();
        if let Some((row, column)) = self.position() {
            line.push_str(&format!(":{row}:{column}"));
        }
        line.push_str(": ");
        if !self.key.is_empty() {
            line.push_str(&format!("{}: ", self.key));
        }
        line.push_str(&self.message);
        if !self.help.is_empty() {
            line.push_str(&format!(" ({})", self.help));
        }
        line
    }
}

fn some(text: &str) -> Option<&str> {
    (!text.is_empty()).then_some(text)
}

impl miette::Diagnostic for Diagnostic {
    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        some(&self.help).map(|help| Box::new(help) as Box<dyn fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.span.is_some().then_some(&*self.document as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let label = some(&self.key).map(str::to_owned);
        let span = LabeledSpan::new_with_span(label, self.span?);
        Some(Box::new(std::iter::once(span)))
    }
}

/// Everything that is wrong with a file. Never empty when it is an error.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Diagnostics(pub Vec<Diagnostic>);

impl Diagnostics {
    /// `Err` where there is a problem.
    pub fn into_result(self) -> Result<(), Self> {
        if self.0.is_empty() { Ok(()) } else { Err(self) }
    }

    /// Whether nothing is wrong.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The problems in the order of the file.
    pub fn iter(&self) -> impl Iterator<Item = &Diagnostic> {
        self.0.iter()
    }

    /// Adds those of another file.
    pub fn extend(&mut self, other: Diagnostics) {
        self.0.extend(other.0);
    }

    /// An array of [`Diagnostic::to_json`].
    pub fn to_json(&self) -> Value {
        self.0.iter().map(Diagnostic::to_json).collect()
    }

    /// For miette: a head line that counts, and each problem drawn under it. [`Diagnostics`] itself prints one line
    /// per problem, which miette would show a second time.
    pub fn summary(&self) -> Summary {
        Summary(self.clone())
    }

    /// Sorts by place, so that a reader walks the file once.
    pub(super) fn sorted(mut self) -> Self {
        self.0.sort_by_key(|problem| problem.span.map_or(0, |span| span.offset()));
        self.0.dedup();
        self
    }
}

impl From<Diagnostic> for Diagnostics {
    fn from(problem: Diagnostic) -> Self {
        Self(vec![problem])
    }
}

impl fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            f.write_str(&problem.line())?;
        }
        Ok(())
    }
}

impl std::error::Error for Diagnostics {}

/// [`Diagnostics::summary`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary(Diagnostics);

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let problems = &self.0.0;
        let mut files: Vec<_> =
            problems.iter().map(|problem| problem.document.path.display().to_string()).collect();
        files.dedup();
        let plural = if problems.len() == 1 { "" } else { "s" };
        write!(f, "{} problem{plural} in {}", problems.len(), files.join(", "))
    }
}

impl std::error::Error for Summary {}

impl miette::Diagnostic for Summary {
    fn related<'a>(&'a self) -> Option<Box<dyn Iterator<Item = &'a dyn miette::Diagnostic> + 'a>> {
        Some(Box::new(self.0.0.iter().map(|problem| problem as &dyn miette::Diagnostic)))
    }
}

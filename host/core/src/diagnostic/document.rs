//! A text file in memory, kept for the spans of messages.

use std::fmt;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use miette::{MietteError, MietteSpanContents, SourceCode, SourceSpan, SpanContents};

use crate::text::hostile;

/// A file that was read: its path as messages name it, and its text.
pub struct Document {
    /// Where it was read from.
    pub path: PathBuf,
    /// What stands in it.
    pub text: Arc<str>,
    shown: OnceLock<String>,
}

impl Document {
    /// A document of this text.
    pub fn new(path: impl Into<PathBuf>, text: impl Into<Arc<str>>) -> Self {
        Self { path: path.into(), text: text.into(), shown: OnceLock::new() }
    }

    /// Line and column of a byte offset, both from 1, the column in characters.
    pub fn position(&self, offset: usize) -> (usize, usize) {
        let mut offset = offset.min(self.text.len());
        while !self.text.is_char_boundary(offset) {
            offset -= 1;
        }
        let before = &self.text[..offset];
        let start = before.rfind('\n').map_or(0, |newline| newline + 1);
        (before.matches('\n').count() + 1, before[start..].chars().count() + 1)
    }

    /// The text as it may reach a terminal. A manifest comes from a stranger: what could move the cursor or hide
    /// characters is replaced by as many bytes, so that spans still fit.
    fn shown(&self) -> &str {
        self.shown.get_or_init(|| {
            let mut shown = String::with_capacity(self.text.len());
            for c in self.text.chars() {
                match c {
                    '\n' | '\t' => shown.push(c),
                    '\r' => shown.push(' '),
                    _ if !hostile(c) => shown.push(c),
                    _ => shown.push_str(["?", "\u{bf}", "\u{fffd}", "\u{fffd}?"][c.len_utf8() - 1]),
                }
            }
            shown
        })
    }
}

impl SourceCode for Document {
    fn read_span<'a>(
        &'a self,
        span: &SourceSpan,
        context_lines_before: usize,
        context_lines_after: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        let inner = self.shown().read_span(span, context_lines_before, context_lines_after)?;
        Ok(Box::new(MietteSpanContents::new_named(
            self.path.display().to_string(),
            inner.data(),
            *inner.span(),
            inner.line(),
            inner.column(),
            inner.line_count(),
        )))
    }
}

impl fmt::Debug for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Document").field("path", &self.path).field("bytes", &self.text.len()).finish()
    }
}

impl PartialEq for Document {
    fn eq(&self, other: &Self) -> bool {
        self.path == other.path && self.text == other.text
    }
}

impl Eq for Document {}

/// Clamps a span to the document, on character boundaries, so that no reader of it can fail.
pub(super) fn clamp(document: &Document, span: Range<usize>) -> Range<usize> {
    let boundary = |mut at: usize| {
        at = at.min(document.text.len());
        while !document.text.is_char_boundary(at) {
            at -= 1;
        }
        at
    };
    let start = boundary(span.start);
    start..boundary(span.end).max(start)
}

//! The cursor over one table of a TOML file.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::{Diagnostic, Diagnostics, Document, did_you_mean, quoted};

/// More syntax errors than this are noise that follows from the first ones.
const MOST_SYNTAX_ERRORS: usize = 20;

/// More problems than this are not shown: a stranger's file must not flood a log.
const MOST_PROBLEMS: usize = 200;

/// Hands out the keys of one table, each once, as the type that it should have (see [`super::takers`]).
///
/// A taker that finds nothing returns None; one that finds something wrong says so and returns None as well, so a
/// caller may go on and collect more problems. When the reader goes, keys that nobody took are problems too:
/// always by [`TableReader::finish`], and by dropping it unless something else was already wrong with the table
/// (whoever gave up early has not asked for every key). Readers of inner tables report into the same list.
pub struct TableReader<'d> {
    pub(super) table: &'d DeTable<'d>,
    document: &'d Arc<Document>,
    problems: &'d RefCell<Vec<Diagnostic>>,
    span: Range<usize>,
    path: String,
    asked: BTreeSet<String>,
    finished: bool,
}

/// The part of a table that a problem is about.
#[derive(Debug, Clone)]
pub enum Place<'a> {
    /// The table itself: its header, or its key where it has none.
    Table,
    /// The value of a key; the table where the key is absent.
    Key(&'a str),
    /// These bytes, from a [`Spanned`] value.
    Span(Range<usize>),
}

impl<'a> From<&'a str> for Place<'a> {
    fn from(key: &'a str) -> Self {
        Self::Key(key)
    }
}

impl<'a> From<&'a String> for Place<'a> {
    fn from(key: &'a String) -> Self {
        Self::Key(key)
    }
}

impl From<Range<usize>> for Place<'_> {
    fn from(span: Range<usize>) -> Self {
        Self::Span(span)
    }
}

impl<T> From<&Spanned<T>> for Place<'_> {
    fn from(value: &Spanned<T>) -> Self {
        Self::Span(value.span())
    }
}

impl Document {
    /// Reads the whole file: `read` takes what it knows from the root table. `Ok` only when nothing was wrong and
    /// `read` returned something.
    pub fn read<T>(
        self: &Arc<Self>,
        read: impl FnOnce(&mut TableReader<'_>) -> Option<T>,
    ) -> Result<T, Diagnostics> {
        self.read_at(&[], read)
    }

    /// Reads one table of the file, named by the keys that lead to it; the rest is not looked at. An absent table
    /// reads as an empty one.
    pub fn read_at<T>(
        self: &Arc<Self>,
        keys: &[&str],
        read: impl FnOnce(&mut TableReader<'_>) -> Option<T>,
    ) -> Result<T, Diagnostics> {
        let (root, errors) = DeTable::parse_recoverable(&self.text);
        if !errors.is_empty() {
            return Err(self.syntax_errors(&errors));
        }
        let problems = RefCell::new(Vec::new());
        let empty = DeTable::new();
        let mut span = root.span();
        let mut table = root.get_ref();
        let mut path = String::new();
        for key in keys {
            path = join(&path, key);
            match table.get(*key).map(|value| (value.span(), value.get_ref())) {
                Some((at, DeValue::Table(inner))) => (span, table) = (at, inner),
                _ => table = &empty,
            }
        }
        let mut reader = TableReader::new(table, self, &problems, span, path);
        let value = read(&mut reader);
        if value.is_some() {
            reader.finish();
        }
        drop(reader);
        let mut problems = problems.into_inner();
        match value {
            Some(value) if problems.is_empty() => Ok(value),
            None if problems.is_empty() => {
                problems.push(Diagnostic::whole_file(self, "the file could not be read", ""));
                Err(Diagnostics(problems))
            }
            _ => Err(Diagnostics(problems).sorted()),
        }
    }

    fn syntax_errors(self: &Arc<Self>, errors: &[toml::de::Error]) -> Diagnostics {
        let problems = errors.iter().take(MOST_SYNTAX_ERRORS).map(|error| {
            let message = error.message();
            let help = if message.starts_with("duplicate key") {
                "each key and each [table] stands once"
            } else {
                "the file is TOML: text in quotes, one key = value per line"
            };
            let span = error.span().unwrap_or_default();
            Diagnostic::new(self, span, "", format!("not valid TOML: {message}"), help)
        });
        Diagnostics(problems.collect()).sorted()
    }
}

impl<'d> TableReader<'d> {
    fn new(
        table: &'d DeTable<'d>,
        document: &'d Arc<Document>,
        problems: &'d RefCell<Vec<Diagnostic>>,
        span: Range<usize>,
        path: String,
    ) -> Self {
        Self { table, document, problems, span, path, asked: BTreeSet::new(), finished: false }
    }

    /// A reader of an inner table, which reports into the same list.
    pub(super) fn inner(&self, table: &'d DeTable<'d>, span: Range<usize>, path: String) -> Self {
        Self::new(table, self.document, self.problems, span, path)
    }

    /// Where this table stands: `plugins.naas.grant.http.api`. Empty for the whole file.
    pub fn key_path(&self) -> &str {
        &self.path
    }

    /// Where a key of this table stands.
    pub fn path_of(&self, key: &str) -> String {
        join(&self.path, key)
    }

    /// The last part of [`Self::key_path`]'s bytes in the file: the table's header, or its key or value.
    pub fn span(&self) -> Range<usize> {
        self.span.clone()
    }

    /// The file.
    pub fn document(&self) -> &'d Arc<Document> {
        self.document
    }

    /// The keys that stand in this table, in the order of the file.
    pub fn keys(&self) -> impl Iterator<Item = &'d str> + use<'d> {
        let table: &'d DeTable<'d> = self.table;
        table.keys().map(|key| -> &'d str { key.get_ref() })
    }

    /// Whether the key stands here. Does not take it.
    pub fn has(&self, key: &str) -> bool {
        self.table.contains_key(key)
    }

    /// The span of a key's value, else of the table.
    pub fn span_of(&self, key: &str) -> Range<usize> {
        self.table.get(key).map_or_else(|| self.span(), Spanned::span)
    }

    /// The span of a key's name, else of the table.
    pub fn span_of_name(&self, key: &str) -> Range<usize> {
        self.table.get_key_value(key).map_or_else(|| self.span(), |(name, _)| name.span())
    }

    /// Takes a key as it stands, of whatever type. Prefer the typed takers.
    pub fn value(&mut self, key: &str) -> Option<&'d Spanned<DeValue<'d>>> {
        self.asked.insert(key.to_owned());
        self.table.get(key)
    }

    /// Says that something is wrong at a key, a [`Spanned`] value or the table. `help` says what to do; it may be
    /// empty.
    pub fn error_at<'a>(
        &self,
        place: impl Into<Place<'a>>,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        let (span, path) = match place.into() {
            Place::Table => (self.span(), self.path.clone()),
            Place::Key(key) => (self.span_of(key), self.path_of(key)),
            Place::Span(span) => (span.clone(), self.path_around(&span)),
        };
        self.report(Diagnostic::new(self.document, span, path, message, help));
    }

    /// Says that something is wrong with the table itself.
    pub fn error(&self, message: impl Into<String>, help: impl Into<String>) {
        self.error_at(Place::Table, message, help);
    }

    /// Says that something is wrong with a key's name, and marks the key as taken.
    pub fn error_at_name(&mut self, key: &str, message: impl Into<String>, help: impl Into<String>) {
        self.asked.insert(key.to_owned());
        let span = self.span_of_name(key);
        let problem = Diagnostic::new(self.document, span, self.path_of(key), message, help);
        self.report(problem);
    }

    fn report(&self, problem: Diagnostic) {
        let mut problems = self.problems.borrow_mut();
        match problems.len() {
            0..MOST_PROBLEMS => problems.push(problem),
            MOST_PROBLEMS => {
                let end = self.document.text.len();
                let message = format!("there are more problems than these {MOST_PROBLEMS}");
                problems.push(Diagnostic::new(self.document, end..end, "", message, "correct these first"));
            }
            _ => {}
        }
    }

    /// Whether anything is wrong in this table or in an inner one.
    pub fn failed(&self) -> bool {
        let inside = |key: &str| {
            self.path.is_empty()
                || key
                    .strip_prefix(self.path.as_str())
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        self.problems.borrow().iter().any(|problem| inside(&problem.key))
    }

    /// Names each key that nobody took, with the nearest that somebody asked for. Once; later calls do nothing.
    pub fn finish(&mut self) {
        if std::mem::replace(&mut self.finished, true) {
            return;
        }
        for (name, _) in self.table {
            let key: &str = name.get_ref();
            if self.asked.contains(key) {
                continue;
            }
            let absent = self.asked.iter().map(String::as_str).filter(|known| !self.has(known));
            let mut help = did_you_mean(key, absent);
            if !help.starts_with("did you mean") {
                help = did_you_mean(key, self.asked.iter().map(String::as_str));
            }
            let message = format!("unknown key {}", quoted(key));
            let problem = Diagnostic::new(self.document, name.span(), self.path_of(key), message, help);
            self.report(problem);
        }
    }

    /// Takes what is left without looking at it, for a table that is read elsewhere.
    pub fn leave_rest(&mut self) {
        self.finished = true;
    }

    /// The path of the key whose name or value holds these bytes. The span of a table under a header is the header,
    /// which holds the names of the tables around it too; of those only its own name counts.
    fn path_around(&self, span: &Range<usize>) -> String {
        let within =
            |inner: &Range<usize>, outer: Range<usize>| outer.start <= inner.start && inner.end <= outer.end;
        self.table
            .iter()
            .find(|(name, value)| {
                let under_header = within(&name.span(), value.span());
                within(span, name.span()) || (!under_header && within(span, value.span()))
            })
            .map_or_else(|| self.path.clone(), |(name, _)| self.path_of(name.get_ref()))
    }
}

impl Drop for TableReader<'_> {
    fn drop(&mut self) {
        if !self.finished && !self.failed() {
            self.finish();
        }
    }
}

/// Joins a dotted path and a key, in quotes where the key needs them.
fn join(path: &str, key: &str) -> String {
    let bare = !key.is_empty() && key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-');
    let key = if bare { key.to_owned() } else { quoted(key) };
    if path.is_empty() { key } else { format!("{path}.{key}") }
}

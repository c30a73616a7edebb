//! The typed takers of a [`TableReader`].
//!
//! Each has three forms where it matters: `string` (None when absent), `required_string` (absent is a problem) and
//! `spanned_string` (with its place, for problems found later).

use std::time::Duration;

use toml::Spanned;
use toml::de::DeValue;

use super::{Misspelt, Place, TableReader, nearest, quoted};
use crate::manifest::grammar;
use crate::units;

/// Writes the plain and the required form of a taker beside its spanned one.
macro_rules! plain_and_required {
    ($($(#[$doc:meta])* $plain:ident, $required:ident, $spanned:ident -> $type:ty;)*) => {
        impl TableReader<'_> {
            $(
                $(#[$doc])*
                pub fn $plain(&mut self, key: &str) -> Option<$type> {
                    self.$spanned(key).map(Spanned::into_inner)
                }

                $(#[$doc])*
                ///
                /// Says so when the key is absent.
                pub fn $required(&mut self, key: &str) -> Option<$type> {
                    self.present(key)?;
                    self.$plain(key)
                }
            )*
        }
    };
}

plain_and_required! {
    /// Takes a text.
    string, required_string, spanned_string -> String;
    /// Takes `true` or `false`.
    bool, required_bool, spanned_bool -> bool;
    /// Takes a whole number.
    integer, required_integer, spanned_integer -> i64;
    /// Takes a number, whole or not; never NaN or infinite.
    number, required_number, spanned_number -> f64;
    /// Takes a duration: `500ms`, `2s`, `5m`, `1h`.
    duration, required_duration, spanned_duration -> Duration;
    /// Takes a size in bytes: `64KiB`, `16MiB`.
    size, required_size, spanned_size -> u64;
}

impl<'d> TableReader<'d> {
    /// Says so when the key is absent. Does not take it.
    pub fn present(&mut self, key: &str) -> Option<()> {
        if self.has(key) {
            return Some(());
        }
        // Asked for, so that a misspelled neighbour is pointed here.
        self.value(key);
        self.error(format!("missing key {}", quoted(key)), format!("add {key} = …"));
        None
    }

    /// Takes a text with its place.
    pub fn spanned_string(&mut self, key: &str) -> Option<Spanned<String>> {
        let value = self.value(key)?;
        match value.get_ref() {
            DeValue::String(text) => Some(Spanned::new(value.span(), text.clone().into_owned())),
            other => self.wrong_type(key, value.span(), "a text in quotes", other),
        }
    }

    /// Takes `true` or `false` with its place.
    pub fn spanned_bool(&mut self, key: &str) -> Option<Spanned<bool>> {
        let value = self.value(key)?;
        match value.get_ref() {
            DeValue::Boolean(is) => Some(Spanned::new(value.span(), *is)),
            other => self.wrong_type(key, value.span(), "true or false", other),
        }
    }

    /// Takes a whole number with its place.
    pub fn spanned_integer(&mut self, key: &str) -> Option<Spanned<i64>> {
        let value = self.value(key)?;
        let DeValue::Integer(integer) = value.get_ref() else {
            return self.wrong_type(key, value.span(), "a whole number", value.get_ref());
        };
        let parsed = i64::from_str_radix(integer.as_str(), integer.radix());
        if parsed.is_err() {
            self.error_at(value, "the number is too large", "whole numbers have 64 bits");
        }
        Some(Spanned::new(value.span(), parsed.ok()?))
    }

    /// Takes a whole number from `least` to `most`.
    pub fn integer_within(&mut self, key: &str, least: i64, most: i64) -> Option<i64> {
        let number = self.spanned_integer(key)?;
        if (least..=most).contains(number.get_ref()) {
            return Some(number.into_inner());
        }
        let help = format!("write a number from {least} to {most}");
        self.error_at(&number, format!("{} is out of range", number.get_ref()), help);
        None
    }

    /// Takes a number with its place.
    pub fn spanned_number(&mut self, key: &str) -> Option<Spanned<f64>> {
        let value = self.value(key)?;
        let parsed = match value.get_ref() {
            DeValue::Integer(integer) => {
                i64::from_str_radix(integer.as_str(), integer.radix()).ok().map(|whole| whole as f64)
            }
            DeValue::Float(float) => float.as_str().parse::<f64>().ok().filter(|number| number.is_finite()),
            other => return self.wrong_type(key, value.span(), "a number", other),
        };
        if parsed.is_none() {
            self.error_at(value, "the number is too large or not a number", "write a finite number");
        }
        Some(Spanned::new(value.span(), parsed?))
    }

    /// Takes a duration with its place.
    pub fn spanned_duration(&mut self, key: &str) -> Option<Spanned<Duration>> {
        self.unit(key, "a duration in quotes, like \"30s\"", units::parse_duration)
    }

    /// Takes a size in bytes with its place.
    pub fn spanned_size(&mut self, key: &str) -> Option<Spanned<u64>> {
        self.unit(key, "a size in quotes, like \"64MiB\"", units::parse_size)
    }

    fn unit<T>(
        &mut self,
        key: &str,
        expected: &str,
        parse: impl FnOnce(&str) -> Result<T, units::UnitError>,
    ) -> Option<Spanned<T>> {
        let value = self.value(key)?;
        let DeValue::String(text) = value.get_ref() else {
            return self.wrong_type(key, value.span(), expected, value.get_ref());
        };
        match parse(text) {
            Ok(parsed) => Some(Spanned::new(value.span(), parsed)),
            Err(wrong) => {
                self.error_at(value, wrong.to_string(), wrong.help());
                None
            }
        }
    }

    /// Takes a list of texts.
    pub fn strings(&mut self, key: &str) -> Option<Vec<String>> {
        Some(self.spanned_strings(key)?.into_iter().map(Spanned::into_inner).collect())
    }

    /// Takes a list of texts. Says so when the key is absent.
    pub fn required_strings(&mut self, key: &str) -> Option<Vec<String>> {
        self.present(key)?;
        self.strings(key)
    }

    /// Takes a list of texts, each with its place.
    pub fn spanned_strings(&mut self, key: &str) -> Option<Vec<Spanned<String>>> {
        let value = self.value(key)?;
        match value.get_ref() {
            DeValue::Array(_) => self.texts(key, value),
            other => self.wrong_type(key, value.span(), "a list of texts, like [\"a\", \"b\"]", other),
        }
    }

    /// Takes a list of JSON pointers (RFC 6901), each with its place. Those that are none are said and left out.
    pub fn pointers(&mut self, key: &str) -> Option<Vec<Spanned<String>>> {
        let mut texts = self.spanned_strings(key)?;
        texts.retain(|text| {
            let fine = grammar::is_pointer(text.get_ref());
            if !fine {
                let message = format!("{} is not a JSON pointer", quoted(text.get_ref()));
                self.error_at(text, message, grammar::POINTER);
            }
            fine
        });
        Some(texts)
    }

    /// Takes a list of texts that have a grammar of their own, each with its place. Every one that is wrong is said at
    /// its place; then, and when the key is absent, there is none.
    pub fn parsed_strings<T>(
        &mut self,
        key: &str,
        parse: impl Fn(&str) -> Result<T, Misspelt>,
    ) -> Option<Vec<Spanned<T>>> {
        let texts = self.spanned_strings(key)?;
        let parsed: Vec<_> = texts
            .iter()
            .map(|text| match parse(text.get_ref()) {
                Ok(parsed) => Some(Spanned::new(text.span(), parsed)),
                Err(Misspelt { message, help }) => {
                    self.error_at(text, message, help);
                    None
                }
            })
            .collect();
        parsed.into_iter().collect()
    }

    /// Takes one text, or a list of them.
    pub fn one_or_more_strings(&mut self, key: &str) -> Option<Vec<Spanned<String>>> {
        let value = self.value(key)?;
        match value.get_ref() {
            DeValue::String(text) => Some(vec![Spanned::new(value.span(), text.clone().into_owned())]),
            DeValue::Array(_) => self.texts(key, value),
            other => self.wrong_type(key, value.span(), "a text in quotes or a list of them", other),
        }
    }

    fn texts(&mut self, key: &str, value: &'d Spanned<DeValue<'d>>) -> Option<Vec<Spanned<String>>> {
        let mut texts = Vec::new();
        let mut fine = true;
        for item in value.get_ref().as_array()? {
            match item.get_ref() {
                DeValue::String(text) => texts.push(Spanned::new(item.span(), text.clone().into_owned())),
                other => {
                    fine = false;
                    self.wrong_type::<()>(key, item.span(), "a text in quotes", other);
                }
            }
        }
        fine.then_some(texts)
    }

    /// Takes one of some words, as the value that stands for it.
    pub fn enumeration<T: Clone>(&mut self, key: &str, words: &[(&str, T)]) -> Option<T> {
        let text = self.spanned_string(key)?;
        self.word(&text, words)
    }

    /// Takes a list of some words, as the values that stand for them, each with its place.
    pub fn enumerations<T: Clone>(&mut self, key: &str, words: &[(&str, T)]) -> Option<Vec<Spanned<T>>> {
        let texts = self.spanned_strings(key)?;
        let found: Vec<_> = texts
            .iter()
            .map(|text| self.word(text, words).map(|value| Spanned::new(text.span(), value)))
            .collect();
        found.into_iter().collect()
    }

    fn word<T: Clone>(&mut self, text: &Spanned<String>, words: &[(&str, T)]) -> Option<T> {
        let found = words.iter().find(|(word, _)| word == text.get_ref());
        if found.is_none() {
            let known: Vec<_> = words.iter().map(|(word, _)| *word).collect();
            let help = match nearest(text.get_ref(), known.iter().copied()) {
                Some(word) => format!("did you mean {word:?}? Known here: {}", either(&known)),
                None => format!("write {}", either(&known)),
            };
            self.error_at(text, format!("{} is not known here", quoted(text.get_ref())), help);
        }
        found.map(|(_, value)| value.clone())
    }

    /// Takes an inner table.
    pub fn table(&mut self, key: &str) -> Option<TableReader<'d>> {
        let value = self.value(key)?;
        match value.get_ref() {
            DeValue::Table(table) => Some(self.inner(table, value.span(), self.path_of(key))),
            other => self.wrong_type(key, value.span(), "a table", other),
        }
    }

    /// Takes an inner table. Says so when it is absent.
    pub fn required_table(&mut self, key: &str) -> Option<TableReader<'d>> {
        if !self.has(key) {
            self.value(key);
            let path = self.path_of(key);
            self.error(format!("missing table [{path}]"), format!("add [{path}]"));
        }
        self.table(key)
    }

    /// Takes a table of tables: each name with its place and the reader of its table, in the order of the file.
    /// Empty when absent.
    pub fn tables(&mut self, key: &str) -> Vec<(Spanned<String>, TableReader<'d>)> {
        let Some(mut outer) = self.table(key) else { return Vec::new() };
        outer.named_tables()
    }

    /// Takes every key of this table as a named table, in the order of the file.
    pub fn named_tables(&mut self) -> Vec<(Spanned<String>, TableReader<'d>)> {
        let names: Vec<&'d str> = self.keys().collect();
        names
            .into_iter()
            .filter_map(|name| {
                let span = self.span_of_name(name);
                self.table(name).map(|table| (Spanned::new(span, name.to_owned()), table))
            })
            .collect()
    }

    pub(super) fn wrong_type<T>(
        &self,
        key: &str,
        span: std::ops::Range<usize>,
        expected: &str,
        found: &DeValue<'_>,
    ) -> Option<T> {
        let found = match found {
            DeValue::String(_) => "a text",
            DeValue::Integer(_) | DeValue::Float(_) => "a number",
            DeValue::Boolean(_) => "true or false",
            DeValue::Datetime(_) => "a date",
            DeValue::Array(_) => "a list",
            DeValue::Table(_) => "a table",
        };
        self.error_at(
            Place::Span(span),
            format!("expected {expected}, found {found}"),
            format!("write {key} as {expected}"),
        );
        None
    }
}

/// `"a", "b" or "c"`
fn either(words: &[&str]) -> String {
    let quoted: Vec<_> = words.iter().map(|word| format!("{word:?}")).collect();
    match quoted.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} or {last}", rest.join(", ")),
        None => String::new(),
    }
}

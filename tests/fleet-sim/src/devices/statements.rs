//! Configurations of statements in levels, as Junos and PAN-OS keep them: `set` and `delete` change them, and they are
//! shown with braces or as `set` lines.
//!
//! A schema is rules with `>` between levels and `=` before a value that replaces the one before it:
//! `interfaces > IFACE > unit <0-16384> > description = WORD`.

use super::grammar::{Grammar, Kinds, Refusal};

/// How the words of a statement fall into levels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Shape {
    /// Words per level.
    levels: Vec<usize>,
    /// Words that identify it: another one with the same replaces it.
    key: usize,
}

/// One statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Statement {
    words: Vec<String>,
    shape: Shape,
}

/// A configuration.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Statements(Vec<Statement>);

/// What may be configured.
pub(crate) struct Schema(Grammar<Shape>);

impl Schema {
    /// Reads a schema, one rule per line.
    pub(crate) fn read(text: &'static str, kinds: Kinds) -> Self {
        let mut grammar = Grammar::new(kinds);
        for rule in text.lines().map(str::trim).filter(|rule| !rule.is_empty() && !rule.starts_with('#')) {
            let mut levels = Vec::new();
            let (mut words, mut total, mut key) = (0, 0, None);
            for word in rule.split_whitespace() {
                match word {
                    ">" => levels.push(std::mem::take(&mut words)),
                    "=" => key = Some(total),
                    _ => (words, total) = (words + 1, total + 1),
                }
            }
            levels.push(words);
            let shape = Shape { levels, key: key.unwrap_or(total) };
            grammar.rule_of(rule.split_whitespace().filter(|word| !matches!(*word, ">" | "=")), shape);
        }
        Self(grammar)
    }

    /// The grammar of its statements.
    pub(crate) fn grammar(&self) -> &Grammar<Shape> {
        &self.0
    }

    /// A configuration of `set` lines.
    pub(crate) fn parse(&self, text: &str) -> Statements {
        let mut statements = Statements::default();
        for line in text.lines().filter_map(|line| line.trim().strip_prefix("set ")) {
            match self.statement(line) {
                Ok(statement) => statements.set(statement),
                Err(refusal) => unreachable!("the schema takes its own configuration: {line}: {refusal:?}"),
            }
        }
        statements
    }

    /// One statement.
    pub(crate) fn statement(&self, line: &str) -> Result<Statement, Refusal> {
        let meant = self.0.resolve(line)?;
        Ok(Statement { words: meant.words, shape: meant.meaning })
    }

    /// The words of a statement or of its beginning, in full.
    pub(crate) fn beginning(&self, line: &str) -> Result<Vec<String>, Refusal> {
        match self.0.resolve(line) {
            Ok(meant) => Ok(meant.words),
            Err(Refusal::Incomplete { words }) => Ok(words),
            Err(refusal) => Err(refusal),
        }
    }
}

impl Statement {
    /// The words of each level, joined.
    fn levels(&self) -> Vec<String> {
        let mut rest = self.words.as_slice();
        let mut levels = Vec::new();
        for count in &self.shape.levels {
            let (level, after) = rest.split_at((*count).min(rest.len()));
            levels.push(level.join(" "));
            rest = after;
        }
        levels
    }
}

impl Statements {
    /// Sets a statement; one with the same key goes, and it takes its place.
    pub(crate) fn set(&mut self, statement: Statement) {
        let key = statement.shape.key;
        let same = |other: &Statement| {
            other.shape == statement.shape && other.words[..key] == statement.words[..key]
        };
        match self.0.iter().position(same) {
            Some(at) => self.0[at] = statement,
            None => {
                // Beside its like, so that a level stays in one piece.
                let common = |other: &Statement| {
                    other.words.iter().zip(&statement.words).take_while(|(a, b)| a == b).count()
                };
                let best = self.0.iter().map(common).max().filter(|common| *common > 0);
                let at = best.and_then(|best| self.0.iter().rposition(|other| common(other) == best));
                self.0.insert(at.map_or(self.0.len(), |at| at + 1), statement);
            }
        }
    }

    /// Takes out what begins with these words. False: nothing does.
    pub(crate) fn delete(&mut self, words: &[String]) -> bool {
        let before = self.0.len();
        self.0.retain(|statement| !statement.words.starts_with(words));
        self.0.len() < before
    }

    /// Whether something begins with these words.
    pub(crate) fn has(&self, words: &[&str]) -> bool {
        self.0.iter().any(|statement| {
            statement.words.len() >= words.len() && statement.words.iter().zip(words).all(|(a, b)| a == b)
        })
    }

    /// The last words of the statements that begin with these and have one more.
    pub(crate) fn values<'a>(&'a self, words: &'a [&str]) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter_map(move |statement| {
            let fits = statement.words.len() == words.len() + 1
                && statement.words.iter().zip(words).all(|(a, b)| a == b);
            statement.words.last().map(String::as_str).filter(|_| fits)
        })
    }

    /// All statements as their words.
    pub(crate) fn words(&self) -> impl Iterator<Item = &[String]> {
        self.0.iter().map(|statement| statement.words.as_slice())
    }

    /// The part below these words, as `set` lines.
    pub(crate) fn as_set(&self, below: &[String]) -> String {
        let lines = self.0.iter().filter(|statement| statement.words.starts_with(below));
        lines.map(|statement| format!("set {}\n", statement.words.join(" "))).collect()
    }

    /// The part below these words, with braces.
    pub(crate) fn as_braces(&self, below: &[String], braces: Braces) -> String {
        let mut rows: Vec<Vec<String>> = Vec::new();
        for statement in self.0.iter().filter(|statement| statement.words.starts_with(below)) {
            let (levels, mut skipped, mut from) = (statement.levels(), 0, 0);
            while skipped < below.len() && from < levels.len() {
                skipped += statement.shape.levels[from];
                from += 1;
            }
            // What was named is a leaf itself.
            let from = if from == levels.len() { from - 1 } else { from };
            rows.push(levels[from..].to_vec());
        }
        let mut text = String::new();
        write_braces(&mut text, &rows.iter().map(Vec::as_slice).collect::<Vec<_>>(), 0, braces);
        text
    }

    /// What must be done to `before` to become this, as `show | compare` says it.
    pub(crate) fn compare(&self, before: &Self, braces: Braces) -> String {
        let mut text = String::new();
        let gone: Vec<&Statement> = before.0.iter().filter(|old| !self.0.contains(old)).collect();
        let new: Vec<&Statement> = self.0.iter().filter(|new| !before.0.contains(new)).collect();
        let parent = |statement: &Statement, other: &Self| {
            let levels = statement.levels();
            let mut depth = levels.len() - 1;
            while depth > 0
                && !other.0.iter().any(|other| other.levels().get(..depth) == Some(&levels[..depth]))
            {
                depth -= 1;
            }
            levels[..depth].to_vec()
        };
        let changes: Vec<(char, Vec<String>, &Statement)> = gone
            .into_iter()
            .map(|statement| ('-', parent(statement, self), statement))
            .chain(new.into_iter().map(|statement| ('+', parent(statement, before), statement)))
            .collect();
        let mut places: Vec<&Vec<String>> = changes.iter().map(|(_, place, _)| place).collect();
        places.sort_unstable();
        places.dedup();
        for place in places {
            let name = if place.is_empty() { String::new() } else { format!(" {}", place.join(" ")) };
            text.push_str(&format!("[edit{name}]\n"));
            for sign in ['-', '+'] {
                let rows: Vec<Vec<String>> = changes
                    .iter()
                    .filter(|(own, at, _)| *own == sign && at == place)
                    .map(|(_, at, statement)| statement.levels()[at.len()..].to_vec())
                    .collect();
                let mut part = String::new();
                write_braces(&mut part, &rows.iter().map(Vec::as_slice).collect::<Vec<_>>(), 0, braces);
                part.lines().for_each(|line| text.push_str(&format!("{sign}  {line}\n")));
            }
        }
        text
    }
}

/// How braces are laid out.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Braces {
    /// Blanks per level.
    pub(crate) indent: usize,
}

fn write_braces(text: &mut String, rows: &[&[String]], depth: usize, braces: Braces) {
    let indent = " ".repeat(depth * braces.indent);
    let mut done: Vec<&String> = Vec::new();
    for row in rows {
        let Some((name, rest)) = row.split_first() else { continue };
        if rest.is_empty() {
            text.push_str(&format!("{indent}{name};\n"));
        } else if !done.contains(&name) {
            done.push(name);
            let below: Vec<&[String]> =
                rows.iter().filter(|row| row.len() > 1 && row[0] == *name).map(|row| &row[1..]).collect();
            text.push_str(&format!("{indent}{name} {{\n"));
            write_braces(text, &below, depth + 1, braces);
            text.push_str(&format!("{indent}}}\n"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BRACES: Braces = Braces { indent: 4 };

    fn schema() -> Schema {
        Schema::read(
            "system > host-name = WORD
            system > name-server > IP
            interfaces > WORD > description = WORD
            interfaces > WORD > unit <0-100> > family inet > address PREFIX",
            &[],
        )
    }

    #[test]
    fn statements_replace_their_like_and_are_shown_in_levels() {
        let schema = schema();
        let mut config = schema.parse("set system host-name a\nset system name-server 10.0.0.53\n");
        let before = config.clone();
        config.set(schema.statement("system host-name b").unwrap());
        config.set(schema.statement("interfaces ge-0/0/0 unit 0 family inet address 10.0.0.1/30").unwrap());
        assert_eq!(
            config.as_braces(&[], BRACES),
            "system {\n    host-name b;\n    name-server {\n        10.0.0.53;\n    }\n}\n\
             interfaces {\n    ge-0/0/0 {\n        unit 0 {\n            family inet {\n                \
             address 10.0.0.1/30;\n            }\n        }\n    }\n}\n"
        );
        assert_eq!(
            config.as_set(&["system".to_owned()]),
            "set system host-name b\nset system name-server 10.0.0.53\n"
        );
        let compared = config.compare(&before, BRACES);
        assert!(compared.contains("[edit system]\n-  host-name a;\n+  host-name b;\n"), "{compared}");
        assert!(compared.contains("[edit]\n+  interfaces {\n+      ge-0/0/0 {\n"), "{compared}");
        let words = schema.beginning("interfaces ge-0/0/0").unwrap();
        assert!(config.delete(&words) && !config.delete(&words));
    }
}

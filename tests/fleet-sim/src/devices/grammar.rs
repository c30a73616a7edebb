//! What a line means: rules like `show ip interface brief`, abbreviations, and where a line goes wrong.
//!
//! A rule is words. Lower-case words are keywords, which may be abbreviated while they are unambiguous; `a|b` is one
//! of two keywords; `[a b]` may be left out; capitals stand for values (`WORD`, `LINE`, `IP`, `PREFIX`, `MAC`,
//! `IFACE`, `IFACES`), `<1-4094>` for a number. `/` ends the part that identifies a line of a configuration: two lines with the same
//! such part replace each other.

mod word;

use word::{Fit, Word, common, variants, word};

/// Kinds of interfaces of a platform.
pub(crate) type Kinds = &'static [&'static str];

#[derive(Debug, Clone)]
struct Rule<T> {
    words: Vec<Word>,
    key: usize,
    meaning: T,
}

/// The rules of one mode.
#[derive(Debug, Clone)]
pub(crate) struct Grammar<T> {
    rules: Vec<Rule<T>>,
    kinds: Kinds,
}

/// What a line means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Meant<T> {
    pub(crate) meaning: T,
    /// Its words: keywords and interfaces in full, values as they were typed.
    pub(crate) words: Vec<String>,
    /// How many of them identify the line.
    pub(crate) key: usize,
}

impl<T> Meant<T> {
    /// The whole line, in full.
    pub(crate) fn line(&self) -> String {
        self.words.join(" ")
    }

    /// The last word.
    pub(crate) fn last(&self) -> &str {
        self.words.last().map_or("", String::as_str)
    }
}

/// Why a line means nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// No rule goes on so. `column` is where the word begins, `matched` how much of it fits some keyword.
    Invalid { column: usize, matched: usize, word: String },
    /// A word is short for several.
    Ambiguous { column: usize, word: String },
    /// Something is missing after these words.
    Incomplete { words: Vec<String> },
}

impl<T: Clone> Grammar<T> {
    pub(crate) fn new(kinds: Kinds) -> Self {
        Self { rules: Vec::new(), kinds }
    }

    /// Adds a rule.
    pub(crate) fn rule(&mut self, text: &'static str, meaning: T) -> &mut Self {
        for words in variants(text) {
            let key = words.iter().position(|word| *word == "/");
            let words: Vec<Word> = words.into_iter().filter(|word| *word != "/").map(word).collect();
            let key = key.unwrap_or(words.len());
            self.rules.push(Rule { words, key, meaning: meaning.clone() });
        }
        self
    }

    /// Adds a rule of these words.
    pub(crate) fn rule_of(&mut self, words: impl Iterator<Item = &'static str>, meaning: T) {
        let words: Vec<Word> = words.map(word).collect();
        self.rules.push(Rule { key: words.len(), words, meaning });
    }

    /// Adds rules that mean the same, one per line.
    pub(crate) fn rules(&mut self, text: &'static str, meaning: &T) -> &mut Self {
        for rule in text.lines().map(str::trim).filter(|rule| !rule.is_empty()) {
            self.rule(rule, meaning.clone());
        }
        self
    }

    /// Finds out what a line means. Columns count from its beginning.
    pub(crate) fn resolve(&self, line: &str) -> Result<Meant<T>, Refusal> {
        let tokens = self.tokens(line);
        let mut fitting: Vec<&Rule<T>> = self.rules.iter().collect();
        let mut words = Vec::new();
        for (at, (column, token)) in tokens.iter().enumerate() {
            let mut best = Fit::None;
            let mut fits: Vec<(&Rule<T>, Fit)> = Vec::new();
            let mut matched = 0;
            for rule in &fitting {
                let Some(word) = rule.words.get(at) else { continue };
                let fit = self.fit(word, token);
                if let (Fit::None, Word::Keywords(keywords)) = (&fit, word) {
                    matched = keywords.iter().map(|keyword| common(keyword, token)).fold(matched, usize::max);
                }
                if fit.rank() > best.rank() {
                    best = fit.clone();
                }
                fits.push((rule, fit));
            }
            match &best {
                Fit::None => return Err(Refusal::Invalid { column: *column, matched, word: token.clone() }),
                Fit::Short(full) => {
                    let other = fits.iter().any(|(_, fit)| match fit {
                        Fit::Short(other) => other != full,
                        Fit::Several => true,
                        _ => false,
                    });
                    if other {
                        return Err(Refusal::Ambiguous { column: *column, word: token.clone() });
                    }
                }
                Fit::Several => {
                    return Err(Refusal::Ambiguous { column: *column, word: token.clone() });
                }
                _ => {}
            }
            fitting =
                fits.into_iter().filter(|(_, fit)| fit.rank() == best.rank()).map(|(rule, _)| rule).collect();
            match best {
                Fit::Exact(full) | Fit::Short(full) => words.push(full),
                Fit::Value(value) => words.push(value),
                Fit::Line => {
                    let Some(rule) = fitting.first() else { return Err(Refusal::Incomplete { words }) };
                    words.push(line[*column..].trim_end().to_owned());
                    return Ok(Meant { meaning: rule.meaning.clone(), words, key: rule.key });
                }
                Fit::Several | Fit::None => {}
            }
        }
        match fitting.iter().find(|rule| rule.words.len() == tokens.len()) {
            Some(rule) => Ok(Meant { meaning: rule.meaning.clone(), words, key: rule.key }),
            None => Err(Refusal::Incomplete { words }),
        }
    }

    /// What finishes the last word of a line: the rest of the one keyword that it is short for.
    pub(crate) fn complete(&self, line: &str) -> Option<String> {
        if line.is_empty() || line.ends_with(' ') {
            return None;
        }
        let tokens = self.tokens(line);
        let (last, before) = tokens.split_last()?;
        let mut found: Option<&'static str> = None;
        for rule in &self.rules {
            let fits =
                before.iter().zip(&rule.words).all(|((_, token), word)| self.fit(word, token).rank() > 0);
            let Some(Word::Keywords(keywords)) = rule.words.get(before.len()).filter(|_| fits) else {
                continue;
            };
            for keyword in keywords.iter().filter(|keyword| keyword.starts_with(last.1.as_str())) {
                match found {
                    None => found = Some(keyword),
                    Some(other) if other == *keyword => {}
                    // Short for several, or long enough for one of them.
                    Some(_) => return None,
                }
            }
        }
        found.map(|keyword| keyword[last.1.len()..].to_owned())
    }

    /// The words that may come first, or after this text, for help.
    pub(crate) fn nexts(&self, line: &str) -> Vec<&'static str> {
        let tokens = self.tokens(line);
        let whole = if line.ends_with(' ') || line.is_empty() { tokens.len() } else { tokens.len() - 1 };
        let mut nexts = Vec::new();
        for rule in &self.rules {
            let fits = rule.words.len() > whole
                && tokens[..whole]
                    .iter()
                    .zip(&rule.words)
                    .all(|((_, token), word)| self.fit(word, token).rank() > 0);
            if let Some(Word::Keywords(keywords)) = rule.words.get(whole).filter(|_| fits) {
                let begin = tokens.get(whole).map_or("", |(_, token)| token.as_str());
                nexts.extend(keywords.iter().filter(|keyword| keyword.starts_with(begin)));
            }
        }
        nexts.sort_unstable();
        nexts.dedup();
        nexts
    }

    fn tokens(&self, line: &str) -> Vec<(usize, String)> {
        let mut tokens: Vec<(usize, String)> = Vec::new();
        let mut rest = 0;
        while let Some(begin) = line[rest..].find(|letter: char| !letter.is_whitespace()) {
            let begin = rest + begin;
            let quoted = line[begin..].starts_with('"');
            let end = match quoted {
                true => line[begin + 1..].find('"').map_or(line.len(), |end| begin + end + 2),
                false => line[begin..].find(char::is_whitespace).map_or(line.len(), |end| begin + end),
            };
            rest = end;
            // `interface gi 0/1`: the kind and the number are one word.
            let numbered = line[begin..end].starts_with(|letter: char| letter.is_ascii_digit());
            let before = tokens.len().checked_sub(2).and_then(|at| tokens.get(at));
            let joins = numbered
                && before.is_some_and(|(_, word)| word.starts_with("int"))
                && tokens.last().is_some_and(|(_, kind)| {
                    kind.bytes().all(|byte| byte.is_ascii_alphabetic())
                        && self.interface(&format!("{kind}0")).is_some()
                });
            match tokens.last_mut() {
                Some((_, kind)) if joins => kind.push_str(&line[begin..end]),
                _ => tokens.push((begin, line[begin..end].to_owned())),
            }
        }
        tokens
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grammar() -> Grammar<u8> {
        let mut grammar = Grammar::new(&["GigabitEthernet", "Loopback"]);
        grammar.rule("show version", 1);
        grammar.rule("show vlan [brief]", 2);
        grammar.rule("description / LINE", 3);
        grammar.rule("interface IFACE", 4);
        grammar.rule("terminal length <0-512>", 5);
        grammar.rule("show ip route [IP]", 6);
        grammar
    }

    #[test]
    fn abbreviations_are_understood_while_they_are_short_for_one_word() {
        let meant = grammar().resolve("sh ver").unwrap();
        assert_eq!((meant.meaning, meant.line().as_str()), (1, "show version"));
        assert_eq!(grammar().resolve("show v"), Err(Refusal::Ambiguous { column: 5, word: "v".to_owned() }));
    }

    #[test]
    fn a_refusal_says_where_the_line_goes_wrong() {
        let refused = |line: &str| grammar().resolve(line).unwrap_err();
        assert_eq!(
            refused("show ip routes"),
            Refusal::Invalid { column: 8, matched: 5, word: "routes".to_owned() }
        );
        assert_eq!(
            refused("shwo version"),
            Refusal::Invalid { column: 0, matched: 2, word: "shwo".to_owned() }
        );
        assert_eq!(refused("sh"), Refusal::Incomplete { words: vec!["show".to_owned()] });
        assert!(matches!(refused("terminal length 513"), Refusal::Invalid { column: 16, .. }));
        assert!(matches!(refused("show version now"), Refusal::Invalid { column: 13, .. }));
    }

    #[test]
    fn interfaces_are_named_in_full_and_lines_are_kept_as_they_are() {
        assert_eq!(grammar().resolve("int gi 0/1").unwrap().line(), "interface GigabitEthernet0/1");
        let meant = grammar().resolve("description  to  the core ").unwrap();
        assert_eq!((meant.words[1].as_str(), meant.key), ("to  the core", 1));
        assert_eq!(grammar().resolve("show ip route 10.0.0.1").unwrap().meaning, 6);
    }
}

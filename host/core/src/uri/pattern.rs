//! The keys of `[resources]`: which URIs an entry covers.

use std::borrow::Borrow;
use std::fmt;
use std::str::FromStr;

pub use super::symbols::Steps;
use super::symbols::{Symbol, covers};
use super::template::{example, expression};
use super::{ResourceUri, UriTemplate};

/// Bytes of a pattern.
pub const MAX_PATTERN: usize = 256;

/// `naas://jobs/*`: `*` stands for anything but a slash, `**` for anything. An expression of a template stands for
/// what it may expand to (`{id}` is a `*`, `{+path}` and `{/path}` are a `**`), so that a template's own text is a
/// pattern for it. Ordered and compared as text.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct UriPattern {
    text: String,
    symbols: Vec<Symbol>,
}

/// A text that is no pattern.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NoPattern(String);

impl UriPattern {
    /// As it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// How many characters are no wildcard. Of the patterns that match, those with the most decide.
    pub fn length(&self) -> usize {
        self.symbols.iter().filter(|symbol| matches!(symbol, Symbol::Byte(_))).count()
    }

    /// Whether it stands for this URI, in the spelling that it has.
    pub fn matches(&self, uri: &ResourceUri, steps: &mut Steps) -> bool {
        let uri = uri.as_str().as_bytes();
        let literal = self.symbols.iter().map_while(|symbol| match symbol {
            Symbol::Byte(byte) => Some(byte),
            Symbol::Segment | Symbol::Any => None,
        });
        // Most patterns are done with by their beginning.
        let begins = literal.zip(uri).all(|(expected, byte)| expected == byte);
        begins && covers(&self.symbols, uri.iter().copied().map(Symbol::Byte), steps)
    }

    /// Whether it stands for every URI that this template expands to.
    pub fn covers(&self, template: &UriTemplate) -> bool {
        covers(&self.symbols, template.symbols.iter().copied(), &mut Steps::default())
    }
}

impl FromStr for UriPattern {
    type Err = NoPattern;

    fn from_str(text: &str) -> Result<Self, NoPattern> {
        let refused = |why: String| NoPattern(why);
        if text.len() > MAX_PATTERN {
            return Err(refused(format!("it has {} bytes; at most {MAX_PATTERN} are allowed", text.len())));
        }
        let mut symbols = Vec::new();
        let mut rest = text;
        while let Some(first) = rest.bytes().next() {
            let (symbol, behind) = if let Some(behind) = rest.strip_prefix("**") {
                (Symbol::Any, behind)
            } else if let Some(behind) = rest.strip_prefix('*') {
                (Symbol::Segment, behind)
            } else if let Some(behind) = rest.strip_prefix('{') {
                let (inside, behind) = behind
                    .split_once('}')
                    .ok_or_else(|| refused("it has a brace without its other one".into()))?;
                let symbol =
                    expression(inside, &mut Vec::new()).map_err(|why| refused(format!("it {why}")))?;
                (symbol, behind)
            } else if first.is_ascii() {
                (Symbol::Byte(first), &rest[1..])
            } else {
                return Err(refused("it has a character that no URI has".into()));
            };
            symbols.push(symbol);
            rest = behind;
        }
        let scheme = text.split(':').next().unwrap_or_default();
        if scheme.contains(['*', '{']) {
            return Err(refused("its scheme has a wildcard".into()));
        }
        // One that stands for no URI as the host compares them would guard nothing.
        let example: String = symbols.iter().map(example).collect();
        match ResourceUri::parse(&example) {
            Ok(taken) if taken.as_str() == example => Ok(Self { text: text.to_owned(), symbols }),
            Ok(taken) => {
                let taken = taken.as_str();
                Err(refused(format!("it is compared with URIs like \"{taken}\": write it that way")))
            }
            Err(why) => Err(refused(format!("it stands for no URI of a resource: that {why}"))),
        }
    }
}

impl Borrow<str> for UriPattern {
    fn borrow(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for UriPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(text: &str) -> UriPattern {
        text.parse().unwrap_or_else(|why| panic!("{text}: {why}"))
    }

    #[test]
    fn a_star_ends_at_a_slash_and_two_do_not() {
        for (text, inside, outside) in [
            ("naas://jobs", &["naas://jobs"][..], &["naas://jobs/7", "naas://job", "naas://jobsx"][..]),
            (
                "naas://jobs/*",
                &["naas://jobs/7", "naas://jobs/", "naas://jobs/7?a=b"],
                &["naas://jobs", "naas://jobs/7/log", "naas://devices/7"],
            ),
            (
                "naas://jobs/**",
                &["naas://jobs/7", "naas://jobs/7/log"],
                &["naas://jobs", "naas://jobs-secret/7"],
            ),
            ("naas://*/log", &["naas://a/log"], &["naas://a/b/log", "naas://a/logs"]),
            ("naas://**/log", &["naas://a/log", "naas://a/b/log"], &["naas://log", "naas://a/log/b"]),
            ("naas://a*b*c", &["naas://abc", "naas://aXbbXc"], &["naas://ab", "naas://a/bc"]),
            ("naas://jobs/{id}/log", &["naas://jobs/7/log"], &["naas://jobs/7/8/log"]),
            ("naas://files/{+path}", &["naas://files/a/b"], &["naas://other/a"]),
            ("naas://**", &["naas://a", "naas://a/b/c?d"], &["other://a"]),
        ] {
            let pattern = pattern(text);
            let uri = |text: &str| ResourceUri::parse(text).unwrap();
            for one in inside {
                assert!(pattern.matches(&uri(one), &mut Steps::default()), "{text} {one}");
            }
            for one in outside {
                assert!(!pattern.matches(&uri(one), &mut Steps::default()), "{text} {one}");
            }
        }
    }

    #[test]
    fn a_template_is_covered_by_what_covers_each_of_its_uris() {
        for (text, template, covered) in [
            ("naas://jobs/*", "naas://jobs/{id}", true),
            ("naas://jobs/**", "naas://jobs/{id}", true),
            ("naas://jobs/{id}", "naas://jobs/{id}", true),
            ("naas://jobs/{name}", "naas://jobs/{id}", true),
            ("naas://jobs/*", "naas://jobs/{a}-{b}", true),
            ("naas://jobs*", "naas://jobs{?page}", true),
            ("naas://jobs", "naas://jobs{?page}", false),
            ("naas://jobs/*", "naas://jobs/{+path}", false),
            ("naas://jobs/**", "naas://jobs/{+path}", true),
            ("naas://jobs/*", "naas://jobs{/path}", false),
            ("naas://jobs/7", "naas://jobs/{id}", false),
            ("naas://jobs/7*", "naas://jobs/{id}", false),
            ("naas://*", "naas://{a}/b", false),
            ("naas://*/b", "naas://{a}/b", true),
            ("other://**", "naas://{a}", false),
        ] {
            let template = UriTemplate::parse(template).unwrap();
            assert_eq!(pattern(text).covers(&template), covered, "{text} {}", template.as_str());
        }
    }

    #[test]
    fn what_stands_for_no_uri_is_no_pattern() {
        for text in [
            "",
            "naas",
            "naas:",
            "*://jobs",
            "{a}://jobs",
            "NAAS://jobs",
            "naas://jobs/../*",
            "naas://jobs//*",
            "naas://jobs/%2f*",
            "naas://jobs/%41",
            "naas://jobs/{id",
            "naas://jobs/id}",
            "naas://jobs/{#id}",
            "naas://me@jobs",
            "naas://jobs#x",
            "naas://jo bs",
            "naas://\u{e4}",
            &format!("naas://{}", "x".repeat(250)),
        ] {
            assert!(text.parse::<UriPattern>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_question_that_takes_too_long_is_answered_with_no() {
        let greedy = pattern(&format!("a:{}x", "**a".repeat(80)));
        let uri = ResourceUri::parse(&format!("a:{}", "a".repeat(1_000))).unwrap();
        let mut steps = Steps::default();
        for _ in 0..100 {
            assert!(!greedy.matches(&uri, &mut steps));
        }
        assert!(!steps.are_left());
        assert!(!pattern("a:**").matches(&uri, &mut steps), "nothing matches any more");
    }
}

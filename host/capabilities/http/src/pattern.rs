//! Patterns of paths: `/v2/jobs/*`, `/v2/**`, `DELETE /v2/jobs/*`.
//!
//! A pattern may begin with a method and a blank; it then holds for that method alone (for GET, for HEAD too). So
//! a tool that reads an object and deletes a part of it need not be given the right to delete the object.
//!
//! A pattern is a list of segments. `*` is one segment, `**` any number of them, also none; anything else is itself,
//! in the normal form of [`crate::path`]. A trailing slash is an empty last segment, which `**` takes and `*` does
//! not.
//!
//! A grant and a tool's reach may only narrow, so the question "does this set of patterns hold everything that
//! that one holds" is asked at load, and answered exactly (see [`cover`]).

mod cover;

use std::fmt;

use http::Method;

use crate::path::{PathFault, push_segment};

/// One pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    text: String,
    /// None: any.
    method: Option<Method>,
    segments: Vec<Segment>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Segment {
    /// Itself; empty only as the last one.
    Literal(String),
    /// `*`
    One,
    /// `**`
    Any,
}

/// Segments of one pattern, and patterns of one set. More is a mistake, and covering would take long.
const MOST: usize = 64;

/// Why a text is no pattern.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    /// `get /v2`
    #[error("what stands before the path is not a method")]
    NotMethod,
    /// It does not begin with a slash.
    #[error("a path pattern begins with a slash")]
    NotAbsolute,
    /// `job-*`
    #[error("a wildcard stands for whole segments")]
    PartOfSegment,
    /// `//`
    #[error("a path pattern has no empty segments")]
    EmptySegment,
    /// It could never match.
    #[error("no request can match this pattern: {0}")]
    Unreachable(PathFault),
    /// A query or a fragment.
    #[error("a path pattern has no query and no fragment")]
    NotOnlyPath,
    /// Too many segments.
    #[error("a path pattern has at most {MOST} segments")]
    TooLong,
}

impl PatternError {
    /// What to write instead.
    pub fn help(&self) -> &'static str {
        match self {
            Self::NotMethod => "write it like \"DELETE /v2/jobs/*\", or leave the method out",
            Self::NotAbsolute => "write it like \"/v2/jobs\"",
            Self::PartOfSegment => "* is one segment and ** any number of them: \"/v2/jobs/*\" or \"/v2/**\"",
            Self::EmptySegment => "leave one slash out",
            Self::Unreachable(_) => {
                "write the path as it is sent, without encoded separators and dot segments"
            }
            Self::NotOnlyPath => "write the path alone; queries are not restricted",
            Self::TooLong => "end it with /** earlier",
        }
    }
}

impl Pattern {
    /// Reads a pattern.
    pub fn parse(text: &str) -> Result<Self, PatternError> {
        let (method, path) = match text.split_once(' ') {
            Some((method, path)) if !method.starts_with('/') => (Some(parse_method(method)?), path),
            _ => (None, text),
        };
        let rest = path.strip_prefix('/').ok_or(PatternError::NotAbsolute)?;
        if rest.contains(['?', '#']) {
            return Err(PatternError::NotOnlyPath);
        }
        let mut segments = Vec::new();
        let mut parts = rest.split('/').peekable();
        while let Some(part) = parts.next() {
            let segment = match part {
                "" if parts.peek().is_some() => return Err(PatternError::EmptySegment),
                "*" => Segment::One,
                // Two in a row say no more than one.
                "**" if segments.last() == Some(&Segment::Any) => continue,
                "**" => Segment::Any,
                part if part.contains('*') => return Err(PatternError::PartOfSegment),
                part => {
                    let mut normal = String::new();
                    push_segment(&mut normal, part).map_err(PatternError::Unreachable)?;
                    Segment::Literal(normal)
                }
            };
            segments.push(segment);
        }
        if segments.len() > MOST {
            Err(PatternError::TooLong)
        } else {
            Ok(Self { text: text.into(), method, segments })
        }
    }

    /// The method that it holds for alone.
    pub fn method(&self) -> Option<&Method> {
        self.method.as_ref()
    }

    /// Whether it holds for a method. GET brings HEAD with it, which asks for less.
    fn holds_for(&self, method: &Method) -> bool {
        self.method.as_ref().is_none_or(|own| own == method || (own == Method::GET && method == Method::HEAD))
    }

    /// Whether a path in normal form matches. Allocates nothing; goes back to the last `**` only, which is enough
    /// since what an earlier one could take in addition, the last one can take as well.
    fn matches(&self, path: &str) -> bool {
        let mut at = 0;
        let mut rest = path.strip_prefix('/');
        let mut last_any = None;
        while let Some(left) = rest {
            let (segment, next) = match left.split_once('/') {
                Some((segment, next)) => (segment, Some(next)),
                None => (left, None),
            };
            match self.segments.get(at) {
                Some(Segment::Any) => {
                    last_any = Some((at, rest));
                    at += 1;
                    continue;
                }
                Some(Segment::One) if !segment.is_empty() => (at, rest) = (at + 1, next),
                Some(Segment::Literal(literal)) if literal == segment => (at, rest) = (at + 1, next),
                _ => {
                    // The last ** takes one segment more.
                    let Some((any, Some(from))) = last_any else { return false };
                    let from = from.split_once('/').map(|(_, next)| next);
                    last_any = Some((any, from));
                    (at, rest) = (any + 1, from);
                }
            }
        }
        self.segments[at..].iter().all(|segment| *segment == Segment::Any)
    }
}

fn parse_method(text: &str) -> Result<Method, PatternError> {
    let usual = !text.is_empty() && text == text.to_ascii_uppercase();
    Method::from_bytes(text.as_bytes()).ok().filter(|_| usual).ok_or(PatternError::NotMethod)
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Some patterns: a path matches when one of them does.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PathSet(Vec<Pattern>);

impl PathSet {
    /// The most patterns of one set.
    pub const MOST: usize = MOST;

    /// A set of these.
    pub fn new(patterns: Vec<Pattern>) -> Self {
        Self(patterns)
    }

    /// Whether a request with this method and a path in normal form matches.
    pub fn matches(&self, method: &Method, path: &str) -> bool {
        self.0.iter().any(|pattern| pattern.holds_for(method) && pattern.matches(path))
    }

    /// Whether every request that matches `narrow` matches this set as well. Exact for each method but for one case:
    /// sets made to be hard are given up on, and given up means no. A narrow pattern without a method is covered only
    /// by patterns without one, also where the set names every method by itself.
    pub fn covers(&self, narrow: &Pattern) -> bool {
        let applies = |wide: &&Pattern| match &narrow.method {
            None => wide.method.is_none(),
            Some(method) => wide.holds_for(method),
        };
        let wide: Vec<_> = self.0.iter().filter(applies).cloned().collect();
        cover::covers(&wide, narrow)
    }

    /// The patterns of `other` that match something which this set does not.
    pub fn beyond<'a>(&self, other: &'a PathSet) -> Vec<&'a Pattern> {
        other.0.iter().filter(|pattern| !self.covers(pattern)).collect()
    }

    /// As it stands in TOML: `["/v2/**", "/healthcheck"]`.
    pub fn toml(&self) -> String {
        let quoted: Vec<_> = self.0.iter().map(|pattern| format!("{:?}", pattern.text)).collect();
        format!("[{}]", quoted.join(", "))
    }
}

impl fmt::Display for PathSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let texts: Vec<_> = self.0.iter().map(|pattern| pattern.text.as_str()).collect();
        f.write_str(&texts.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(patterns: &[&str]) -> PathSet {
        PathSet(patterns.iter().map(|text| Pattern::parse(text).unwrap()).collect())
    }

    #[test]
    fn patterns_match_whole_paths() {
        for (pattern, path, expected) in [
            ("/healthcheck", "/healthcheck", true),
            ("/healthcheck", "/healthcheck/", false),
            ("/healthcheck", "/healthcheck2", false),
            ("/healthcheck", "/", false),
            ("/", "/", true),
            ("/", "/a", false),
            ("/v2/*", "/v2/jobs", true),
            ("/v2/*", "/v2", false),
            ("/v2/*", "/v2/", false),
            ("/v2/*", "/v2/jobs/1", false),
            ("/v2/**", "/v2", true),
            ("/v2/**", "/v2/", true),
            ("/v2/**", "/v2/jobs/1/2/3/", true),
            ("/v2/**", "/v20", false),
            ("/v2/**", "/v3/v2", false),
            ("/**", "/", true),
            ("/**", "/a/b", true),
            ("/**/jobs", "/jobs", true),
            ("/**/jobs", "/a/b/jobs", true),
            ("/**/jobs", "/a/b/jobs/c", false),
            ("/a/**/b/*/c", "/a/b/b/x/c", true),
            ("/a/**/b/*/c", "/a/b/x/c", true),
            ("/a/**/b/*/c", "/a/b/c", false),
            ("/a/**/b/**/c", "/a/1/b/2/b/3/c", true),
            ("/a/**/b/**/c", "/a/1/b/2/b/3", false),
            ("/**/**/x", "/x", true),
            ("/caf%c3%a9", "/caf%C3%A9", true),
            ("/caf\u{e9}", "/caf%C3%A9", true),
            ("/jobs/", "/jobs/", true),
            ("/jobs/", "/jobs", false),
        ] {
            assert_eq!(set(&[pattern]).matches(&Method::POST, path), expected, "{pattern} on {path}");
        }
    }

    #[test]
    fn a_pattern_with_a_method_holds_for_that_method_alone() {
        let paths = set(&["GET /devices/*", "DELETE /devices/*/penalty", "/status"]);
        for (method, path, expected) in [
            (Method::GET, "/devices/1", true),
            (Method::HEAD, "/devices/1", true),
            (Method::DELETE, "/devices/1", false),
            (Method::DELETE, "/devices/1/penalty", true),
            (Method::GET, "/devices/1/penalty", false),
            (Method::PUT, "/status", true),
        ] {
            assert_eq!(paths.matches(&method, path), expected, "{method} {path}");
        }
    }

    #[test]
    fn covering_keeps_methods_apart() {
        for (wide, narrow, expected) in [
            (&["/a/**"][..], "DELETE /a/b", true),
            (&["DELETE /a/**"], "DELETE /a/b", true),
            (&["DELETE /a/**"], "/a/b", false),
            (&["DELETE /a/**"], "GET /a/b", false),
            (&["GET /a/**"], "HEAD /a/b", true),
            (&["HEAD /a/**"], "GET /a/b", false),
            (&["GET /a/**", "DELETE /a/x"], "DELETE /a/**", false),
            (&["DELETE /a", "DELETE /a/", "/a/*", "DELETE /a/*/**"], "DELETE /a/**", true),
        ] {
            assert_eq!(
                set(wide).covers(&Pattern::parse(narrow).unwrap()),
                expected,
                "{wide:?} over {narrow}"
            );
        }
    }

    #[test]
    fn a_text_that_can_never_match_is_no_pattern() {
        for (text, error) in [
            ("v2/**", PatternError::NotAbsolute),
            ("", PatternError::NotAbsolute),
            ("/v2/job-*", PatternError::PartOfSegment),
            ("/v2/***", PatternError::PartOfSegment),
            ("/v2//jobs", PatternError::EmptySegment),
            ("/v2?x=1", PatternError::NotOnlyPath),
            ("/v2#x", PatternError::NotOnlyPath),
            ("/v2/../admin", PatternError::Unreachable(PathFault::DotSegment)),
            ("/v2/a%2fb", PatternError::Unreachable(PathFault::EncodedSeparator)),
            ("/v2/a;b", PatternError::Unreachable(PathFault::Semicolon)),
            ("get /v2", PatternError::NotMethod),
            (" /v2", PatternError::NotMethod),
            ("GET v2", PatternError::NotAbsolute),
            ("GET  /v2", PatternError::NotAbsolute),
        ] {
            assert_eq!(Pattern::parse(text), Err(error), "{text}");
        }
        assert_eq!(Pattern::parse(&"/a".repeat(65)), Err(PatternError::TooLong));
    }

    #[test]
    fn covering_is_exact() {
        for (wide, narrow, expected) in [
            (&["/v2/**"][..], "/v2/**", true),
            (&["/v2/**"], "/v2/jobs", true),
            (&["/v2/**"], "/v2/jobs/*", true),
            (&["/v2/**"], "/v2/*/x/**", true),
            (&["/v2/**"], "/v2", true),
            (&["/v2/**"], "/v2/", true),
            (&["/v2/**"], "/v3/**", false),
            (&["/v2/**"], "/**", false),
            (&["/v2/**"], "/*/jobs", false),
            (&["/v2/*"], "/v2/**", false),
            (&["/v2/*"], "/v2", false),
            (&["/v2/*"], "/v2/", false),
            (&["/v2/*"], "/v2/jobs", true),
            (&["/v2/*"], "/v2/*/", false),
            (&["/v2/jobs"], "/v2/*", false),
            (&["/**"], "/**", true),
            (&["/**"], "/", true),
            (&["/*"], "/", false),
            (&["/**/jobs"], "/a/**/jobs", true),
            (&["/a/**/jobs"], "/**/jobs", false),
            // Only together.
            (&["/a", "/a/", "/a/*", "/a/*/**"], "/a/**", true),
            (&["/a", "/a/*", "/a/*/**"], "/a/**", false),
            (&["/a/", "/a/*", "/a/*/**"], "/a/**", false),
            (&["/a/*", "/a/*/**"], "/a/*/**", true),
            (&["/a/*/x", "/a/*/*"], "/a/b/*", true),
            (&["/a/*/x", "/a/*/y"], "/a/b/*", false),
            (&["/x/**", "/**/y"], "/x/**/y", true),
            (&["/x/**", "/*"], "/**", false),
            (&["/a/**/b/**/c"], "/a/b/b/c", true),
            (&["/a/**/b/**/c"], "/a/b/**/b/c", true),
            (&["/a/**/b/**/c"], "/a/**/c", false),
            (&["/v2/**", "/healthcheck"], "/healthcheck", true),
            (&["/v2/**", "/healthcheck"], "/healthcheck/", false),
            (&[], "/a", false),
        ] {
            assert_eq!(
                set(wide).covers(&Pattern::parse(narrow).unwrap()),
                expected,
                "{wide:?} over {narrow}"
            );
        }
    }

    /// Every set and pattern of a small world against every path of it: what covering says is what matching does.
    #[test]
    fn covering_agrees_with_matching_on_every_small_path() {
        let parts = ["a", "b", "*", "**"];
        let mut patterns: Vec<String> = vec!["/".into()];
        for first in parts {
            patterns.push(format!("/{first}"));
            patterns.push(format!("/{first}/"));
            for second in parts {
                patterns.push(format!("/{first}/{second}"));
                patterns.push(format!("/{first}/{second}/"));
                for third in parts {
                    patterns.push(format!("/{first}/{second}/{third}"));
                }
            }
        }
        let mut paths: Vec<String> = vec![String::new()];
        let mut all = vec!["/".to_owned()];
        for _ in 0..4 {
            paths =
                paths.iter().flat_map(|path| ["a", "b", "c"].map(|part| format!("{path}/{part}"))).collect();
            all.extend(paths.iter().flat_map(|path| [path.clone(), format!("{path}/")]));
        }
        let matching: Vec<Vec<bool>> = patterns
            .iter()
            .map(|pattern| all.iter().map(|path| set(&[pattern]).matches(&Method::GET, path)).collect())
            .collect();
        let holds = |wide: &[usize], narrow: usize| {
            (0..all.len())
                .all(|path| !matching[narrow][path] || wide.iter().any(|wide| matching[*wide][path]))
        };
        for narrow in 0..patterns.len() {
            let pattern = Pattern::parse(&patterns[narrow]).unwrap();
            for one in 0..patterns.len() {
                let two = (one * 7 + narrow) % patterns.len();
                for wide in [vec![one], vec![one, two]] {
                    let texts: Vec<_> = wide.iter().map(|wide| patterns[*wide].as_str()).collect();
                    assert_eq!(
                        set(&texts).covers(&pattern),
                        holds(&wide, narrow),
                        "{texts:?} over {}",
                        patterns[narrow]
                    );
                }
            }
        }
    }

    #[test]
    fn patterns_made_to_be_hard_are_refused_and_not_pondered() {
        let hard: Vec<String> = (0..40).map(|n| format!("/**/a{}", "/*".repeat(n))).collect();
        let texts: Vec<_> = hard.iter().map(String::as_str).collect();
        let narrow = format!("/**/a{}", "/*".repeat(50));
        assert!(!set(&texts).covers(&Pattern::parse(&narrow).unwrap()));
    }
}

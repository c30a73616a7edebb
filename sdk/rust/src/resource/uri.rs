//! URIs with variables: RFC 6570, level 1 and `{+name}`, in both directions.

use std::collections::HashSet;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// One piece of a URI.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// These characters.
    Literal(&'static str),
    /// `{name}`: something without a slash.
    Segment(&'static str),
    /// `{+name}`: something that may have slashes.
    Rest(&'static str),
}

/// RFC 3986: what is never encoded.
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
/// `{+name}` leaves the slash as it is; more would let a value change what the URI means.
const WITH_SLASHES: &AsciiSet = &UNRESERVED.remove(b'/');

/// RFC 6570, section 3.2.2 and 3.2.3: a variable without a value is nothing.
pub(super) fn expand(parts: &[Part], values: &[(&str, &str)]) -> String {
    let value = |name: &str| values.iter().find(|(known, _)| *known == name).map_or("", |(_, value)| value);
    parts
        .iter()
        .map(|part| match part {
            Part::Literal(text) => (*text).to_owned(),
            Part::Segment(name) => utf8_percent_encode(value(name), UNRESERVED).to_string(),
            Part::Rest(name) => utf8_percent_encode(value(name), WITH_SLASHES).to_string(),
        })
        .collect()
}

/// What stands in a URI in the places of a template's variables, decoded.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Variables {
    pairs: Vec<(&'static str, String)>,
}

impl Variables {
    /// None: the URI is not one of the template's. Nor is one whose variables hold control characters or lead to
    /// another directory (`.`, `..`), encoded or not: nobody names a thing so, and code that builds a path of it is
    /// spared the question.
    pub(crate) fn of(parts: &[Part], uri: &str) -> Option<Self> {
        let mut found = Vec::new();
        if !matches(parts, uri, &mut found, &mut HashSet::new(), uri.len()) {
            return None;
        }
        let pairs = found
            .into_iter()
            .map(|(name, raw)| {
                let value = percent_decode_str(raw).decode_utf8().ok()?.into_owned();
                let leads_away = value.split(['/', '\\']).any(|segment| segment == "." || segment == "..");
                (!leads_away && !value.chars().any(char::is_control)).then_some((name, value))
            })
            .collect::<Option<_>>()?;
        Some(Self { pairs })
    }

    /// The value of this variable.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.pairs.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.pairs.iter().map(|(name, value)| (*name, value.as_str()))
    }
}

/// Leftmost variables take as little as they can. `failed` holds where a rest of the parts did not fit a rest of the
/// URI, so that the work grows with the product of their lengths and not beyond.
fn matches<'a>(
    parts: &[Part],
    rest: &'a str,
    found: &mut Vec<(&'static str, &'a str)>,
    failed: &mut HashSet<(usize, usize)>,
    whole: usize,
) -> bool {
    let Some((part, others)) = parts.split_first() else { return rest.is_empty() };
    let here = (parts.len(), whole - rest.len());
    if failed.contains(&here) {
        return false;
    }
    let fits = match part {
        Part::Literal(text) => {
            rest.strip_prefix(text).is_some_and(|rest| matches(others, rest, found, failed, whole))
        }
        Part::Segment(name) | Part::Rest(name) => {
            let most = match part {
                Part::Segment(_) => rest.find(['/', '?', '#']).unwrap_or(rest.len()),
                _ => rest.len(),
            };
            let ends = rest.char_indices().map(|(at, c)| at + c.len_utf8()).take_while(|end| *end <= most);
            let mut ends = ends;
            ends.any(|end| {
                found.push((name, &rest[..end]));
                let fits = matches(others, &rest[end..], found, failed, whole);
                if !fits {
                    found.pop();
                }
                fits
            })
        }
    };
    if !fits {
        failed.insert(here);
    }
    fits
}

#[cfg(test)]
mod tests {
    use super::{Part, Variables, expand};

    const JOB: &[Part] = &[Part::Literal("x://jobs/"), Part::Segment("id"), Part::Literal("/log")];
    const FILE: &[Part] = &[Part::Literal("x://files/"), Part::Rest("path"), Part::Literal(".txt")];
    const PAIR: &[Part] = &[
        Part::Literal("x://"),
        Part::Segment("a"),
        Part::Literal("-"),
        Part::Segment("b"),
        Part::Literal(".json"),
    ];

    #[track_caller]
    fn found(parts: &[Part], uri: &str) -> Vec<String> {
        let variables = Variables::of(parts, uri).unwrap_or_else(|| panic!("{uri} fits"));
        variables.pairs().map(|(name, value)| format!("{name}={value}")).collect()
    }

    #[test]
    fn a_uri_gives_its_variables_decoded() {
        assert_eq!(found(JOB, "x://jobs/7/log"), ["id=7"]);
        assert_eq!(found(JOB, "x://jobs/a%20b%C3%A4/log"), ["id=a bä"]);
        assert_eq!(found(JOB, "x://jobs/a%2Fb/log"), ["id=a/b"]);
        assert_eq!(found(FILE, "x://files/a/b.txt.txt"), ["path=a/b.txt"]);
        assert_eq!(found(PAIR, "x://p-q.json-r.json"), ["a=p", "b=q.json-r"]);
    }

    #[test]
    fn a_uri_of_another_shape_has_none() {
        for uri in
            ["x://jobs//log", "x://jobs/7", "x://jobs/7/log/", "x://jobs/7/8/log", "y://jobs/7/log", ""]
        {
            assert_eq!(Variables::of(JOB, uri), None, "{uri}");
        }
        assert_eq!(Variables::of(FILE, "x://files/.txt"), None);
        assert_eq!(Variables::of(JOB, "x://jobs/7?a/log"), None);
    }

    #[test]
    fn what_leads_elsewhere_is_no_variable() {
        for id in ["..", ".", "%2E%2E", "a%2F..%2Fb", "..%5Cb", "a%00", "a%0Ab", "%FF"] {
            assert_eq!(Variables::of(JOB, &format!("x://jobs/{id}/log")), None, "{id}");
        }
        assert_eq!(Variables::of(FILE, "x://files/a/../../b.txt"), None);
        assert_eq!(found(JOB, "x://jobs/..a/log"), ["id=..a"]);
    }

    #[test]
    fn a_uri_that_almost_fits_many_times_costs_little() {
        let parts: Vec<Part> = (0..8).flat_map(|_| [Part::Literal("a"), Part::Rest("v")]).collect();
        let parts = [&parts[..], &[Part::Literal("!")]].concat();
        assert_eq!(Variables::of(&parts, &"a".repeat(500)), None);
    }

    #[test]
    fn values_are_encoded_and_read_back() {
        for value in ["7", "a b", "ä/ö", "50%", "x?y#z", "…"] {
            let uri = expand(JOB, &[("id", value)]);
            assert_eq!(found(JOB, &uri), [format!("id={value}")], "{uri}");
        }
        assert_eq!(expand(FILE, &[("path", "a/b c")]), "x://files/a/b%20c.txt");
        assert_eq!(expand(JOB, &[]), "x://jobs//log");
    }
}

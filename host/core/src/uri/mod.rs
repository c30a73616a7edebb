//! URIs of resources: which spellings are taken at all, and which entry of a manifest decides over one.
//!
//! A caller chooses the URI, the manifest's patterns say who may read it, and the guest reads it with whatever parser
//! its author likes. If the two understand one spelling differently, a caller reads what an entry guards. So:
//!
//! - what parsers are known to disagree about is refused (dot segments, encoded separators, user information,
//!   parameters behind `;`, double encoding: see [`UriRefused`]);
//! - what has one meaning in several spellings is brought into one, and the guest gets that one ([`ResourceUri`]);
//! - what a guest might ignore (a query, a port, a trailing slash, the case of a host, the number of slashes) makes
//!   further [readings](ResourceUri::readings): where one of them is guarded too, the caller needs that role as well.
//!
//! [`UriPattern`] is the key of a `[resources]` entry, [`UriTemplate`] what a plugin lists (RFC 6570).

mod pattern;
mod symbols;
mod template;

pub use pattern::{MAX_PATTERN, Steps, UriPattern};
pub use template::{TemplateRefused, UriTemplate};

/// Bytes of a URI.
pub const MAX_URI: usize = 1024;

/// A URI in the one spelling that is compared and that the guest gets: the scheme in lower case, nothing encoded that
/// need not be, escapes in upper case.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ResourceUri(String);

/// A text that is no URI, or one that two parsers may read differently.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UriRefused {
    /// Over [`MAX_URI`].
    #[error("is {0} bytes long; at most {MAX_URI} are allowed")]
    Long(usize),
    /// No scheme, or nothing behind it.
    #[error("has no scheme with something behind it (naas://jobs)")]
    NoScheme,
    /// RFC 3986 has no such character.
    #[error("has the character {0:?}, which no URI has")]
    Character(char),
    /// A `%` without two hexadecimal digits, or bytes that are no UTF-8.
    #[error("has an escape that stands for no text")]
    Escape,
    /// `%2F`, `%5C`.
    #[error("has an encoded slash or backslash")]
    Separator,
    /// `%00` to `%1F`, `%7F`, and what hides or reorders text.
    #[error("has an encoded control character")]
    Control,
    /// `%252e`: decoded twice it is something else.
    #[error("is encoded twice")]
    Twice,
    /// `.` or `..`.
    #[error("has a segment \".\" or \"..\"")]
    DotSegment,
    /// `//` within the path.
    #[error("has an empty segment")]
    EmptySegment,
    /// `user@host`.
    #[error("has user information before its host")]
    User,
    /// `a;b=c`.
    #[error("has parameters behind \";\"")]
    Parameters,
    /// `#part`: a matter of the client, never part of a request (RFC 3986, section 3.5).
    #[error("has a fragment")]
    Fragment,
}

impl ResourceUri {
    /// Takes what has one meaning.
    pub fn parse(text: &str) -> Result<Self, UriRefused> {
        if text.len() > MAX_URI {
            return Err(UriRefused::Long(text.len()));
        }
        if let Some(wrong) = text.chars().find(|c| !c.is_ascii_graphic() || "\"<>\\^`{|}".contains(*c)) {
            return Err(UriRefused::Character(wrong));
        }
        let (scheme, rest) = text.split_once(':').ok_or(UriRefused::NoScheme)?;
        if !is_scheme(scheme) || rest.trim_start_matches('/').is_empty() {
            return Err(UriRefused::NoScheme);
        }
        if rest.contains('#') {
            return Err(UriRefused::Fragment);
        }
        if rest.contains(';') {
            return Err(UriRefused::Parameters);
        }
        let rest = one_encoding(rest)?;
        let uri = Self(format!("{}:{rest}", scheme.to_ascii_lowercase()));
        let parts = uri.parts();
        if parts.authority.is_some_and(|authority| authority.contains('@')) {
            return Err(UriRefused::User);
        }
        // A slash within the query separates as well for a guest that splits before it looks for one.
        let all = rest.trim_start_matches('/').split(['/', '?', '&', '=']);
        if all.clone().any(|segment| matches!(segment, "." | "..")) {
            return Err(UriRefused::DotSegment);
        }
        if parts.path.contains("//") {
            return Err(UriRefused::EmptySegment);
        }
        Ok(uri)
    }

    /// As it is compared, and as the guest gets it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Its scheme, in lower case.
    pub fn scheme(&self) -> &str {
        self.0.split_once(':').map_or("", |(scheme, _)| scheme)
    }

    /// What a guest could take it for, itself first: without its query, its port, its trailing slash, with its host in
    /// lower case, with two slashes behind the scheme.
    pub fn readings(&self) -> Vec<Self> {
        let mut readings = vec![self.clone()];
        // The slashes once more: what lies between them may be gone by then.
        for reading in [without_query, without_slash, two_slashes, without_port, small_host, two_slashes] {
            for index in 0..readings.len() {
                let other = reading(&readings[index]).filter(|other| !readings.contains(other));
                readings.extend(other);
            }
        }
        readings
    }

    /// Whether this one lies below another: the same, a slash, and more.
    pub fn is_below(&self, above: &Self) -> bool {
        let above = above.0.split('?').next().unwrap_or_default().trim_end_matches('/');
        self.0.strip_prefix(above).is_some_and(|rest| rest.starts_with('/'))
    }

    fn parts(&self) -> Parts<'_> {
        let (scheme, rest) = self.0.split_once(':').unwrap_or((&self.0, ""));
        let (hierarchy, query) = match rest.split_once('?') {
            Some((hierarchy, query)) => (hierarchy, Some(query)),
            None => (rest, None),
        };
        let (authority, path) = match hierarchy.strip_prefix("//") {
            Some(rest) => {
                let end = rest.find('/').unwrap_or(rest.len());
                (Some(&rest[..end]), &rest[end..])
            }
            None => (None, hierarchy),
        };
        Parts { scheme, authority, path, query }
    }
}

impl std::fmt::Display for ResourceUri {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// RFC 3986, section 3.
struct Parts<'a> {
    scheme: &'a str,
    authority: Option<&'a str>,
    path: &'a str,
    query: Option<&'a str>,
}

impl Parts<'_> {
    /// None: nothing would stand behind the scheme.
    fn joined(&self) -> Option<ResourceUri> {
        let Self { scheme, authority, path, query } = self;
        let authority = authority.map_or_else(String::new, |authority| format!("//{authority}"));
        let query = query.map_or_else(String::new, |query| format!("?{query}"));
        let rest = format!("{authority}{path}{query}");
        (!rest.trim_start_matches('/').is_empty()).then(|| ResourceUri(format!("{scheme}:{rest}")))
    }
}

fn without_query(uri: &ResourceUri) -> Option<ResourceUri> {
    Parts { query: None, ..uri.parts() }.joined()
}

fn without_slash(uri: &ResourceUri) -> Option<ResourceUri> {
    let parts = uri.parts();
    Parts { path: parts.path.strip_suffix('/').unwrap_or(parts.path), ..parts }.joined()
}

/// `naas:jobs`, `naas:/jobs` and `naas:///jobs` for who cuts off the scheme and the slashes.
fn two_slashes(uri: &ResourceUri) -> Option<ResourceUri> {
    let (scheme, rest) = uri.0.split_once(':')?;
    Some(ResourceUri(format!("{scheme}://{}", rest.trim_start_matches('/'))))
}

fn without_port(uri: &ResourceUri) -> Option<ResourceUri> {
    let parts = uri.parts();
    let (host, port) = parts.authority?.rsplit_once(':')?;
    port.bytes()
        .all(|byte| byte.is_ascii_digit())
        .then(|| Parts { authority: Some(host), ..parts }.joined())
        .flatten()
}

fn small_host(uri: &ResourceUri) -> Option<ResourceUri> {
    let parts = uri.parts();
    let authority = small(parts.authority?);
    Parts { authority: Some(&authority), ..parts }.joined()
}

/// In lower case, but for its escapes.
fn small(text: &str) -> String {
    let mut escape = 0;
    text.chars()
        .map(|c| {
            if c == '%' {
                escape = 3;
            }
            escape = i32::max(escape - 1, -1);
            if escape >= 0 { c } else { c.to_ascii_lowercase() }
        })
        .collect()
}

/// RFC 3986, section 3.1.
pub(crate) fn is_scheme(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'))
}

/// Decodes what needs no encoding (RFC 3986, section 6.2.2.2), and refuses what would be read in two ways.
fn one_encoding(text: &str) -> Result<String, UriRefused> {
    let mut encoded = String::with_capacity(text.len());
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            encoded.push(char::from(byte));
            decoded.push(byte);
            continue;
        }
        let mut digit = || rest.next().and_then(|digit| char::from(digit).to_digit(16));
        let (Some(high), Some(low)) = (digit(), digit()) else { return Err(UriRefused::Escape) };
        let byte = u8::try_from(high << 4 | low).unwrap_or_default();
        match byte {
            b'/' | b'\\' => return Err(UriRefused::Separator),
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                encoded.push(char::from(byte));
            }
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
        decoded.push(byte);
    }
    let decoded = String::from_utf8(decoded).map_err(|_| UriRefused::Escape)?;
    if decoded.chars().any(|c| matches!(c, '\t' | '\n') || crate::text::hostile(c)) {
        return Err(UriRefused::Control);
    }
    let hex = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_hexdigit);
    let bytes = decoded.as_bytes();
    let twice = bytes
        .iter()
        .enumerate()
        .any(|(at, byte)| *byte == b'%' && hex(bytes.get(at + 1)) && hex(bytes.get(at + 2)));
    if twice { Err(UriRefused::Twice) } else { Ok(encoded) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spelled(text: &str) -> Result<String, UriRefused> {
        ResourceUri::parse(text).map(|uri| uri.0)
    }

    #[test]
    fn what_has_one_meaning_gets_one_spelling() {
        for (given, taken) in [
            ("naas://jobs", "naas://jobs"),
            ("NAAS://jobs/7", "naas://jobs/7"),
            ("naas://jobs/%37", "naas://jobs/7"),
            ("naas://jobs/%c3%a4", "naas://jobs/%C3%A4"),
            ("naas://jobs/a%20b", "naas://jobs/a%20b"),
            ("naas://jobs/100%25", "naas://jobs/100%25"),
            ("naas://jobs?state=failed&page=2", "naas://jobs?state=failed&page=2"),
            ("urn:job:7", "urn:job:7"),
            ("file:///etc/motd", "file:///etc/motd"),
            ("device://10.0.0.1:22/config", "device://10.0.0.1:22/config"),
            ("naas://jobs/", "naas://jobs/"),
            ("naas://a...b/..c/d..", "naas://a...b/..c/d.."),
        ] {
            assert_eq!(spelled(given).as_deref(), Ok(taken), "{given}");
        }
    }

    #[test]
    fn what_two_parsers_may_read_differently_is_refused() {
        use UriRefused::*;
        for (given, why) in [
            ("", NoScheme),
            ("jobs", NoScheme),
            ("naas:", NoScheme),
            ("naas://", NoScheme),
            (":jobs", NoScheme),
            ("7aas://jobs", NoScheme),
            ("naas://jobs/a b", Character(' ')),
            ("naas://jobs/\u{e4}", Character('\u{e4}')),
            ("naas://jobs\\failed", Character('\\')),
            ("naas://jobs/{id}", Character('{')),
            ("naas://jobs/a\u{0}", Character('\u{0}')),
            ("naas://jobs/%", Escape),
            ("naas://jobs/%4", Escape),
            ("naas://jobs/%zz", Escape),
            ("naas://jobs/%c0%ae", Escape),
            ("naas://jobs/%ff", Escape),
            ("naas://jobs%2ffailed", Separator),
            ("naas://jobs%2Ffailed", Separator),
            ("naas://jobs%5cfailed", Separator),
            ("naas://jobs/%00", Control),
            ("naas://jobs/%0a", Control),
            ("naas://jobs/%7f", Control),
            ("naas://jobs/%e2%80%ae", Control),
            ("naas://jobs/%252e", Twice),
            ("naas://jobs/%25%32%65", Twice),
            ("naas://jobs/..", DotSegment),
            ("naas://jobs/../failed", DotSegment),
            ("naas://jobs/./failed", DotSegment),
            ("naas://jobs/%2e%2e/failed", DotSegment),
            ("naas://jobs/.%2E/failed", DotSegment),
            ("naas://../failed", DotSegment),
            ("naas:../failed", DotSegment),
            ("naas://jobs?file=../failed", DotSegment),
            ("naas://jobs//failed", EmptySegment),
            ("naas:////jobs", EmptySegment),
            ("naas://jobs/7//", EmptySegment),
            ("naas://me@jobs/failed", User),
            ("naas://me:word@jobs/failed", User),
            ("naas://jobs/failed;v=1", Parameters),
            ("naas://jobs/failed#part", Fragment),
            ("naas://jobs#", Fragment),
        ] {
            assert_eq!(spelled(given), Err(why), "{given}");
        }
        assert_eq!(spelled(&format!("naas://{}", "x".repeat(MAX_URI))), Err(Long(MAX_URI + 7)));
    }

    #[test]
    fn what_a_guest_might_ignore_makes_further_readings() {
        let readings = |text: &str| -> Vec<String> {
            ResourceUri::parse(text).unwrap().readings().into_iter().map(|uri| uri.0).collect()
        };
        assert_eq!(readings("naas://jobs"), ["naas://jobs"]);
        assert_eq!(readings("naas://jobs/7?a=b"), ["naas://jobs/7?a=b", "naas://jobs/7"]);
        assert_eq!(readings("naas://jobs/7/"), ["naas://jobs/7/", "naas://jobs/7"]);
        assert_eq!(readings("naas://jobs/7?"), ["naas://jobs/7?", "naas://jobs/7"]);
        assert_eq!(readings("naas:///jobs/7"), ["naas:///jobs/7", "naas://jobs/7"]);
        assert_eq!(readings("naas:jobs"), ["naas:jobs", "naas://jobs"]);
        assert_eq!(readings("naas:/jobs"), ["naas:/jobs", "naas://jobs"]);
        assert_eq!(
            readings("naas://Jobs:80"),
            ["naas://Jobs:80", "naas://Jobs", "naas://jobs:80", "naas://jobs"]
        );
        assert_eq!(readings("naas://jobs:"), ["naas://jobs:", "naas://jobs"]);
        assert!(readings("naas://:8/jobs/1").contains(&"naas://jobs/1".to_owned()));
        assert!(readings("naas://J:1/a/?b").contains(&"naas://j/a".to_owned()));
        assert!(readings("NAAS:///J:1/A/?B").len() <= 32);
    }

    #[test]
    fn below_is_behind_a_slash() {
        let uri = |text: &str| ResourceUri::parse(text).unwrap();
        assert!(uri("naas://jobs/7").is_below(&uri("naas://jobs")));
        assert!(uri("naas://jobs/7").is_below(&uri("naas://jobs/")));
        assert!(uri("naas://jobs/7").is_below(&uri("naas://jobs?page=2")));
        assert!(!uri("naas://jobs-secret").is_below(&uri("naas://jobs")));
        assert!(!uri("naas://jobs").is_below(&uri("naas://jobs")));
        assert!(!uri("naas://devices/7").is_below(&uri("naas://jobs")));
    }
}

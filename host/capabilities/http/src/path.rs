//! Paths as they are compared and sent.
//!
//! A grant says `/v2/**`, and whatever the guest writes, the upstream must not understand another path than the one
//! that was compared. Servers, proxies and frameworks differ in what they decode and when, so every spelling that
//! any of them is known to read as something else is refused, and what goes out is the form that was compared:
//! unreserved characters plain, everything else that needs it percent-encoded in upper case (RFC 3986, 6.2.2).

use std::fmt;

/// A path in normal form. Begins with `/`; may end with one.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct NormalPath(String);

/// The longest path that is sent, in bytes. Servers refuse longer request lines than 8 KiB.
const LONGEST: usize = 8 << 10;

/// Why a path has no normal form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PathFault {
    /// It does not begin with a slash.
    #[error("the path does not begin with a slash")]
    NotAbsolute,
    /// More than 8 KiB.
    #[error("the path is longer than 8 KiB")]
    TooLong,
    /// `//`
    #[error("the path has an empty segment")]
    EmptySegment,
    /// `.`, `..` and what some servers take for them, plain or encoded.
    #[error("the path has a dot segment")]
    DotSegment,
    /// `%2f`, `%5c`, and the full-width forms.
    #[error("the path has an encoded separator")]
    EncodedSeparator,
    /// `\`
    #[error("the path has a backslash")]
    Backslash,
    /// `;`, which some servers cut segments at.
    #[error("the path has a semicolon")]
    Semicolon,
    /// NUL, line breaks and their like, plain or encoded.
    #[error("the path has a control character")]
    Control,
    /// `%` without two hexadecimal digits.
    #[error("the path has an invalid percent-encoding")]
    InvalidEncoding,
    /// `%25` before two hexadecimal digits: decoded twice, it is something else.
    #[error("the path is percent-encoded twice")]
    EncodedTwice,
    /// Bytes that are no text, which is also how overlong forms of `/` and `.` come.
    #[error("the path is not UTF-8")]
    NotUtf8,
}

impl NormalPath {
    /// Brings a path, without its query, into normal form.
    pub fn parse(raw: &str) -> Result<Self, PathFault> {
        if raw.len() > LONGEST {
            return Err(PathFault::TooLong);
        }
        let rest = raw.strip_prefix('/').ok_or(PathFault::NotAbsolute)?;
        let mut normal = String::with_capacity(raw.len() + 16);
        let mut segments = rest.split('/').peekable();
        while let Some(segment) = segments.next() {
            if segment.is_empty() && segments.peek().is_some() {
                return Err(PathFault::EmptySegment);
            }
            normal.push('/');
            push_segment(&mut normal, segment)?;
        }
        if normal.len() > LONGEST {
            return Err(PathFault::TooLong);
        }
        Ok(Self(normal))
    }

    /// The path.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What follows a base path, if this lies at or below it. A base ends without a slash; the empty one is the
    /// whole host.
    pub fn below(&self, base: &str) -> Option<NormalPath> {
        match self.0.strip_prefix(base)? {
            "" => Some(Self("/".into())),
            rest if rest.starts_with('/') => Some(Self(rest.to_owned())),
            _ => None,
        }
    }
}

impl fmt::Display for NormalPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Appends one segment in normal form. Empty stays empty.
pub(crate) fn push_segment(normal: &mut String, segment: &str) -> Result<(), PathFault> {
    if segment.bytes().all(stays_plain) {
        if !segment.is_empty() && segment.bytes().all(|byte| byte == b'.') {
            return Err(PathFault::DotSegment);
        }
        normal.push_str(segment);
        return Ok(());
    }
    let mut decoded = Vec::with_capacity(segment.len());
    let mut bytes = segment.bytes();
    while let Some(byte) = bytes.next() {
        let encoded = byte == b'%';
        let byte = if encoded {
            hex_pair(bytes.next(), bytes.next()).ok_or(PathFault::InvalidEncoding)?
        } else {
            byte
        };
        decoded.push(byte);
        // What was encoded stays so unless that never makes a difference; `%2B` and `+` are two things.
        let plain = if encoded { unreserved(byte) } else { stays_plain(byte) };
        if plain {
            normal.push(char::from(byte));
        } else {
            const HEX: &[u8; 16] = b"0123456789ABCDEF";
            let digits = [HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]];
            normal.extend(['%', char::from(digits[0]), char::from(digits[1])]);
        }
    }
    refuse_misreadable(segment, &decoded)
}

/// Refuses what some server reads as another path.
fn refuse_misreadable(raw: &str, decoded: &[u8]) -> Result<(), PathFault> {
    let Ok(text) = std::str::from_utf8(decoded) else { return Err(PathFault::NotUtf8) };
    for c in text.chars() {
        match c {
            '\\' if raw.contains('\\') => return Err(PathFault::Backslash),
            // Full-width and other forms that compatibility mappings turn into separators.
            '/' | '\\' | '\u{ff0f}' | '\u{ff3c}' | '\u{2044}' | '\u{2215}' | '\u{29f8}' | '\u{2216}' => {
                return Err(PathFault::EncodedSeparator);
            }
            ';' | '\u{ff1b}' | '\u{37e}' => return Err(PathFault::Semicolon),
            c if c.is_control() => return Err(PathFault::Control),
            _ => {}
        }
    }
    let twice = |at: usize| hex_pair(decoded.get(at + 1).copied(), decoded.get(at + 2).copied()).is_some();
    if decoded.iter().enumerate().any(|(at, byte)| *byte == b'%' && twice(at)) {
        return Err(PathFault::EncodedTwice);
    }
    // Windows drops dots and blanks at the end of a name, so `.. ` is `..` there.
    let dot =
        |c: char| matches!(c, '.' | '\u{ff0e}' | '\u{2024}' | '\u{2025}' | '\u{2026}') || c.is_whitespace();
    if text.chars().all(dot) { Err(PathFault::DotSegment) } else { Ok(()) }
}

/// `pchar` of RFC 3986 without `%` and without `;`.
fn stays_plain(byte: u8) -> bool {
    unreserved(byte)
        || matches!(byte, b'!' | b'$' | b'&' | b'\'' | b'(' | b')' | b'*' | b'+' | b',' | b'=' | b':' | b'@')
}

fn unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

fn hex_pair(high: Option<u8>, low: Option<u8>) -> Option<u8> {
    let digit = |byte: Option<u8>| char::from(byte?).to_digit(16);
    u8::try_from(digit(high)? * 16 + digit(low)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_paths_stay_as_they_are() {
        for path in ["/", "/v2/jobs", "/v2/jobs/", "/a-b/c_d/~e", "/orgs/a.b/..c/d..", "/a:b/@c/x=1,2"] {
            assert_eq!(NormalPath::parse(path).unwrap().as_str(), path);
        }
    }

    #[test]
    fn one_path_has_one_spelling() {
        for (raw, normal) in [
            ("/v2/%6a%6F%62s", "/v2/jobs"),
            ("/v2/a%20b", "/v2/a%20b"),
            ("/v2/%c3%a9", "/v2/%C3%A9"),
            ("/v2/\u{e9}", "/v2/%C3%A9"),
            ("/v2/\"{}|", "/v2/%22%7B%7D%7C"),
            ("/v2/100%25", "/v2/100%25"),
            ("/v2/%2b", "/v2/%2B"),
            ("/v2/+", "/v2/+"),
            ("/v2/%7Ename", "/v2/~name"),
            ("/v2/what%3f", "/v2/what%3F"),
        ] {
            assert_eq!(NormalPath::parse(raw).unwrap().as_str(), normal, "{raw}");
        }
    }

    #[test]
    fn a_path_that_a_server_may_read_as_another_is_refused() {
        use PathFault::*;
        for (raw, fault) in [
            ("", NotAbsolute),
            ("v2", NotAbsolute),
            ("*", NotAbsolute),
            ("//", EmptySegment),
            ("//evil.example/x", EmptySegment),
            ("/v2//jobs", EmptySegment),
            ("/.", DotSegment),
            ("/v2/.", DotSegment),
            ("/v2/./jobs", DotSegment),
            ("/v2/../admin", DotSegment),
            ("/v2/..", DotSegment),
            ("/v2/.../admin", DotSegment),
            ("/v2/%2e", DotSegment),
            ("/v2/%2e%2e/admin", DotSegment),
            ("/v2/%2E./admin", DotSegment),
            ("/v2/.%2e/admin", DotSegment),
            ("/v2/..%20/admin", DotSegment),
            ("/v2/%20..", DotSegment),
            ("/v2/%20", DotSegment),
            ("/v2/%ef%bc%8e%ef%bc%8e/admin", DotSegment),
            ("/v2/%e2%80%a5/admin", DotSegment),
            ("/v2/a%2fb", EncodedSeparator),
            ("/v2/a%2Fb", EncodedSeparator),
            ("/v2/..%2fadmin", EncodedSeparator),
            ("/v2/a%5cb", EncodedSeparator),
            ("/v2/a%5Cb", EncodedSeparator),
            ("/v2/a%ef%bc%8fb", EncodedSeparator),
            ("/v2/a\u{2215}b", EncodedSeparator),
            ("/v2/a\\b", Backslash),
            ("/v2\\..\\admin", Backslash),
            ("/v2/jobs;x=1", Semicolon),
            ("/v2/..;/admin", Semicolon),
            ("/v2/jobs%3bx", Semicolon),
            ("/v2/jobs%3Bx", Semicolon),
            ("/v2/a%00", Control),
            ("/v2/a%0d%0aHost:x", Control),
            ("/v2/a%09", Control),
            ("/v2/a%7f", Control),
            ("/v2/a%c2%85", Control),
            ("/v2/a\u{0}", Control),
            ("/v2/%", InvalidEncoding),
            ("/v2/%2", InvalidEncoding),
            ("/v2/%zz", InvalidEncoding),
            ("/v2/%u002f", InvalidEncoding),
            ("/v2/%+1", InvalidEncoding),
            ("/v2/a%252fb", EncodedTwice),
            ("/v2/%252e%252e/admin", EncodedTwice),
            ("/v2/%25%32%66", EncodedTwice),
            ("/v2/%2525252e", EncodedTwice),
            ("/v2/%c0%ae%c0%ae/admin", NotUtf8),
            ("/v2/%c0%af", NotUtf8),
            ("/v2/%ff", NotUtf8),
        ] {
            assert_eq!(NormalPath::parse(raw), Err(fault), "{raw}");
        }
        assert_eq!(NormalPath::parse(&format!("/{}", "a".repeat(9000))), Err(TooLong));
        assert_eq!(NormalPath::parse(&format!("/{}", "\u{e9}".repeat(3000))), Err(TooLong));
    }

    #[test]
    fn the_normal_form_of_a_normal_form_is_itself() {
        for raw in ["/a%20b/%c3%a9/100%25/%2b", "/", "/x/", "/%22"] {
            let once = NormalPath::parse(raw).unwrap();
            assert_eq!(NormalPath::parse(once.as_str()).unwrap(), once);
        }
    }

    #[test]
    fn a_base_path_ends_at_a_segment() {
        let below = |path: &str, base: &str| NormalPath::parse(path).unwrap().below(base).map(|path| path.0);
        assert_eq!(below("/base/v2", "/base"), Some("/v2".into()));
        assert_eq!(below("/base", "/base"), Some("/".into()));
        assert_eq!(below("/base/", "/base"), Some("/".into()));
        assert_eq!(below("/v2", ""), Some("/v2".into()));
        assert_eq!(below("/based/v2", "/base"), None);
        assert_eq!(below("/v2", "/base"), None);
    }
}

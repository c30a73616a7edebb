//! Path segments that cannot become anything else.
//!
//! A segment comes from an argument, and an argument from a model. `..`, a slash or any spelling of them that some
//! server on the way may undo would turn a request for one device into a request for something else, with the
//! operator's credential. So these values are refused, not repaired: there is no device of such a name.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// Everything but the unreserved characters of RFC 3986, section 2.3.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Deeper than any chain of proxies decodes. What is still changing then is refused.
const DECODINGS: usize = 8;

/// Appends `/segment`, encoded.
///
/// # Errors
/// A sentence that names the value: it could leave its segment.
pub(crate) fn push(path: &mut String, segment: &str) -> Result<(), String> {
    check(segment)?;
    path.push('/');
    path.extend(utf8_percent_encode(segment, ENCODED));
    Ok(())
}

/// A key or value of a query, encoded.
pub(crate) fn encode_query(text: &str) -> String {
    utf8_percent_encode(text, ENCODED).to_string()
}

/// Refuses what is, or in some number of decodings becomes, something else than one segment.
pub(crate) fn check(segment: &str) -> Result<(), String> {
    if segment.is_empty() {
        return Err("An empty value cannot be part of a path.".to_owned());
    }
    let mut text = segment.to_owned();
    for _ in 0..DECODINGS {
        if let Some(reason) = leaves(&text) {
            return Err(format!("{} cannot be part of a path: {reason}.", quoted(segment)));
        }
        match decode(&text) {
            None => {
                return Err(format!("{} cannot be part of a path: it is encoded wrongly.", quoted(segment)));
            }
            Some(decoded) if decoded == text => return Ok(()),
            Some(decoded) => text = decoded,
        }
    }
    Err(format!("{} cannot be part of a path: it is encoded too many times.", quoted(segment)))
}

/// Why this text is not one segment.
fn leaves(text: &str) -> Option<&'static str> {
    if matches!(text, "." | "..") {
        return Some("it is a step to another path");
    }
    text.chars().find_map(|character| match character {
        '/' => Some("it has a slash"),
        '\\' => Some("it has a backslash"),
        ';' => Some("it has a semicolon"),
        _ if character.is_control() => Some("it has a control character"),
        _ => None,
    })
}

/// `%2e` and `%u002e` undone, once. None: what comes out is not UTF-8 (`%c0%ae` is an old spelling of a dot).
fn decode(text: &str) -> Option<String> {
    let wide = decode_wide(text);
    percent_decode_str(&wide).decode_utf8().ok().map(std::borrow::Cow::into_owned)
}

/// `%u002e`, which some servers understand.
fn decode_wide(text: &str) -> String {
    let mut decoded = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('%') {
        decoded.push_str(&rest[..at]);
        let escape = &rest[at..];
        let wide = escape
            .get(1..6)
            .and_then(|digits| digits.strip_prefix(['u', 'U']))
            .filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()))
            .and_then(|digits| char::from_u32(u32::from_str_radix(digits, 16).ok()?));
        match wide {
            Some(character) => {
                decoded.push(character);
                rest = &escape[6..];
            }
            None => {
                decoded.push('%');
                rest = &escape[1..];
            }
        }
    }
    decoded.push_str(rest);
    decoded
}

/// A value in a message: bounded, control characters visible.
pub(crate) fn quoted(value: &str) -> String {
    let short = crate::fault::cut(value, 100);
    let dots = if short.len() < value.len() { "…" } else { "" };
    format!("{:?}{dots}", short)
}

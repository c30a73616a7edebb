//! The forms that a secret value may come back in.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use percent_encoding::{AsciiSet, CONTROLS, NON_ALPHANUMERIC, utf8_percent_encode};

use super::SHORTEST;

/// What each of the common URL encoders leaves as it is, beside letters and digits.
const COMPONENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'!')
    .remove(b'~')
    .remove(b'*')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')');
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');
const FORM: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'*').remove(b' ');
const QUERY: &AsciiSet = &CONTROLS.add(b' ').add(b'"').add(b'#').add(b'<').add(b'>').add(b'\'');
const PATH: &AsciiSet = &QUERY.add(b'?').add(b'`').add(b'{').add(b'}').add(b'^');

/// All forms of a value. None of a value that is too short.
pub(super) fn forms(value: &str) -> Vec<Vec<u8>> {
    let raw = value.as_bytes();
    let mut forms: Vec<Vec<u8>> = vec![raw.to_vec()];
    if raw.len() < SHORTEST {
        return Vec::new();
    }
    for engine in [&STANDARD, &STANDARD_NO_PAD, &URL_SAFE, &URL_SAFE_NO_PAD] {
        forms.push(engine.encode(raw).into_bytes());
    }
    forms.extend(within_base64(raw));
    for (set, space) in [
        (NON_ALPHANUMERIC, "%20"),
        (COMPONENT, "%20"),
        (UNRESERVED, "%20"),
        (FORM, "+"),
        (QUERY, "%20"),
        (PATH, "%20"),
    ] {
        let encoded = utf8_percent_encode(value, set).to_string().replace(' ', space);
        forms.push(lower_escapes(&encoded).into_bytes());
        forms.push(encoded.into_bytes());
    }
    let every = |upper: bool| -> String {
        raw.iter().map(|byte| if upper { format!("%{byte:02X}") } else { format!("%{byte:02x}") }).collect()
    };
    forms.extend([every(true).into_bytes(), every(false).into_bytes()]);
    let hex: String = raw.iter().map(|byte| format!("{byte:02x}")).collect();
    forms.extend([hex.to_uppercase().into_bytes(), hex.into_bytes()]);
    forms.extend(json_forms(value).into_iter().map(String::into_bytes));
    forms.extend(html_forms(value).into_iter().map(String::into_bytes));
    forms
}

/// What is certain of a value's base64 where something else stands before it: the same text with any number of
/// bytes in front has three forms, by that number modulo 3.
fn within_base64(raw: &[u8]) -> Vec<Vec<u8>> {
    let mut forms = Vec::new();
    for before in 0..3 {
        let mut padded = vec![0; before];
        padded.extend_from_slice(raw);
        // Characters that hold bits of what stands before or after are not certain.
        let first = (before * 8).div_ceil(6);
        let last = padded.len() * 8 / 6;
        for engine in [&STANDARD_NO_PAD, &URL_SAFE_NO_PAD] {
            let encoded = engine.encode(&padded).into_bytes();
            if last.saturating_sub(first) >= 2 * SHORTEST {
                forms.push(encoded[first..last].to_vec());
            }
        }
    }
    forms
}

/// `%2F` as `%2f`.
fn lower_escapes(encoded: &str) -> String {
    let mut lower = String::with_capacity(encoded.len());
    let mut rest = encoded;
    while let Some(at) = rest.find('%') {
        let end = (at + 3).min(rest.len());
        lower.push_str(&rest[..at]);
        lower.push_str(&rest[at..end].to_ascii_lowercase());
        rest = &rest[end..];
    }
    lower + rest
}

/// JSON's escapes, as the common serializers choose them (RFC 8259, 7).
fn json_forms(value: &str) -> Vec<String> {
    let escape = |wide: &dyn Fn(char) -> bool, slash: bool, upper: bool| -> String {
        let mut text = String::new();
        let mut units = [0; 2];
        for c in value.chars() {
            match c {
                c if wide(c) => {
                    for unit in c.encode_utf16(&mut units) {
                        text.push_str(&if upper {
                            format!("\\u{unit:04X}")
                        } else {
                            format!("\\u{unit:04x}")
                        });
                    }
                }
                '"' => text.push_str("\\\""),
                '\\' => text.push_str("\\\\"),
                '/' if slash => text.push_str("\\/"),
                '\t' => text.push_str("\\t"),
                c => text.push(c),
            }
        }
        text
    };
    let none = |_: char| false;
    let ascii = |c: char| !c.is_ascii();
    let html = |c: char| !c.is_ascii() || matches!(c, '<' | '>' | '&' | '\'' | '+' | '=');
    let go = |c: char| matches!(c, '<' | '>' | '&');
    let every = |_: char| true;
    let mut forms = Vec::new();
    for wide in [&none as &dyn Fn(char) -> bool, &ascii, &html, &go, &every] {
        for (slash, upper) in [(false, false), (false, true), (true, false), (true, true)] {
            forms.push(escape(wide, slash, upper));
        }
    }
    forms
}

/// HTML's escapes, as error pages have them.
fn html_forms(value: &str) -> Vec<String> {
    let base = value.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    [("\"", "'"), ("&quot;", "'"), ("&quot;", "&#39;"), ("&quot;", "&#x27;"), ("&#34;", "&#39;")]
        .map(|(double, single)| base.replace('"', double).replace('\'', single))
        .to_vec()
}

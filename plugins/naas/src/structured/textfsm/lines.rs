//! Where lines end, as Python's `str.splitlines` sees it.

/// The lines of `text` without their ends. `\r\n` ends one line; so do a lone `\r`, form feed, vertical tab, the
/// separators U+001C to U+001E, U+0085, U+2028 and U+2029. An end at the very end begins no further line.
pub fn lines(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let Some(end) = rest.find(ends_a_line) else { return Some(std::mem::take(&mut rest)) };
        let (line, after) = rest.split_at(end);
        rest = after.strip_prefix("\r\n").unwrap_or_else(|| {
            let mut characters = after.chars();
            characters.next();
            characters.as_str()
        });
        Some(line)
    })
}

fn ends_a_line(c: char) -> bool {
    matches!(c, '\n'..='\r' | '\u{1c}'..='\u{1e}' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// What `str.strip` and `\s` take for white space: Unicode's, and the separators U+001C to U+001F.
pub fn is_space(c: char) -> bool {
    c.is_whitespace() || matches!(c, '\u{1c}'..='\u{1f}')
}

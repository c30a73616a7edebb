//! Postgres `ILIKE '%…%'`, which is what the contract calls a substring: without case, and with the value's own
//! `%`, `_` and `\` keeping their meaning, so `sn_1` also finds `sn-1`.

/// A value to be found anywhere in a text.
#[derive(Debug, Clone)]
pub(crate) struct Like(Vec<char>);

impl Like {
    pub(crate) fn containing(value: &str) -> Self {
        Self(format!("%{value}%").to_lowercase().chars().collect())
    }

    pub(crate) fn finds(&self, text: &str) -> bool {
        let text: Vec<char> = text.to_lowercase().chars().collect();
        matches(&self.0, &text)
    }
}

fn matches(pattern: &[char], text: &[char]) -> bool {
    match pattern {
        [] => text.is_empty(),
        ['%', rest @ ..] => (0..=text.len()).any(|skip| matches(rest, &text[skip..])),
        ['_', rest @ ..] => !text.is_empty() && matches(rest, &text[1..]),
        ['\\', literal, rest @ ..] | [literal, rest @ ..] => {
            text.first() == Some(literal) && matches(rest, &text[1..])
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_found_without_case_and_its_wildcards_are_live() {
        for (value, text, found) in [
            ("SN-00", "sn-0001", true),
            ("sn_00", "sn-0001", true),
            (r"sn\_00", "sn-0001", false),
            (r"sn\_00", "sn_0001", true),
            ("s%1", "sn-0001", true),
            ("größe", "GRÖSSE", false),
            ("GRÖ", "größe", true),
            ("x", "sn-0001", false),
            ("", "", true),
        ] {
            assert_eq!(Like::containing(value).finds(text), found, "{value} in {text}");
        }
    }
}

//! What stands behind a `|`: the few filters that all platforms have in some spelling.

use regex::Regex;

/// A filter over the lines of an output.
#[derive(Debug, Clone)]
pub(crate) enum Filter {
    /// Lines that match.
    Include(Regex),
    /// Lines that do not.
    Exclude(Regex),
    /// From the first that matches.
    Begin(Regex),
    /// Sections, by indentation, whose first line matches.
    Section(Regex),
    /// How many lines match.
    Count(Regex),
    /// The last so many lines.
    Last(usize),
    /// Everything, without pages.
    NoMore,
}

impl Filter {
    /// A pattern as the user typed it: quotes around it do not count.
    pub(crate) fn pattern(text: &str) -> Option<Regex> {
        let text = text.trim();
        let bare = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text);
        Regex::new(bare).ok()
    }

    /// The lines that are left.
    pub(crate) fn apply(&self, text: &str) -> String {
        let keep = |lines: &mut dyn Iterator<Item = &str>| {
            let mut kept = String::new();
            for line in lines {
                kept.push_str(line);
                kept.push('\n');
            }
            kept
        };
        match self {
            Self::Include(pattern) => keep(&mut text.lines().filter(|line| pattern.is_match(line))),
            Self::Exclude(pattern) => keep(&mut text.lines().filter(|line| !pattern.is_match(line))),
            Self::Begin(pattern) => keep(&mut text.lines().skip_while(|line| !pattern.is_match(line))),
            Self::Section(pattern) => {
                let mut inside = false;
                keep(&mut text.lines().filter(|line| {
                    if !line.starts_with(' ') {
                        inside = pattern.is_match(line);
                    }
                    inside
                }))
            }
            Self::Count(pattern) => {
                let count = text.lines().filter(|line| pattern.is_match(line)).count();
                format!("Number of lines which match regexp = {count}\n")
            }
            Self::Last(count) => {
                let lines: Vec<&str> = text.lines().collect();
                keep(&mut lines[lines.len().saturating_sub(*count)..].iter().copied())
            }
            Self::NoMore => text.to_owned(),
        }
    }
}

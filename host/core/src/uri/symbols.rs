//! What patterns and templates are made of, and whether one covers the other.

/// One place of a pattern or a template.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Symbol {
    /// Itself.
    Byte(u8),
    /// Anything but a slash, also nothing: `*`, `{id}`.
    Segment,
    /// Anything, also nothing: `**`, `{+path}`.
    Any,
}

/// What is left of the work that one question may take. Patterns and URIs are chosen by others; when it is used up,
/// nothing matches any more.
#[derive(Debug)]
pub struct Steps(u32);

/// Far more than a sensible manifest needs: some milliseconds.
const STEPS: u32 = 2_000_000;

impl Default for Steps {
    fn default() -> Self {
        Self(STEPS)
    }
}

impl Steps {
    /// Whether an answer still counts.
    pub fn are_left(&self) -> bool {
        self.0 > 0
    }

    fn take(&mut self, steps: usize) -> bool {
        self.0 = self.0.saturating_sub(u32::try_from(steps).unwrap_or(u32::MAX));
        self.0 > 0
    }
}

/// Whether everything that `text` stands for is something that `pattern` stands for. A wildcard of the text is covered
/// only by a wildcard of the pattern that takes all of it, so a yes is right; a no may be too careful.
pub(super) fn covers(pattern: &[Symbol], text: impl Iterator<Item = Symbol>, steps: &mut Steps) -> bool {
    let mut places = vec![false; pattern.len() + 1];
    places[0] = true;
    pass_wildcards(pattern, &mut places);
    let mut next = vec![false; pattern.len() + 1];
    for symbol in text {
        if !steps.take(pattern.len() + 1) {
            return false;
        }
        next.fill(false);
        let mut alive = false;
        for (at, expected) in pattern.iter().enumerate().filter(|(at, _)| places[*at]) {
            let to = match (expected, symbol) {
                (Symbol::Byte(_), _) if *expected == symbol => at + 1,
                (Symbol::Any, _) => at,
                (Symbol::Segment, Symbol::Segment) => at,
                (Symbol::Segment, Symbol::Byte(byte)) if byte != b'/' => at,
                _ => continue,
            };
            next[to] = true;
            alive = true;
        }
        if !alive {
            return false;
        }
        pass_wildcards(pattern, &mut next);
        std::mem::swap(&mut places, &mut next);
    }
    places[pattern.len()]
}

/// A wildcard also stands for nothing.
fn pass_wildcards(pattern: &[Symbol], places: &mut [bool]) {
    for (at, symbol) in pattern.iter().enumerate() {
        if places[at] && !matches!(symbol, Symbol::Byte(_)) {
            places[at + 1] = true;
        }
    }
}

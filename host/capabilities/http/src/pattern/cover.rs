//! Whether patterns hold everything that another one holds.
//!
//! Patterns are regular expressions over segments. Segments that no pattern at hand names are all alike, so the
//! alphabet is finite, and inclusion is decided by walking both automata at once, as sets of states.

use std::collections::{BTreeSet, HashSet, VecDeque};

use super::{Pattern, Segment};

/// Pairs of states that are looked at. Sets of patterns that need more were made to be hard.
const MOST_PAIRS: usize = 10_000;

/// Whether every path that matches `narrow` matches one of `wide` as well. Given up on means no.
pub(super) fn covers(wide: &[Pattern], narrow: &Pattern) -> bool {
    let alphabet = Alphabet::of(wide.iter().chain([narrow]));
    let wide = Automaton { patterns: wide };
    let narrow = Automaton { patterns: std::slice::from_ref(narrow) };
    let mut seen = HashSet::new();
    let mut left = VecDeque::from([(narrow.start(), wide.start())]);
    while let Some((in_narrow, in_wide)) = left.pop_front() {
        for symbol in alphabet.symbols() {
            let (next_narrow, next_wide) = (narrow.step(&in_narrow, symbol), wide.step(&in_wide, symbol));
            if next_narrow.is_empty() {
                continue;
            }
            if narrow.accepts(&next_narrow) && !wide.accepts(&next_wide) {
                return false;
            }
            // Nothing follows an empty segment.
            if symbol != Symbol::Empty && seen.insert((next_narrow.clone(), next_wide.clone())) {
                left.push_back((next_narrow, next_wide));
            }
        }
        if seen.len() > MOST_PAIRS {
            return false;
        }
    }
    true
}

/// A segment, as far as the patterns at hand can tell segments apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Symbol<'a> {
    Literal(&'a str),
    /// Any segment that no pattern names.
    Other,
    /// What follows a trailing slash.
    Empty,
}

struct Alphabet<'a>(BTreeSet<&'a str>);

impl<'a> Alphabet<'a> {
    fn of(patterns: impl Iterator<Item = &'a Pattern>) -> Self {
        let literals = patterns.flat_map(|pattern| &pattern.segments).filter_map(|segment| match segment {
            Segment::Literal(text) if !text.is_empty() => Some(text.as_str()),
            _ => None,
        });
        Self(literals.collect())
    }

    fn symbols(&self) -> impl Iterator<Item = Symbol<'a>> + '_ {
        self.0.iter().map(|text| Symbol::Literal(text)).chain([Symbol::Other, Symbol::Empty])
    }
}

/// Where a walk through some patterns may stand: pattern and segment, closed under what `**` may skip.
type States = BTreeSet<(usize, usize)>;

struct Automaton<'a> {
    patterns: &'a [Pattern],
}

impl Automaton<'_> {
    fn start(&self) -> States {
        let mut states = States::new();
        (0..self.patterns.len()).for_each(|pattern| self.enter(&mut states, pattern, 0));
        states
    }

    fn enter(&self, states: &mut States, pattern: usize, at: usize) {
        states.insert((pattern, at));
        if self.patterns[pattern].segments.get(at) == Some(&Segment::Any) {
            self.enter(states, pattern, at + 1);
        }
    }

    fn step(&self, states: &States, symbol: Symbol<'_>) -> States {
        let mut next = States::new();
        for &(pattern, at) in states {
            match self.patterns[pattern].segments.get(at) {
                Some(Segment::Any) => self.enter(&mut next, pattern, at),
                Some(Segment::One) if symbol != Symbol::Empty => self.enter(&mut next, pattern, at + 1),
                Some(Segment::Literal(text)) if text.is_empty() && symbol == Symbol::Empty => {
                    self.enter(&mut next, pattern, at + 1);
                }
                Some(Segment::Literal(text)) if symbol == Symbol::Literal(text) => {
                    self.enter(&mut next, pattern, at + 1);
                }
                _ => {}
            }
        }
        next
    }

    fn accepts(&self, states: &States) -> bool {
        states.iter().any(|&(pattern, at)| at == self.patterns[pattern].segments.len())
    }
}

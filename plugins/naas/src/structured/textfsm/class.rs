//! Sets of characters: `[...]`, `\d`, `.` and the like.
//!
//! Nearly every device speaks ASCII. A text that is all ASCII is read with sets of single bytes, written out as
//! ranges, which compile and run many times faster than Unicode's; any other text with Unicode's own.

use super::pattern::Alphabet;

/// One of Python's named sets, or its complement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Named {
    pub(super) letter: char,
}

impl Named {
    pub(super) fn of(escape: char) -> Option<Self> {
        "dDsSwW".contains(escape).then_some(Self { letter: escape })
    }

    /// The members up to U+007F, a bit each.
    fn ascii(self) -> u128 {
        let members = (0..128u8).filter(|byte| match self.letter.to_ascii_lowercase() {
            'd' => byte.is_ascii_digit(),
            's' => super::lines::is_space(char::from(*byte)),
            _ => byte.is_ascii_alphanumeric() || *byte == b'_',
        });
        let set = members.fold(0, |set, byte| set | (1 << byte));
        if self.letter.is_ascii_uppercase() { !set } else { set }
    }

    /// As Python defines them: `str.isdecimal`, `str.isspace`, and `str.isalnum` with the underscore.
    fn unicode(self) -> &'static str {
        match self.letter {
            'd' => r"\p{Nd}",
            'D' => r"\P{Nd}",
            's' => r"\p{White_Space}\x{1C}-\x{1F}",
            'S' => r"[^\p{White_Space}\x{1C}-\x{1F}]",
            'w' => r"\p{L}\p{N}_",
            _ => r"[^\p{L}\p{N}_]",
        }
    }
}

/// A set that is being read.
#[derive(Debug, Default)]
pub(super) struct Class {
    ascii: u128,
    unicode: String,
    pub(super) negated: bool,
}

impl Class {
    pub(super) fn named(named: Named) -> Self {
        let mut class = Self::default();
        class.add(named);
        class
    }

    /// Every character. (A line has no line end in it, so Python's flag for `.` has nothing to say.)
    pub(super) fn any() -> Self {
        Self { ascii: u128::MAX, unicode: r"\x{0}-\x{10FFFF}".to_owned(), negated: false }
    }

    pub(super) fn add(&mut self, named: Named) {
        self.ascii |= named.ascii();
        self.unicode.push_str(named.unicode());
    }

    /// Adds `low` to `high`, both included.
    pub(super) fn add_range(&mut self, low: char, high: char) {
        for code in u32::from(low)..=u32::from(high).min(127) {
            self.ascii |= 1 << code;
        }
        self.unicode.push_str(&range(low, high));
    }

    /// The set as `fancy-regex` reads it. Whether it ignores case matters for what a negated one leaves out.
    pub(super) fn write(&self, alphabet: Alphabet, ignore_case: bool) -> String {
        if alphabet == Alphabet::Unicode {
            return format!("[{}{}]", if self.negated { "^" } else { "" }, self.unicode);
        }
        let mut set = self.ascii;
        if ignore_case {
            for (upper, lower) in (b'A'..=b'Z').zip(b'a'..=b'z') {
                let both = (1 << upper) | (1 << lower);
                set |= if set & both == 0 { 0 } else { both };
            }
        }
        ranges(if self.negated { !set } else { set })
    }
}

fn ranges(set: u128) -> String {
    if set == 0 {
        // Nothing is in it: a look ahead that always fails says so.
        return "(?!)".to_owned();
    }
    let has = |byte: u8| (set >> byte) & 1 == 1;
    let mut text = "[".to_owned();
    let mut byte = 0;
    while byte < 128 {
        if !has(byte) {
            byte += 1;
            continue;
        }
        let low = byte;
        while byte < 127 && has(byte + 1) {
            byte += 1;
        }
        text.push_str(&range(char::from(low), char::from(byte)));
        byte += 1;
    }
    text + "]"
}

fn range(low: char, high: char) -> String {
    if low == high {
        return format!("\\x{{{:X}}}", u32::from(low));
    }
    format!("\\x{{{:X}}}-\\x{{{:X}}}", u32::from(low), u32::from(high))
}

//! What stands behind a backslash, and sets of characters.

use super::super::class::{Class, Named};
use super::PatternError;
use super::reader::{Atom, Reader};

impl Reader {
    /// After a backslash, outside of a set.
    pub(super) fn escape(&mut self, at: usize) -> Result<Atom, PatternError> {
        let Some(c) = self.peek() else { return Err(PatternError::LoneBackslash) };
        if let Some(place) = match c {
            'A' => Some(r"\A"),
            'Z' => Some(r"\z"),
            'b' => Some(r"\b"),
            'B' => Some(r"\B"),
            _ => None,
        } {
            self.at += 1;
            self.out.push_str(place);
            return Ok(Atom::Place);
        }
        if let Some(named) = Named::of(c) {
            self.at += 1;
            self.set(&Class::named(named));
            return Ok(Atom::Plain);
        }
        if matches!(c, '1'..='9')
            && let Some(group) = self.reference_number()
        {
            return self.reference(group, at);
        }
        let c = self.character(at)?;
        self.literal(c);
        Ok(Atom::Plain)
    }

    /// The number of a group, of one or two digits; nothing where three octal digits make a character.
    fn reference_number(&mut self) -> Option<usize> {
        let digits: Vec<u32> =
            self.text[self.at..].iter().take(3).map_while(|digit| digit.to_digit(10)).collect();
        if digits.len() == 3 && digits[0] < 4 && digits.iter().all(|digit| *digit < 8) {
            return None;
        }
        let used = digits.len().min(2);
        self.at += used;
        Some(digits[..used].iter().fold(0, |number, digit| number * 10 + *digit as usize))
    }

    /// After a backslash: what it makes of the next characters, in a set or not.
    fn character(&mut self, at: usize) -> Result<char, PatternError> {
        let Some(c) = self.take() else { return Err(PatternError::LoneBackslash) };
        let unknown = PatternError::UnknownEscape(at, c);
        Ok(match c {
            'a' => '\u{7}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'v' => '\u{b}',
            'x' => self.code(16, 2).ok_or(unknown)?,
            'u' => self.code(16, 4).ok_or(unknown)?,
            'U' => self.code(16, 8).ok_or(unknown)?,
            '0'..='7' => {
                self.at -= 1;
                let octal =
                    self.text[self.at..].iter().take(3).take_while(|c| matches!(c, '0'..='7')).count();
                self.code(8, octal).ok_or(unknown)?
            }
            c if c.is_ascii_alphanumeric() => return Err(unknown),
            c => c,
        })
    }

    fn code(&mut self, radix: u32, digits: usize) -> Option<char> {
        let text: String = self.text.get(self.at..self.at + digits)?.iter().collect();
        if !text.chars().all(|c| c.is_digit(radix)) {
            return None;
        }
        self.at += digits;
        char::from_u32(u32::from_str_radix(&text, radix).ok()?)
    }

    /// After `[`, up to and with its `]`.
    pub(super) fn class(&mut self, at: usize) -> Result<Class, PatternError> {
        let mut class = Class::default();
        class.negated = self.takes('^');
        let first = self.at;
        loop {
            let place = self.at;
            if place > first && self.takes(']') {
                return Ok(class);
            }
            let low = self.member(at)?;
            let range = self.peek() == Some('-') && self.text.get(self.at + 1).is_some_and(|c| *c != ']');
            if !range {
                match low {
                    Member::Named(named) => class.add(named),
                    Member::One(c) => class.add_range(c, c),
                }
                continue;
            }
            self.at += 1;
            match (low, self.member(at)?) {
                (Member::One(low), Member::One(high)) if low <= high => class.add_range(low, high),
                _ => return Err(PatternError::Range(place)),
            }
        }
    }

    fn member(&mut self, class: usize) -> Result<Member, PatternError> {
        let at = self.at;
        let c = self.take().ok_or(PatternError::UnclosedSet(class))?;
        if c != '\\' {
            return Ok(Member::One(c));
        }
        match self.peek() {
            Some('b') => {
                self.at += 1;
                Ok(Member::One('\u{8}'))
            }
            Some(c) => match Named::of(c) {
                Some(named) => {
                    self.at += 1;
                    Ok(Member::Named(named))
                }
                None => self.character(at).map(Member::One),
            },
            None => Err(PatternError::UnclosedSet(class)),
        }
    }
}

/// A member of a set.
enum Member {
    One(char),
    Named(Named),
}

//! What stands in parentheses: groups, their names and flags, look-arounds, and what refers to a group.

use super::PatternError;
use super::reader::{Atom, Reader};

impl Reader {
    /// After `(`, up to and with its `)`.
    pub(super) fn group(&mut self, at: usize, depth: usize) -> Result<Atom, PatternError> {
        let ignored_case = self.ignore_case;
        let mut atom = Atom::Plain;
        let mut capture = None;
        let mut branches = usize::MAX;
        if !self.takes('?') {
            capture = Some(self.open_group(None)?);
        } else {
            match self.take() {
                Some('P') if self.takes('<') => {
                    let name = self.name('>', at)?;
                    capture = Some(self.open_group(Some(name))?);
                }
                Some('P') if self.takes('=') => {
                    let name = self.name(')', at)?;
                    let group = self.named_group(&name).ok_or(PatternError::Reference(at))?;
                    return self.reference(group, at);
                }
                Some(':') => self.out.push_str("(?:"),
                Some('>') => {
                    self.backtracks = true;
                    self.out.push_str("(?>");
                }
                Some('#') => {
                    while self.take().ok_or(PatternError::Unclosed(at))? != ')' {}
                    return Ok(Atom::Nothing);
                }
                Some(kind @ ('=' | '!')) => {
                    atom = Atom::Look;
                    self.out.push_str("(?");
                    self.out.push(kind);
                }
                Some('<') if matches!(self.peek(), Some('=' | '!')) => {
                    atom = Atom::Look;
                    self.out.push_str(if self.peek() == Some('=') { "(?<=" } else { "(?<!" });
                    self.at += 1;
                }
                Some('(') => {
                    let name = self.name(')', at)?;
                    let group = match name.parse() {
                        Ok(number) => Some(number).filter(|number| (1..=self.groups.len()).contains(number)),
                        Err(_) => self.named_group(&name),
                    };
                    let group = group.ok_or(PatternError::Reference(at))?;
                    self.out.push_str(&format!("(?({group})"));
                    branches = 2;
                }
                Some(first) => self.flags(first, at)?,
                None => return Err(PatternError::Unclosed(at)),
            }
        }
        if self.alternatives(depth + 1)? > branches {
            return Err(PatternError::Branches(at));
        }
        if !self.takes(')') {
            return Err(PatternError::Unclosed(at));
        }
        self.out.push(')');
        self.backtracks |= atom == Atom::Look || branches == 2;
        self.ignore_case = ignored_case;
        self.open.retain(|open| Some(*open) != capture);
        Ok(atom)
    }

    fn open_group(&mut self, name: Option<String>) -> Result<usize, PatternError> {
        if let Some(name) = &name
            && self.named_group(name).is_some()
        {
            return Err(PatternError::DuplicateGroup(name.clone()));
        }
        self.groups.push(name);
        self.open.push(self.groups.len());
        self.out.push('(');
        Ok(self.groups.len())
    }

    fn named_group(&self, name: &str) -> Option<usize> {
        self.groups.iter().position(|group| group.as_deref() == Some(name)).map(|index| index + 1)
    }

    /// A group's name up to `end`.
    fn name(&mut self, end: char, at: usize) -> Result<String, PatternError> {
        let mut name = String::new();
        loop {
            match self.take().ok_or(PatternError::Unclosed(at))? {
                c if c == end => break,
                c => name.push(c),
            }
        }
        let number = end == ')' && !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_digit());
        let identifier = name.starts_with(|c: char| c.is_alphabetic() || c == '_')
            && name.chars().all(|c| c.is_alphanumeric() || c == '_');
        if number || identifier { Ok(name) } else { Err(PatternError::GroupName(name)) }
    }

    /// `(?i:`, `(?-i:` and the like, from the first character after `?`.
    fn flags(&mut self, first: char, at: usize) -> Result<(), PatternError> {
        let mut on = true;
        let mut flag = first;
        loop {
            match flag {
                'i' => self.ignore_case = on,
                'm' | 's' | 'u' => {}
                '-' if on => on = false,
                ':' => break,
                'a' | 'L' | 'x' | ')' => return Err(PatternError::Flags(at)),
                _ => return Err(PatternError::UnknownGroup(at)),
            }
            flag = self.take().ok_or(PatternError::Unclosed(at))?;
        }
        self.out.push_str(if self.ignore_case { "(?i:" } else { "(?-i:" });
        Ok(())
    }

    pub(super) fn reference(&mut self, group: usize, at: usize) -> Result<Atom, PatternError> {
        if group > self.groups.len() || self.open.contains(&group) {
            return Err(PatternError::Reference(at));
        }
        self.backtracks = true;
        self.out.push_str(&format!("(?:\\{group})"));
        Ok(Atom::Plain)
    }
}

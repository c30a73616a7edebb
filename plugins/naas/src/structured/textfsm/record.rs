//! The record that is being made, and those that are done.

use fancy_regex::Regex;

use super::RunError;
use super::pattern::{Alphabet, Pattern};
use super::value::{Value, ValueOption};

/// What all records of a text may take, in bytes: two copies of it and the text fit into the memory of a call.
pub(super) const MAX_RECORDS: usize = 20 << 20;

/// What a cell takes beyond its text, when it has become JSON with its key.
const CELL: usize = 128;

/// Steps back for the groups within one match of a list.
const MAX_BACKTRACKING: usize = 50_000;

/// What a value is in one record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cell {
    /// Any value but a list; nothing matched is the empty text.
    Text(String),
    /// All matches of a `List`.
    List(Vec<Item>),
}

/// One match of a `List`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Item {
    /// The match; nothing where the value's group had no part in the rule's match.
    Text(Option<String>),
    /// The named groups within the match, and what they matched.
    Groups(Vec<(String, Option<String>)>),
}

/// A value while a text is read.
#[derive(Debug, Default)]
struct Slot {
    /// The last match, or what it was filled with.
    current: Option<String>,
    /// Set instead of `current` when a list was saved, until the record is cleared.
    saved: bool,
    filldown: Option<String>,
    list: Vec<Item>,
    /// What the list holds, in bytes.
    list_bytes: usize,
    nested: Option<Nested>,
}

/// The expression of a list whose matches are tables of their own.
#[derive(Debug)]
struct Nested {
    regex: Regex,
    groups: Vec<(usize, String)>,
}

/// The records of a text.
#[derive(Debug)]
pub(super) struct Records<'t> {
    values: &'t [Value],
    slots: Vec<Slot>,
    done: Vec<Vec<Cell>>,
    bytes: usize,
}

impl<'t> Records<'t> {
    pub(super) fn new(values: &'t [Value], alphabet: Alphabet) -> Result<Self, RunError> {
        let slot = |value: &Value| Ok(Slot { nested: nested(value, alphabet)?, ..Slot::default() });
        let slots = values.iter().map(slot).collect::<Result<_, _>>()?;
        Ok(Self { values, slots, done: Vec::new(), bytes: 0 })
    }

    pub(super) fn finish(self) -> Vec<Vec<Cell>> {
        self.done
    }

    /// A rule matched with a part for the value, or without one.
    pub(super) fn assign(&mut self, index: usize, matched: Option<&str>) -> Result<(), RunError> {
        let slot = &mut self.slots[index];
        slot.current = matched.map(str::to_owned);
        slot.saved = false;
        for option in &self.values[index].options {
            match option {
                ValueOption::Filldown => slot.filldown.clone_from(&slot.current),
                ValueOption::Fillup => {
                    let Some(text) = matched.filter(|text| !text.is_empty()) else { continue };
                    for row in self.done.iter_mut().rev().take_while(|row| row[index].is_empty()) {
                        self.bytes += text.len();
                        row[index] = Cell::Text(text.to_owned());
                    }
                }
                ValueOption::List => {
                    let item = slot
                        .item(matched)
                        .map_err(|reason| RunError::Regex { rule: self.values[index].line, reason })?;
                    let bytes = CELL + item.bytes();
                    slot.list_bytes += bytes;
                    self.bytes += bytes;
                    slot.list.push(item);
                }
                ValueOption::Key | ValueOption::Required => {}
            }
        }
        self.within_bounds()
    }

    /// Takes the record as it is, unless a value that is required is missing or there is nothing in it.
    pub(super) fn record(&mut self) -> Result<(), RunError> {
        if self.values.is_empty() {
            return Ok(());
        }
        for (slot, value) in self.slots.iter_mut().zip(self.values) {
            for option in &value.options {
                match option {
                    ValueOption::List => slot.saved = true,
                    ValueOption::Required if slot.is_empty() => {
                        self.clear();
                        return Ok(());
                    }
                    _ => {}
                }
            }
        }
        let nothing = |slot: &Slot| if slot.saved { slot.list.is_empty() } else { slot.current.is_none() };
        if self.slots.iter().all(nothing) {
            return Ok(());
        }
        let row: Vec<Cell> = self.slots.iter().map(Slot::cell).collect();
        self.bytes += self.slots.iter().map(Slot::bytes).sum::<usize>();
        self.within_bounds()?;
        self.done.push(row);
        self.clear();
        Ok(())
    }

    /// Forgets the record, but for what is filled down.
    pub(super) fn clear(&mut self) {
        for (slot, value) in self.slots.iter_mut().zip(self.values) {
            slot.saved = false;
            slot.current.clone_from(&slot.filldown);
            if !value.has(ValueOption::Filldown) {
                slot.empty_list(&mut self.bytes);
            }
        }
    }

    /// Forgets the record with what is filled down.
    pub(super) fn clear_all(&mut self) {
        for slot in &mut self.slots {
            slot.saved = false;
            slot.current = None;
            slot.filldown = None;
            slot.empty_list(&mut self.bytes);
        }
    }

    fn within_bounds(&self) -> Result<(), RunError> {
        if self.bytes > MAX_RECORDS { Err(RunError::TooLarge { limit: MAX_RECORDS }) } else { Ok(()) }
    }
}

impl Slot {
    fn item(&self, matched: Option<&str>) -> Result<Item, String> {
        let (Some(nested), Some(text)) = (&self.nested, matched) else {
            return Ok(Item::Text(matched.map(str::to_owned)));
        };
        let Some(captures) = nested.regex.captures(text).map_err(|error| error.to_string())? else {
            return Ok(Item::Text(Some(text.to_owned())));
        };
        let group = |(number, name): &(usize, String)| {
            (name.clone(), captures.get(*number).map(|part| part.as_str().to_owned()))
        };
        Ok(Item::Groups(nested.groups.iter().map(group).collect()))
    }

    fn is_empty(&self) -> bool {
        if self.saved { self.list.is_empty() } else { self.current.as_ref().is_none_or(String::is_empty) }
    }

    fn cell(&self) -> Cell {
        if self.saved {
            Cell::List(self.list.clone())
        } else {
            Cell::Text(self.current.clone().unwrap_or_default())
        }
    }

    fn bytes(&self) -> usize {
        CELL + if self.saved { self.list_bytes } else { self.current.as_ref().map_or(0, String::len) }
    }

    fn empty_list(&mut self, bytes: &mut usize) {
        self.list.clear();
        *bytes -= self.list_bytes;
        self.list_bytes = 0;
    }
}

impl Cell {
    /// What Fillup takes for a gap.
    fn is_empty(&self) -> bool {
        match self {
            Self::Text(text) => text.is_empty(),
            Self::List(items) => items.is_empty(),
        }
    }
}

impl Item {
    fn bytes(&self) -> usize {
        match self {
            Self::Text(text) => text.as_ref().map_or(0, String::len),
            Self::Groups(groups) => groups
                .iter()
                .map(|(name, text)| CELL + name.len() + text.as_ref().map_or(0, String::len))
                .sum(),
        }
    }
}

/// A list with more groups than its own is read again, if one of them has a name.
fn nested(value: &Value, alphabet: Alphabet) -> Result<Option<Nested>, RunError> {
    if !value.has(ValueOption::List) {
        return Ok(None);
    }
    let unusable = |reason: String| RunError::Regex { rule: value.line, reason };
    let pattern = Pattern::translate(&value.regex, alphabet).map_err(|error| unusable(error.to_string()))?;
    let groups: Vec<_> = pattern.named().map(|(number, name)| (number, name.to_owned())).collect();
    if pattern.groups() < 2 || groups.is_empty() {
        return Ok(None);
    }
    Ok(Some(Nested { regex: pattern.compile(MAX_BACKTRACKING).map_err(unusable)?, groups }))
}

//! The line in which the cursor stands: cells that can be written over, and become text when it ends.

use std::mem;

/// A cell that was written over with a space: taken back, and no text when nothing follows.
const ERASED: char = '\0';
/// The widest line, in cells. What is placed further right is not placed there.
pub(super) const WIDEST: usize = 1 << 16;

/// See the [module](self).
#[derive(Debug, Default)]
pub(super) struct Line {
    cells: Vec<char>,
    cursor: usize,
}

impl Line {
    /// What stands in it.
    pub(super) fn text(&self) -> String {
        let line: String = self.cells.iter().map(|&cell| if cell == ERASED { ' ' } else { cell }).collect();
        line.trim_end_matches(' ').to_owned()
    }

    /// How many cells it has.
    pub(super) fn width(&self) -> usize {
        self.cells.len()
    }

    /// Where the cursor stands.
    pub(super) fn cursor(&self) -> usize {
        self.cursor
    }

    /// Nothing is seen in it.
    pub(super) fn is_blank(&self) -> bool {
        self.cells.iter().all(|cell| matches!(*cell, ' ' | ERASED))
    }

    /// The cursor stands behind the last cell.
    pub(super) fn at_end(&self) -> bool {
        self.cursor == self.cells.len()
    }

    /// Writes plain characters behind the last cell.
    pub(super) fn append(&mut self, plain: &[u8]) {
        let room = WIDEST.saturating_sub(self.cells.len()).min(plain.len());
        self.cells.extend(plain[..room].iter().map(|&byte| char::from(byte)));
        self.cursor = self.cells.len();
    }

    /// Writes one where the cursor stands.
    pub(super) fn put(&mut self, character: char) {
        if self.cursor >= WIDEST {
            return;
        }
        while self.cells.len() < self.cursor {
            self.cells.push(' ');
        }
        match self.cells.get_mut(self.cursor) {
            Some(cell) => *cell = if character == ' ' { ERASED } else { character },
            None => self.cells.push(character),
        }
        self.cursor += 1;
    }

    pub(super) fn place(&mut self, column: usize) {
        self.cursor = column.min(WIDEST);
    }

    pub(super) fn left(&mut self, distance: usize) {
        self.cursor = self.cursor.saturating_sub(distance);
    }

    pub(super) fn right(&mut self, distance: usize) {
        self.cursor = self.cursor.saturating_add(distance).min(WIDEST);
    }

    pub(super) fn clear(&mut self) {
        self.cells.clear();
    }

    /// From the cursor on.
    pub(super) fn clear_end(&mut self) {
        self.cells.truncate(self.cursor);
    }

    /// Up to the cursor and with it.
    pub(super) fn clear_begin(&mut self) {
        let end = self.cursor.saturating_add(1).min(self.cells.len());
        self.cells[..end].fill(ERASED);
    }

    /// Takes so many cells out; what follows moves up.
    pub(super) fn delete(&mut self, distance: usize) {
        let end = self.cursor.saturating_add(distance).min(self.cells.len());
        if self.cursor < end {
            self.cells.drain(self.cursor..end);
        }
    }

    /// Ends it. Spaces at its end are the device's own, unless they took something back.
    pub(super) fn end(&mut self) -> String {
        self.cursor = 0;
        let mut cells = mem::take(&mut self.cells);
        let blank = |cell: &char| matches!(*cell, ' ' | ERASED);
        let text = cells.iter().rposition(|cell| !blank(cell)).map_or(0, |last| last + 1);
        if cells[text..].contains(&ERASED) {
            cells.truncate(text);
        }
        cells.iter().map(|&cell| if cell == ERASED { ' ' } else { cell }).collect()
    }
}

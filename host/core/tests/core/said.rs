//! Asserts what a message says: its line, its key, and pieces of its sentence and advice.

use fleetgate_core::diagnostic::Diagnostics;

/// Asserts that one of the problems stands in this line at this key and says these pieces.
#[track_caller]
pub fn assert_said(problems: &Diagnostics, line: usize, key: &str, pieces: &[&str]) {
    let found = problems.iter().any(|problem| {
        let text = problem.line();
        problem.position().map_or(0, |(line, _)| line) == line
            && problem.key == key
            && pieces.iter().all(|piece| text.contains(piece))
    });
    assert!(found, "nothing at line {line}, key {key:?}, with {pieces:?} in:\n{problems}");
}

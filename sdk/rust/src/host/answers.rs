//! The answers with which this call continues. They are there while the plugin's function runs.

use std::cell::RefCell;

use crate::Answers;

thread_local! {
    static CURRENT: RefCell<Answers> = const { RefCell::new(Answers::EMPTY) };
}

/// Puts the former answers back when dropped.
pub(crate) struct Provided(Answers);

/// Answers for as long as the returned value lives.
pub(crate) fn provide(answers: Answers) -> Provided {
    Provided(CURRENT.replace(answers))
}

impl Drop for Provided {
    fn drop(&mut self) {
        CURRENT.replace(std::mem::take(&mut self.0));
    }
}

pub(crate) fn current() -> Answers {
    CURRENT.with_borrow(Clone::clone)
}

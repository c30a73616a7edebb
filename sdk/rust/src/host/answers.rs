//! The answers with which this call continues. They are there while the tool runs.

use std::cell::RefCell;

use crate::Answers;

thread_local! {
    static CURRENT: RefCell<Option<Answers>> = const { RefCell::new(None) };
}

/// Puts the former answers back when dropped.
pub(crate) struct Provided(Option<Answers>);

/// Answers for as long as the returned value lives.
pub(crate) fn provide(answers: Option<Answers>) -> Provided {
    Provided(CURRENT.replace(answers))
}

impl Drop for Provided {
    fn drop(&mut self) {
        CURRENT.replace(self.0.take());
    }
}

pub(crate) fn current() -> Option<Answers> {
    CURRENT.with_borrow(Clone::clone)
}

//! Where state lives: jobs today, a plugin's own key-value space next.
//!
//! A [`Store`] holds [`Space`]s; a space holds [`Entry`]s by [`Key`]. It is as much as an embedded B-tree and a
//! distributed log (a JetStream bucket) both can promise: one entry is read as it was last written, a [`Batch`]
//! within one space happens whole or not at all, and each entry carries a revision by which a writer can say "only if
//! nobody came before me". Nothing spans two spaces, and nobody waits for a change here.
//!
//! What a store promises:
//! - **Durable.** When a write has answered, its entries survive the death of the process and of the machine.
//! - **Whole.** A batch whose condition does not hold changes nothing. Batches of one space happen one after another.
//! - **Fresh.** A read that begins after a write has answered sees it.
//! - **Gone is gone.** An entry past its expiry is not seen any more, whether or not it was deleted by then.
//!
//! [`Memory`] keeps all but the first promise. The durable one is the crate `fleetgate-store`.

mod batch;
mod memory;
mod name;

use std::fmt::Debug;
use std::time::SystemTime;

use futures_util::future::BoxFuture;

pub use batch::{Batch, Change, Condition, MAX_BATCH_BYTES, MAX_CHANGES, MAX_VALUE, Write};
pub use memory::Memory;
pub use name::{Key, MAX_KEY, MAX_SPACE, Space};

use crate::units::format_size;

/// Entries of one page of a list, at most.
pub const MAX_PAGE: usize = 1_000;
/// A page ends early when the values on it are over this many bytes together.
pub const MAX_PAGE_BYTES: usize = 8 << 20;

/// Keeps entries. Safe to use from many tasks; cheap to share behind an `Arc`.
pub trait Store: Debug + Send + Sync + 'static {
    /// One entry as it was last written. None: there is none, or it has expired.
    fn get(&self, space: &Space, key: &Key) -> BoxFuture<'static, Result<Option<Entry>, StoreError>>;

    /// The entries whose keys begin with a prefix, by key in the order of their bytes. One moment's view.
    fn list(&self, space: &Space, page: Page) -> BoxFuture<'static, Result<Listed, StoreError>>;

    /// All of these changes, or none. Answers once they are durable, with the revision of each
    /// [`Change::Put`], in their order.
    fn write(&self, space: &Space, batch: Batch) -> BoxFuture<'static, Result<Vec<u64>, StoreError>>;
}

/// What is kept under a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its name within the space.
    pub key: Key,
    /// What was put.
    pub value: Vec<u8>,
    /// Grows with every write of the space, and is never used twice in it, so that equal revisions mean the same
    /// write. Not 0.
    pub revision: u64,
    /// When it stops being there. To the millisecond.
    pub expires: Option<SystemTime>,
}

/// Which part of a space is listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// What the keys begin with; empty for all.
    pub prefix: String,
    /// The last key of the page before.
    pub after: Option<Key>,
    /// How many entries, at most [`MAX_PAGE`].
    pub limit: usize,
}

impl Page {
    /// The first page of everything that begins so.
    pub fn of(prefix: impl Into<String>) -> Self {
        Self { prefix: prefix.into(), after: None, limit: MAX_PAGE }
    }
}

/// One page.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Listed {
    /// In the order of their keys.
    pub entries: Vec<Entry>,
    /// There are entries after the last one.
    pub more: bool,
}

/// What a store cannot do. The text is for the operator.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// A condition of a batch did not hold, and nothing was changed.
    #[error("\"{key}\" in {space} is not what it was expected to be: something else was written meanwhile")]
    Conflict {
        /// Where.
        space: Space,
        /// The first key that was not as expected.
        key: Key,
    },
    /// Not a name for a space.
    #[error("{} is not a name for a space: 1 to {MAX_SPACE} of a-z, 0-9, - and _", crate::diagnostic::quoted(.name))]
    SpaceName {
        /// What was given.
        name: String,
    },
    /// Not a key.
    #[error("{} is not a key: 1 to {MAX_KEY} bytes without control characters", crate::diagnostic::quoted(.name))]
    KeyName {
        /// What was given, cut.
        name: String,
    },
    /// A value is over [`MAX_VALUE`], or a batch over [`MAX_BATCH_BYTES`].
    #[error("{} are too many for one write: at most {}", format_size(*.bytes as u64), format_size(*.max as u64))]
    TooLarge {
        /// How many there are.
        bytes: usize,
        /// How many there may be.
        max: usize,
    },
    /// A batch names a key twice or has too many changes.
    #[error("a batch changes each key once, and at most {MAX_CHANGES} of them: {reason}")]
    Batch {
        /// What is wrong with it.
        reason: String,
    },
    /// The disk or the quota is used up. Nothing was changed; what was there is still there.
    #[error("there is no room to write to {place}: {reason} (nothing is lost; free some space)")]
    Full {
        /// The file.
        place: String,
        /// What the operating system said.
        reason: String,
    },
    /// It cannot be read or written. Nothing that was acknowledged is lost as far as the medium kept it.
    #[error("{place} cannot be read or written: {reason}")]
    Broken {
        /// The file.
        place: String,
        /// What is the matter.
        reason: String,
    },
}

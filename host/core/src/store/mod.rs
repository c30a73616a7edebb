//! Where state lives: jobs, events, and what plugins remember.
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
//! - **Counted.** How much a space holds is known, and also how much each of its parts does: what stands in front of
//!   the first `/` of a key is the part that it belongs to. A batch may say how much there may be ([`Quota`]), and
//!   nothing that came meanwhile makes it more. What has expired takes no room from it.
//!
//! Names and batches can be sent to another process: what is read back is checked as what is made here.
//!
//! [`Memory`] keeps all but the first promise. The durable one is the crate `fleetgate-store`.

mod batch;
mod bytes;
mod memory;
mod name;
mod quota;

use std::fmt::Debug;
use std::time::SystemTime;

use futures_util::future::BoxFuture;
use serde::{Deserialize, Serialize};

pub use batch::{Batch, Change, Condition, MAX_BATCH_BYTES, MAX_CHANGES, MAX_VALUE, Write};
pub use memory::Memory;
pub use name::{Key, MAX_KEY, MAX_SPACE, Space};
pub use quota::{Quota, Usage};

use crate::units::format_size;

/// Entries of one page of a list, at most.
pub const MAX_PAGE: usize = 1_000;
/// The most for [`Page::bytes`].
pub const MAX_PAGE_BYTES: usize = 8 << 20;

/// Keeps entries. Safe to use from many tasks; cheap to share behind an `Arc`.
pub trait Store: Debug + Send + Sync + 'static {
    /// One entry as it was last written. None: there is none, or it has expired.
    fn get(&self, space: &Space, key: &Key) -> BoxFuture<'static, Result<Option<Entry>, StoreError>>;

    /// The entries whose keys begin with a prefix, by key in the order of their bytes, or back. One moment's view.
    fn list(&self, space: &Space, page: Page) -> BoxFuture<'static, Result<Listed, StoreError>>;

    /// All of these changes, or none. Answers once they are durable, with the revision of each
    /// [`Change::Put`], in their order.
    fn write(&self, space: &Space, batch: Batch) -> BoxFuture<'static, Result<Vec<u64>, StoreError>>;

    /// How much a part of a space holds; the empty part is the whole space. What has expired may still be counted.
    fn usage(&self, space: &Space, part: &str) -> BoxFuture<'static, Result<Usage, StoreError>>;

    /// The spaces behind this one that hold something, in the order of their names, at most [`MAX_PAGE`]. None: from
    /// the first.
    fn spaces(&self, after: Option<&Space>) -> BoxFuture<'static, Result<Vec<Space>, StoreError>>;
}

/// What is kept under a key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Its name within the space.
    pub key: Key,
    /// What was put.
    #[serde(with = "bytes")]
    pub value: Vec<u8>,
    /// Grows with every write of the key's part of the space, and is never used twice in it, so that equal revisions of
    /// a key mean the same write. Not 0. Who sees those of one part learns nothing of what is written to the others.
    pub revision: u64,
    /// When it stops being there. To the millisecond.
    pub expires: Option<SystemTime>,
}

/// Which part of a space is listed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Page {
    /// What the keys begin with; empty for all.
    pub prefix: String,
    /// The last key of the page before.
    pub after: Option<Key>,
    /// How many entries, at most [`MAX_PAGE`].
    pub limit: usize,
    /// The page ends early when the values on it are over this many bytes together, at most [`MAX_PAGE_BYTES`].
    pub bytes: usize,
    /// From the last key to the first.
    pub back: bool,
}

impl Page {
    /// The first page of everything that begins so.
    pub fn of(prefix: impl Into<String>) -> Self {
        Self { prefix: prefix.into(), after: None, limit: MAX_PAGE, bytes: MAX_PAGE_BYTES, back: false }
    }

    /// The least text behind everything that begins with the prefix. None: there is none.
    pub fn end(&self) -> Option<String> {
        let mut end = self.prefix.clone();
        while let Some(last) = end.pop() {
            // Characters are in the order of their UTF-8.
            if let Some(next) = (last..=char::MAX).nth(1) {
                end.push(next);
                return Some(end);
            }
        }
        None
    }
}

/// One page.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Listed {
    /// In the order of their keys, or back.
    pub entries: Vec<Entry>,
    /// There are more behind the last one.
    pub more: bool,
}

/// What a store cannot do. The text is for the operator.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
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
    /// There would be more than a batch's [`Quota`] allows. Nothing was changed.
    #[error("{space}{} holds {used}, and may hold {most}", of_part(.part))]
    OverQuota {
        /// Where.
        space: Space,
        /// The part that would hold too much; empty: the whole space.
        part: String,
        /// What it holds now.
        used: Usage,
        /// What it may hold.
        most: Usage,
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
    /// It cannot be reached now. It may go better soon. A write may have happened where `unknown` says so.
    #[error("{place} cannot be reached now: {reason}{}", outcome(.unknown))]
    Unavailable {
        /// The file.
        place: String,
        /// What is the matter.
        reason: String,
        /// A write was on its way.
        unknown: bool,
    },
}

fn of_part(part: &str) -> &'static str {
    if part.is_empty() { "" } else { " (a part of it)" }
}

fn outcome(unknown: &bool) -> &'static str {
    if *unknown { "; whether the write happened is not known" } else { "" }
}

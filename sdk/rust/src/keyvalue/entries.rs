//! All entries under a prefix.

use std::vec;

use super::{Bucket, Entry, KeyValueError};

/// Entries of one page.
const PAGE: u32 = 500;

/// Entries that are taken one by one and asked for page by page. What is written meanwhile is there if it lies before
/// the entries that were asked for. After an error there is nothing more.
#[derive(Debug)]
#[must_use = "nothing is asked for until it is taken"]
pub struct Entries<'a> {
    bucket: &'a Bucket,
    prefix: &'a str,
    back: bool,
    page: u32,
    behind: Option<String>,
    taken: vec::IntoIter<Entry>,
    more: bool,
}

impl<'a> Entries<'a> {
    pub(super) fn new(bucket: &'a Bucket, prefix: &'a str, back: bool) -> Self {
        Self { bucket, prefix, back, page: PAGE, behind: None, taken: Vec::new().into_iter(), more: true }
    }

    /// Begins behind this key, in the direction in which it goes.
    pub fn behind(mut self, key: &str) -> Self {
        self.behind = Some(key.to_owned());
        self
    }

    /// Entries of one page: 1 to 1,000. Fewer, where few are wanted.
    pub fn page(mut self, entries: u32) -> Self {
        self.page = entries;
        self
    }
}

impl Iterator for Entries<'_> {
    type Item = Result<Entry, KeyValueError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(entry) = self.taken.next() {
                return Some(Ok(entry));
            }
            if !self.more {
                return None;
            }
            let behind = self.behind.as_deref();
            let page = match self.back {
                false => self.bucket.list(self.prefix, behind, self.page),
                true => self.bucket.list_back(self.prefix, behind, self.page),
            };
            match page {
                Ok(page) => {
                    // A page without entries has nothing to go on from.
                    self.more = page.more && !page.entries.is_empty();
                    if let Some(last) = page.entries.last() {
                        self.behind = Some(last.key.clone());
                    }
                    self.taken = page.entries.into_iter();
                }
                Err(error) => {
                    self.more = false;
                    return Some(Err(error));
                }
            }
        }
    }
}

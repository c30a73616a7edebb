//! What is kept.

use serde::de::DeserializeOwned;

use super::KeyValueError;

/// What is kept under a key.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Entry {
    /// The key, as it was set.
    pub key: String,
    /// The value.
    pub value: Vec<u8>,
    /// Another with every write, never 0. Equal revisions of one key mean the same write.
    pub revision: u64,
    /// When it goes by itself, in Unix milliseconds. None: when it is deleted.
    pub expires_ms: Option<u64>,
}

impl Entry {
    /// The value as JSON.
    ///
    /// # Errors
    /// `malformed` when it is something else.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, KeyValueError> {
        serde_json::from_slice(&self.value).map_err(|error| KeyValueError::malformed(&self.key, &error))
    }

    /// The value as text. Bytes that are not UTF-8 become U+FFFD.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.value).into_owned()
    }
}

/// One page of a list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Page {
    /// In the order of the keys' bytes, or against it.
    pub entries: Vec<Entry>,
    /// There are more behind the last one; ask again with its key.
    pub more: bool,
}

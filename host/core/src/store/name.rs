//! The names of spaces and of what is in them.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::StoreError;

/// The longest name of a space, in bytes: two names of the configuration and a few characters fit.
pub const MAX_SPACE: usize = 80;
/// The longest key, in bytes.
pub const MAX_KEY: usize = 512;

/// A named bucket of entries. Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Space(Arc<str>);

impl Space {
    /// 1 to 80 characters of `a-z`, `0-9`, `-` and `_`: what every engine takes as a bucket's name.
    pub fn new(name: impl Into<Arc<str>>) -> Result<Self, StoreError> {
        let name = name.into();
        let fits = (1..=MAX_SPACE).contains(&name.len())
            && name.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_'));
        if fits { Ok(Self(name)) } else { Err(StoreError::SpaceName { name: shown(&name) }) }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Space {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The name of an entry within its space. Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Key(Arc<str>);

impl Key {
    /// 1 to 512 bytes of UTF-8 without control characters.
    pub fn new(name: impl Into<Arc<str>>) -> Result<Self, StoreError> {
        let name = name.into();
        let fits = (1..=MAX_KEY).contains(&name.len()) && !name.chars().any(char::is_control);
        if fits { Ok(Self(name)) } else { Err(StoreError::KeyName { name: shown(&name) }) }
    }
}

impl Deref for Key {
    type Target = str;
    fn deref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for Space {
    type Error = StoreError;
    fn try_from(name: String) -> Result<Self, StoreError> {
        Self::new(name)
    }
}

impl From<Space> for String {
    fn from(space: Space) -> Self {
        space.name().to_owned()
    }
}

impl TryFrom<String> for Key {
    type Error = StoreError;
    fn try_from(name: String) -> Result<Self, StoreError> {
        Self::new(name)
    }
}

impl From<Key> for String {
    fn from(key: Key) -> Self {
        (*key).to_owned()
    }
}

/// As much of a wrong name as a message needs.
fn shown(name: &str) -> String {
    crate::text::clean(&name[..name.floor_char_boundary(64)]).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_some_engine_would_not_take_are_refused() {
        for wrong in ["", "a b", "A", "a.b", "a/b", "ä", &"a".repeat(MAX_SPACE + 1)] {
            let refused = Space::new(wrong).expect_err(wrong);
            assert!(matches!(refused, StoreError::SpaceName { .. }), "{refused}");
        }
        assert_eq!(Space::new("kv-naas_lab0").expect("a name").name(), "kv-naas_lab0");
    }

    #[test]
    fn keys_are_text_of_bounded_length() {
        for wrong in ["", "a\nb", "a\0", "\u{85}", &"ä".repeat(MAX_KEY / 2 + 1)] {
            let refused = Key::new(wrong).expect_err("it is no key");
            assert!(matches!(refused, StoreError::KeyName { .. }), "{refused}");
        }
        assert_eq!(&*Key::new("devices/sn 1/größe").expect("a key"), "devices/sn 1/größe");
    }
}

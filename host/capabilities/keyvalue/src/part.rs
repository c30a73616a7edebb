//! Under which names entries are kept, so that no two owners share one.
//!
//! A bucket is the space `kv-<binding>_<request>`: neither name can hold an underscore, so no two pairs are one. Within
//! it a key is `<part>/<what the guest names>`, and the part is one of a few words without a slash that only the host
//! writes: [`SHARED`], or a caller's ([`of_principal`]). A principal's name may be any text of any length, so its part
//! is a hash, and the name itself stands once in the part [`OWNERS`].

use fleetgate_core::store::{Key, Space, StoreError};
use sha2::{Digest, Sha256};

/// What the spaces of buckets begin with.
pub(crate) const SPACES: &str = "kv-";
/// The part of all callers, where they share.
pub(crate) const SHARED: &str = "shared";
/// What the host notes of a bucket.
pub(crate) const ABOUT: &str = "about";
/// The names of principals, by their part.
pub(crate) const OWNERS: &str = "owners";
/// The longest key that a guest names, in bytes.
pub(crate) const MOST_KEY: usize = 256;

/// The space of a bucket.
///
/// # Panics
/// Where these are no names of a binding and a request.
pub fn space(binding: &str, bucket: &str) -> Space {
    Space::new(format!("{SPACES}{binding}_{bucket}")).expect("names of bindings and requests are short words")
}

/// The binding and the request of a space.
pub(crate) fn of_space(space: &Space) -> Option<(&str, &str)> {
    space.name().strip_prefix(SPACES)?.split_once('_')
}

/// The part of a caller.
pub(crate) fn of_principal(name: &str) -> String {
    let hash = Sha256::digest(name.as_bytes());
    hash.iter().take(16).fold("p-".to_owned(), |part, byte| part + &format!("{byte:02x}"))
}

/// The key of an entry.
pub(crate) fn key(part: &str, name: &str) -> Result<Key, StoreError> {
    Key::new(format!("{part}/{name}"))
}

/// What the guest calls it.
pub(crate) fn name(key: &Key) -> &str {
    key.split_once('/').map_or("", |(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_bindings_and_requests_are_one_space() {
        let pairs = [("a", "b-c"), ("a-b", "c"), ("a", "b"), ("a-", "b"), ("a", "-b")];
        let spaces: std::collections::BTreeSet<_> = pairs.iter().map(|(of, name)| space(of, name)).collect();
        assert_eq!(spaces.len(), pairs.len());
        for (binding, bucket) in pairs {
            assert_eq!(of_space(&space(binding, bucket)), Some((binding, bucket)));
        }
        // The longest names there are.
        space(&"b".repeat(32), &"n".repeat(32));
    }

    #[test]
    fn a_part_is_a_word_whatever_the_principal_is_called() {
        let names =
            ["ann", "Ann", "", "a/b", "../ann", "shared", "p-", "\0", "é", "e\u{301}", &"x".repeat(10_000)];
        let parts: std::collections::BTreeSet<_> = names.into_iter().map(of_principal).collect();
        assert_eq!(parts.len(), names.len());
        assert!(parts.iter().all(|part| part.len() == 34 && !part.contains('/')));
    }
}

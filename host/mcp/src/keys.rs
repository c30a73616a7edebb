//! Keys of this host's own. Cursors and session keys are made with them, so that nobody else can make one.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// How much of a tag is kept: 128 bits.
pub(crate) const TAG: usize = 16;

/// A key. What a fresh one signed is worthless after a restart.
#[derive(Clone)]
pub(crate) struct Key([u8; 32]);

impl Key {
    /// A fresh one.
    pub(crate) fn new() -> Self {
        let mut bytes = [0; 32];
        // Without randomness the host cannot work at all (keys, sessions).
        getrandom::fill(&mut bytes).expect("the operating system has randomness");
        Self(bytes)
    }

    /// One that was kept somewhere.
    pub(crate) fn of(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// A tag over these parts, each with its length, so that no two lists of parts look alike.
    pub(crate) fn tag(&self, parts: &[&[u8]]) -> [u8; TAG] {
        let full = self.mac(parts).finalize().into_bytes();
        let mut tag = [0; TAG];
        tag.copy_from_slice(&full[..TAG]);
        tag
    }

    /// Whether a tag is the one for these parts, in constant time.
    pub(crate) fn verify(&self, parts: &[&[u8]], tag: &[u8]) -> bool {
        tag.len() == TAG && self.mac(parts).verify_truncated_left(tag).is_ok()
    }

    fn mac(&self, parts: &[&[u8]]) -> Hmac<Sha256> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).expect("HMAC takes keys of any length");
        for part in parts {
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part);
        }
        mac
    }
}

/// Bytes as hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// 128 random bits as hexadecimal digits.
pub(crate) fn random() -> String {
    let mut bytes = [0; TAG];
    getrandom::fill(&mut bytes).expect("the operating system has randomness");
    hex(&bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_cannot_be_shifted_into_each_other() {
        let key = Key::new();
        assert_ne!(key.tag(&[b"ab", b"c"]), key.tag(&[b"a", b"bc"]));
        assert!(key.verify(&[b"ab", b"c"], &key.tag(&[b"ab", b"c"])));
        assert!(!key.verify(&[b"ab", b"c"], &key.tag(&[b"ab", b"c"])[..8]));
        assert!(!Key::new().verify(&[b"ab"], &key.tag(&[b"ab"])));
    }
}

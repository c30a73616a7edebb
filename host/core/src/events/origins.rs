//! Which deliveries of a source were kept: what it says again because its acknowledgement got lost is known by them.
//!
//! Only what a source itself calls a repetition is looked up, since a source uses its names again. Its keys are kept as
//! digests in entries of their own, each written with the events that it is about, so that keeping an event and knowing
//! it again are one step.

use std::collections::{HashSet, VecDeque};

use sha2::{Digest, Sha256};

use crate::capability::MAX_UNACKNOWLEDGED;

/// Of one delivery.
pub(super) type Digested = [u8; 16];

/// The last deliveries that were kept.
#[derive(Debug, Default)]
pub(super) struct Origins {
    /// By entry of the store, oldest first.
    entries: VecDeque<(u64, Vec<Digested>)>,
    known: HashSet<Digested>,
    count: usize,
}

pub(super) fn digest(key: &str) -> Digested {
    let digest: [u8; 32] = Sha256::digest(key.as_bytes()).into();
    let mut short = [0; 16];
    short.copy_from_slice(&digest[..16]);
    short
}

impl Origins {
    pub(super) fn knows(&self, digested: &Digested) -> bool {
        self.known.contains(digested)
    }

    /// Takes an entry of the store.
    pub(super) fn add(&mut self, number: u64, digests: Vec<Digested>) {
        self.known.extend(&digests);
        self.count += digests.len();
        self.entries.push_back((number, digests));
    }

    /// The entries that are not needed any more: as many deliveries as may wait for an acknowledgement came after them.
    pub(super) fn forget(&mut self) -> Vec<u64> {
        let mut forgotten = Vec::new();
        while let Some((_, oldest)) = self.entries.front()
            && self.count - oldest.len() >= MAX_UNACKNOWLEDGED
        {
            let Some((number, digests)) = self.entries.pop_front() else { break };
            self.count -= digests.len();
            forgotten.push(number);
        }
        if !forgotten.is_empty() {
            // The same name may stand in a later entry too.
            self.known = self.entries.iter().flat_map(|(_, digests)| digests).copied().collect();
        }
        forgotten
    }
}

pub(super) fn to_bytes(digests: &[Digested]) -> Vec<u8> {
    digests.concat()
}

pub(super) fn from_bytes(bytes: &[u8]) -> Vec<Digested> {
    bytes.as_chunks::<16>().0.to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_deliveries_are_known_and_older_ones_are_forgotten() {
        let mut origins = Origins::default();
        for number in 0..MAX_UNACKNOWLEDGED as u64 {
            origins.add(number, vec![digest(&number.to_string())]);
            assert!(origins.forget().is_empty());
        }
        assert!(origins.knows(&digest("0")));
        origins.add(9_999, vec![digest("new"), digest("1")]);
        assert_eq!(origins.forget(), [0, 1]);
        assert!(!origins.knows(&digest("0")) && origins.knows(&digest("2")));
        assert!(origins.knows(&digest("1")), "it came once more since");
    }

    #[test]
    fn digests_come_back_from_the_store() {
        let digests = [digest("a"), digest("b")];
        assert_eq!(from_bytes(&to_bytes(&digests)), digests);
    }
}

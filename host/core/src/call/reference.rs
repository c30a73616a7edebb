//! Names that nobody can guess: base32 without the look-alikes, so that people can read them out.

use std::sync::Arc;

const ALPHABET: &[u8; 32] = b"abcdefghjkmnpqrstuvwxyz023456789";

/// A call's reference: 60 bits.
pub(crate) fn new_reference() -> Arc<str> {
    random::<12>()
}

/// A job's id: 130 bits. Whoever has it still needs to be its owner.
pub(crate) fn new_job_id() -> Arc<str> {
    random::<26>()
}

/// An event's id: 130 bits, so that no two of all times are equal.
pub(crate) fn new_event_id() -> Arc<str> {
    random::<26>()
}

fn random<const LENGTH: usize>() -> Arc<str> {
    let mut bytes = [0u8; LENGTH];
    // Without randomness the host cannot work at all (keys, sessions).
    getrandom::fill(&mut bytes).expect("the operating system has randomness");
    bytes.iter().map(|byte| char::from(ALPHABET[usize::from(byte & 31)])).collect::<String>().into()
}

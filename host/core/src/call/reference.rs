//! Names that nobody can guess: base32 without the look-alikes, so that people can read them out.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

const ALPHABET: &[u8; 32] = b"abcdefghjkmnpqrstuvwxyz023456789";
/// The same, as texts sort.
const SORTED: &[u8; 32] = b"023456789abcdefghjkmnpqrstuvwxyz";

/// A call's reference: 60 bits.
pub(crate) fn new_reference() -> Arc<str> {
    random::<12>()
}

/// A job's id: 130 bits. Whoever has it still needs to be its owner.
pub(crate) fn new_job_id() -> Arc<str> {
    random::<26>()
}

/// An event's id: 60 bits of time and 70 of randomness, so that no two of all times are equal. Those of one host sort, as
/// texts, in the order in which they were made: whoever keeps events under a time and their id keeps the order of those
/// that came in one millisecond.
pub(crate) fn new_event_id() -> Arc<str> {
    static LAST: AtomicU64 = AtomicU64::new(0);
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    // 48 bits of milliseconds, and room for 4,096 ids in each; more take the next one's.
    let now = u64::try_from(since.as_millis()).unwrap_or(u64::MAX) << 12;
    let after = |last: u64| now.max(last + 1);
    let last = LAST.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |last| Some(after(last)));
    let number = after(last.unwrap_or_else(|last| last));
    let digits = (0..12).rev().map(|at| char::from(SORTED[(number >> (5 * at)) as usize & 31]));
    digits.chain(random::<14>().chars()).collect::<String>().into()
}

fn random<const LENGTH: usize>() -> Arc<str> {
    let mut bytes = [0u8; LENGTH];
    // Without randomness the host cannot work at all (keys, sessions).
    getrandom::fill(&mut bytes).expect("the operating system has randomness");
    bytes.iter().map(|byte| char::from(ALPHABET[usize::from(byte & 31)])).collect::<String>().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_events_sort_in_the_order_in_which_they_were_made() {
        let ids: Vec<_> = (0..20_000).map(|_| new_event_id()).collect();
        assert!(ids.is_sorted() && ids.iter().all(|id| id.len() == 26));
        let moment = |id: &str| id[..12].to_owned();
        assert!(
            ids.windows(2).all(|two| moment(&two[0]) < moment(&two[1])),
            "also without what is random in them"
        );
    }
}

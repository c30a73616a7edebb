//! Under what keys the bucket holds what was heard.
//!
//! | key | holds |
//! |---|---|
//! | `d/<device>` | the device: [`Record`](super::record::Record) |
//! | `s/<device>` | its last report: [`Report`](super::record::Report) |
//! | `c/<device>` | its script: [`Script`](super::record::Script) |
//! | `a/<device>/<hash>` | an alert: [`HeardAlert`](super::record::HeardAlert) |
//! | `h/<device>/<time>/<event>` | what one message measured, by sensor |
//! | `n/<code>` | what the log has still to say of the fleet: [`Matters`](super::matter::Matters) |
//! | `r/share` | how history is shared, as it was last counted: [`Room`](super::room::Room) |
//!
//! The time has 14 digits of milliseconds, so that keys sort by it; the event's id ends the key, so that a message that is
//! delivered twice is stored once. Everything goes by itself when its time is over.

/// An id that is longer, encoded, is not kept: a key has 256 bytes.
const LONGEST_DEVICE: usize = 128;
const LONGEST_EVENT: usize = 64;

/// A device's id as a part of a key: what is no letter, digit, `-`, `_` or `.` is encoded.
fn encoded(device: &str) -> String {
    let mut text = String::with_capacity(device.len());
    for byte in device.bytes() {
        match byte {
            b'-' | b'_' | b'.' => text.push(byte.into()),
            byte if byte.is_ascii_alphanumeric() => text.push(byte.into()),
            byte => text.push_str(&format!("%{byte:02X}")),
        }
    }
    text
}

pub fn decoded(part: &str) -> String {
    let mut bytes = Vec::with_capacity(part.len());
    let mut rest = part.bytes();
    while let Some(byte) = rest.next() {
        let digit = |byte: Option<u8>| char::from(byte?).to_digit(16);
        match byte {
            b'%' => match (digit(rest.next()), digit(rest.next())) {
                (Some(high), Some(low)) => bytes.push(u8::try_from(high * 16 + low).unwrap_or(b'?')),
                _ => bytes.push(b'?'),
            },
            byte => bytes.push(byte),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// FNV-1a with 128 bits (draft-eastlake-fnv). Names things; keeps nothing secret.
fn hash(text: &str) -> String {
    const OFFSET: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
    const PRIME: u128 = 0x0000_0000_0100_0000_0000_0000_0000_013b;
    let hash = text.bytes().fold(OFFSET, |hash, byte| (hash ^ u128::from(byte)).wrapping_mul(PRIME));
    format!("{hash:032x}")
}

/// Whether a device's id fits a key.
pub fn fits(device: &str) -> bool {
    encoded(device).len() <= LONGEST_DEVICE
}

pub fn record_key(device: &str) -> String {
    format!("d/{}", encoded(device))
}

pub fn report_key(device: &str) -> String {
    format!("s/{}", encoded(device))
}

pub fn script_key(device: &str) -> String {
    format!("c/{}", encoded(device))
}

pub fn share_key() -> String {
    "r/share".to_owned()
}

pub fn matter_key(code: &str) -> String {
    format!("n/{code}")
}

pub fn alerts_prefix(device: &str) -> String {
    format!("a/{}/", encoded(device))
}

pub fn alert_key(device: &str, name: &str) -> String {
    format!("{}{}", alerts_prefix(device), hash(name))
}

pub fn history_prefix(device: &str) -> String {
    format!("h/{}/", encoded(device))
}

pub fn history_key(device: &str, at: i64, event: &str) -> String {
    let plain = event.len() <= LONGEST_EVENT
        && event.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.:".contains(&b));
    let event = if plain { event.to_owned() } else { hash(event) };
    format!("{}{:014}/{event}", history_prefix(device), at.max(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_sort_by_time_and_hold_any_id() {
        let (early, late) = (history_key("d/1 é", 999, "e2"), history_key("d/1 é", 1_779_271_200_000, "e1"));
        assert_eq!(early, "h/d%2F1%20%C3%A9/00000000000999/e2");
        assert!(early < late);
        assert_eq!(decoded("d%2F1%20%C3%A9"), "d/1 é");
        for strange in ["%", "%4", "%zz", "a%C3"] {
            assert!(!decoded(strange).is_empty());
        }
        let longest = history_key(&"é".repeat(21), i64::MAX, &"x".repeat(500));
        assert!(longest.len() <= 256, "{}", longest.len());
        assert!(fits(&"é".repeat(21)) && !fits(&"é".repeat(22)));
    }

    #[test]
    fn hashes_are_those_of_the_draft() {
        assert_eq!(hash(""), "6c62272e07bb014262b821756295c58d");
        assert_eq!(hash("a"), "d228cb696f1a8caf78912b704e4a8964");
    }
}

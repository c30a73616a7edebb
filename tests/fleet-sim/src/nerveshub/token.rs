//! Personal access tokens, as in section 1 of the contract: `nhu_` and the base62 of 32 random bytes with
//! their big-endian CRC32 behind them, the first byte not zero.

const PREFIX: &str = "nhu_";
const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// Random bytes and checksum.
const LENGTH: usize = 32 + 4;

/// The token for these bytes. A leading zero would be lost in base62, so it becomes a one.
pub(crate) fn mint(mut random: [u8; 32]) -> String {
    random[0] = random[0].max(1);
    let mut bytes = random.to_vec();
    bytes.extend(crc32fast::hash(&random).to_be_bytes());
    format!("{PREFIX}{}", encode(&bytes))
}

/// Whether the text has the form of a token and its checksum holds.
pub fn well_formed(token: &str) -> bool {
    let Some(bytes) = token.strip_prefix(PREFIX).and_then(decode) else { return false };
    let (random, checksum) = bytes.split_at(32);
    crc32fast::hash(random).to_be_bytes() == checksum
}

/// Base62 by repeated division of the whole number.
fn encode(bytes: &[u8]) -> String {
    let mut number = bytes.to_vec();
    let mut digits = Vec::new();
    while number.iter().any(|byte| *byte != 0) {
        let mut rest = 0u32;
        for byte in &mut number {
            let value = rest << 8 | u32::from(*byte);
            *byte = (value / 62) as u8;
            rest = value % 62;
        }
        digits.push(DIGITS[rest as usize]);
    }
    digits.iter().rev().map(|digit| char::from(*digit)).collect()
}

/// The number as exactly [`LENGTH`] bytes with a leading byte that is not zero, or nothing.
fn decode(text: &str) -> Option<Vec<u8>> {
    let mut number = vec![0u8; LENGTH];
    for digit in text.bytes() {
        let mut carry = DIGITS.iter().position(|known| *known == digit)? as u32;
        for byte in number.iter_mut().rev() {
            let value = u32::from(*byte) * 62 + carry;
            *byte = value as u8;
            carry = value >> 8;
        }
        if carry != 0 {
            return None;
        }
    }
    (number[0] != 0).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base62_is_the_number_in_digits_then_capitals_then_small_letters() {
        assert_eq!(encode(b"hello world"), "AAwf93rvy4aWQVw");
    }

    #[test]
    fn a_minted_token_is_well_formed_and_a_changed_one_is_not() {
        for first in [0, 1, 127, 255] {
            let mut random = [7; 32];
            random[0] = first;
            let token = mint(random);
            assert!(well_formed(&token), "{token}");
            let last = if token.ends_with('A') { 'B' } else { 'A' };
            assert!(!well_formed(&format!("{}{last}", &token[..token.len() - 1])));
            assert!(!well_formed(token.strip_prefix(PREFIX).unwrap()));
            assert!(!well_formed(&format!("{token}0")));
        }
        assert!(!well_formed("nhu_"));
        assert!(!well_formed("nhu_ü"));
    }
}

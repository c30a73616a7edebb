//! How often: `50/s`, `10/m`.

use std::fmt;
use std::num::NonZeroU32;

use fleetgate_core::diagnostic::{Misspelt, TableReader, quoted};
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};

/// So many in a time, all of them at once too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rate {
    count: NonZeroU32,
    per: Per,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Per {
    Second,
    Minute,
    Hour,
}

impl Per {
    const WORDS: [(&'static str, Self); 3] = [("s", Self::Second), ("m", Self::Minute), ("h", Self::Hour)];
}

/// The most that a limiter counts to.
const MOST: u32 = 100_000;

impl Rate {
    /// What no grant says.
    pub(crate) const DEFAULT: Self = Self { count: NonZeroU32::new(50).unwrap(), per: Per::Second };

    pub(crate) fn read(table: &mut TableReader<'_>) -> Option<Self> {
        let text = table.spanned_string("rate")?;
        let rate = Self::parse(text.get_ref());
        if let Err(Misspelt { message, help }) = &rate {
            table.error_at(&text, message.as_str(), help.as_str());
        }
        rate.ok()
    }

    fn parse(text: &str) -> Result<Self, Misspelt> {
        let parsed = text.split_once('/').and_then(|(count, per)| {
            let digits = !count.is_empty() && count.bytes().all(|byte| byte.is_ascii_digit());
            let count =
                count.parse().ok().filter(|count| digits && *count <= MOST).and_then(NonZeroU32::new)?;
            let (_, per) = Per::WORDS.into_iter().find(|(word, _)| *word == per)?;
            Some(Self { count, per })
        });
        parsed.ok_or_else(|| Misspelt {
            message: format!("{} is not a rate", quoted(text)),
            help: format!("write a number up to {MOST} per second, minute or hour: 50/s, 10/m, 100/h"),
        })
    }

    pub(crate) fn limiter(self) -> DefaultDirectRateLimiter {
        RateLimiter::direct(match self.per {
            Per::Second => Quota::per_second(self.count),
            Per::Minute => Quota::per_minute(self.count),
            Per::Hour => Quota::per_hour(self.count),
        })
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let per = Per::WORDS.iter().find(|(_, per)| *per == self.per).map_or("s", |(word, _)| word);
        write!(f, "{}/{per}", self.count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_a_number_and_a_time() {
        for text in ["50/s", "10/m", "100000/h"] {
            assert_eq!(Rate::parse(text).unwrap().to_string(), text);
        }
        for text in ["", "50", "0/s", "-1/s", "+1/s", "1.5/s", "100001/s", "5/d", "5 / s", "/s"] {
            assert!(Rate::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn more_than_the_rate_is_refused() {
        let limiter = Rate::parse("3/h").unwrap().limiter();
        assert!((0..3).all(|_| limiter.check().is_ok()) && limiter.check().is_err());
    }
}

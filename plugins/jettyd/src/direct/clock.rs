//! What a device's own time is worth.
//!
//! Before it has asked a time server, a device counts from its start, in 1970; a broken clock may say anything. What was
//! measured is worth keeping all the same, so it then counts from when it was heard. Times in the past stand: devices
//! keep what they measure while they are offline, and send it later.

use std::time::Duration;

use fleetgate_sdk::prelude::*;

use crate::time;

/// 2020-01-01, before there were such devices, in Unix milliseconds.
const EARLIEST: i64 = 1_577_836_800_000;

/// When something was measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Measured {
    /// By the device's clock, in Unix milliseconds.
    Told(i64),
    /// The device did not say: when it was heard.
    Heard(i64),
    /// The device's clock is wrong: when it was heard.
    Corrected(i64),
}

impl Measured {
    /// `said`: the device's time, if it is one. `heard`: by the host's clock, in Unix milliseconds.
    pub fn of(said: Option<&Value>, heard: i64, tolerance: Duration) -> Self {
        let Some(said) = said.filter(|said| !said.is_null()) else { return Self::Heard(heard) };
        let latest = heard.saturating_add(i64::try_from(tolerance.as_millis()).unwrap_or(i64::MAX));
        match time::read(said).map(|at| at.as_millisecond()) {
            Some(at) if (EARLIEST..=latest).contains(&at) => Self::Told(at),
            _ => Self::Corrected(heard),
        }
    }

    /// In Unix milliseconds.
    pub fn ms(self) -> i64 {
        match self {
            Self::Told(at) | Self::Heard(at) | Self::Corrected(at) => at,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEARD: i64 = 1_779_271_200_000;

    #[test]
    fn a_plausible_time_stands_and_any_other_is_when_it_was_heard() {
        let of = |said: Value| Measured::of(Some(&said), HEARD, Duration::from_secs(300));
        assert_eq!(of(json!(1_779_271_100)), Measured::Told(HEARD - 100_000));
        assert_eq!(of(json!(1_779_271_100_000_i64)), Measured::Told(HEARD - 100_000));
        assert_eq!(of(json!(1_779_271_499)), Measured::Told(HEARD + 299_000));
        assert_eq!(of(json!(1_710_763_200)), Measured::Told(1_710_763_200_000), "kept while it was offline");
        for wrong in [
            json!(1_779_271_501),
            json!(86_400),
            json!(0),
            json!(-1),
            json!("soon"),
            json!(true),
            json!(1e300),
        ] {
            assert_eq!(of(wrong.clone()), Measured::Corrected(HEARD), "{wrong}");
        }
        assert_eq!(Measured::of(None, HEARD, Duration::ZERO), Measured::Heard(HEARD));
        assert_eq!(of(json!(null)), Measured::Heard(HEARD));
    }
}

//! What is the matter with devices, in the log.
//!
//! A clock that is wrong and a sensor that is broken are wrong in each message, for weeks. So a device counts when it
//! begins, and again once a day. Many devices may begin at once, when the power comes back: one line in ten minutes says
//! how many have since the last one, and names some.

use std::collections::BTreeMap;

use fleetgate_sdk::prelude::*;

use super::keys::matter_key;
use super::store::Memory;
use crate::reading::shown;
use crate::{settings, time};

/// Devices that a line names.
const NAMED: usize = 10;
/// Between two lines about the same, in milliseconds.
const QUIET: i64 = 600_000;
/// What lasts counts again after so long.
const AGAIN: i64 = 24 * 3_600_000;
/// What comes and goes is the same as before until it was gone for so long.
const OVER: i64 = 3_600_000;

/// What may be the matter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Matter {
    /// A device's clock is wrong.
    Clock,
    /// Some readings of a device are no values.
    Values,
    /// The bucket is full, and history was deleted. Counts messages.
    Full,
}

impl Matter {
    pub fn code(self) -> &'static str {
        match self {
            Self::Clock => "device-clock",
            Self::Values => "device-values",
            Self::Full => "quota",
        }
    }

    fn message(self) -> &'static str {
        match self {
            Self::Clock => {
                "the clock of these devices is wrong: what they measured counts from when it was heard"
            }
            Self::Values => "some readings of these devices are no values, and are left out",
            Self::Full => "the bucket is full: so many of the oldest messages were deleted for new ones",
        }
    }
}

/// Since when something is the matter with a device, by [`Matter::code`]: when it last counted, in Unix milliseconds.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Since(BTreeMap<String, i64>);

impl Since {
    /// Whether it counts now. `is`: it is so in this message.
    pub fn counts(&mut self, matter: Matter, is: bool, now: i64) -> bool {
        let ago = self.0.get(matter.code()).map(|at| now.saturating_sub(*at).saturating_abs());
        match (is, ago) {
            (true, None) | (true, Some(AGAIN..)) => {
                self.0.insert(matter.code().to_owned(), now);
                true
            }
            (false, Some(OVER..)) => {
                self.0.remove(matter.code());
                false
            }
            _ => false,
        }
    }
}

/// What was not said yet.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
struct Unsaid {
    /// When a line was last said, in Unix milliseconds.
    said: i64,
    count: u64,
    devices: Vec<String>,
}

/// What came up while a batch was handled.
#[derive(Debug, Default)]
pub struct Matters(BTreeMap<Matter, (u64, Vec<String>)>);

impl Matters {
    /// It is so, and nothing of it counts.
    pub fn lasts(&mut self, matter: Matter) {
        self.0.entry(matter).or_default();
    }

    /// It begins with a device.
    pub fn begins(&mut self, matter: Matter, device: &str) {
        let (count, devices) = self.0.entry(matter).or_default();
        *count += 1;
        if devices.len() < NAMED {
            devices.push(shown(device));
        }
    }

    /// So many more.
    pub fn more(&mut self, matter: Matter, count: usize) {
        self.0.entry(matter).or_default().0 += count as u64;
    }

    /// Takes over what another one has.
    pub fn add(&mut self, other: Self) {
        for (matter, (count, devices)) in other.0 {
            let (all, named) = self.0.entry(matter).or_default();
            *all += count;
            named.extend(devices);
            named.truncate(NAMED);
        }
    }

    /// Says it, unless that was done just now; then it is said later.
    pub fn say(self, memory: &Memory) {
        for (matter, (count, devices)) in self.0 {
            let one = || {
                let key = matter_key(matter.code());
                let mut unsaid: Unsaid = memory.read(&key)?.unwrap_or_default();
                unsaid.count += count;
                unsaid.devices.extend(devices.iter().cloned());
                unsaid.devices.truncate(NAMED);
                let now = time::now().as_millisecond();
                let due = now.saturating_sub(unsaid.said).saturating_abs() >= QUIET;
                let line = (due && unsaid.count > 0).then(|| std::mem::take(&mut unsaid));
                if line.is_some() {
                    unsaid.said = now;
                }
                if line.is_some() || count > 0 {
                    memory.bucket.set_json_for(&key, &unsaid, settings::forget_after()?)?;
                }
                Ok::<_, Fault>(line)
            };
            // What cannot be remembered is said at once: each device counts once, remembered or not.
            let now = || (count > 0).then(|| Unsaid { count, devices: devices.clone(), said: 0 });
            if let Some(Unsaid { count, devices, .. }) = one().unwrap_or_else(|_| now()) {
                let mut data = json!({ "code": matter.code(), "count": count });
                if !devices.is_empty() {
                    data["devices"] = json!(devices);
                }
                log::with(data).warning(matter.message());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lasts_counts_when_it_begins_and_once_a_day() {
        let mut since = Since::default();
        let hour = 3_600_000;
        let counted = (0..100).filter(|n| since.counts(Matter::Clock, true, n * hour)).collect::<Vec<_>>();
        assert_eq!(counted, [0, 24, 48, 72, 96]);
    }

    #[test]
    fn what_comes_and_goes_counts_at_most_once_an_hour() {
        let mut since = Since::default();
        let minute = 60_000;
        let counted =
            (0..240).filter(|n| since.counts(Matter::Clock, n % 2 == 0, n * minute)).collect::<Vec<_>>();
        assert!((2..=4).contains(&counted.len()), "{counted:?}");
    }

    #[test]
    fn one_matter_is_not_another() {
        let mut since = Since::default();
        assert!(since.counts(Matter::Clock, true, 0) && since.counts(Matter::Values, true, 0));
        assert!(!since.counts(Matter::Clock, false, 7_200_000), "it is over");
        assert!(since.counts(Matter::Clock, true, 7_200_001), "and begins again");
    }
}

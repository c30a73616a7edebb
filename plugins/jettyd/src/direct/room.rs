//! Room in a bucket that is full.
//!
//! Who has most makes room, so that nobody is pushed out by who talks most. Who has more than an equal share makes room
//! out of its own oldest history, ahead of what it says next; who has less, for that alone. And every device has a right
//! to a quarter of an equal share: below that, those who have most make room for it. So a device that never stops pays by
//! itself. Ids that somebody makes up take a quarter together at most: the more they are, the less each may have, down to
//! nothing, when a device that is not known yet is refused.
//!
//! What there is of whom stands in the records ([`Held`]), and is counted up at most once a minute.

use std::collections::{BTreeMap, BTreeSet};

use fleetgate_sdk::prelude::*;

use super::keys::{history_prefix, share_key};
use super::record::Record;
use super::store::Memory;
use crate::{settings, time};

/// An entry costs this much at least: a bucket is full of entries, too.
const ENTRY: u64 = 256;
/// A count stands for so long, in milliseconds.
const COUNTED: i64 = 60_000;
/// Devices that are remembered as those who have most.
const LARGEST: usize = 32;
/// Made at once is room for so many batches, since a bucket that is full stays so.
const AHEAD: u64 = 8;
/// What one of those who have most gives before the next one is asked.
const PART: u64 = 16 * ENTRY;
/// Entries that are deleted at once; a batch of the store has 500 changes.
const MOST: usize = 480;
/// Which part of an equal share a device has a right to.
const SHARE: u64 = 4;

/// What an entry costs.
pub fn cost(bytes: usize) -> u64 {
    (bytes as u64).max(ENTRY)
}

/// What history is kept of a device: its cost, by when it was measured, in eight parts of the time that history is kept.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Held(BTreeMap<i64, u64>);

impl Held {
    /// One more entry, measured then. `retention`: how long history is kept, in milliseconds.
    pub fn add(&mut self, at: i64, cost: u64, retention: i64) {
        let part = (retention / 8).max(60_000);
        *self.0.entry(at - at.rem_euclid(part)).or_default() += cost;
    }

    /// What is older than history is kept has gone by itself.
    pub fn expire(&mut self, now: i64, retention: i64) {
        let part = (retention / 8).max(60_000);
        self.0.retain(|begin, _| now.saturating_sub(begin.saturating_add(part)) <= retention);
    }

    /// So much of the oldest was deleted.
    pub fn forget(&mut self, mut cost: u64) {
        while let Some(mut oldest) = self.0.first_entry().filter(|_| cost > 0) {
            let part = cost.min(*oldest.get());
            *oldest.get_mut() -= part;
            cost -= part;
            if *oldest.get() == 0 {
                oldest.remove();
            }
        }
    }

    /// All of it.
    pub fn cost(&self) -> u64 {
        self.0.values().fold(0, |all, cost| all.saturating_add(*cost))
    }
}

/// A device whose messages did not fit.
#[derive(Debug)]
pub struct Need {
    pub device: String,
    /// What it had before.
    pub held: u64,
    /// What these messages cost.
    pub cost: u64,
}

/// What was done about it.
#[derive(Debug, Default)]
pub struct Room {
    /// What devices gave of their own, which their records do not say yet.
    pub given: BTreeMap<String, u64>,
    /// Devices for whose history there is no room.
    pub without: BTreeSet<String>,
    /// Messages that were deleted.
    pub deleted: usize,
}

/// How history is shared.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Share {
    /// When that was counted, in Unix milliseconds.
    at: i64,
    /// An equal share.
    mean: u64,
    /// What each device has a right to.
    right: u64,
    /// Those who have most, and what.
    largest: BTreeMap<String, u64>,
}

impl Share {
    fn counted(memory: &Memory, now: i64) -> Result<Self, Fault> {
        if let Some(share) = memory.read::<Self>(&share_key())?
            && now.saturating_sub(share.at).saturating_abs() < COUNTED
        {
            return Ok(share);
        }
        let retention = retention()?;
        let (records, more) = memory.records()?;
        let count = records.len() as u64 + 1;
        let held = |mut record: Record| {
            record.held.expire(now, retention);
            record.held.cost()
        };
        let mut all: Vec<_> = records.into_iter().map(|(device, record)| (device, held(record))).collect();
        let total = all.iter().fold(0_u64, |total, (_, held)| total.saturating_add(*held));
        all.sort_by_key(|(_, held)| std::cmp::Reverse(*held));
        let mean = total / count;
        // Of devices that are not counted nobody knows how many have how much.
        let right = if more || mean / SHARE < ENTRY { 0 } else { mean / SHARE };
        all.truncate(LARGEST);
        let largest = all.into_iter().filter(|(_, held)| *held > right).collect();
        Ok(Self { at: now, mean, right, largest })
    }

    /// Lets those who have most give so much, and says who gives what.
    fn levy(&mut self, mut cost: u64) -> BTreeMap<String, u64> {
        let mut gives = BTreeMap::new();
        while cost > 0 {
            let most = self.largest.iter_mut().max_by_key(|(_, held)| **held);
            let Some((device, held)) = most.filter(|(_, held)| **held > self.right) else { break };
            let part = PART.min(cost).min(*held - self.right).max(ENTRY);
            *held = held.saturating_sub(part);
            *gives.entry(device.clone()).or_default() += part;
            cost = cost.saturating_sub(part);
        }
        gives
    }
}

fn retention() -> Result<i64, Fault> {
    Ok(i64::try_from(settings::history_retention()?.as_millis()).unwrap_or(i64::MAX))
}

impl Room {
    /// Makes room for these, as far as there is some to be made.
    pub fn make(&mut self, memory: &Memory, needs: &[Need]) -> Result<(), Fault> {
        let now = time::now().as_millisecond();
        let mut share = Share::counted(memory, now)?;
        let (poor, rich): (Vec<_>, Vec<_>) = needs.iter().partition(|need| need.held < share.right);
        let all = needs.iter().fold(0_u64, |all, need| all.saturating_add(need.cost)).max(1);
        let ahead = (MOST as u64 * ENTRY / all).clamp(1, AHEAD);
        // What each gives: for itself, and for others.
        let mut gives: BTreeMap<String, (u64, u64)> = BTreeMap::new();
        for need in rich {
            let ahead = need.cost.saturating_mul(ahead).min(need.held.saturating_sub(share.mean));
            gives.entry(need.device.clone()).or_default().0 += need.cost.max(ahead);
        }
        let wanted = poor.iter().fold(0_u64, |all, need| all.saturating_add(need.cost));
        for (device, part) in share.levy(wanted.saturating_mul(ahead)) {
            gives.entry(device).or_default().1 += part;
        }
        let mut old = Old { memory, keys: Vec::new() };
        let (mut for_others, mut levied) = (0_u64, Vec::new());
        for (device, (own, part)) in gives {
            let given = old.of(&device, own + part)?;
            for_others = for_others.saturating_add(given.saturating_sub(own));
            if given < own + part {
                // It has nothing left, whatever was counted.
                share.largest.remove(&device);
            }
            match needs.iter().any(|need| need.device == device) {
                true if given == 0 && !old.is_full() => drop(self.without.insert(device)),
                true => *self.given.entry(device).or_default() += given,
                false => levied.push((device, given)),
            }
        }
        if for_others == 0 && !old.is_full() {
            self.without.extend(poor.iter().map(|need| need.device.clone()));
        }
        self.deleted += old.delete()?;
        for (device, given) in levied {
            memory.change(&device, |record| record.held.forget(given))?;
        }
        // A count that cannot be kept is made again.
        if let Err(error) = memory.bucket.set_json_for(&share_key(), &share, settings::forget_after()?) {
            log::debug(format!("how history is shared is not remembered: {}", error.message));
        }
        Ok(())
    }
}

/// The oldest history of devices, which is deleted together.
struct Old<'a> {
    memory: &'a Memory,
    keys: Vec<String>,
}

impl Old<'_> {
    /// The oldest of a device until that makes so much room; says how much it makes. Each device is asked for once.
    fn of(&mut self, device: &str, wanted: u64) -> Result<u64, Fault> {
        let most = usize::try_from(wanted.div_ceil(ENTRY)).unwrap_or(MOST).min(MOST - self.keys.len());
        if most == 0 {
            return Ok(0);
        }
        let page =
            self.memory.bucket.list(&history_prefix(device), None, u32::try_from(most).unwrap_or(1))?;
        let mut made = 0;
        for entry in page.entries {
            if made >= wanted {
                break;
            }
            made += cost(entry.key.len() + entry.value.len());
            self.keys.push(entry.key);
        }
        Ok(made)
    }

    /// No more can be deleted at once.
    fn is_full(&self) -> bool {
        self.keys.len() >= MOST
    }

    /// How many there were.
    fn delete(self) -> Result<usize, Fault> {
        let batch = self.keys.iter().fold(self.memory.bucket.batch(), |batch, key| batch.delete(key));
        batch.write()?;
        Ok(self.keys.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = 3_600_000;

    #[test]
    fn what_is_held_is_counted_forgotten_from_the_oldest_and_gone_with_its_time() {
        let mut held = Held::default();
        for hour in 0..8 {
            held.add(hour * HOUR, 1000, 8 * HOUR);
        }
        assert_eq!(held.cost(), 8000);
        held.forget(1500);
        assert_eq!((held.cost(), held.0.first_key_value()), (6500, Some((&HOUR, &500))));
        held.expire(10 * HOUR + 1, 8 * HOUR);
        assert_eq!((held.cost(), held.0.len()), (6000, 6));
        held.forget(u64::MAX);
        assert_eq!(held.cost(), 0);
    }

    #[test]
    fn those_who_have_most_give_until_they_have_no_more_than_the_next() {
        let largest = BTreeMap::from([
            ("a".to_owned(), 100 * ENTRY),
            ("b".to_owned(), 60 * ENTRY),
            ("c".to_owned(), ENTRY),
        ]);
        let mut share = Share { at: 0, mean: 80 * ENTRY, right: 20 * ENTRY, largest };
        let gives = share.levy(60 * ENTRY);
        assert_eq!(gives.keys().collect::<Vec<_>>(), ["a", "b"]);
        assert!(gives["a"] > gives["b"] && gives["a"] + gives["b"] == 60 * ENTRY, "{gives:?}");
        let rest = share.levy(u64::MAX);
        assert_eq!(gives["a"] + rest["a"], 80 * ENTRY, "nobody falls below its right");
        assert_eq!(gives["b"] + rest["b"], 40 * ENTRY);
    }
}

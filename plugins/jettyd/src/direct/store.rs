//! Where what was heard lies: one bucket, shared by all callers. [`keys`](super::keys) says under what.

use std::collections::BTreeMap;
use std::time::Duration;

use fleetgate_sdk::keyvalue::{Bucket, Change, Condition, KeyValueError, Write};
use fleetgate_sdk::prelude::*;
use serde::de::DeserializeOwned;

use super::keys::{alerts_prefix, decoded, fits, history_prefix, record_key, report_key, script_key};
use super::measured;
use super::record::{HeardAlert, Record, Report, Script};
use super::{BUCKET, EVENTS};
use crate::mode::binding;
use crate::reading::{Scalar, shown};
use crate::settings;

/// Devices and alerts that are listed.
const MOST_DEVICES: usize = 10_000;
const MOST_ALERTS: usize = 5_000;
/// Ids that a refusal names.
const NAMED: usize = 20;

/// The bucket.
pub struct Memory {
    pub bucket: Bucket,
}

impl Memory {
    /// # Errors
    /// `denied`, with a sentence for the operator, when there is no bucket.
    pub fn open() -> Result<Self, Fault> {
        if !granted(BUCKET) {
            let binding = binding();
            return Err(Fault::denied(format!(
                "Without jettyd's API, what devices say has to be heard and remembered before it can be told. The operator \
                 grants both: [plugins.{binding}.grant.keyvalue.history] and [plugins.{binding}.grant.events.telemetry]."
            )));
        }
        Ok(Self { bucket: Bucket::open(BUCKET)? })
    }

    /// What was kept in a shape that is not known any more counts as nothing.
    pub fn read<T: DeserializeOwned>(&self, key: &str) -> Result<Option<T>, Fault> {
        match self.bucket.get_json(key) {
            Err(error) if error.is("malformed") => {
                log::warning(format!("{}; it counts as nothing", error.message));
                Ok(None)
            }
            read => Ok(read?),
        }
    }

    pub fn record(&self, device: &str) -> Result<Option<Record>, Fault> {
        if !fits(device) {
            return Ok(None);
        }
        self.read(&record_key(device))
    }

    pub fn script(&self, device: &str) -> Result<Script, Fault> {
        Ok(self.read(&script_key(device))?.unwrap_or_default())
    }

    pub fn report(&self, device: &str) -> Result<Option<Report>, Fault> {
        self.read(&report_key(device))
    }

    /// What lies under a prefix by device, behind a key; at most so much. True: there is more.
    fn all<T: DeserializeOwned>(
        &self,
        prefix: &str,
        behind: Option<&str>,
        most: usize,
    ) -> Result<(Vec<(String, T)>, bool), Fault> {
        let mut all = Vec::new();
        let entries = self.bucket.entries(prefix).page(1000);
        let entries = match behind {
            Some(key) => entries.behind(key),
            None => entries,
        };
        for entry in entries {
            let entry = match entry {
                // As much as one call may read.
                Err(error) if error.is("too-much") => return Ok((all, true)),
                entry => entry?,
            };
            if all.len() == most {
                return Ok((all, true));
            }
            let part = entry.key.split('/').nth(1).unwrap_or_default();
            match entry.json() {
                Ok(value) => all.push((decoded(part), value)),
                Err(error) => log::warning(format!("{}; it counts as nothing", error.message)),
            }
        }
        Ok((all, false))
    }

    /// All devices, and whether there are more than these.
    pub fn records(&self) -> Result<(Vec<(String, Record)>, bool), Fault> {
        self.all("d/", None, MOST_DEVICES)
    }

    /// Alerts of a device, or of all, by device; behind a key.
    pub fn alerts(
        &self,
        device: Option<&str>,
        behind: Option<&str>,
    ) -> Result<(Vec<(String, HeardAlert)>, bool), Fault> {
        self.all(&device.map_or_else(|| "a/".to_owned(), alerts_prefix), behind, MOST_ALERTS)
    }

    /// Scripts of all devices.
    pub fn scripts(&self) -> Result<Vec<(String, Script)>, Fault> {
        Ok(self.all("c/", None, MOST_DEVICES)?.0)
    }

    /// What a device's messages measured of a sensor from one millisecond to another, both included, oldest first; at most
    /// so many messages. True: there are more.
    pub fn history(
        &self,
        (device, sensor): (&str, &str),
        (from, to): (i64, i64),
        most: usize,
        mut each: impl FnMut(i64, Scalar),
    ) -> Result<bool, Fault> {
        if !fits(device) {
            return Ok(false);
        }
        let prefix = history_prefix(device);
        // In front of every event of that millisecond.
        let begin = format!("{prefix}{:014}", from.max(0));
        for (read, entry) in self.bucket.entries(&prefix).behind(&begin).page(1000).enumerate() {
            let entry = match entry {
                Err(error) if error.is("too-much") => return Ok(true),
                entry => entry?,
            };
            let at =
                entry.key[prefix.len()..].split('/').next().and_then(|digits| digits.parse::<i64>().ok());
            let Some(at) = at else { continue };
            if at > to {
                return Ok(false);
            }
            if read == most {
                return Ok(true);
            }
            if let Some(value) = measured::value(&entry.value, sensor) {
                each(at, value);
            }
        }
        Ok(false)
    }

    /// Changes a device's record, if there is one.
    pub fn change(&self, device: &str, change: impl Fn(&mut Record)) -> Result<(), Fault> {
        let key = record_key(device);
        for _ in 0..8 {
            let Some(entry) = self.bucket.get(&key)? else { return Ok(()) };
            let Ok(mut record) = entry.json::<Record>() else { return Ok(()) };
            change(&mut record);
            let batch = self.bucket.batch().set_json_for(&key, &record, settings::forget_after()?);
            match batch.if_at(entry.revision).write() {
                Err(error) if error.is("conflict") => {}
                done => return Ok(done.map(drop)?),
            }
        }
        Err(Fault::unavailable("What is known of the device changes all the time."))
    }

    /// `unknown`, with the ids that there are, for who may see them.
    pub fn no_such_device(&self, asked: &str) -> Fault {
        let mut message = format!("No device `{}` has been heard", shown(asked));
        if !granted(EVENTS) {
            message.push_str(&format!(
                ": nothing is listened to. The operator grants [plugins.{}.grant.events.telemetry]",
                binding()
            ));
        }
        let mut fault = Fault::unknown("").field("/device_id");
        if call::has_role("devices:read")
            && let Ok((all, _)) = self.records()
        {
            let ids: Vec<_> = all.iter().take(NAMED).map(|(id, _)| shown(id)).collect();
            message.push_str(&match (ids.len(), all.len()) {
                (0, _) => " (none has been, yet)".to_owned(),
                (some, all) if some == all => format!(" (there are {})", ids.join(", ")),
                (_, all) => format!(" (there are {} and {} more)", ids.join(", "), all - ids.len()),
            });
            fault = fault.detail("device_ids", json!(ids));
        }
        fault.message(message + ".")
    }
}

/// Writes that happen together, and what they would make of the bucket.
pub struct Draft<'a> {
    memory: &'a Memory,
    writes: BTreeMap<String, Write>,
}

impl<'a> Draft<'a> {
    pub fn new(memory: &'a Memory) -> Self {
        Self { memory, writes: BTreeMap::new() }
    }

    /// What will be there.
    pub fn read<T: DeserializeOwned>(&self, key: &str) -> Result<Option<T>, Fault> {
        match self.writes.get(key).map(|write| &write.change) {
            Some(Change::Set { value, .. }) => Ok(serde_json::from_slice(value).ok()),
            Some(Change::Delete) => Ok(None),
            None => self.memory.read(key),
        }
    }

    /// The first entries under a prefix that will be there.
    pub fn list(&self, prefix: &str, most: u32) -> Result<BTreeMap<String, Vec<u8>>, Fault> {
        let kept = self.memory.bucket.list(prefix, None, most)?.entries;
        let mut all: BTreeMap<_, _> = kept.into_iter().map(|entry| (entry.key, entry.value)).collect();
        for (key, write) in
            self.writes.range(prefix.to_owned()..).take_while(|(key, _)| key.starts_with(prefix))
        {
            match &write.change {
                Change::Set { value, .. } => drop(all.insert(key.clone(), value.clone())),
                Change::Delete => drop(all.remove(key)),
            }
        }
        Ok(all)
    }

    /// A device's record, with what holds of it now: it is written only if that still holds then.
    pub fn record(&self, device: &str) -> Result<(Option<Record>, Condition), Fault> {
        let Some(entry) = self.memory.bucket.get(&record_key(device))? else {
            return Ok((None, Condition::Absent));
        };
        Ok((entry.json().ok(), Condition::Revision(entry.revision)))
    }

    /// The bytes of the entry.
    pub fn set(&mut self, key: String, value: &impl Serialize, ttl: Duration) -> Result<usize, Fault> {
        self.set_when(key, value, ttl, Condition::Always)
    }

    pub fn set_when(
        &mut self,
        key: String,
        value: &impl Serialize,
        ttl: Duration,
        when: Condition,
    ) -> Result<usize, Fault> {
        let value = serde_json::to_vec(value)
            .map_err(|error| Fault::internal(format!("What is to be remembered cannot be JSON: {error}")))?;
        let bytes = key.len() + value.len();
        let change = Change::Set { value, ttl: Some(ttl.max(Duration::from_secs(1))) };
        self.writes.insert(key.clone(), Write { key, when, change });
        Ok(bytes)
    }

    pub fn delete(&mut self, key: String) {
        self.writes.insert(key.clone(), Write { key, when: Condition::Always, change: Change::Delete });
    }

    pub fn write(self) -> Result<(), KeyValueError> {
        let batch =
            self.writes.into_values().fold(self.memory.bucket.batch(), |batch, write| batch.push(write));
        batch.write().map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::super::keys::history_key;
    use super::*;

    #[test]
    fn a_history_is_read_to_a_bound_and_says_that_there_is_more() {
        let host = fleetgate_sdk::testing::Harness::new().granted(BUCKET).shared(BUCKET);
        host.run(|| {
            let memory = Memory::open().expect("it is granted");
            for at in [1, 2, 3] {
                memory.bucket.set_json(&history_key("d1", at, "e"), &json!({ "t": at })).expect("it is kept");
            }
            let read = |range, most| {
                let mut values = Vec::new();
                let more = memory
                    .history(("d1", "t"), range, most, |at, _| values.push(at))
                    .expect("it can be read");
                (values, more)
            };
            assert_eq!(read((0, 9), 3), (vec![1, 2, 3], false));
            assert_eq!(read((0, 9), 2), (vec![1, 2], true));
            assert_eq!(read((2, 2), 2), (vec![2], false));
            assert_eq!(read((4, 9), 2), (vec![], false));
        });
    }
}

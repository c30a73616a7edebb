//! What devices say when nobody calls.
//!
//! A batch becomes few writes: for each message one entry of history, for each device one record. The writes of several
//! devices happen together or not at all, and are told apart only when they fail. Doing all of it again changes nothing:
//! history is kept under the event's id, and of values the latest counts.

use std::collections::BTreeMap;

use fleetgate_sdk::prelude::*;

use super::applying::{Heard, Kept, Rules, apply};
use super::keys::fits;
use super::matter::{Matter, Matters};
use super::message::{self, Said};
use super::room::Room;
use super::store::{Draft, Memory};
use super::topic::{Channel, Prefix};
use crate::reading::shown;
use crate::settings;

/// Messages and bytes whose writes happen together: a batch of the store has 500 changes and 4 MiB.
const TOGETHER: usize = 128;
const BYTES: usize = 512 * 1024;
/// How often it is tried where somebody else writes, or room has to be made.
const TRIES: u32 = 6;

/// Remembers what devices said.
#[events]
pub fn handle(batch: Vec<Event>) -> Vec<Result<(), Fault>> {
    let mut answers = vec![Ok(()); batch.len()];
    let ready = || {
        let rules = Rules {
            tolerance: settings::clock_tolerance()?,
            retention: settings::history_retention()?,
            forget: settings::forget_after()?,
        };
        Ok::<_, Fault>((Prefix::chosen()?, rules, Memory::open()?))
    };
    let (prefix, rules, memory) = match ready() {
        Ok(ready) => ready,
        // What the operator puts right is worth another try.
        Err(fault) => return vec![Err(fault.retryable()); batch.len()],
    };
    let mut by_device: BTreeMap<String, Vec<Heard>> = BTreeMap::new();
    // Of each code the first one, and how many there are.
    let mut refused: BTreeMap<String, (usize, u32)> = BTreeMap::new();
    for (at, event) in batch.iter().enumerate() {
        match read(&prefix, at, event) {
            Ok(Some(heard)) => by_device.entry(heard.device.clone()).or_default().push(heard),
            Ok(None) => {}
            Err(fault) => {
                refused.entry(fault.code.clone()).or_insert((at, 0)).1 += 1;
                answers[at] = Err(fault);
            }
        }
    }
    for (code, (at, count)) in refused {
        let (topic, event) = (shown(&batch[at].subject), shown(&batch[at].id));
        let why = answers[at].as_ref().err().map_or("", |fault| &fault.message);
        log::with(json!({ "code": code, "topic": topic, "event": event, "count": count })).warning(why);
    }
    let mut matters = Matters::default();
    for together in together(by_device) {
        let together: Vec<_> = together.iter().map(Vec::as_slice).collect();
        keep(&memory, &rules, &together, &mut answers, &mut matters);
    }
    matters.say(&memory);
    answers
}

fn read(prefix: &Prefix, at: usize, event: &Event) -> Result<Option<Heard>, Fault> {
    let Some(place) = prefix.place(&event.subject) else {
        return Err(Fault::custom(
            "foreign-topic",
            "This topic is none of a device's: the setting `topic_prefix` (or `tenant_id`) says where those are.",
        ));
    };
    if !fits(place.device) {
        return Err(Fault::custom("foreign-topic", "The id of this device is too long."));
    }
    let said = message::read(place.channel, &event.data)?;
    let by_device = !matches!(place.channel, Channel::Config | Channel::Command | Channel::Desired);
    if said == Said::Nothing && !by_device {
        return Ok(None);
    }
    Ok(Some(Heard {
        at,
        device: place.device.to_owned(),
        prefix: place.prefix.to_owned(),
        said,
        event: event.id.clone(),
        time: i64::try_from(event.time_ms).unwrap_or(i64::MAX),
        retained: event.retained(),
        by_device,
        bytes: event.data.len(),
    }))
}

/// Messages by device, in groups that are written together. The messages of a device stay in order, also over groups.
fn together(by_device: BTreeMap<String, Vec<Heard>>) -> Vec<Vec<Vec<Heard>>> {
    let (mut groups, mut group) = (Vec::new(), Vec::new());
    let (mut messages, mut bytes) = (0, 0);
    for (_, heard) in by_device {
        let mut of_device = Vec::new();
        for one in heard {
            if messages > 0 && (messages == TOGETHER || bytes + one.bytes > BYTES) {
                group.push(std::mem::take(&mut of_device));
                groups.push(std::mem::take(&mut group));
                (messages, bytes) = (0, 0);
            }
            messages += 1;
            bytes += one.bytes;
            of_device.push(one);
        }
        group.push(of_device);
    }
    groups.push(group);
    for group in &mut groups {
        group.retain(|of_device| !of_device.is_empty());
    }
    groups
}

/// Keeps what these devices said. Where that fails together, each device is tried alone, and then each message, so that
/// none suffers from another.
fn keep(
    memory: &Memory,
    rules: &Rules,
    group: &[&[Heard]],
    answers: &mut [Result<(), Fault>],
    matters: &mut Matters,
) {
    match try_to_keep(memory, rules, group) {
        Ok(kept) => {
            matters.add(kept.matters);
            for (at, fault) in kept.refused {
                answers[at] = Err(fault);
            }
        }
        Err(_) if group.len() > 1 => {
            for alone in group {
                keep(memory, rules, &[*alone], answers, matters);
            }
        }
        Err(fault) if group.len() == 1 && group[0].len() > 1 && !fault.retryable => {
            for alone in group[0].chunks(1) {
                keep(memory, rules, &[alone], answers, matters);
            }
        }
        Err(fault) => {
            log::with(json!({ "code": fault.code }))
                .error(format!("what was heard is not kept: {}", fault.message));
            // Nothing is wrong with what was heard, so it comes again.
            let again = fault.is("unavailable") || fault.is("cancelled");
            let fault = if again { fault.retryable() } else { fault };
            for heard in group.iter().copied().flatten() {
                answers[heard.at] = Err(fault.clone());
            }
        }
    }
}

fn try_to_keep(memory: &Memory, rules: &Rules, group: &[&[Heard]]) -> Result<Kept, Fault> {
    let mut last = Fault::unavailable("What is known of these devices changes all the time.");
    let mut room = Room::default();
    for _ in 0..TRIES {
        let mut draft = Draft::new(memory);
        let mut kept = Kept::default();
        for of_device in group {
            apply(&mut draft, rules, &room, of_device, &mut kept)?;
        }
        match draft.write() {
            Ok(()) => {
                if room.deleted > 0 {
                    kept.matters.more(Matter::Full, room.deleted);
                }
                return Ok(kept);
            }
            Err(error) if error.is("conflict") => {}
            Err(error) if error.is("quota") => {
                last = Fault::from(error).retryable();
                let all_without = kept.needs.iter().all(|need| room.without.contains(&need.device));
                if all_without {
                    break;
                }
                room.make(memory, &kept.needs)?;
            }
            Err(error) => return Err(error.into()),
        }
    }
    Err(last)
}

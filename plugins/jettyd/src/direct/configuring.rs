//! configure_device: a script to `config`, wishes to `shadow/desired`.
//!
//! Devices say on three topics whether they take a script, depending on their firmware, and never to which one that
//! belongs. So it is taken for an answer if it comes after the script was published and counts as many rules and
//! heartbeats.
//!
//! A script replaces the whole one. How often a device reports is a part of it, so that can be changed alone only where the
//! rest is known: as it was heard, or configured here.

use std::cell::RefCell;

use fleetgate_sdk::mqtt::{Message, Publication, Subscription};
use fleetgate_sdk::prelude::*;
use serde_json::Map;

use super::commands::{address, after_publishing};
use super::keys::script_key;
use super::message::{self, Said};
use super::record::Script;
use super::store::Memory;
use super::topic::{Channel, check_message};
use super::{BROKER, BUCKET};
use crate::command::perhaps_done;
use crate::configuration::{Checked, Configured, Objection, Status, objections};
use crate::settings;

/// What a device said, and what it does not like.
type Verdict = (Status, Vec<Objection>);

/// configure_device
pub fn configure(device: &str, config: &Checked) -> Result<ToolResult, Fault> {
    let prefix = address(device)?;
    let script = match (&config.script, config.interval) {
        (Some(script), _) => Some(script.clone()),
        (None, Some(seconds)) => Some(with_interval(device, seconds)?),
        (None, None) => None,
    };
    // All of it is looked at before any of it is sent.
    let config_topic = Channel::Config.below(&prefix);
    let desired_topic = Channel::Desired.below(&prefix);
    if let Some(script) = &script {
        check_message(&config_topic, &payload(script), "/config")?;
    }
    if !config.wishes.is_empty() {
        check_message(&desired_topic, &payload(&config.wishes), "/config")?;
    }

    let mut done = Configured {
        device_id: device.to_owned(),
        status: Status::Applied,
        config: config.whole.clone(),
        errors: Vec::new(),
        note: None,
    };
    let scripted = script.is_some();
    if let Some(script) = script {
        let (status, errors) = push_script(&prefix, &config_topic, &script)?;
        remember_script(device, script, status);
        done.errors = errors;
        done.status = status;
        done.note = note(status, config, true)?;
        if status == Status::Rejected {
            return done.into_result();
        }
    }
    if !config.wishes.is_empty() {
        let (status, errors) = push_wishes(&prefix, &desired_topic, &config.wishes)
            .map_err(|fault| if scripted { after_the_script(fault, done.status) } else { fault })?;
        if status != Status::Rejected {
            remember_tags(device, &config.wishes);
        }
        done.errors.extend(errors);
        done.status = worse(done.status, status);
        if let Some(more) = note(status, config, false)? {
            done.note = Some(done.note.map_or(more.clone(), |note| format!("{note} {more}")));
        }
    }
    done.into_result()
}

/// The second half failed, and the first stands.
fn after_the_script(fault: Fault, status: Status) -> Fault {
    let word = if status == Status::Pending { "sent, and not answered" } else { "taken" };
    let message = format!("{} The device's script was {word} before that.", fault.message);
    fault.message(message).detail("script", json!(status))
}

fn payload(map: &Map<String, Value>) -> Vec<u8> {
    Value::Object(map.clone()).to_string().into_bytes()
}

fn worse(one: Status, other: Status) -> Status {
    let rank = |status| match status {
        Status::Applied => 0,
        Status::Accepted => 1,
        Status::Pending => 2,
        Status::Rejected => 3,
    };
    if rank(one) >= rank(other) { one } else { other }
}

fn note(status: Status, config: &Checked, script: bool) -> Result<Option<String>, Fault> {
    Ok(match (status, script) {
        (Status::Pending, true) if settings::retain_config()? => {
            Some("The device did not answer. The broker keeps the script for it.".to_owned())
        }
        (Status::Pending, _) => Some(
            "The device did not answer. If it is away, this does not reach it: look at the device, and configure it again."
                .to_owned(),
        ),
        (Status::Rejected, true) if !config.wishes.is_empty() => Some("Nothing else was configured.".to_owned()),
        (Status::Rejected, false) if config.interval.is_some() => Some("How often it reports was changed before.".to_owned()),
        (Status::Rejected, _) => None,
        (_, true) if config.script.is_some() => Some("It replaces all rules and heartbeats that the device had.".to_owned()),
        _ => None,
    })
}

/// The device's whole script, with another interval.
fn with_interval(device: &str, seconds: u64) -> Result<Map<String, Value>, Fault> {
    let unknown = |why: &str| {
        Fault::custom(
            "config-unknown",
            format!(
                "How often it reports is a part of the device's script, which is replaced as a whole, and {why}. Give the whole \
                 script instead: `rules` and `heartbeats` (one of them `{{\"id\": \"h1\", \"every\": {seconds}, \"metrics\": []}}`)."
            ),
        )
        .field("/config/telemetry_interval_s")
    };
    if !granted(BUCKET) {
        return Err(unknown("nothing is remembered here"));
    }
    let script = Memory::open()?.script(device)?;
    if script.sent.is_some() {
        return Err(unknown("it was sent another one that it has not answered"));
    }
    let mut script = script.known.ok_or_else(|| unknown("its present script has not been heard"))?;
    script.insert("version".to_owned(), json!(1));
    let heartbeats = script.entry("heartbeats").or_insert_with(|| json!([]));
    let Some(list) = heartbeats.as_array_mut() else {
        return Err(unknown("its present script is not understood"));
    };
    let of_reports =
        list.iter().position(|heartbeat| heartbeat.get("id").and_then(Value::as_str) == Some("h1"));
    match of_reports.or(if list.is_empty() { None } else { Some(0) }) {
        Some(at) if list[at].is_object() => list[at]["every"] = json!(seconds),
        Some(_) => return Err(unknown("its present script is not understood")),
        None => list.push(json!({ "id": "h1", "every": seconds, "metrics": [] })),
    }
    Ok(script)
}

fn push_script(prefix: &str, topic: &str, script: &Map<String, Value>) -> Result<Verdict, Fault> {
    let listening = listen(prefix, &[Channel::Response, Channel::ConfigAck, Channel::Alert])?;
    let publication = Publication::new(topic, payload(script)).qos(1).retain(settings::retain_config()?);
    if let Err(error) = publication.send(BROKER) {
        after_publishing(error)?;
    }
    let count = |key: &str| script.get(key).and_then(Value::as_array).map_or(0, Vec::len) as u64;
    wait(&listening, prefix, |said, whole| match said {
        Said::ConfigAccepted { rules, heartbeats } => {
            let ours = rules.is_none_or(|said| said == count("rules"))
                && heartbeats.is_none_or(|said| said == count("heartbeats"));
            ours.then(|| (taken(whole), Vec::new()))
        }
        Said::ConfigRejected => Some((Status::Rejected, objections(whole))),
        _ => None,
    })
}

/// A device takes a wish, and reports all of its values again. A report without any of what was wished for is one of
/// another reason. Tags are nothing that a device knows, so nobody waits for them where they are remembered here.
fn push_wishes(prefix: &str, topic: &str, wishes: &Map<String, Value>) -> Result<Verdict, Fault> {
    let listening = listen(prefix, &[Channel::Report, Channel::ConfigAck, Channel::Alert])?;
    if let Err(error) = Publication::new(topic, payload(wishes)).qos(1).send(BROKER) {
        after_publishing(error)?;
    }
    if granted(BUCKET) && wishes.keys().all(|key| key == "tags") {
        return Ok((Status::Accepted, Vec::new()));
    }
    wait(&listening, prefix, |said, whole| match said {
        Said::Report(shadow) => {
            let follows =
                |(key, wish): (&String, &Value)| shadow.reported.get(key).is_some_and(|is| same(is, wish));
            let waits = shadow.desired.iter().flatten().any(|(key, _)| wishes.contains_key(key));
            match (wishes.iter().all(follows), wishes.iter().any(follows)) {
                (true, _) => Some((Status::Applied, Vec::new())),
                (false, true) if !waits => Some((Status::Accepted, Vec::new())),
                (false, _) => None,
            }
        }
        Said::ConfigAccepted { .. } => Some((taken(whole), Vec::new())),
        Said::ConfigRejected => Some((Status::Rejected, objections(whole))),
        _ => None,
    })
}

/// A device that takes a configuration may say that it follows it by now.
fn taken(whole: &Value) -> Status {
    match whole.get("status").and_then(Value::as_str).and_then(Status::read) {
        Some(Status::Applied) => Status::Applied,
        _ => Status::Accepted,
    }
}

fn same(is: &Value, wish: &Value) -> bool {
    is == wish || is.as_f64().is_some_and(|is| wish.as_f64() == Some(is))
}

/// Listens to these channels of a device, or to those of them that are granted.
fn listen(prefix: &str, channels: &[Channel]) -> Result<Subscription, Fault> {
    let filters: Vec<_> = channels.iter().map(|channel| channel.below(prefix)).collect();
    match Subscription::open(BROKER, &filters) {
        Err(error) if error.is("denied") => {
            let granted: Vec<_> =
                filters.iter().filter(|filter| Subscription::open(BROKER, &[filter]).is_ok()).collect();
            if granted.is_empty() {
                return Err(error.into());
            }
            Ok(Subscription::open(BROKER, &granted)?)
        }
        opened => Ok(opened?),
    }
}

/// The first verdict; `pending` where none comes.
fn wait(
    listening: &Subscription,
    prefix: &str,
    judge: impl Fn(&Said, &Value) -> Option<Verdict>,
) -> Result<Verdict, Fault> {
    let verdict = RefCell::new(None);
    let read = |message: &Message| {
        let channel = [Channel::Response, Channel::ConfigAck, Channel::Alert, Channel::Report]
            .into_iter()
            .find(|channel| channel.below(prefix) == message.topic)
            .filter(|_| !message.retained)?;
        let said = message::read(channel, &message.payload).ok()?;
        judge(&said, &message::json(&message.payload).unwrap_or_default())
    };
    let heard = listening.wait_for(
        |message| {
            verdict.replace(read(message));
            verdict.borrow().is_some()
        },
        settings::command_timeout()?,
    );
    match heard {
        Err(error) if error.is("cancelled") => Err(perhaps_done(error.into())),
        // It was published; what became of it may be asked for later.
        Err(error) => {
            log::warning(format!("no answer can be heard any more: {}", error.message));
            Ok((Status::Pending, Vec::new()))
        }
        Ok(_) => Ok(verdict.into_inner().unwrap_or((Status::Pending, Vec::new()))),
    }
}

/// The script that the device has now, or was sent. A failure costs the next change of its interval alone.
fn remember_script(device: &str, script: Map<String, Value>, status: Status) {
    let remember = || {
        if !granted(BUCKET) || status == Status::Rejected {
            return Ok(());
        }
        let memory = Memory::open()?;
        let mut known = memory.script(device)?;
        match status {
            Status::Pending => known.sent = Some(script),
            _ => known = Script { known: Some(script), sent: None },
        }
        let interval = known.interval();
        memory.bucket.set_json_for(&script_key(device), &known, settings::forget_after()?)?;
        if status != Status::Pending {
            memory.change(device, |record| record.interval = interval)?;
        }
        Ok::<_, Fault>(())
    };
    if let Err(fault) = remember() {
        log::warning(format!("the script is not remembered: {}", fault.message));
    }
}

/// Devices do not know tags of their own; where what is heard is remembered, they are.
fn remember_tags(device: &str, wishes: &Map<String, Value>) {
    let Some(tags) = wishes.get("tags").and_then(Value::as_array).filter(|_| granted(BUCKET)) else { return };
    let tags: Vec<_> = tags.iter().filter_map(Value::as_str).map(str::to_owned).collect();
    if let Err(fault) =
        Memory::open().and_then(|memory| memory.change(device, |record| record.tags.clone_from(&tags)))
    {
        log::warning(format!("the tags are not remembered: {}", fault.message));
    }
}

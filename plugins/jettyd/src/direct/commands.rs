//! send_command: published once, and answered on a topic of its own.
//!
//! The answer is listened for before the command is published, so that a fast device is heard; answers to other commands
//! are left alone. Once the broker may have the command, nothing that happens is a reason to send it again.

use std::cell::RefCell;
use std::time::Duration;

use fleetgate_sdk::mqtt::{Message, MqttError, Publication, Subscription};
use fleetgate_sdk::prelude::*;
use serde_json::Map;

use super::message;
use super::store::Memory;
use super::topic::{Channel, Prefix, check_device, check_message};
use super::{BROKER, BUCKET, EVENTS};
use crate::command::{Sent, Status, perhaps_done};
use crate::mode::binding;
use crate::reading::shown;
use crate::settings::{self, Dialect};

/// How long the broker may take to acknowledge a publication.
const PATIENCE: Duration = Duration::from_secs(5);

/// For so long after a device of the same id was heard elsewhere, in milliseconds, neither is acted on.
const CONTESTED: i64 = 24 * 3_600_000;

/// send_command
pub fn send(device: &str, command: &str, params: &Map<String, Value>) -> Result<ToolResult, Fault> {
    let prefix = address(device)?;
    let (topic, answers) = (Channel::Command.below(&prefix), Channel::Response.below(&prefix));
    let most = settings::command_timeout()?;
    let id = fresh_id()?;
    let dialect = Dialect::chosen()?;
    let mut body = Map::from_iter([("id".to_owned(), json!(id))]);
    body.extend(dialect.spell(command, params));
    if dialect == Dialect::Action {
        body.insert("timeout".to_owned(), json!(most.as_secs().max(1)));
    }
    let payload = Value::Object(body).to_string().into_bytes();
    check_message(&topic, &payload, "/params")?;
    check_message(&answers, &[], "/params")?;

    let listening = Subscription::open(BROKER, &[answers])?;
    let sent = Sent { id: &id, device, command };
    if let Err(error) = Publication::new(&topic, payload).qos(1).timeout(PATIENCE).send(BROKER) {
        after_publishing(error)?;
    }
    let answer = RefCell::new(None);
    let heard = listening.wait_for(
        |message| {
            answer.replace(answer_to(&id, message));
            answer.borrow().is_some()
        },
        most,
    );
    match (heard, answer.into_inner()) {
        (Ok(_), Some((status, said))) => {
            sent.answered(status, said.get("result"), said.get("error").and_then(Value::as_str))
        }
        (Ok(_), None) => sent.unanswered(most),
        (Err(error), _) if error.is("cancelled") => {
            Err(perhaps_done(error.into()).detail("command_id", id.as_str()))
        }
        (Err(error), _) => {
            sent.lost(format!("the connection to the broker broke before an answer came ({})", error.message))
        }
    }
}

/// What became of a publication that failed. It goes on if the broker may have it.
pub(super) fn after_publishing(error: MqttError) -> Result<(), Fault> {
    if !error.sent {
        return Err(error.into());
    }
    if error.is("cancelled") {
        return Err(perhaps_done(error.into()));
    }
    log::warning(format!("it is not known whether the broker has it: {}", error.message));
    Ok(())
}

/// The answer to this command. None: it is another one's, or none that ends anything.
fn answer_to(id: &str, message: &Message) -> Option<(Status, Value)> {
    if message.retained {
        return None;
    }
    let said = message::json(&message.payload).ok()?;
    if said.get("id")?.as_str()? != id {
        return None;
    }
    Some((Status::read(said.get("status")?.as_str()?)?, said))
}

fn fresh_id() -> Result<String, Fault> {
    let mut bytes = [0; 8];
    getrandom::fill(&mut bytes)
        .map_err(|error| Fault::internal(format!("There is no randomness: {error}")))?;
    Ok(format!("cmd_{:016x}", u64::from_be_bytes(bytes)))
}

/// What the topics of a device begin with: as it was heard, or, where nothing is remembered, as the operator's settings
/// say.
pub(super) fn address(device: &str) -> Result<String, Fault> {
    check_device(device)?;
    let prefix = Prefix::chosen()?;
    if granted(BUCKET) {
        let memory = Memory::open()?;
        if let Some(record) = memory.record(device)? {
            let now = crate::time::now().as_millisecond();
            let lately = record.contested.is_some_and(|at| now.saturating_sub(at) < CONTESTED);
            if lately && !prefix.unknown().is_empty() {
                let message = format!(
                    "Devices of the id {} were heard at two places: which one is meant is not known. The operator sets \
                     `tenant_id`, or writes it into `topic_prefix`.",
                    shown(device)
                );
                return Err(Fault::custom("conflict", message).field("/device_id"));
            }
            return Ok(record.prefix);
        }
        // Who listens has heard every device that is there.
        if granted(EVENTS) {
            return Err(memory.no_such_device(device));
        }
    }
    prefix.of(device).ok_or_else(|| {
        Fault::denied(format!(
            "Where device {} is talked to is not known: nothing says what {} is in its topics. The operator sets `tenant_id` or \
             writes it into `topic_prefix`, or grants [plugins.{binding}.grant.events.telemetry] and \
             [plugins.{binding}.grant.keyvalue.history], so that devices are heard.",
            shown(device),
            prefix.unknown().join(" and "),
            binding = binding()
        ))
    })
}

//! How a device behaves where the public firmware is not all there is.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};

use super::super::firmware::Answer;

/// How a device answers a command.
#[derive(Debug, Clone, PartialEq)]
pub enum Manner {
    /// As its firmware does.
    Obeys,
    /// With this status and result, and nothing is done.
    Says(&'static str, Value),
    /// Not at all, and nothing is done.
    Silent,
    /// As its firmware does, so much later.
    Late(Duration),
    /// With the answer to a command that somebody else sent, then to this one.
    OtherFirst,
    /// With what is no JSON, with JSON that is no answer, then as it should.
    GarbledFirst,
    /// With `ok` for `acked`, and `error` for `rejected`.
    Aliases,
    /// Twice the same.
    Twice,
    /// Not at all: it does what it is told, and its connection breaks before it can say so.
    Vanishes,
}

impl Manner {
    /// It is doing something else.
    pub fn busy() -> Self {
        Self::Says("busy", json!({}))
    }

    /// It tried and could not.
    pub fn failed(reason: &str) -> Self {
        Self::Says("failed", json!({ "error": reason }))
    }

    /// What it publishes for the answer that its firmware has.
    pub(super) fn answers(&self, answer: &Answer) -> Vec<String> {
        let answer_json = answer.to_json();
        let own = answer_json.to_string();
        match self {
            Self::Obeys | Self::Late(_) => vec![own],
            Self::Says(status, result) => {
                vec![json!({"id": answer.id, "status": status, "result": result}).to_string()]
            }
            Self::Silent | Self::Vanishes => Vec::new(),
            Self::OtherFirst => {
                let other = Answer {
                    id: "cmd_of_somebody_else".into(),
                    status: "rejected",
                    result: Map::from_iter([("error".to_owned(), json!("not the one you sent"))]),
                    reboots: false,
                };
                vec![other.to_json().to_string(), own]
            }
            Self::GarbledFirst => {
                let id = &answer.id;
                vec![format!(r#"{{"id":"{id}","status":"#), format!(r#"["{id}"]"#), own]
            }
            Self::Aliases => {
                let status = if answer.status == "acked" { "ok" } else { "error" };
                vec![json!({"id": answer.id, "status": status, "result": answer.result}).to_string()]
            }
            Self::Twice => vec![own.clone(), own],
        }
    }

    /// Whether it does what it is told.
    pub(super) fn obeys(&self) -> bool {
        !matches!(self, Self::Silent | Self::Says(..))
    }
}

/// Where a device acknowledges a configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Acks {
    /// On `command/response`, as the firmware does: without an id.
    CommandResponse,
    /// On `config/ack`, as the documents say.
    ConfigAck,
}

/// What a device takes for the time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Clock {
    /// The time.
    Right,
    /// It never says.
    Absent,
    /// So much later than it is.
    Ahead(Duration),
    /// It has not been set since boot: the firmware then counts from 1970.
    Unset,
}

impl Clock {
    /// What stands as `ts`.
    pub(super) fn ts(self, now: Timestamp, booted: Timestamp) -> Option<i64> {
        match self {
            Self::Right => Some(now.as_second()),
            Self::Absent => None,
            Self::Ahead(ahead) => {
                let ahead = SignedDuration::try_from(ahead).unwrap_or(SignedDuration::ZERO);
                Some((now + ahead).as_second())
            }
            Self::Unset => Some(now.duration_since(booted).as_secs()),
        }
    }
}

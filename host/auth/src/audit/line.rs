//! One record as text: a moment, `kind`, and the fields of the core's record beside them.

use fleetgate_core::audit::{Intent, Record};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// One line of the log.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Line {
    /// When it was recorded, to the millisecond, UTC.
    #[serde(with = "moment")]
    pub at: Timestamp,
    /// What was recorded.
    #[serde(flatten)]
    pub entry: Entry,
}

/// The two kinds of record.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Entry {
    /// A call that may change something is about to start.
    Intent(Intent),
    /// A call has ended, or was refused.
    Outcome(Record),
}

/// How every line starts; what a torn line is searched for.
pub(super) const START: &str = "{\"at\":\"";

impl Line {
    /// Who and what, whichever kind it is.
    pub fn intent(&self) -> &Intent {
        match &self.entry {
            Entry::Intent(intent) => intent,
            Entry::Outcome(record) => &record.intent,
        }
    }

    /// Without the newline.
    pub(super) fn parse(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }
}

/// The bytes of one line, with the newline. Borrows, so that nothing is copied on the way of a call.
pub(super) fn encode(entry: &impl Serialize, kind: &'static str) -> Vec<u8> {
    #[derive(Serialize)]
    struct Borrowed<'a, T> {
        #[serde(with = "moment")]
        at: Timestamp,
        kind: &'static str,
        #[serde(flatten)]
        entry: &'a T,
    }
    let line = Borrowed { at: Timestamp::now(), kind, entry };
    let mut bytes = serde_json::to_vec(&line).expect("a record is plain data with text keys");
    bytes.push(b'\n');
    bytes
}

/// RFC 3339 with exactly three digits after the second, so that lines can be compared as text.
pub(super) mod moment {
    use jiff::Timestamp;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub fn serialize<S: Serializer>(at: &Timestamp, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(&format_args!("{at:.3}"))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Timestamp, D::Error> {
        String::deserialize(from)?.parse().map_err(D::Error::custom)
    }
}

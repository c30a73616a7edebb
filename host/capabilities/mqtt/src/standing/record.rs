//! What was subscribed under a client's name, as far as this host knows: a small file beside its state.
//!
//! It is written before anything is asked of the broker, with everything that could be subscribed afterwards, and again
//! when the broker has answered. So it never knows less than the broker's session does, unless it was removed; then the
//! session's leftovers are heard, and passed over. And it tells the next host of a session that nobody wants any more,
//! since its events were taken away meanwhile ([`Record::left_over`]).

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};

use fleetgate_core::whole_file;
use serde::{Deserialize, Serialize};

use crate::filter::Filter;
use crate::qos::Qos;

/// Where the files are.
pub(super) struct Record {
    directory: PathBuf,
    /// What they are true for.
    broker: String,
    /// Whose they are: `meters/broker`.
    of: String,
}

/// Files of other hosts' are as small as ours.
const MOST_BYTES: u64 = 4 << 20;

/// What stands in one.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Known {
    /// The broker acknowledged these.
    pub(super) granted: BTreeMap<Filter, Qos>,
    /// It may know of these.
    pub(super) asked: BTreeSet<Filter>,
}

#[derive(Serialize, Deserialize)]
struct File {
    broker: String,
    #[serde(default)]
    of: String,
    #[serde(default)]
    client: String,
    granted: BTreeMap<String, u8>,
    asked: BTreeSet<String>,
}

impl Record {
    pub(super) fn new(state: &Path, broker: String, of: String) -> Self {
        Self { directory: state.join("mqtt"), broker, of }
    }

    /// Under which names something was listened to for these events at this broker. Blocks for short.
    pub(super) fn left_over(&self) -> Vec<String> {
        let Ok(entries) = std::fs::read_dir(&self.directory) else { return Vec::new() };
        let small = entries
            .flatten()
            .filter(|entry| entry.metadata().is_ok_and(|data| data.is_file() && data.len() <= MOST_BYTES));
        let files =
            small.filter_map(|entry| serde_json::from_slice::<File>(&std::fs::read(entry.path()).ok()?).ok());
        let ours = files.filter(|file| file.broker == self.broker && file.of == self.of);
        ours.map(|file| file.client).filter(|client| !client.is_empty()).collect()
    }

    fn path(&self, client: &str) -> PathBuf {
        // Names of clients may hold what names of files do not.
        let name: String = client
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() || "-_".contains(c) { c } else { '_' })
            .collect();
        self.directory.join(format!("{name}.json"))
    }

    /// What is known. Nothing, where the file is not there, is not what it should be, or is about another broker.
    pub(super) async fn read(&self, client: &str) -> Known {
        let path = self.path(client);
        let read = tokio::task::spawn_blocking(move || std::fs::read(path)).await;
        let Ok(Ok(bytes)) = read else { return Known::default() };
        let Some(file) =
            serde_json::from_slice::<File>(&bytes).ok().filter(|file| file.broker == self.broker)
        else {
            return Known::default();
        };
        let granted = file.granted.iter();
        Known {
            granted: granted
                .filter_map(|(text, qos)| Some((Filter::parse(text).ok()?, Qos::new((*qos).into())?)))
                .collect(),
            asked: file.asked.iter().filter_map(|text| Filter::parse(text).ok()).collect(),
        }
    }

    /// Replaces it.
    pub(super) async fn write(&self, client: &str, known: &Known) {
        let file = File {
            broker: self.broker.clone(),
            of: self.of.clone(),
            client: client.to_owned(),
            granted: known.granted.iter().map(|(filter, qos)| (filter.to_string(), qos.number())).collect(),
            asked: known.asked.iter().map(Filter::to_string).collect(),
        };
        let (path, directory) = (self.path(client), self.directory.clone());
        let written = tokio::task::spawn_blocking(move || {
            std::fs::create_dir_all(directory)?;
            let bytes = serde_json::to_vec(&file).map_err(io::Error::other)?;
            whole_file::replace(&path, &bytes, 0o600)
        });
        if let Ok(Err(error)) = written.await {
            tracing::warn!(%error, "what is subscribed cannot be written down");
        }
    }

    /// The broker forgot it too.
    pub(super) async fn remove(&self, client: &str) {
        let path = self.path(client);
        let _ = tokio::task::spawn_blocking(move || std::fs::remove_file(path)).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_was_subscribed_is_known_after_a_restart_for_the_same_broker_alone() {
        let directory = tempfile::tempdir().unwrap();
        let filter = |text| Filter::parse(text).unwrap();
        let known = Known {
            granted: BTreeMap::from([(filter("a/+"), Qos::AtLeastOnce)]),
            asked: BTreeSet::from([filter("b/#")]),
        };
        let record =
            Record::new(&directory.path().join("state"), "mqtt://one:1883".into(), "lab/broker".into());
        assert_eq!(record.read("fleet:1").await, Known::default());
        record.write("fleet:1", &known).await;
        let again =
            Record::new(&directory.path().join("state"), "mqtt://one:1883".into(), "lab/broker".into());
        assert_eq!(again.read("fleet:1").await, known);
        assert_eq!(again.read("../etc/passwd").await, Known::default());
        let other =
            Record::new(&directory.path().join("state"), "mqtt://two:1883".into(), "lab/broker".into());
        assert_eq!(other.read("fleet:1").await, Known::default());
        assert_eq!((again.left_over(), other.left_over()), (vec!["fleet:1".to_owned()], vec![]));
        let somebody_else =
            Record::new(&directory.path().join("state"), "mqtt://one:1883".into(), "lab/other".into());
        assert!(somebody_else.left_over().is_empty());
        again.remove("fleet:1").await;
        assert!(again.left_over().is_empty());
        assert_eq!(again.read("fleet:1").await, Known::default());
    }
}

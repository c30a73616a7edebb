//! What an author asks for: `[capabilities.keyvalue.<name>]`.

use std::any::Any;

use fleetgate_core::capability::Request;
use fleetgate_core::diagnostic::TableReader;
use fleetgate_core::units::format_size;
use serde::{Deserialize, Serialize};

use crate::room::Room;

/// Who sees an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// Its caller alone.
    #[default]
    Principal,
    /// Every caller of the binding, and its handlers of events.
    Shared,
}

impl Scope {
    const WORDS: [(&'static str, Self); 2] = [("principal", Self::Principal), ("shared", Self::Shared)];

    fn sentence(self) -> &'static str {
        match self {
            Self::Principal => "for each caller alone",
            Self::Shared => "for all its callers together",
        }
    }
}

/// A parsed request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct KeyValueRequest {
    pub(crate) scope: Scope,
    /// Of one part: of each caller's, or of the one that all share.
    pub(crate) room: Room,
}

impl KeyValueRequest {
    pub(crate) fn read(table: &mut TableReader<'_>) -> Option<Self> {
        let scope = table.enumeration("scope", &Scope::WORDS).unwrap_or_default();
        let room = Room::read(table, ["quota", "entries"], Room::default());
        (!table.failed()).then_some(Self { scope, room })
    }
}

impl Request for KeyValueRequest {
    fn widens(&self, old: &dyn Request) -> Vec<String> {
        let Some(old) = (old as &dyn Any).downcast_ref::<Self>() else {
            return self.describe();
        };
        let mut more = Vec::new();
        if self.scope != old.scope {
            more.push(format!("keeps entries {} (so far: {})", self.scope.sentence(), old.scope.sentence()));
        }
        if self.room.quota > old.room.quota || self.room.entries > old.room.entries {
            more.push(format!("up to {} (so far: {})", self.room, old.room));
        }
        more
    }

    fn describe(&self) -> Vec<String> {
        vec![format!("keeps entries {}, up to {}", self.scope.sentence(), self.room)]
    }

    fn granted_unasked(&self) -> bool {
        true
    }

    fn grant_template(&self) -> String {
        let Room { quota, entries } = self.room;
        let whose = if self.scope == Scope::Principal { "for each caller" } else { "altogether" };
        let mut lines = vec![
            format!("# quota = {:?}  # keys and values, {whose}", format_size(quota)),
            format!("# entries = {entries}"),
        ];
        if self.scope == Scope::Principal {
            let Room { quota, entries } = self.room.of_all();
            lines.push(format!("# total_quota = {:?}  # of all callers together", format_size(quota)));
            lines.push(format!("# total_entries = {entries}"));
        }
        lines.join("\n") + "\n"
    }
}

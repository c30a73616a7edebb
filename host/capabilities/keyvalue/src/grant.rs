//! What the operator gives: `[plugins.<binding>.grant.keyvalue.<name>]`.
//!
//! An empty table gives what the manifest asks for. How much room there is, is the operator's to say, also where it is
//! more than the author thought of: it reaches nothing.

use fleetgate_core::capability::Grant;
use fleetgate_core::diagnostic::TableReader;

use crate::request::{KeyValueRequest, Scope};
use crate::room::Room;

/// A parsed grant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct KeyValueGrant {
    pub(crate) scope: Scope,
    /// Of one part.
    pub(crate) room: Room,
    /// Of all parts. None: there is one.
    pub(crate) total: Option<Room>,
}

impl KeyValueGrant {
    pub(crate) fn read(table: &mut TableReader<'_>, request: &KeyValueRequest) -> Option<Self> {
        let room = Room::read(table, ["quota", "entries"], request.room);
        let total = (request.scope == Scope::Principal).then(|| {
            let total = Room::read(table, ["total_quota", "total_entries"], room.of_all());
            for (key, total, one) in
                [("total_quota", total.quota, room.quota), ("total_entries", total.entries, room.entries)]
            {
                if total < one && table.has(key) {
                    table.error_at(
                        key,
                        "less for all callers together than for each of them",
                        "give more here, or less for each",
                    );
                }
            }
            total
        });
        if total.is_none() {
            for key in ["total_quota", "total_entries"] {
                if table.value(key).is_some() {
                    table.error_at(
                        key,
                        "all callers share the entries of this request",
                        "quota and entries are of all of them; remove it",
                    );
                }
            }
        }
        (!table.failed()).then_some(Self { scope: request.scope, room, total })
    }
}

impl Grant for KeyValueGrant {
    fn describe(&self) -> Vec<String> {
        let said = match self.total {
            Some(total) => format!("keeps up to {} for each caller, and {total} altogether", self.room),
            None => format!("keeps up to {} for all its callers together", self.room),
        };
        vec![said]
    }
}

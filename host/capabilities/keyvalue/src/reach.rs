//! A tool's part of what its plugin was granted: `reach = { "keyvalue.history" = { write = true } }`.

use std::any::Any;

use fleetgate_core::capability::Reach;
use fleetgate_core::diagnostic::TableReader;

/// A parsed entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct KeyValueReach {
    /// Whether it writes. None: as tools do, unless they are read-only.
    pub(crate) write: Option<bool>,
}

impl KeyValueReach {
    pub(crate) fn read(table: &mut TableReader<'_>) -> Option<Self> {
        let write = table.spanned_bool("write").map(|write| write.into_inner());
        (!table.failed()).then_some(Self { write })
    }

    /// From the least to the most.
    fn rank(self) -> u8 {
        match self.write {
            Some(false) => 0,
            None => 1,
            Some(true) => 2,
        }
    }
}

impl Reach for KeyValueReach {
    fn widens(&self, old: &dyn Reach) -> Vec<String> {
        match (old as &dyn Any).downcast_ref::<Self>() {
            Some(old) if self.rank() <= old.rank() => Vec::new(),
            _ => vec![self.describe()],
        }
    }

    fn describe(&self) -> String {
        match self.write {
            Some(false) => "reads entries and changes none",
            None => "reads entries, and changes them unless the tool is read-only",
            Some(true) => "reads and changes entries, also where the tool is read-only",
        }
        .into()
    }
}

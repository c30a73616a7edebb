//! A tool's part of what its plugin was granted: `reach = { "ssh.devices" = { … } }`.

use std::any::Any;

use fleetgate_core::capability::Reach;
use fleetgate_core::diagnostic::TableReader;

use crate::method::Methods;
use crate::pattern::Commands;
use crate::request::{
    SshRequest, more_commands, named_method, read_narrower_commands, read_narrower_methods,
};

/// A parsed entry. What is not named is not narrowed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SshReach {
    pub(crate) methods: Option<Methods>,
    /// Named here, they are also what a read-only tool may send.
    pub(crate) commands: Option<Commands>,
}

impl SshReach {
    pub(crate) fn read(table: &mut TableReader<'_>, request: &SshRequest) -> Option<Self> {
        let methods = read_narrower_methods(table, request);
        let commands = read_narrower_commands(table, request);
        (!table.failed()).then_some(Self { methods, commands })
    }
}

impl Reach for SshReach {
    fn widens(&self, old: &dyn Reach) -> Vec<String> {
        let Some(old) = (old as &dyn Any).downcast_ref::<Self>() else {
            return vec![self.describe()];
        };
        let mut more = Vec::new();
        match (&self.methods, &old.methods) {
            (None, Some(_)) => more.push("every method that is granted".into()),
            (Some(new), Some(old)) => more.extend(old.beyond(new).into_iter().map(named_method)),
            _ => {}
        }
        match (&self.commands, &old.commands) {
            // A read-only tool could send nothing before.
            (Some(new), None) => more.push(format!("the commands {new}, where the tool is read-only")),
            (new, old) => {
                more.extend(more_commands(new.as_ref(), old.as_ref(), "every command that is granted"));
            }
        }
        more
    }

    fn describe(&self) -> String {
        let methods =
            self.methods.as_ref().map_or_else(|| "the granted methods".to_owned(), Methods::to_string);
        let commands =
            self.commands.as_ref().map_or_else(|| "the granted commands".to_owned(), Commands::to_string);
        format!("{methods}: {commands}")
    }
}

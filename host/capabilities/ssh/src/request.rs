//! What an author asks for: `[capabilities.ssh.<name>]`.

use std::any::Any;

use fleetgate_core::capability::Request;
use fleetgate_core::diagnostic::{Spanned, TableReader};

use crate::method::{Method, Methods};
use crate::pattern::{Commands, Pattern};

/// A parsed request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SshRequest {
    pub(crate) methods: Methods,
    /// None: any command.
    pub(crate) commands: Option<Commands>,
}

impl SshRequest {
    pub(crate) fn read(table: &mut TableReader<'_>) -> Option<Self> {
        let methods = Methods::read(table)
            .map_or_else(Methods::all, |methods| Methods::new(methods.into_iter().map(Spanned::into_inner)));
        let commands = Commands::read(table)
            .map(|patterns| Commands::new(patterns.into_iter().map(Spanned::into_inner).collect()));
        (!table.failed()).then_some(Self { methods, commands })
    }
}

impl Request for SshRequest {
    fn widens(&self, old: &dyn Request) -> Vec<String> {
        let Some(old) = (old as &dyn Any).downcast_ref::<Self>() else {
            return self.describe();
        };
        let mut more: Vec<_> = old.methods.beyond(&self.methods).into_iter().map(named_method).collect();
        more.extend(more_commands(self.commands.as_ref(), old.commands.as_ref(), "every command"));
        more
    }

    fn describe(&self) -> Vec<String> {
        let commands =
            self.commands.as_ref().map_or_else(|| "any command".to_owned(), |commands| format!("{commands}"));
        vec![format!("{} on targets that the operator gives: {commands}", self.methods)]
    }

    fn grant_template(&self) -> String {
        let mut lines = vec![
            "targets = [\"*.lab.example.com:22\"]  # names, addresses or networks, each with a port".to_owned(),
            "# networks = [\"10.0.0.0/8\"]  # private addresses that the names may lead to".to_owned(),
            "known_hosts = \"known_hosts\"  # or: trust_on_first_use = true".to_owned(),
            "credential = { user = \"…\", password = \"…\" }  # password, or key: the name of a secret from [secrets]"
                .to_owned(),
            "# enable = \"…\"  # the secret that `enable` asks for".to_owned(),
            "# type_password = true  # where `sudo` asks for the login's password".to_owned(),
        ];
        let commands = match &self.commands {
            Some(commands) => format!("# commands = {}  # fewer, if you like", commands.toml()),
            None => "# commands = [\"show *\", \"ping *\"]  # nothing but these".to_owned(),
        };
        lines.push(commands);
        lines.push(format!("# methods = {}  # fewer, if you like", self.methods.toml()));
        lines.join("\n") + "\n"
    }
}

pub(crate) fn named_method(method: Method) -> String {
    match method {
        Method::Exec => "commands without a terminal (exec)".to_owned(),
        Method::Shell => "terminals (shell)".to_owned(),
    }
}

/// What `new` allows beyond `old`. None allows all, which is called `all`.
pub(crate) fn more_commands(new: Option<&Commands>, old: Option<&Commands>, all: &str) -> Vec<String> {
    match (new, old) {
        (_, None) => Vec::new(),
        (None, Some(_)) => vec![all.to_owned()],
        (Some(new), Some(old)) => {
            old.beyond(new).into_iter().map(|command| format!("the commands {command}")).collect()
        }
    }
}

/// `methods`, where each must be one that the plugin asks for.
pub(crate) fn read_narrower_methods(table: &mut TableReader<'_>, request: &SshRequest) -> Option<Methods> {
    let methods = Methods::read(table)?;
    for method in methods.iter().filter(|method| !request.methods.contains(*method.get_ref())) {
        table.error_at(
            method,
            format!("the plugin does not ask for {}", method.get_ref().word()),
            format!("it asks for {}; less may be named here, not more", request.methods),
        );
    }
    Some(Methods::new(methods.into_iter().map(Spanned::into_inner)))
}

/// `commands`, where each must lie within those that the plugin asks for.
pub(crate) fn read_narrower_commands(table: &mut TableReader<'_>, request: &SshRequest) -> Option<Commands> {
    let patterns = Commands::read(table)?;
    if let Some(asked) = &request.commands {
        for pattern in patterns.iter().filter(|pattern: &&Spanned<Pattern>| !asked.cover(pattern.get_ref())) {
            table.error_at(
                pattern,
                format!("the plugin does not ask for all of {}", pattern.get_ref()),
                format!("it asks for {asked}; less may be named here, not more"),
            );
        }
    }
    Some(Commands::new(patterns.into_iter().map(Spanned::into_inner).collect()))
}

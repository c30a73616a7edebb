//! What can be typed.

use clap::{Parser, Subcommand};

use crate::commands::{
    approve, audit, call, check, enable, events, inspect, jobs, new, pack, prompt, read, schema, serve,
    state, stdio, why,
};
use crate::failure::Failure;
use crate::logging::{Format, Talk};

/// An MCP server in which every tool is a sandboxed WebAssembly component.
#[derive(Debug, Parser)]
#[command(name = "fleetgate", version, propagate_version = true, disable_help_subcommand = true)]
#[command(after_help = "Exit codes: 0 fine, 1 the thing checked or called failed, 2 wrong usage.\n\
    FLEETGATE_LOG sets what is logged, for example FLEETGATE_LOG=debug or FLEETGATE_LOG=warn,plugin=info.")]
pub struct Arguments {
    /// How log lines are written to stderr.
    #[arg(long, global = true, value_name = "FORMAT", default_value = "text")]
    pub log: Format,
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    Serve(serve::Serve),
    Stdio(stdio::Stdio),
    Check(check::Check),
    Inspect(inspect::Inspect),
    Enable(enable::Enable),
    Approve(approve::Approve),
    Call(call::Call),
    Read(read::Read),
    Prompt(prompt::Prompt),
    Why(why::Why),
    #[command(subcommand)]
    Audit(audit::Audit),
    #[command(subcommand)]
    Jobs(jobs::Jobs),
    #[command(subcommand)]
    Events(events::Events),
    #[command(subcommand)]
    State(state::State),
    Pack(pack::Pack),
    New(new::New),
    Schema(schema::Schema),
}

impl Command {
    /// Runs it to its end.
    pub fn run(self) -> Result<(), Failure> {
        match self {
            Self::Serve(command) => command.run(),
            Self::Stdio(command) => command.run(),
            Self::Check(command) => command.run(),
            Self::Inspect(command) => command.run(),
            Self::Enable(command) => command.run(),
            Self::Approve(command) => command.run(),
            Self::Call(command) => command.run(),
            Self::Read(command) => command.run(),
            Self::Prompt(command) => command.run(),
            Self::Why(command) => command.run(),
            Self::Audit(command) => command.run(),
            Self::Jobs(command) => command.run(),
            Self::Events(command) => command.run(),
            Self::State(command) => command.run(),
            Self::Pack(command) => command.run(),
            Self::New(command) => command.run(),
            Self::Schema(command) => command.run(),
        }
    }

    /// How much is logged by default: a server tells what it does, a short command only what is wrong.
    pub fn talks(&self) -> Talk {
        match self {
            Self::Serve(_) | Self::Stdio(_) => Talk::Server,
            _ => Talk::Command,
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::Arguments;

    #[test]
    fn the_arguments_contradict_each_other_nowhere() {
        Arguments::command().debug_assert();
    }
}

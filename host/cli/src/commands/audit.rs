//! `fleetgate audit`: who did what.

use std::thread;
use std::time::Duration;

use clap::{Args, Subcommand};
use fleetgate_auth::audit::{self, Entry, Filter, Line, Tail};
use jiff::Timestamp;

use super::why::{arguments, outcome};
use crate::config_file::ConfigFile;
use crate::failure::Failure;
use crate::{moment, output};

/// Asks the audit log.
#[derive(Debug, Subcommand)]
pub enum Audit {
    Find(Find),
    Tail(Follow),
}

impl Audit {
    pub fn run(self) -> Result<(), Failure> {
        match self {
            Self::Find(find) => find.run(),
            Self::Tail(tail) => tail.run(),
        }
    }
}

/// Finds calls: who rebooted pump-7? `audit find --tool reboot_device --arg identifier=pump-7`
#[derive(Debug, Args)]
pub struct Find {
    /// The tool, as its plugin or as /mcp names it.
    #[arg(long)]
    tool: Option<String>,
    /// The binding.
    #[arg(long)]
    binding: Option<String>,
    /// Who called.
    #[arg(long)]
    principal: Option<String>,
    /// ok, tool-error, asked, refused, fault, fault:CODE, or none (still running, or its host stopped).
    #[arg(long)]
    outcome: Option<String>,
    /// A recorded argument, by name or JSON pointer. Several are all needed.
    #[arg(long = "arg", value_name = "NAME=VALUE", value_parser = argument)]
    arguments: Vec<(String, String)>,
    /// Not before this: how long ago (2h, 7d), a day, or a time.
    #[arg(long, value_name = "WHEN", value_parser = moment::parse)]
    since: Option<Timestamp>,
    /// Before this.
    #[arg(long, value_name = "WHEN", value_parser = moment::parse)]
    until: Option<Timestamp>,
    /// The newest so many; 0 for all.
    #[arg(long, default_value_t = 1000, value_name = "N")]
    limit: usize,
    #[command(flatten)]
    config: ConfigFile,
    /// Print one JSON object for each call.
    #[arg(long)]
    json: bool,
}

fn argument(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("write NAME=VALUE, for example identifier=pump-7")?;
    Ok((name.to_owned(), value.to_owned()))
}

impl Find {
    fn run(self) -> Result<(), Failure> {
        let directory = audit::directory(&self.config.settings()?.serve.state);
        let filter = Filter {
            tool: self.tool,
            binding: self.binding,
            principal: self.principal,
            outcome: self.outcome,
            since: self.since,
            until: self.until,
            arguments: self.arguments,
            limit: Some(self.limit).filter(|limit| *limit > 0),
        };
        let found = audit::find(&directory, &filter)?;
        for damaged in &found.damaged {
            eprintln!("{}:{}: this line cannot be read", damaged.file.display(), damaged.line);
        }
        if found.more {
            eprintln!("only the newest {} calls are shown (--limit)", self.limit);
        }
        if self.json {
            found.calls.iter().for_each(output::json_line);
            return Ok(());
        }
        if found.calls.is_empty() {
            eprintln!("no call matches");
            return Ok(());
        }
        let rows = found.calls.iter().map(|call| {
            [
                format!("{:.3}", call.started),
                call.principal.clone(),
                call.binding.clone(),
                call.tool.clone(),
                arguments(&call.arguments),
                call.outcome.clone().unwrap_or_else(|| outcome(call).to_owned()),
                call.duration_ms.map_or_else(String::new, output::millis),
                call.call.clone(),
            ]
        });
        output::table(["at", "who", "binding", "tool", "arguments", "outcome", "ms", "call"], rows);
        Ok(())
    }
}

/// Shows the newest records, and with --follow those that come.
#[derive(Debug, Args)]
pub struct Follow {
    /// How many.
    #[arg(short = 'n', long, default_value_t = 20, value_name = "N")]
    lines: usize,
    /// Go on until interrupted.
    #[arg(short, long)]
    follow: bool,
    #[command(flatten)]
    config: ConfigFile,
    /// Print the records as they are in the log: one JSON object each.
    #[arg(long)]
    json: bool,
}

/// How often the log is looked at.
const LOOK: Duration = Duration::from_millis(250);

impl Follow {
    fn run(self) -> Result<(), Failure> {
        let directory = audit::directory(&self.config.settings()?.serve.state);
        let (mut lines, mut tail) = Tail::open(&directory, self.lines)?;
        loop {
            for line in &lines {
                if self.json {
                    output::json_line(line);
                } else {
                    output::line(sentence(line));
                }
            }
            if !self.follow {
                return Ok(());
            }
            thread::sleep(LOOK);
            lines = tail.newer()?;
        }
    }
}

fn sentence(line: &Line) -> String {
    let intent = line.intent();
    let given = arguments(&intent.arguments);
    let end = match &line.entry {
        Entry::Intent(_) => "starts".to_owned(),
        Entry::Outcome(record) => {
            let reason = record.reason.as_ref().map_or_else(String::new, |reason| format!(": {reason}"));
            format!(
                "{} after {} ms{reason}",
                record.outcome,
                output::millis(record.duration.as_secs_f64() * 1e3)
            )
        }
    };
    let gap = if given.is_empty() { "" } else { " " };
    let (who, binding, tool, call) = (&intent.principal, &intent.binding, &intent.tool, &intent.call);
    output::one_line(&format!("{:.3} {call} {who} {binding}/{tool} {given}{gap}{end}", line.at)).into_owned()
}

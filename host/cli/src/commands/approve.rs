//! `fleetgate approve`: a version that asks for more is shown, and accepted by a person.

use clap::Args;
use fleetgate_core::catalog::{Approval, ApprovalFailed, ItemChange, Part, StartFailed};
use serde_json::{Value, json};

use crate::config_file::ConfigFile;
use crate::failure::Failure;
use crate::output::{self, bad, bold, good, one_line, waits};
use crate::person;
use crate::questions;
use crate::running::{Wanted, block_on, capabilities, sandbox};

/// Shows what a new version asks for beyond the approved one, and accepts it.
#[derive(Debug, Args)]
pub struct Approve {
    /// The plugin.
    id: String,
    #[command(flatten)]
    config: ConfigFile,
    /// Accept without a question.
    #[arg(long)]
    yes: bool,
    /// Print the difference as JSON.
    #[arg(long)]
    json: bool,
}

impl Approve {
    pub fn run(self) -> Result<(), Failure> {
        let approval = match block_on(self.compare())? {
            Ok(approval) => approval,
            Err(done @ ApprovalFailed::AlreadyApproved { .. }) => {
                eprintln!("{done}");
                return Ok(());
            }
            Err(failed) => return Err(failed.into()),
        };
        if self.json {
            output::json(&facts(&approval));
        } else {
            show(&approval);
        }
        if !self.yes && !ask(&approval)? {
            return Err(Failure::failed("not approved; what was served before serves on"));
        }
        approval.approve(&person::at_the_terminal())?;
        let version = one_line(&approval.to.manifest.plugin.version).into_owned();
        eprintln!("{} {version} is approved. A running host serves it by itself.", approval.id);
        Ok(())
    }

    async fn compare(&self) -> Result<Result<Approval, ApprovalFailed>, Failure> {
        let settings = self.config.path()?;
        let capabilities = capabilities();
        let options = || Wanted::all(settings.clone()).options();
        let sandbox = sandbox(&capabilities)?;
        match Approval::of(&self.id, options()?, Some(sandbox), capabilities.clone()).await {
            // The host runs as another user; the manifests can be compared all the same.
            Err(ApprovalFailed::Start(StartFailed::Cache(failed))) => {
                eprintln!("what it shows to models is not compared: {failed}");
                Ok(Approval::of(&self.id, options()?, None, capabilities).await)
            }
            other => Ok(other),
        }
    }
}

fn facts(approval: &Approval) -> Value {
    let from = approval.from.as_ref();
    let differences = approval.differences.as_ref();
    json!({
        "id": approval.id,
        "from": from.map(|from| json!({ "version": from.version, "digest": from.digest.to_string() })),
        "to": {
            "version": approval.to.manifest.plugin.version,
            "digest": approval.to.digest.to_string(),
        },
        "widening": approval.widening,
        "tools": differences.map(|all| &all.tools),
        "prompts": differences.map(|all| &all.prompts),
        "templates": differences.map(|all| &all.templates),
        "skills": differences.map(|all| &all.skills),
        "not_compared": approval.not_compared,
    })
}

fn show(approval: &Approval) {
    let new = &approval.to.manifest;
    let version = one_line(&new.plugin.version).into_owned();
    match &approval.from {
        Some(from) => {
            let before = one_line(&from.version).into_owned();
            output::line(bold(format_args!("{} {before} -> {version}", approval.id)));
            output::line(format_args!("  {} -> {}", from.digest, approval.to.digest));
        }
        None => {
            output::line(bold(format_args!("{} {version}", approval.id)));
            output::line(format_args!("  {}", approval.to.digest));
        }
    }
    if approval.from.is_none() {
        output::line("\nNothing of it was approved before. It asks for:");
        for (name, asked) in &new.capabilities {
            output::line(format_args!("  {name}: {}", one_line(&asked.why)));
            asked
                .request
                .describe()
                .iter()
                .for_each(|line| output::line(format_args!("    {}", one_line(line))));
        }
        if new.capabilities.is_empty() {
            output::line("  nothing");
        }
    } else if approval.widening.is_empty() {
        output::line("\nIt asks for no more than before.");
    } else {
        output::line(format_args!("\n{}", waits("Beyond what was approved:")));
        approval.widening.iter().for_each(|line| output::line(format_args!("  {}", one_line(line))));
    }
    if let Some(why) = &approval.not_compared {
        output::line(format_args!("\nWhat it shows to models could not be compared: {}", one_line(why)));
    }
    let Some(differences) = &approval.differences else { return };
    for (kind, changes) in [
        ("", &differences.tools),
        ("prompt ", &differences.prompts),
        ("resources ", &differences.templates),
        ("skill ", &differences.skills),
    ] {
        changes.iter().for_each(|(name, change)| item(&format!("{kind}{}", one_line(name)), change));
    }
}

fn item(name: &str, change: &ItemChange) {
    match change {
        ItemChange::Added { description } => {
            output::line(format_args!("\n{}", good(format_args!("+ {name}"))));
            description.lines().for_each(|line| output::line(format_args!("    {}", one_line(line))));
        }
        ItemChange::Removed => output::line(format_args!("\n{}", bad(format_args!("- {name}")))),
        ItemChange::Changed { parts } => {
            output::line(format_args!("\n{}", bold(name)));
            for (what, part) in parts {
                output::line(format_args!("  {what}"));
                for line in changed_lines(part) {
                    let text = format!("    {line}");
                    output::line(if line.starts_with('+') { good(text) } else { bad(text) });
                }
            }
        }
    }
}

/// The lines that differ, without those that both begin or end with.
fn changed_lines(part: &Part) -> Vec<String> {
    let (before, after): (Vec<&str>, Vec<&str>) =
        (part.before.lines().collect(), part.after.lines().collect());
    let start = before.iter().zip(&after).take_while(|(old, new)| old == new).count();
    let (before, after) = (&before[start..], &after[start..]);
    let end = before.iter().rev().zip(after.iter().rev()).take_while(|(old, new)| old == new).count();
    let old = before[..before.len() - end].iter().map(|line| format!("- {}", one_line(line)));
    let new = after[..after.len() - end].iter().map(|line| format!("+ {}", one_line(line)));
    old.chain(new).collect()
}

fn ask(approval: &Approval) -> Result<bool, Failure> {
    let version = one_line(&approval.to.manifest.plugin.version);
    let question = format!("Approve {} {version}?", approval.id);
    questions::confirmed(&question, "accept what is shown above with --yes")
}

#[cfg(test)]
mod tests {
    use fleetgate_core::catalog::Part;

    use super::changed_lines;

    #[test]
    fn a_change_shows_the_lines_that_differ_and_no_others() {
        let part = |before: &str, after: &str| Part { before: before.into(), after: after.into() };
        assert_eq!(changed_lines(&part("a\nb\nc", "a\nx\ny\nc")), ["- b", "+ x", "+ y"]);
        assert_eq!(changed_lines(&part("", "new")), ["+ new"]);
        assert_eq!(changed_lines(&part("a\na", "a")), ["- a"]);
        assert_eq!(changed_lines(&part("a", "\u{1b}[31m")), ["- a", "+ \\u{1b}[31m"]);
    }
}

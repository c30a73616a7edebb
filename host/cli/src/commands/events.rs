//! `fleetgate events`: how what happens when nobody calls is handled, and what was set aside of it.
//!
//! The host that handles a binding's events says in the store how they stand, and takes from there what the operator
//! wants done with what was set aside.

use std::sync::Arc;
use std::time::Duration;

use clap::{Args, Subcommand};
use fleetgate_core::diagnostic::{did_you_mean, quoted};
use fleetgate_core::events::{self, DeadEvent, EventStatus, Meant, Wish};
use fleetgate_core::settings::Settings;
use fleetgate_store::StateStore;

use super::state::existing;
use crate::config_file::ConfigFile;
use crate::failure::Failure;
use crate::output;
use crate::questions;
use crate::running::block_on;

/// How long a host has for taking a note.
const TAKEN: Duration = Duration::from_secs(5);

/// Shows how events are handled, and what was set aside of them.
#[derive(Debug, Subcommand)]
pub enum Events {
    List(List),
    Dead(Dead),
    Retry(Retry),
    Drop(Discard),
}

impl Events {
    pub fn run(self) -> Result<(), Failure> {
        match self {
            Self::List(list) => block_on(list.run()),
            Self::Dead(dead) => block_on(dead.run()),
            Self::Retry(retry) => block_on(retry.run()),
            Self::Drop(drop) => block_on(drop.run()),
        }
    }
}

/// Lists the events of each binding: how many were heard and handled, wait, fail, and were set aside.
#[derive(Debug, Args)]
pub struct List {
    #[command(flatten)]
    config: ConfigFile,
    /// Print one JSON object for each event of each binding.
    #[arg(long)]
    json: bool,
}

/// Lists what was set aside, newest first: it failed as often as it may, its handler called it hopeless, or it was too
/// large.
#[derive(Debug, Args)]
pub struct Dead {
    #[command(flatten)]
    config: ConfigFile,
    /// Print one JSON object for each.
    #[arg(long)]
    json: bool,
}

/// Has what was set aside tried again, behind what waits.
#[derive(Debug, Args)]
pub struct Retry {
    #[command(flatten)]
    config: ConfigFile,
    #[command(flatten)]
    which: Which,
}

/// Drops what was set aside. Of an event that is not granted any more, --all drops what waits too.
#[derive(Debug, Args)]
pub struct Discard {
    #[command(flatten)]
    config: ConfigFile,
    #[command(flatten)]
    which: Which,
    /// Do not ask.
    #[arg(long)]
    yes: bool,
}

/// Which of what was set aside.
#[derive(Debug, Args)]
struct Which {
    /// Whose.
    binding: String,
    /// Which of its events: telemetry for [capabilities.events.telemetry].
    event: String,
    /// The one of this id.
    #[arg(required_unless_present = "all")]
    id: Option<String>,
    /// All of them.
    #[arg(long, conflicts_with = "id")]
    all: bool,
}

impl Which {
    fn meant(&self) -> Meant {
        Meant {
            binding: self.binding.as_str().into(),
            event: self.event.as_str().into(),
            id: self.id.as_deref().map(Arc::from),
        }
    }

    /// What is meant, with the names checked.
    async fn find(&self, store: &StateStore) -> Result<EventStatus, Failure> {
        let all = events::statuses(store).await.map_err(Failure::failed)?;
        let names: Vec<_> = all.iter().map(|status| format!("{}/{}", status.binding, status.event)).collect();
        let meant = format!("{}/{}", self.binding, self.event);
        let found = names.iter().position(|name| *name == meant).map(|at| all[at].clone());
        let status = found.ok_or_else(|| {
            let help = did_you_mean(&meant, names.iter().map(String::as_str));
            Failure::failed(format!("{} has had no events", quoted(&meant))).help(help)
        })?;
        let Some(id) = &self.id else { return Ok(status) };
        let dead = events::dead(store).await.map_err(Failure::failed)?;
        let is = |dead: &&DeadEvent| {
            *dead.binding == *self.binding && *dead.event == *self.event && *dead.id == **id
        };
        match dead.iter().find(is) {
            Some(_) => Ok(status),
            None => Err(Failure::failed(format!("no event {} of {meant} was set aside", quoted(id)))
                .help("`fleetgate events dead` lists them")),
        }
    }
}

/// Does something with the store of a configuration, where there is one.
async fn with<T>(
    settings: &Settings,
    work: impl AsyncFnOnce(&StateStore) -> Result<T, Failure>,
) -> Result<Option<T>, Failure> {
    let Some(store) = existing(settings) else { return Ok(None) };
    let done = work(&store).await;
    store.close().await;
    done.map(Some)
}

fn nothing() -> Failure {
    Failure::failed("no event was ever handled here")
}

impl List {
    async fn run(self) -> Result<(), Failure> {
        let settings = self.config.settings()?;
        let all =
            with(&settings, async |store| events::statuses(store).await.map_err(Failure::failed)).await?;
        let all = all.unwrap_or_default();
        if self.json {
            all.iter().for_each(output::json_line);
            return Ok(());
        }
        if all.is_empty() {
            eprintln!("no event was ever handled here");
            return Ok(());
        }
        let rows = all.iter().map(|status| {
            let trouble = match (&status.trouble, is_granted(&settings, status)) {
                (_, false) => "not granted any more".to_owned(),
                (Some(trouble), true) => trouble.clone(),
                (None, true) => String::new(),
            };
            [
                status.binding.to_string(),
                status.event.to_string(),
                status.heard.to_string(),
                status.handled.to_string(),
                status.waiting.to_string(),
                status.failing.to_string(),
                status.dead.to_string(),
                status.oldest_ms.map(output::moment).unwrap_or_default(),
                trouble,
            ]
        });
        let heads =
            ["binding", "event", "heard", "handled", "waiting", "failing", "dead", "oldest since", "trouble"];
        output::table(heads, rows);
        Ok(())
    }
}

impl Dead {
    async fn run(self) -> Result<(), Failure> {
        let settings = self.config.settings()?;
        let dead = with(&settings, async |store| events::dead(store).await.map_err(Failure::failed)).await?;
        let dead = dead.unwrap_or_default();
        if self.json {
            dead.iter().for_each(output::json_line);
            return Ok(());
        }
        if dead.is_empty() {
            eprintln!("nothing was set aside");
            return Ok(());
        }
        let rows = dead.iter().map(|dead| {
            [
                output::moment(dead.set_aside_ms),
                dead.binding.to_string(),
                dead.event.to_string(),
                dead.subject.clone(),
                dead.deliveries.to_string(),
                format!("{}: {}", dead.code, dead.message),
                dead.id.to_string(),
            ]
        });
        output::table(["at", "binding", "event", "about", "tried", "why", "id"], rows);
        Ok(())
    }
}

impl Retry {
    async fn run(self) -> Result<(), Failure> {
        let settings = self.config.settings()?;
        let done = with(&settings, async |store| {
            self.which.find(store).await?;
            leave(store, Wish::Retry, self.which.meant(), "tried again").await
        });
        done.await?.ok_or_else(nothing)
    }
}

impl Discard {
    async fn run(self) -> Result<(), Failure> {
        let settings = self.config.settings()?;
        with(&settings, async |store| self.discard(&settings, store).await).await?.ok_or_else(nothing)
    }

    async fn discard(&self, settings: &Settings, store: &StateStore) -> Result<(), Failure> {
        let status = self.which.find(store).await?;
        let name = format!("{}/{}", status.binding, status.event);
        // Nobody handles it, so that nobody has it in memory.
        let over = self.which.all && !is_granted(settings, &status);
        let question = match (&self.which.id, over) {
            (Some(id), _) => format!("Drop the event {} of {name}?", quoted(id)),
            (None, true) => {
                format!("Drop all that is kept of {name}, also the {} that wait?", status.waiting)
            }
            (None, false) => format!("Drop all {} events of {name} that were set aside?", status.dead),
        };
        if !self.yes && !questions::confirmed(&question, "drop it with --yes")? {
            return Err(Failure::failed("nothing is dropped"));
        }
        if over {
            let forgotten = events::forget(store, &status.binding, &status.event).await;
            forgotten.map_err(Failure::failed)?;
            output::line(format_args!("{name}: all that was kept is dropped"));
            return Ok(());
        }
        leave(store, Wish::Drop, self.which.meant(), "dropped").await
    }
}

/// Leaves a note for the host that handles these events, and waits until it is taken.
async fn leave(store: &StateStore, wish: Wish, meant: Meant, done: &str) -> Result<(), Failure> {
    let note = events::ask(store, wish, meant).await.map_err(Failure::failed)?;
    match events::is_taken(store, &note, TAKEN).await.map_err(Failure::failed)? {
        true => output::line(done),
        false => output::line(format_args!("no host handles these events now: it is {done} when one does")),
    }
    Ok(())
}

/// Whether these settings have a grant of it.
fn is_granted(settings: &Settings, status: &EventStatus) -> bool {
    let binding = settings.bindings.get(&*status.binding);
    binding.is_some_and(|binding| binding.has_grant(events::KIND, &status.event))
}

//! `fleetgate state`: what plugins remember, also those that are gone.

use clap::{Args, Subcommand};
use fleetgate_core::diagnostic::quoted;
use fleetgate_core::settings::Settings;
use fleetgate_core::store::{Entry, Key, Page, StoreError};
use fleetgate_keyvalue::kept::{self, Kept, Room, Scope};
use fleetgate_store::StateStore;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::config_file::ConfigFile;
use crate::failure::Failure;
use crate::output;
use crate::questions;
use crate::running::block_on;

/// Shows and deletes what plugins remember.
#[derive(Debug, Subcommand)]
pub enum State {
    List(List),
    Show(Show),
    Delete(Delete),
}

impl State {
    pub fn run(self) -> Result<(), Failure> {
        match self {
            Self::List(list) => block_on(list.run()),
            Self::Show(show) => block_on(show.run()),
            Self::Delete(delete) => block_on(delete.run()),
        }
    }
}

/// Lists the buckets, how much they hold, and how much they may.
#[derive(Debug, Args)]
pub struct List {
    #[command(flatten)]
    config: ConfigFile,
    /// Print one JSON object for each bucket.
    #[arg(long)]
    json: bool,
}

/// Shows whose entries a bucket holds, and their keys.
#[derive(Debug, Args)]
pub struct Show {
    #[command(flatten)]
    config: ConfigFile,
    /// Whose bucket.
    binding: String,
    /// The bucket, by the name of its request: history for [capabilities.keyvalue.history].
    bucket: String,
    /// The entries of this principal, of a bucket in which each caller has entries of its own.
    #[arg(long, value_name = "NAME")]
    principal: Option<String>,
    /// Only keys that begin so.
    #[arg(long, value_name = "TEXT", default_value = "")]
    prefix: String,
    /// Only keys behind this one.
    #[arg(long, value_name = "KEY")]
    after: Option<String>,
    /// How many keys.
    #[arg(long, value_name = "NUMBER", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=1000))]
    limit: u32,
    /// Print JSON, with the values: as text where they are, else as numbers.
    #[arg(long)]
    json: bool,
}

/// Deletes what a binding remembers: all of it, one bucket, or one principal's part of that.
#[derive(Debug, Args)]
pub struct Delete {
    #[command(flatten)]
    config: ConfigFile,
    /// Whose.
    binding: String,
    /// This bucket alone.
    bucket: Option<String>,
    /// The entries of this principal alone.
    #[arg(long, value_name = "NAME", requires = "bucket")]
    principal: Option<String>,
    /// Do not ask.
    #[arg(long)]
    yes: bool,
}

/// The store of a configuration, where there is one: looking makes none.
pub fn existing(settings: &Settings) -> Option<StateStore> {
    let store = StateStore::new(&fleetgate_store::directory(&settings.serve.state));
    store.exists().then_some(store)
}

/// The buckets that no binding of these settings has, for `check`. `served`: those that are served without a table too.
pub async fn left(settings: &Settings, served: impl Fn(&str) -> bool) -> Result<Vec<Kept>, StoreError> {
    let Some(store) = existing(settings) else { return Ok(Vec::new()) };
    let buckets = kept::buckets(&store).await;
    store.close().await;
    let is_left = |kept: &Kept| !settings.bindings.contains_key(&kept.binding) && !served(&kept.binding);
    Ok(buckets?.into_iter().filter(is_left).collect())
}

impl List {
    async fn run(self) -> Result<(), Failure> {
        let settings = self.config.settings()?;
        let buckets = match existing(&settings) {
            None => Vec::new(),
            Some(store) => {
                let buckets = kept::buckets(&store).await;
                store.close().await;
                buckets.map_err(Failure::failed)?
            }
        };
        if self.json {
            buckets.iter().for_each(output::json_line);
            return Ok(());
        }
        if buckets.is_empty() {
            eprintln!("nothing is remembered");
            return Ok(());
        }
        let rows = buckets.iter().map(|kept| {
            let about = kept.about.as_ref();
            let room = |of: fn(Room) -> u64| {
                about.map_or_else(String::new, |about| of(about.total.unwrap_or(about.room)).to_string())
            };
            let scope = about.map_or("", |about| match about.scope {
                Scope::Principal => "principal",
                Scope::Shared => "shared",
            });
            let here = if settings.bindings.contains_key(&kept.binding) { "" } else { "has no table" };
            [
                kept.binding.clone(),
                kept.bucket.clone(),
                scope.to_owned(),
                kept.entries.to_string(),
                room(|room| room.entries),
                kept.bytes.to_string(),
                room(|room| room.quota),
                here.to_owned(),
            ]
        });
        output::table(["binding", "bucket", "scope", "entries", "of", "bytes", "of", ""], rows);
        Ok(())
    }
}

impl Show {
    async fn run(self) -> Result<(), Failure> {
        let settings = self.config.settings()?;
        let store = existing(&settings).ok_or_else(nothing)?;
        let shown = self.show(&store).await;
        store.close().await;
        shown
    }

    async fn show(&self, store: &StateStore) -> Result<(), Failure> {
        let (binding, bucket) = (&*self.binding, &*self.bucket);
        find(store, binding, Some(bucket)).await?;
        let parts = kept::parts(store, binding, bucket).await.map_err(Failure::failed)?;
        if let Some(named) = &self.principal
            && parts.iter().all(|part| part.principal.as_ref() != Some(named))
        {
            return Err(Failure::failed(format!("{} has no entries there", quoted(named))));
        }
        // Without a name: what all share, where they do.
        let shared = parts.iter().any(|part| part.shared);
        let (entries, more) = if self.principal.is_some() || shared {
            let after = self.after.as_deref().map(Key::new).transpose().map_err(Failure::usage)?;
            let page = Page { after, limit: self.limit as usize, ..Page::of(&*self.prefix) };
            let entries = kept::entries(store, binding, bucket, self.principal.as_deref(), page).await;
            entries.map_err(Failure::failed)?
        } else {
            (Vec::new(), false)
        };
        if self.json {
            let entries: Vec<Value> = entries.iter().map(|(key, entry)| facts(key, entry)).collect();
            output::json(&json!({ "parts": parts, "entries": entries, "more": more }));
            return Ok(());
        }
        let rows = parts.iter().map(|part| {
            let nobody = if part.shared { "all callers" } else { "not known" };
            let whose = part.principal.clone().unwrap_or_else(|| nobody.into());
            [whose, part.entries.to_string(), part.bytes.to_string()]
        });
        output::table(["whose", "entries", "bytes"], rows);
        if entries.is_empty() {
            return Ok(());
        }
        let rows = entries.iter().map(|(key, entry)| {
            [key.clone(), entry.value.len().to_string(), goes_at(entry).unwrap_or_default()]
        });
        output::line("");
        output::table(["key", "bytes", "goes at"], rows);
        if more {
            let last = entries.last().map(|(key, _)| key.as_str()).unwrap_or_default();
            eprintln!("there are more: --after {}", quoted(last));
        }
        Ok(())
    }
}

impl Delete {
    async fn run(self) -> Result<(), Failure> {
        let settings = self.config.settings()?;
        let store = existing(&settings).ok_or_else(nothing)?;
        let deleted = self.delete(&store).await;
        store.close().await;
        deleted
    }

    async fn delete(&self, store: &StateStore) -> Result<(), Failure> {
        let found = find(store, &self.binding, self.bucket.as_deref()).await?;
        let whose = self.principal.as_ref().map_or_else(String::new, |name| format!(" of {}", quoted(name)));
        for kept in &found {
            let name = format!("{}/{}", kept.binding, kept.bucket);
            let all =
                if self.principal.is_some() { String::new() } else { format!(" ({} entries)", kept.entries) };
            let question = format!("Delete what {name} remembers{whose}{all}?");
            if !self.yes && !questions::confirmed(&question, "delete it with --yes")? {
                return Err(Failure::failed("nothing more is deleted"));
            }
            let deleted = kept::delete(store, &kept.binding, &kept.bucket, self.principal.as_deref()).await;
            let deleted = deleted.map_err(Failure::failed)?;
            output::line(format_args!("{name}: {deleted} entries{whose} deleted"));
        }
        Ok(())
    }
}

/// The buckets that are meant.
async fn find(store: &StateStore, binding: &str, bucket: Option<&str>) -> Result<Vec<Kept>, Failure> {
    let buckets = kept::buckets(store).await.map_err(Failure::failed)?;
    let names: Vec<_> = buckets.iter().map(|kept| format!("{}/{}", kept.binding, kept.bucket)).collect();
    let meant = |kept: &Kept| kept.binding == binding && bucket.is_none_or(|bucket| kept.bucket == bucket);
    let found: Vec<_> = buckets.into_iter().filter(meant).collect();
    if found.is_empty() {
        let tried = bucket.map_or_else(|| binding.to_owned(), |bucket| format!("{binding}/{bucket}"));
        let there = if names.is_empty() { "nothing".into() } else { names.join(", ") };
        return Err(Failure::failed(format!("{} remembers nothing", quoted(&tried)))
            .help(format!("these do: {there}")));
    }
    Ok(found)
}

fn nothing() -> Failure {
    Failure::failed("nothing is remembered")
}

fn facts(key: &str, entry: &Entry) -> Value {
    let value = match str::from_utf8(&entry.value) {
        Ok(text) => json!({ "text": text }),
        Err(_) => json!({ "bytes": entry.value }),
    };
    json!({
        "key": key,
        "value": value,
        "revision": entry.revision,
        "expires": goes_at(entry),
    })
}

/// When an entry goes by itself.
fn goes_at(entry: &Entry) -> Option<String> {
    let at = Timestamp::try_from(entry.expires?).ok()?;
    Some(format!("{at:.3}"))
}

//! `[jobs]`: calls that run in the background. Read when the host starts.

use std::time::Duration;

use crate::diagnostic::TableReader;
use crate::units::format_duration;

/// `[jobs]`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JobSettings {
    /// How long a job and its result are kept, from its creation, when nobody says otherwise.
    pub ttl: Duration,
    /// The most that somebody may ask for.
    pub max_ttl: Duration,
    /// Jobs that run at once, of all bindings.
    pub concurrency: u32,
    /// Jobs that run at once, of one binding.
    pub binding_concurrency: u32,
    /// Jobs that wait for their turn, of all bindings.
    pub queue: usize,
    /// Jobs of one principal that have not ended. Of this and the bounds below, one binding takes a quarter at most.
    pub per_principal: usize,
    /// Jobs of one principal that are kept, ended or not.
    pub kept_per_principal: usize,
    /// Jobs that are kept in all.
    pub kept: usize,
    /// The results that are kept, in bytes.
    pub results: u64,
}

/// The shortest time that a job may be kept.
pub const MIN_TTL: Duration = Duration::from_secs(60);

impl Default for JobSettings {
    fn default() -> Self {
        Self {
            ttl: Duration::from_secs(60 * 60),
            max_ttl: Duration::from_secs(24 * 60 * 60),
            concurrency: 32,
            binding_concurrency: 8,
            queue: 256,
            per_principal: 256,
            kept_per_principal: 1_000,
            kept: 10_000,
            results: 1 << 30,
        }
    }
}

pub(super) fn jobs(root: &mut TableReader<'_>) -> JobSettings {
    let defaults = JobSettings::default();
    let Some(mut table) = root.table("jobs") else { return defaults };
    let ttl = kept_for(&mut table, "ttl");
    let max_ttl = kept_for(&mut table, "max_ttl");
    let settings = JobSettings {
        ttl: ttl.unwrap_or(defaults.ttl.min(max_ttl.unwrap_or(defaults.max_ttl))),
        max_ttl: max_ttl.unwrap_or(defaults.max_ttl.max(ttl.unwrap_or(defaults.ttl))),
        concurrency: count(&mut table, "concurrency", 256).map_or(defaults.concurrency, |count| count as u32),
        binding_concurrency: count(&mut table, "binding_concurrency", 256)
            .map_or(defaults.binding_concurrency, |count| count as u32),
        queue: count(&mut table, "queue", 10_000).unwrap_or(defaults.queue),
        per_principal: count(&mut table, "per_principal", 10_000).unwrap_or(defaults.per_principal),
        kept_per_principal: count(&mut table, "kept_per_principal", 100_000)
            .unwrap_or(defaults.kept_per_principal),
        kept: count(&mut table, "kept", 100_000).unwrap_or(defaults.kept),
        results: room(&mut table).unwrap_or(defaults.results),
    };
    if settings.ttl > settings.max_ttl {
        let message = format!("ttl is more than max_ttl ({})", format_duration(settings.max_ttl));
        table.error_at("ttl", message, "raise max_ttl or lower ttl");
    }
    table.finish();
    settings
}

/// Thirty days: what is kept for longer belongs somewhere else.
const LONGEST_TTL: Duration = Duration::from_secs(30 * 24 * 60 * 60);

fn kept_for(table: &mut TableReader<'_>, key: &str) -> Option<Duration> {
    let ttl = table.duration(key)?;
    if (MIN_TTL..=LONGEST_TTL).contains(&ttl) {
        return Some(ttl);
    }
    let message = format!("{} is out of range", format_duration(ttl));
    let help = format!(
        "write a duration from \"{}\" to \"{}\"",
        format_duration(MIN_TTL),
        format_duration(LONGEST_TTL)
    );
    table.error_at(key, message, help);
    None
}

fn room(table: &mut TableReader<'_>) -> Option<u64> {
    let room = table.size("results")?;
    if room == 0 {
        table.error_at("results", "no result would ever be kept", "write a size like \"1GiB\"");
    }
    Some(room)
}

fn count(table: &mut TableReader<'_>, key: &str, most: i64) -> Option<usize> {
    table.integer_within(key, 1, most).and_then(|count| usize::try_from(count).ok())
}

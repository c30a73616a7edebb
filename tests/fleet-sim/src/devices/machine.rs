//! What the sessions of one device share: its setup, its configuration, its clock.

use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::{SpanRound, Timestamp, Unit, tz::TimeZone};

use super::Setup;
use super::tree::Tree;

/// One device behind its command line.
#[derive(Debug)]
pub(crate) struct Machine {
    pub(crate) setup: Setup,
    pub(crate) booted: Timestamp,
    configs: Mutex<Configs>,
}

/// Its configurations, and when they changed.
#[derive(Debug, Clone)]
pub(crate) struct Configs {
    pub(crate) running: Tree,
    pub(crate) startup: Tree,
    pub(crate) changed: Timestamp,
    pub(crate) saved: Timestamp,
    /// Counts changes that were committed or applied.
    pub(crate) generation: u64,
}

impl Machine {
    /// A device that started some weeks ago with this configuration.
    pub(crate) fn new(setup: &Setup, config: &str) -> Self {
        let booted = Timestamp::now() - jiff::SignedDuration::from_hours(24 * 47 + 5);
        let running =
            Tree::parse(&config.replace("{hostname}", &setup.hostname).replace("{user}", &setup.user));
        let configs =
            Configs { startup: running.clone(), running, changed: booted, saved: booted, generation: 0 };
        Self { setup: setup.clone(), booted, configs: Mutex::new(configs) }
    }

    pub(crate) fn configs(&self) -> MutexGuard<'_, Configs> {
        self.configs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Its name as it is configured now.
    pub(crate) fn hostname(&self) -> String {
        let configs = self.configs();
        let name = ["hostname", "switchname"].into_iter().find_map(|keyword| configs.running.value(keyword));
        name.map_or_else(|| self.setup.hostname.clone(), |name| name.trim_matches('"').to_owned())
    }

    /// Saves the running configuration.
    pub(crate) fn save(&self) {
        let mut configs = self.configs();
        configs.startup = configs.running.clone();
        configs.saved = Timestamp::now();
    }

    /// The time of day in UTC, in the format of `strftime`.
    pub(crate) fn now(format: &str) -> String {
        Self::time(Timestamp::now(), format)
    }

    /// A time in UTC, in the format of `strftime`.
    pub(crate) fn time(time: Timestamp, format: &str) -> String {
        time.to_zoned(TimeZone::UTC).strftime(format).to_string()
    }

    /// Days, hours and minutes since it started.
    pub(crate) fn uptime(&self) -> (i64, i64, i64) {
        let span = Timestamp::now().since(self.booted).and_then(|span| {
            span.round(SpanRound::new().largest(Unit::Day).smallest(Unit::Minute).days_are_24_hours())
        });
        span.map_or((0, 0, 0), |span| {
            (i64::from(span.get_days()), i64::from(span.get_hours()), span.get_minutes())
        })
    }

    /// A text with what it says of this device filled in: `{hostname}`, `{user}`, `{days}`, `{hours}`,
    /// `{minutes}`, and `{now FORMAT}` and `{booted FORMAT}` with a format of `strftime`.
    pub(crate) fn fill(&self, text: &str) -> String {
        let (days, hours, minutes) = self.uptime();
        let mut filled = String::with_capacity(text.len());
        let mut rest = text;
        while let Some((before, (inside, after))) =
            rest.split_once('{').and_then(|(before, rest)| Some((before, rest.split_once('}')?)))
        {
            filled.push_str(before);
            match inside {
                "hostname" => filled.push_str(&self.hostname()),
                "user" => filled.push_str(&self.setup.user),
                "days" => filled.push_str(&days.to_string()),
                "hours" => filled.push_str(&hours.to_string()),
                "minutes" => filled.push_str(&minutes.to_string()),
                other => match other.split_once(' ') {
                    Some(("now", format)) => filled.push_str(&Self::now(format)),
                    Some(("booted", format)) => filled.push_str(&Self::time(self.booted, format)),
                    _ => {
                        filled.push('{');
                        rest = &rest[before.len() + 1..];
                        continue;
                    }
                },
            }
            rest = after;
        }
        filled.push_str(rest);
        filled
    }
}

/// Outputs by the commands that print them, from a text in which `=== COMMAND` begins each.
pub(crate) fn outputs(text: &'static str) -> Vec<(&'static str, &'static str)> {
    let mut outputs = Vec::new();
    for part in text.split("=== ").skip(1) {
        if let Some((command, output)) = part.split_once('\n') {
            outputs.push((command.trim(), output));
        }
    }
    outputs
}

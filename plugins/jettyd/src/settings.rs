//! What the operator set, see `[config]` in `plugin.toml`.

use std::time::Duration;

use fleetgate_sdk::prelude::*;
use serde_json::Map;

/// A pause shorter than this would ask the server for nothing but work.
const SHORTEST_PAUSE: Duration = Duration::from_millis(100);
/// What stays of the call's time for saying that no answer came.
const MARGIN: Duration = Duration::from_secs(3);

/// How long one request to the API may take.
pub fn request_timeout() -> Result<Duration, Fault> {
    Ok(config::duration("timeout")?.unwrap_or(Duration::from_secs(30)))
}

/// The pause between two looks at a command.
pub fn poll_interval() -> Result<Duration, Fault> {
    Ok(config::duration("poll_interval")?.unwrap_or(Duration::from_secs(1)).max(SHORTEST_PAUSE))
}

/// How long to wait for a device: what was set, and no longer than this call has.
pub fn command_timeout() -> Result<Duration, Fault> {
    let set = config::duration("command_timeout")?.unwrap_or(Duration::from_secs(30));
    Ok(set.min(call::deadline().saturating_sub(MARGIN)))
}

/// One of several words; the first is the default.
fn word<T: Copy>(key: &str, words: &[(&str, T)]) -> Result<T, Fault> {
    let set = config::get_or(key, words[0].0);
    let found = words.iter().find(|(word, _)| *word == set.trim());
    found.map(|(_, meaning)| *meaning).ok_or_else(|| {
        let known: Vec<_> = words.iter().map(|(word, _)| *word).collect();
        Fault::internal(format!("The setting `{key}` is {set:?}; it is one of {}.", known.join(", ")))
    })
}

/// How a command is written. Firmware and servers know one of two spellings, and never both keys at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// `{"action": …, "params": …}`
    Action,
    /// `{"command_type": …, "payload": …}`
    CommandType,
}

impl Dialect {
    /// The operator's choice.
    pub fn chosen() -> Result<Self, Fault> {
        word("command_dialect", &[("action", Self::Action), ("command_type", Self::CommandType)])
    }

    /// The command in this spelling.
    pub fn spell(self, command: &str, params: &Map<String, Value>) -> Map<String, Value> {
        let (name, value) = match self {
            Self::Action => ("action", "params"),
            Self::CommandType => ("command_type", "payload"),
        };
        Map::from_iter([(name.to_owned(), command.into()), (value.to_owned(), params.clone().into())])
    }
}

/// Where the API takes a device's configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConfigurePath {
    /// By what is configured.
    Auto,
    /// `PATCH /devices/{id}/shadow`
    Shadow,
    /// `PUT /devices/{id}/config`
    Config,
}

impl ConfigurePath {
    /// The operator's choice.
    pub fn chosen() -> Result<Self, Fault> {
        word("configure_path", &[("auto", Self::Auto), ("shadow", Self::Shadow), ("config", Self::Config)])
    }
}

/// The API's list of alerts. No public page names it.
pub fn alerts_path() -> Result<&'static str, Fault> {
    word("alerts_path", &[("alerts", "alerts"), ("alert-rules", "alert-rules"), ("rules", "rules")])
}

/// Where a device's topics begin: levels, of which some stand for something (`{device_id}`).
pub fn topic_prefix() -> String {
    config::get_or("topic_prefix", "jettyd/{tenant_id}/{device_id}")
}

/// What stands for `{tenant_id}` in topics, where the operator says so.
pub fn tenant_id() -> Option<String> {
    config::get("tenant_id").filter(|tenant| !tenant.trim().is_empty())
}

/// A device whose interval is not known is offline when it was silent for so long.
pub fn offline_after() -> Result<Duration, Fault> {
    Ok(config::duration("offline_after")?.unwrap_or(Duration::from_secs(180)))
}

/// How long history is kept.
pub fn history_retention() -> Result<Duration, Fault> {
    Ok(config::duration("history_retention")?.unwrap_or(Duration::from_secs(7 * 24 * 3600)))
}

/// A device that was silent for so long is forgotten.
pub fn forget_after() -> Result<Duration, Fault> {
    let set = config::duration("forget_after")?.unwrap_or(Duration::from_secs(30 * 24 * 3600));
    Ok(set.max(Duration::from_secs(60)))
}

/// How far a device's clock may be ahead of the host's.
pub fn clock_tolerance() -> Result<Duration, Fault> {
    Ok(config::duration("clock_tolerance")?.unwrap_or(Duration::from_secs(300)))
}

/// An alert that nobody resolves is resolved when it was not heard again for so long.
pub fn alert_hold() -> Result<Duration, Fault> {
    Ok(config::duration("alert_hold")?.unwrap_or(Duration::from_secs(3600)))
}

/// The largest message that a device takes, in bytes.
pub fn max_payload() -> Result<usize, Fault> {
    Ok(config::size("max_payload")?.and_then(|size| usize::try_from(size).ok()).unwrap_or(512))
}

/// Whether the broker keeps a configuration for a device that is away.
pub fn retain_config() -> Result<bool, Fault> {
    Ok(config::boolean("retain_config")?.unwrap_or(false))
}

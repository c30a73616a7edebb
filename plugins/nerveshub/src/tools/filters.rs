//! What a list of devices may be narrowed by. Everything is checked before the call: NervesHub answers a filter
//! or an enum word that it does not know with status 500, ignores a tag filter with a space in it (and then
//! lists the whole fleet), and ignores empty values.

use fleetgate_sdk::prelude::*;

/// Longest text filter, and longest tag, in characters: NervesHub's columns take no more.
const LONGEST: usize = 255;

/// Filters. All that are given must match.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct DeviceFilters {
    /// Part of the identifier, upper and lower case alike. `%` and `_` are wildcards.
    #[schemars(length(min = 1, max = 255))]
    pub identifier: Option<String>,
    /// Part of the identifier, the firmware version, the platform or a tag.
    #[schemars(length(min = 1, max = 255))]
    pub search: Option<String>,
    /// The connection's state. `not_seen`: never connected. `not_seen_in_seven_days`, `not_seen_in_fourteen_days`:
    /// disconnected for longer than that.
    pub connection: Option<Connection>,
    /// How the device was last connected.
    pub connection_type: Option<ConnectionType>,
    /// Firmware version, exactly.
    #[schemars(length(min = 1, max = 255))]
    pub firmware_version: Option<String>,
    /// Platform, exactly; `Unknown` for devices that have reported none.
    #[schemars(length(min = 1, max = 255))]
    pub platform: Option<String>,
    /// State of the latest health report; `unknown` also for devices without one.
    pub health_status: Option<HealthStatus>,
    /// Whether automatic updates are on, off, or held back in the penalty box.
    pub updates: Option<Updates>,
    /// Tags that a device must all have; each also matches as part of a longer tag. No spaces or commas.
    #[schemars(length(min = 1, max = 50), inner(length(min = 1, max = 255), regex(pattern = r"^[^\s,]+$")))]
    pub tags: Option<Vec<String>>,
    /// True: only devices without tags (NervesHub may leave out those whose tags were removed). False: no filter.
    pub has_no_tags: Option<bool>,
    /// Part of an alarm's text in the latest health report.
    #[schemars(length(min = 1, max = 255))]
    pub alarm: Option<String>,
    /// Whether the latest health report has alarms.
    pub alarm_status: Option<AlarmStatus>,
    /// Compares a metric. Beware: NervesHub looks only at the newest report of that metric among all devices, so
    /// a device that is missing in the answer may still meet the condition.
    pub metric: Option<MetricFilter>,
}

/// States of a connection.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Connection {
    Connected,
    Connecting,
    Disconnected,
    NotSeen,
    NotSeenInSevenDays,
    NotSeenInFourteenDays,
}

/// Kinds of network.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ConnectionType {
    Wifi,
    Ethernet,
    Cellular,
    Unknown,
}

/// States of health.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum HealthStatus {
    Healthy,
    Warning,
    Unhealthy,
    Unknown,
}

/// States of automatic updates.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Updates {
    Enabled,
    Disabled,
    PenaltyBox,
}

/// With or without alarms.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AlarmStatus {
    With,
    Without,
}

/// A comparison with a metric.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MetricFilter {
    /// The metric, `cpu_temp` or `mem_used_percent` for example.
    #[schemars(length(min = 1, max = 255))]
    pub key: String,
    /// `gt`: greater than `value`; `lt`: less.
    pub operator: Comparison,
    /// What to compare with.
    pub value: f64,
}

/// Ways to compare.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Comparison {
    Gt,
    Lt,
}

impl Connection {
    /// The word in the API.
    pub fn word(self) -> &'static str {
        match self {
            Self::Connected => "connected",
            Self::Connecting => "connecting",
            Self::Disconnected => "disconnected",
            Self::NotSeen => "not_seen",
            Self::NotSeenInSevenDays => "not_seen_in_seven_days",
            Self::NotSeenInFourteenDays => "not_seen_in_fourteen_days",
        }
    }
}

impl HealthStatus {
    /// The word in the API.
    pub fn word(self) -> &'static str {
        match self {
            Self::Healthy => "healthy",
            Self::Warning => "warning",
            Self::Unhealthy => "unhealthy",
            Self::Unknown => "unknown",
        }
    }
}

impl Updates {
    /// The word in the API.
    pub fn word(self) -> &'static str {
        match self {
            Self::Enabled => "enabled",
            Self::Disabled => "disabled",
            Self::PenaltyBox => "penalty-box",
        }
    }
}

impl ConnectionType {
    fn word(self) -> &'static str {
        match self {
            Self::Wifi => "wifi",
            Self::Ethernet => "ethernet",
            Self::Cellular => "cellular",
            Self::Unknown => "unknown",
        }
    }
}

impl DeviceFilters {
    /// As query parameters, after checking them.
    pub fn query(&self) -> Result<Vec<(String, String)>, Fault> {
        let mut query = Vec::new();
        let mut add = |key: &str, value: String| query.push((format!("filters[{key}]"), value));
        let texts = [
            ("identifier", &self.identifier),
            ("search", &self.search),
            ("firmware_version", &self.firmware_version),
            ("platform", &self.platform),
            ("alarm", &self.alarm),
        ];
        for (key, value) in texts {
            if let Some(value) = value {
                add(key, checked_text(&format!("/filters/{key}"), value)?);
            }
        }
        let words = [
            ("connection", self.connection.map(Connection::word)),
            ("connection_type", self.connection_type.map(ConnectionType::word)),
            ("health_status", self.health_status.map(HealthStatus::word)),
            ("updates", self.updates.map(Updates::word)),
            ("alarm_status", self.alarm_status.map(AlarmStatus::word)),
        ];
        for (key, word) in words {
            if let Some(word) = word {
                add(key, word.to_owned());
            }
        }
        if let Some(tags) = &self.tags {
            add("tags", joined_tags("/filters/tags", tags)?);
        }
        // Any value that is not empty switches this one on, "false" as well.
        if self.has_no_tags == Some(true) {
            if self.tags.is_some() {
                let message = "has_no_tags and tags exclude each other: no device has some tags and none.";
                return Err(Fault::invalid("/filters/has_no_tags", message));
            }
            add("has_no_tags", "true".to_owned());
        }
        if let Some(metric) = &self.metric {
            add("metrics_key", checked_text("/filters/metric/key", &metric.key)?);
            add("metrics_operator", metric.operator.word().to_owned());
            add("metrics_value", metric.value.to_string());
        }
        Ok(query)
    }
}

impl AlarmStatus {
    fn word(self) -> &'static str {
        match self {
            Self::With => "with",
            Self::Without => "without",
        }
    }
}

impl Comparison {
    fn word(self) -> &'static str {
        match self {
            Self::Gt => "gt",
            Self::Lt => "lt",
        }
    }
}

/// A text filter, refused where NervesHub would ignore it or fail on it.
pub fn checked_text(field: &str, value: &str) -> Result<String, Fault> {
    if value.trim().is_empty() {
        return Err(Fault::invalid(field, "An empty filter matches everything; leave it out instead."));
    }
    if value.chars().count() > LONGEST {
        return Err(Fault::invalid(field, format!("At most {LONGEST} characters.")));
    }
    if value.chars().any(char::is_control) {
        return Err(Fault::invalid(field, "Control characters are not allowed."));
    }
    Ok(value.to_owned())
}

/// A tag filter: the tags with commas between them, so none of them may hold one.
pub fn joined_tags(field: &str, tags: &[String]) -> Result<String, Fault> {
    if tags.is_empty() {
        return Err(Fault::invalid(field, "Name at least one tag, or leave the filter out."));
    }
    for (index, tag) in tags.iter().enumerate() {
        check_tag(&format!("{field}/{index}"), tag)?;
    }
    Ok(tags.join(","))
}

/// One tag: NervesHub refuses spaces in it, and takes a comma for the end of it.
pub fn check_tag(field: &str, tag: &str) -> Result<(), Fault> {
    let refuse = |message: &str| Err(Fault::invalid(field, message));
    if tag.is_empty() {
        return refuse("A tag cannot be empty.");
    }
    if tag.chars().count() > LONGEST {
        return refuse("A tag has at most 255 characters.");
    }
    if tag.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return refuse("Tags cannot contain spaces. Use a dash, or two tags.");
    }
    if tag.contains(',') {
        return refuse("A comma separates tags in NervesHub and cannot be part of one.");
    }
    Ok(())
}

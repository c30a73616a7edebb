//! The device filters of section 3.2 of the contract, with their quirks. Parsed first, so that a bad one is
//! refused whether or not there is a device to try it on.

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::errors::ApiError;
use super::ilike::Like;
use super::model::{ConnectionStatus, Device, Id};
use super::params::Params;

/// Atoms that exist in the real server without being device filters: such a filter is ignored, while a word
/// the server has never seen is a 500.
const KNOWN_ATOMS: [&str; 24] = [
    "id",
    "name",
    "page",
    "page_size",
    "sort",
    "status",
    "version",
    "product",
    "org",
    "user",
    "type",
    "value",
    "key",
    "description",
    "inserted_at",
    "updated_at",
    "updates_enabled",
    "org_id",
    "product_id",
    "deployment_group",
    "only_updating",
    "display_deleted",
    "metrics_operator",
    "metrics_value",
];

/// One condition on a device.
#[derive(Debug)]
pub(crate) enum Filter {
    Identifier(Like),
    Search(Like),
    Connection(ConnectionStatus),
    NotSeen,
    NotSeenFor { days: i64 },
    Interface(String),
    FirmwareVersion(String),
    Platform(Option<String>),
    Health(String),
    Updates(bool),
    PenaltyBox,
    Tag(Like),
    HasNoTags,
    Alarm(Like),
    AnyAlarm(bool),
    Deployment(Id),
    Metric { key: String, above: bool, value: f64 },
}

/// All conditions of a request; a device has to meet each.
pub(crate) fn parse(params: &Params) -> Result<Vec<Filter>, ApiError> {
    let mut filters = Vec::new();
    for (key, value) in asked(params)? {
        filters.extend(one(params, key, value)?);
    }
    Ok(filters)
}

/// The filters as text. What is not a map of texts cannot come from a well-formed query, and raises.
pub(crate) fn asked(params: &Params) -> Result<Vec<(&str, &str)>, ApiError> {
    match params.get("filters") {
        None => Ok(Vec::new()),
        Some(Value::Object(map)) => map
            .iter()
            .map(|(key, value)| value.as_str().map(|value| (key.as_str(), value)).ok_or(ApiError::Fault))
            .collect(),
        Some(_) => Err(ApiError::Fault),
    }
}

/// Whether an unknown key is one that the server ignores.
pub(crate) fn known_atom(key: &str) -> bool {
    KNOWN_ATOMS.contains(&key)
}

/// Tags of a comma list. A list with a space in a tag is no list of tags, and the filter does nothing.
pub(crate) fn tags(value: &str) -> Vec<Like> {
    let tags: Vec<&str> = value.split(',').map(str::trim).filter(|tag| !tag.is_empty()).collect();
    if tags.iter().any(|tag| tag.contains(' ')) {
        return Vec::new();
    }
    tags.into_iter().map(Like::containing).collect()
}

fn one(params: &Params, key: &str, value: &str) -> Result<Vec<Filter>, ApiError> {
    if value.is_empty() {
        return if is_filter(key) || known_atom(key) { Ok(Vec::new()) } else { Err(ApiError::Fault) };
    }
    let filter = match key {
        "identifier" => Filter::Identifier(Like::containing(value)),
        "search" => Filter::Search(Like::containing(value)),
        "connection" => connection(value)?,
        "connection_type" => match value {
            "wifi" | "ethernet" | "cellular" | "unknown" => Filter::Interface(value.to_owned()),
            other if known_atom(other) => return Err(ApiError::cast(other)),
            _ => return Err(ApiError::Fault),
        },
        "firmware_version" => Filter::FirmwareVersion(value.to_owned()),
        "platform" => Filter::Platform((value != "Unknown").then(|| value.to_owned())),
        "health_status" => match value {
            "healthy" | "warning" | "unhealthy" | "unknown" => Filter::Health(value.to_owned()),
            other => return Err(ApiError::cast(other)),
        },
        "updates" => match value {
            "enabled" => Filter::Updates(true),
            "disabled" => Filter::Updates(false),
            "penalty-box" => Filter::PenaltyBox,
            _ => return Err(ApiError::Fault),
        },
        "tags" => return Ok(tags(value).into_iter().map(Filter::Tag).collect()),
        "has_no_tags" => Filter::HasNoTags,
        "alarm" => Filter::Alarm(Like::containing(value)),
        "alarm_status" => match value {
            "with" => Filter::AnyAlarm(true),
            "without" => Filter::AnyAlarm(false),
            _ => return Ok(Vec::new()),
        },
        "deployment_id" => Filter::Deployment(value.parse().map_err(|_| ApiError::cast(value))?),
        "metrics_key" => return metric(params, value),
        other if known_atom(other) => return Ok(Vec::new()),
        _ => return Err(ApiError::Fault),
    };
    Ok(vec![filter])
}

fn is_filter(key: &str) -> bool {
    matches!(
        key,
        "identifier"
            | "search"
            | "connection"
            | "connection_type"
            | "firmware_version"
            | "platform"
            | "health_status"
            | "updates"
            | "tags"
            | "has_no_tags"
            | "alarm"
            | "alarm_status"
            | "deployment_id"
            | "metrics_key"
    )
}

fn connection(value: &str) -> Result<Filter, ApiError> {
    Ok(match value {
        "connected" => Filter::Connection(ConnectionStatus::Connected),
        "connecting" => Filter::Connection(ConnectionStatus::Connecting),
        "disconnected" => Filter::Connection(ConnectionStatus::Disconnected),
        "not_seen" => Filter::NotSeen,
        "not_seen_in_seven_days" => Filter::NotSeenFor { days: 7 },
        "not_seen_in_fourteen_days" => Filter::NotSeenFor { days: 14 },
        other => return Err(ApiError::cast(other)),
    })
}

/// Without operator or value the key alone does nothing; an operator or value that is not one raises.
fn metric(params: &Params, key: &str) -> Result<Vec<Filter>, ApiError> {
    let asked = asked(params)?;
    let find = |wanted: &str| asked.iter().find(|(key, _)| *key == wanted).map(|(_, value)| *value);
    let (Some(operator), Some(value)) = (find("metrics_operator"), find("metrics_value")) else {
        return Ok(Vec::new());
    };
    if value.is_empty() {
        return Ok(Vec::new());
    }
    let value = value.parse().map_err(|_| ApiError::Fault)?;
    let above = match operator {
        "gt" => true,
        "lt" => false,
        _ => return Err(ApiError::Fault),
    };
    Ok(vec![Filter::Metric { key: key.to_owned(), above, value }])
}

impl Filter {
    /// Whether the device meets the condition at this time. Absent values meet none, as in SQL.
    pub(crate) fn meets(&self, device: &Device, now: Timestamp) -> bool {
        let firmware = |key: &str| device.firmware.as_ref().and_then(|firmware| firmware.get(key));
        let connection = device.connection.as_ref();
        let health = device.health.as_ref();
        match self {
            Self::Identifier(like) => like.finds(&device.identifier),
            Self::Search(like) => {
                like.finds(&device.identifier)
                    || like.finds(firmware("version").unwrap_or_default())
                    || like.finds(firmware("platform").unwrap_or_default())
                    || like.finds(&device.joined_tags().unwrap_or_default())
            }
            Self::Connection(status) => connection.is_some_and(|connection| connection.status == *status),
            // The device's own status, not the absence of a connection: the two can disagree.
            Self::NotSeen => device.status == "registered",
            Self::NotSeenFor { days } => connection.is_some_and(|connection| {
                connection.status == ConnectionStatus::Disconnected
                    && now.duration_since(connection.last_seen_at) > SignedDuration::from_hours(24 * days)
            }),
            Self::Interface(name) => {
                let interface = connection.and_then(|connection| connection.interface.as_deref());
                interface.unwrap_or("unknown") == name
            }
            Self::FirmwareVersion(version) => firmware("version") == Some(version),
            Self::Platform(platform) => firmware("platform") == platform.as_deref(),
            Self::Health(status) => health.map_or("unknown", |health| &health.status) == status,
            Self::Updates(enabled) => device.updates_enabled == *enabled,
            Self::PenaltyBox => device.updates_blocked_until.is_some_and(|until| until > now),
            Self::Tag(like) => device.joined_tags().is_some_and(|tags| like.finds(&tags)),
            // An emptied list is not the same as none in the real column, and is not found.
            Self::HasNoTags => device.tags.is_none(),
            Self::Alarm(like) => health.is_some_and(|health| {
                health.alarms.iter().any(|(name, text)| like.finds(name) || like.finds(text))
            }),
            Self::AnyAlarm(wanted) => health.is_some_and(|health| !health.alarms.is_empty()) == *wanted,
            Self::Deployment(id) => device.deployment == Some(*id),
            Self::Metric { key, above, value } => {
                let latest = health.and_then(|health| health.metrics.get(key));
                latest.is_some_and(|latest| if *above { latest > value } else { latest < value })
            }
        }
    }
}

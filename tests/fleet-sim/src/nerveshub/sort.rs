//! The order of a device list, section 3.2 of the contract: any column of the device, or two of its
//! connection whose direction is the other way round.

use std::cmp::Ordering;

use jiff::Timestamp;
use serde_json::Value;

use super::errors::ApiError;
use super::model::Device;
use super::params::Params;

/// How to order a list.
#[derive(Debug)]
pub(crate) struct Sort {
    key: Key,
    descending: bool,
    /// Rows without a value come first.
    nulls_first: bool,
}

#[derive(Debug, Clone, Copy)]
enum Key {
    Id,
    Org,
    Product,
    Identifier,
    Description,
    Tags,
    Status,
    Firmware,
    Deployment,
    UpdatesEnabled,
    UpdatesBlockedUntil,
    DeletedAt,
    FirstSeenAt,
    InsertedAt,
    UpdatedAt,
    LastSeenAt,
    EstablishedAt,
}

/// A value to compare; variants of one column are always the same.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Cell {
    Number(u64),
    Text(String),
    Texts(Vec<String>),
    Flag(bool),
    Time(Timestamp),
}

impl Sort {
    /// `sort` and `sort_direction`; without `sort`, identifiers ascending.
    pub(crate) fn parse(params: &Params) -> Result<Self, ApiError> {
        let Some(field) = params.get("sort") else {
            return Ok(Self { key: Key::Identifier, descending: false, nulls_first: false });
        };
        let direction = match params.get("sort_direction") {
            None => "asc",
            Some(direction) => direction.as_str().ok_or(ApiError::Fault)?,
        };
        let key = field.as_str().and_then(key).ok_or(ApiError::Fault)?;
        // Postgres puts rows without a value last, and first when descending.
        let (descending, nulls_first) = match direction {
            "asc" | "asc_nulls_last" => (false, false),
            "desc" | "desc_nulls_first" => (true, true),
            "asc_nulls_first" => (false, true),
            "desc_nulls_last" => (true, false),
            _ => return Err(ApiError::Fault),
        };
        if matches!(key, Key::LastSeenAt | Key::EstablishedAt) {
            // Inverted: ascending is newest first with unseen devices last, descending the reverse of that.
            return match direction {
                "asc" => Ok(Self { key, descending: true, nulls_first: false }),
                "desc" => Ok(Self { key, descending: false, nulls_first: true }),
                _ => Err(ApiError::Fault),
            };
        }
        Ok(Self { key, descending, nulls_first })
    }

    pub(crate) fn compare(&self, left: &Device, right: &Device) -> Ordering {
        match (self.key.of(left), self.key.of(right)) {
            (None, None) => Ordering::Equal,
            (None, Some(_)) => {
                if self.nulls_first {
                    Ordering::Less
                } else {
                    Ordering::Greater
                }
            }
            (Some(_), None) => {
                if self.nulls_first {
                    Ordering::Greater
                } else {
                    Ordering::Less
                }
            }
            (Some(left), Some(right)) if self.descending => right.cmp(&left),
            (Some(left), Some(right)) => left.cmp(&right),
        }
    }
}

fn key(name: &str) -> Option<Key> {
    Some(match name {
        "id" => Key::Id,
        "org_id" => Key::Org,
        "product_id" => Key::Product,
        "identifier" => Key::Identifier,
        "description" => Key::Description,
        "tags" => Key::Tags,
        "status" => Key::Status,
        "firmware_metadata" => Key::Firmware,
        "deployment_id" => Key::Deployment,
        "updates_enabled" => Key::UpdatesEnabled,
        "updates_blocked_until" => Key::UpdatesBlockedUntil,
        "deleted_at" => Key::DeletedAt,
        "first_seen_at" => Key::FirstSeenAt,
        "inserted_at" => Key::InsertedAt,
        "updated_at" => Key::UpdatedAt,
        "connection_last_seen_at" => Key::LastSeenAt,
        "connection_established_at" => Key::EstablishedAt,
        _ => return None,
    })
}

impl Key {
    fn of(self, device: &Device) -> Option<Cell> {
        let connection = device.connection.as_ref();
        match self {
            Self::Id => Some(Cell::Number(device.id)),
            Self::Org => Some(Cell::Number(device.org)),
            Self::Product => Some(Cell::Number(device.product)),
            Self::Identifier => Some(Cell::Text(device.identifier.clone())),
            Self::Description => device.description.clone().map(Cell::Text),
            Self::Tags => device.tags.clone().map(Cell::Texts),
            Self::Status => Some(Cell::Text(device.status.clone())),
            Self::Firmware => device
                .firmware
                .as_ref()
                .map(|firmware| Cell::Text(Value::Object(firmware.fields.clone()).to_string())),
            Self::Deployment => device.deployment.map(Cell::Number),
            Self::UpdatesEnabled => Some(Cell::Flag(device.updates_enabled)),
            Self::UpdatesBlockedUntil => device.updates_blocked_until.map(Cell::Time),
            Self::DeletedAt => device.deleted_at.map(Cell::Time),
            Self::FirstSeenAt => device.first_seen_at.map(Cell::Time),
            Self::InsertedAt => Some(Cell::Time(device.inserted_at)),
            Self::UpdatedAt => Some(Cell::Time(device.updated_at)),
            Self::LastSeenAt => connection.map(|connection| Cell::Time(connection.last_seen_at)),
            Self::EstablishedAt => connection.map(|connection| Cell::Time(connection.established_at)),
        }
    }
}

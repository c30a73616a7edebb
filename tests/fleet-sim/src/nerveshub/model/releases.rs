//! What devices run and should run: firmware, deployment groups, updates in flight.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::Id;

/// An uploaded firmware.
#[derive(Debug, Clone)]
pub struct Firmware {
    /// Row number.
    pub id: Id,
    /// Its product.
    pub product: Id,
    /// The address in paths and in `upgrade`.
    pub uuid: String,
    /// Semantic version.
    pub version: String,
    /// Such as `rpi4`.
    pub platform: String,
    /// Such as `arm`.
    pub architecture: String,
    /// Who built it.
    pub author: Option<String>,
    /// `fwup` or `esp-idf`.
    pub tool: String,
}

/// A deployment group with its current release.
#[derive(Debug, Clone)]
pub struct DeploymentGroup {
    /// Row number; `filters[deployment_id]`.
    pub id: Id,
    /// Its product.
    pub product: Id,
    /// Name, unique in the product.
    pub name: String,
    /// On or off.
    pub is_active: bool,
    /// Firmware of the current release.
    pub firmware: Id,
    /// Number of the current release.
    pub release_number: u32,
    /// When the current release was made.
    pub released_at: Timestamp,
    /// How many releases there have been.
    pub releases_count: u32,
    /// Version requirement, may be empty.
    pub version: String,
    /// Tags a device needs.
    pub tags: Vec<String>,
    /// `and` or `or`.
    pub tag_operator: String,
    /// Deltas are sent.
    pub delta_updatable: bool,
    /// Free text.
    pub notes: Option<String>,
}

/// A firmware update on its way to a device; at most one per device.
#[derive(Debug, Clone)]
pub struct InflightUpdate {
    /// The device.
    pub device: Id,
    /// The firmware.
    pub firmware: Id,
}

/// What a device last said about the firmware it runs. Every key is always there, absent values are null.
#[derive(Debug, Clone, PartialEq)]
pub struct FirmwareMetadata {
    /// The keys and values as the API shows them.
    pub fields: serde_json::Map<String, Value>,
}

impl FirmwareMetadata {
    /// The keys, in the order of the contract's example.
    pub const KEYS: [&str; 11] = [
        "id",
        "uuid",
        "product",
        "version",
        "architecture",
        "platform",
        "author",
        "description",
        "fwup_version",
        "vcs_identifier",
        "misc",
    ];

    /// What a device running this firmware reports; `id` is the embedded record's own.
    pub(crate) fn of(firmware: &Firmware, product: &str, id: &str) -> Self {
        let fwup = (firmware.tool == "fwup").then_some("1.13.0");
        let values = [
            json!(id),
            json!(firmware.uuid),
            json!(product),
            json!(firmware.version),
            json!(firmware.architecture),
            json!(firmware.platform),
            json!(firmware.author),
            Value::Null,
            json!(fwup),
            Value::Null,
            Value::Null,
        ];
        Self { fields: Self::KEYS.iter().map(|key| (*key).to_owned()).zip(values).collect() }
    }

    /// A value, if it is a string.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.fields.get(key).and_then(Value::as_str)
    }
}

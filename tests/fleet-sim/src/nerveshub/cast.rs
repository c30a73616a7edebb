//! What `PUT` on a device writes: every field the hub knows, not only tags (the warning in section 3 of the
//! contract). A client that sends more than it means changes more than it means, and a test can see it.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde_json::{Map, Value, json};

use super::errors::ApiError;
use super::model::{Device, FirmwareMetadata, Id};
use super::params::Params;
use super::world::World;

/// The device as it will be, or 422 with what is wrong per field. Unknown keys are ignored.
pub(crate) fn update(world: &World, device: &Device, params: &Params) -> Result<Device, ApiError> {
    let mut new = device.clone();
    let mut cast = Cast { params, errors: Map::new() };

    cast.set("description", text, &mut new.description);
    cast.tags(&mut new.tags);
    cast.set("deleted_at", time, &mut new.deleted_at);
    cast.set("updates_blocked_until", time, &mut new.updates_blocked_until);
    cast.set("first_seen_at", time, &mut new.first_seen_at);
    cast.set("deployment_id", number, &mut new.deployment);
    cast.demand("updates_enabled", flag, &mut new.updates_enabled)?;
    cast.demand("update_attempts", times, &mut new.update_attempts)?;
    cast.demand("status", |value| word(value, &["registered", "provisioned"]), &mut new.status)?;
    cast.require("org_id", number, &mut new.org);
    cast.require("product_id", number, &mut new.product);
    cast.firmware(&mut new.firmware);
    cast.hide(&mut new);

    if device.deleted_at.is_some() && new.deleted_at == device.deleted_at {
        cast.refuse("deleted_at", "cannot update while marked as deleted");
    }
    if cast.errors.is_empty() && taken(world, &new) {
        cast.refuse("identifier", "has already been taken");
    }
    if !cast.errors.is_empty() {
        return Err(ApiError::Invalid(cast.errors));
    }
    // The database's foreign keys: no message, just a failure.
    let known = world.orgs.iter().any(|org| org.id == new.org)
        && world.products.iter().any(|product| product.id == new.product)
        && new.deployment.is_none_or(|id| world.groups.iter().any(|group| group.id == id));
    if known { Ok(new) } else { Err(ApiError::Fault) }
}

fn taken(world: &World, device: &Device) -> bool {
    world.devices.iter().any(|other| {
        other.id != device.id && other.org == device.org && other.identifier == device.identifier
    })
}

struct Cast<'a> {
    params: &'a Params,
    errors: Map<String, Value>,
}

/// A value that was given: null (an empty text counts as null) or something, or not of the field's type.
type Parsed<T> = Result<T, ()>;

impl Cast<'_> {
    fn refuse(&mut self, key: &str, message: &str) {
        self.errors.insert(key.to_owned(), json!([message]));
    }

    /// The given value: nothing if the key is absent or the value was refused.
    fn given<T>(&mut self, key: &str, parse: impl Fn(&Value) -> Parsed<T>) -> Option<Option<T>> {
        match self.params.get(key)? {
            Value::Null => Some(None),
            Value::String(text) if text.trim().is_empty() => Some(None),
            value => match parse(value) {
                Ok(value) => Some(Some(value)),
                Err(()) => {
                    self.refuse(key, "is invalid");
                    None
                }
            },
        }
    }

    /// A field that may be null.
    fn set<T>(&mut self, key: &str, parse: impl Fn(&Value) -> Parsed<T>, field: &mut Option<T>) {
        if let Some(value) = self.given(key, parse) {
            *field = value;
        }
    }

    /// A field whose column refuses null, which is a fault and no validation.
    fn demand<T>(
        &mut self,
        key: &str,
        parse: impl Fn(&Value) -> Parsed<T>,
        field: &mut T,
    ) -> Result<(), ApiError> {
        if let Some(value) = self.given(key, parse) {
            *field = value.ok_or(ApiError::Fault)?;
        }
        Ok(())
    }

    /// A field that is validated to be there.
    fn require<T>(&mut self, key: &str, parse: impl Fn(&Value) -> Parsed<T>, field: &mut T) {
        match self.given(key, parse) {
            Some(Some(value)) => *field = value,
            Some(None) => self.refuse(key, "can't be blank"),
            None => {}
        }
    }

    /// An array, or a text of them with commas; a comma text is split and trimmed, an array is taken as it is.
    fn tags(&mut self, field: &mut Option<Vec<String>>) {
        let split = |value: &Value| match value {
            Value::String(text) => {
                Ok(text.split(',').map(str::trim).filter(|tag| !tag.is_empty()).map(str::to_owned).collect())
            }
            Value::Array(tags) => {
                tags.iter().map(|tag| tag.as_str().map(str::to_owned).ok_or(())).collect::<Parsed<Vec<_>>>()
            }
            _ => Err(()),
        };
        match self.given("tags", split) {
            Some(Some(tags)) if tags.iter().any(|tag| tag.contains(' ')) => {
                self.refuse("tags", "tags cannot contain spaces");
            }
            Some(tags) => *field = tags,
            None => {}
        }
    }

    /// The embedded firmware report: given keys replace, others stay.
    fn firmware(&mut self, field: &mut Option<FirmwareMetadata>) {
        let object = |value: &Value| value.as_object().cloned().ok_or(());
        let Some(Some(given)) = self.given("firmware_metadata", object) else { return };
        let mut fields = field.clone().map_or_else(Map::new, |firmware| firmware.fields);
        for key in FirmwareMetadata::KEYS {
            if let Some(value) = given.get(key) {
                fields.insert(key.to_owned(), value.clone());
            }
            fields.entry(key).or_insert(Value::Null);
        }
        *field = Some(FirmwareMetadata { fields });
    }

    /// Fields that no answer shows.
    fn hide(&mut self, new: &mut Device) {
        let any = |value: &Value| Ok(value.clone());
        let validation = ["validated", "not_validated", "unknown"];
        let given = [
            ("connecting_code", self.given("connecting_code", |value| text(value).map(Value::from))),
            (
                "current_device_firmware_id",
                self.given("current_device_firmware_id", |v| text(v).map(Value::from)),
            ),
            (
                "firmware_auto_revert_detected",
                self.given("firmware_auto_revert_detected", |v| flag(v).map(Value::from)),
            ),
            (
                "firmware_validation_status",
                self.given("firmware_validation_status", |v| word(v, &validation).map(Value::from)),
            ),
            ("custom_location_coordinates", self.given("custom_location_coordinates", any)),
            ("extensions", self.given("extensions", any)),
        ];
        for (key, value) in given {
            if let Some(value) = value {
                new.hidden.insert(key.to_owned(), value.unwrap_or(Value::Null));
            }
        }
    }
}

fn text(value: &Value) -> Parsed<String> {
    value.as_str().map(str::to_owned).ok_or(())
}

fn word(value: &Value, words: &[&str]) -> Parsed<String> {
    text(value).and_then(|text| if words.contains(&text.as_str()) { Ok(text) } else { Err(()) })
}

fn flag(value: &Value) -> Parsed<bool> {
    match value {
        Value::Bool(flag) => Ok(*flag),
        Value::String(text) if text == "true" || text == "1" => Ok(true),
        Value::String(text) if text == "false" || text == "0" => Ok(false),
        _ => Err(()),
    }
}

fn number(value: &Value) -> Parsed<Id> {
    match value {
        Value::String(text) => text.parse().map_err(|_| ()),
        other => other.as_u64().ok_or(()),
    }
}

/// ISO 8601 with an offset, or without one and then UTC; whole seconds are kept.
fn time(value: &Value) -> Parsed<Timestamp> {
    let text = value.as_str().ok_or(())?;
    let at = text.parse::<Timestamp>().or_else(|_| {
        let civil: DateTime = text.parse().map_err(|_| ())?;
        civil.to_zoned(TimeZone::UTC).map(|zoned| zoned.timestamp()).map_err(|_| ())
    })?;
    Timestamp::from_second(at.as_second()).map_err(|_| ())
}

fn times(value: &Value) -> Parsed<Vec<Timestamp>> {
    value.as_array().ok_or(())?.iter().map(time).collect()
}

//! How the platform writes what it knows: section 2 of the contract, with the seed's switches.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::seed::{Dialects, Lists, RowTime, Seed, Shadows};
use super::world::{Alert, Command, Device};

/// A list of things with this name.
pub(crate) fn list(seed: &Seed, name: &str, rows: Vec<Value>) -> Value {
    match seed.lists {
        Lists::Bare => Value::Array(rows),
        Lists::Data => json!({ "data": rows }),
        Lists::Named => Value::Object(Map::from_iter([(name.to_owned(), Value::Array(rows))])),
    }
}

/// RFC 3339 in whole seconds, with `Z`.
pub(crate) fn iso(time: Timestamp) -> Value {
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string().into()
}

pub(crate) fn device(device: &Device, now: Timestamp) -> Value {
    json!({
        "id": device.id,
        "name": device.name,
        "status": device.status(now).name(),
        "last_seen_at": device.last_seen(now).map(iso),
        "firmware_version": device.unit.as_ref().map(|unit| unit.firmware_version.as_str()),
        "device_type_id": device.unit.as_ref().map(|unit| unit.model.name()),
        "tags": device.tags,
    })
}

/// None: it never reported.
pub(crate) fn shadow(seed: &Seed, device: &Device, now: Timestamp) -> Option<Value> {
    let unit = device.unit.as_ref()?;
    let at = device.last_seen(now)?;
    let desired = (!device.desired.is_empty()).then(|| Value::Object(device.desired.clone()));
    let mut shadow = unit.shadow(desired.as_ref(), at);
    if let Some(reported) = shadow["reported"].as_object_mut() {
        reported.insert("mac_address".into(), json!("24:0a:c4:00:00:01"));
        reported.insert("_revision".into(), json!(7));
        reported.values_mut().for_each(|value| *value = written(seed, value));
    }
    Some(match seed.shadows {
        Shadows::Whole => shadow,
        Shadows::Bare => shadow["reported"].take(),
    })
}

/// One telemetry row.
pub(crate) fn row(seed: &Seed, at: Timestamp, readings: &Map<String, Value>) -> Value {
    let readings: Map<_, _> =
        readings.iter().map(|(name, value)| (name.clone(), written(seed, value))).collect();
    match seed.row_time {
        RowTime::Ts => json!({"ts": iso(at), "readings": readings}),
        RowTime::TsSeconds => json!({"ts": at.as_second(), "readings": readings}),
        RowTime::Timestamp => json!({"timestamp": iso(at), "readings": readings}),
    }
}

fn written(seed: &Seed, value: &Value) -> Value {
    match value {
        Value::Number(number) if seed.texts => number.to_string().into(),
        _ => value.clone(),
    }
}

pub(crate) fn command(seed: &Seed, command: &Command) -> Value {
    let (name, parameters) = match seed.dialect {
        Dialects::CommandType => ("command_type", "payload"),
        Dialects::Action | Dialects::Either => ("action", "params"),
    };
    let mut row = json!({
        "id": command.id,
        "device_id": command.device,
        "status": command.status,
        "result": command.result,
        "created_at": iso(command.created),
        "sent_at": command.sent.map(iso),
        "completed_at": command.completed.map(iso),
    });
    row[name] = json!(command.name);
    row[parameters] = command.parameters.clone();
    row
}

pub(crate) fn alert(alert: &Alert) -> Value {
    json!({
        "id": alert.id,
        "name": alert.name,
        "device_id": alert.device,
        "trigger": {"sensor": alert.sensor, "op": alert.op, "value": alert.value},
        "channels": alert.channels,
        "severity": alert.severity,
        "state": if alert.fired { "fired" } else { "resolved" },
        "last_fired_at": alert.last_fired.map(iso),
    })
}

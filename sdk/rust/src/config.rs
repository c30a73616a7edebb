//! The plain settings that the operator gave this binding, or their defaults from the manifest. Never secrets.
//!
//! A setting must be declared in `plugin.toml` (`[config.poll_interval]`), which also gives it a type. The host has
//! checked the value; a typed reader fails only when the declared type is another one.

use std::time::Duration;

use serde::de::DeserializeOwned;

use crate::{Fault, host};

/// The value as text: a string as it is, a number in decimal, a duration as `500ms`, a list or table as JSON.
/// None: not set and without a default, or not declared.
#[must_use]
pub fn get(key: &str) -> Option<String> {
    host::config(key)
}

/// The value as text, or `default`.
#[must_use]
pub fn get_or(key: &str, default: &str) -> String {
    get(key).unwrap_or_else(|| default.to_owned())
}

/// A flag.
///
/// # Errors
/// `internal` when the setting is something else.
pub fn boolean(key: &str) -> Result<Option<bool>, Fault> {
    typed(key, "true or false", |text| text.parse().ok())
}

/// A whole number.
///
/// # Errors
/// `internal` when the setting is something else.
pub fn integer(key: &str) -> Result<Option<i64>, Fault> {
    typed(key, "a whole number", |text| text.parse().ok())
}

/// A number.
///
/// # Errors
/// `internal` when the setting is something else.
pub fn number(key: &str) -> Result<Option<f64>, Fault> {
    typed(key, "a number", |text| text.parse().ok().filter(|number: &f64| number.is_finite()))
}

/// A duration: whole numbers with `ns`, `us`, `ms`, `s`, `m`, `h` or `d`, one or several (`1m30s`).
///
/// # Errors
/// `internal` when the setting is something else.
pub fn duration(key: &str) -> Result<Option<Duration>, Fault> {
    typed(key, "a duration (500ms, 2s, 5m)", parse_duration)
}

/// A size in bytes: a whole number with `B`, `KB`, `MB`, `GB` or `KiB`, `MiB`, `GiB`, or without a unit.
///
/// # Errors
/// `internal` when the setting is something else.
pub fn size(key: &str) -> Result<Option<u64>, Fault> {
    typed(key, "a size (512KiB, 64MiB)", parse_size)
}

/// A list or table.
///
/// # Errors
/// `internal` when the setting is something else.
pub fn json<T: DeserializeOwned>(key: &str) -> Result<Option<T>, Fault> {
    typed(key, "what the plugin expects", |text| serde_json::from_str(text).ok())
}

fn typed<T>(key: &str, what: &str, parse: impl FnOnce(&str) -> Option<T>) -> Result<Option<T>, Fault> {
    let Some(text) = get(key) else { return Ok(None) };
    match parse(text.trim()) {
        Some(value) => Ok(Some(value)),
        None => Err(Fault::internal(format!("The setting `{key}` is {text:?}, and not {what}."))),
    }
}

fn parse_duration(mut text: &str) -> Option<Duration> {
    let mut sum = Duration::ZERO;
    if text.is_empty() {
        return None;
    }
    while !text.is_empty() {
        let (number, rest) = leading_number(text)?;
        let end = rest.find(|c: char| c.is_ascii_digit()).unwrap_or(rest.len());
        let unit = match rest[..end].trim() {
            "ns" => Duration::from_nanos(number),
            "us" => Duration::from_micros(number),
            "ms" => Duration::from_millis(number),
            "s" => Duration::from_secs(number),
            "m" => Duration::from_secs(number.checked_mul(60)?),
            "h" => Duration::from_secs(number.checked_mul(60 * 60)?),
            "d" => Duration::from_secs(number.checked_mul(24 * 60 * 60)?),
            _ => return None,
        };
        sum = sum.checked_add(unit)?;
        text = &rest[end..];
    }
    Some(sum)
}

fn parse_size(text: &str) -> Option<u64> {
    let (number, unit) = leading_number(text)?;
    let factor: u64 = match unit.trim() {
        "" | "B" => 1,
        "KB" | "kB" => 1_000,
        "MB" => 1_000_000,
        "GB" => 1_000_000_000,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        _ => return None,
    };
    number.checked_mul(factor)
}

fn leading_number(text: &str) -> Option<(u64, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    Some((text[..end].parse().ok()?, &text[end..]))
}

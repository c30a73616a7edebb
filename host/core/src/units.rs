//! Durations and sizes as people write them: one whole number and one unit. A bare number is refused, since nobody
//! can see whether `timeout = 30` means seconds or milliseconds.

use std::time::Duration;

/// A duration or size that is not spelled right.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UnitError {
    /// There is a number and nothing else.
    #[error("{} has no unit", crate::diagnostic::quoted(.number))]
    NoUnit {
        /// The number.
        number: String,
        /// How it could be written.
        help: String,
    },
    /// The unit is not one of ours.
    #[error("{} has an unknown unit", crate::diagnostic::quoted(.text))]
    UnknownUnit {
        /// What was written.
        text: String,
        /// How it could be written.
        help: String,
    },
    /// There is no number, or not a whole one.
    #[error("{} is not a whole number with a unit", crate::diagnostic::quoted(.text))]
    NotANumber {
        /// What was written.
        text: String,
        /// How it could be written.
        help: String,
    },
    /// More than 64 bits hold.
    #[error("{} is too large", crate::diagnostic::quoted(.text))]
    TooLarge {
        /// What was written.
        text: String,
    },
}

impl UnitError {
    /// What to write instead.
    pub fn help(&self) -> String {
        match self {
            Self::NoUnit { help, .. } | Self::UnknownUnit { help, .. } | Self::NotANumber { help, .. } => {
                help.clone()
            }
            Self::TooLarge { .. } => "write a smaller number".into(),
        }
    }
}

const DURATIONS: [(&str, u64); 4] = [("ms", 1), ("s", 1000), ("m", 60_000), ("h", 3_600_000)];
const SIZES: [(&str, u64); 7] = [
    ("B", 1),
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
    ("KB", 1_000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
];

/// Reads `500ms`, `2s`, `5m` or `1h`.
pub fn parse_duration(text: &str) -> Result<Duration, UnitError> {
    parse(text, &DURATIONS, "500ms, 30s, 5m or 1h", ["s", "ms"]).map(Duration::from_millis)
}

/// Reads `5B`, `64KiB`, `16MiB`, `1GiB`, `10KB`, `10MB` or `1GB`, in bytes.
pub fn parse_size(text: &str) -> Result<u64, UnitError> {
    parse(text, &SIZES, "64KiB, 16MiB or 1GiB", ["MiB", "KiB"])
}

fn parse(text: &str, units: &[(&str, u64)], examples: &str, usual: [&str; 2]) -> Result<u64, UnitError> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    if number.is_empty() || unit.starts_with(['.', ',', '_']) {
        return Err(UnitError::NotANumber { text: text.into(), help: format!("write {examples}") });
    }
    if unit.is_empty() {
        let help = format!("write {number}{} or {number}{}", usual[0], usual[1]);
        return Err(UnitError::NoUnit { number: number.into(), help });
    }
    let Some((_, factor)) = units.iter().find(|(known, _)| *known == unit) else {
        let meant = units.iter().find(|(known, _)| known.eq_ignore_ascii_case(unit.trim()));
        let help = match meant {
            Some((known, _)) => format!("write {number}{known}"),
            None => format!("write {examples}"),
        };
        return Err(UnitError::UnknownUnit { text: text.into(), help });
    };
    number
        .parse::<u64>()
        .ok()
        .and_then(|number| number.checked_mul(*factor))
        .ok_or_else(|| UnitError::TooLarge { text: text.into() })
}

/// Writes a duration in the largest unit that holds it exactly. Parts of a millisecond are cut off.
pub fn format_duration(duration: Duration) -> String {
    let millis = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    format(millis, &DURATIONS)
}

/// Writes a size in the largest binary unit that holds it exactly.
pub fn format_size(bytes: u64) -> String {
    format(bytes, &SIZES[..4])
}

fn format(amount: u64, units: &[(&str, u64)]) -> String {
    let fits = |(_, factor): &&(&str, u64)| amount >= *factor && amount.is_multiple_of(*factor);
    let (unit, factor) = units.iter().rev().find(fits).unwrap_or(&units[0]);
    format!("{}{unit}", amount / factor)
}

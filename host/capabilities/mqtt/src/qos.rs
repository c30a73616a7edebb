//! How surely a message arrives (MQTT, section 4.3).

use std::fmt;

use fleetgate_core::diagnostic::TableReader;

/// 0: at most once. 1: at least once. 2: exactly once. The names are the specification's.
#[allow(clippy::enum_variant_names)]
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Qos {
    /// 0
    AtMostOnce,
    /// 1
    #[default]
    AtLeastOnce,
    /// 2
    ExactlyOnce,
}

impl Qos {
    /// By its number. None: there is no such.
    pub fn new(number: u64) -> Option<Self> {
        Some(match number {
            0 => Self::AtMostOnce,
            1 => Self::AtLeastOnce,
            2 => Self::ExactlyOnce,
            _ => return None,
        })
    }

    /// Its number.
    pub fn number(self) -> u8 {
        self as u8
    }

    /// Reads `qos`.
    pub(crate) fn read(table: &mut TableReader<'_>) -> Option<Self> {
        let number = table.integer_within("qos", 0, 2)?;
        u64::try_from(number).ok().and_then(Self::new)
    }
}

impl fmt::Display for Qos {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.number().fmt(f)
    }
}

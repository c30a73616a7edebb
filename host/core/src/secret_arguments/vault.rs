//! What the placeholders of one call stand for.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use super::{PREFIX, hide};
use crate::call::new_job_id;
use crate::domain::Fault;
use crate::mask::{Mask, SHORTEST};
use crate::settings::Secret;

/// The secret arguments of one call. Wiped from memory with the last that holds the call. Only for host functions.
#[derive(Default)]
pub struct Vault {
    held: Vec<(String, Secret)>,
    mask: Option<Arc<Mask>>,
}

impl Vault {
    /// New placeholders for these values. `mask`: of all of them.
    pub(super) fn of(values: impl Iterator<Item = Secret>, mask: Option<Arc<Mask>>) -> Self {
        let held: Vec<_> = values.map(|value| (format!("{PREFIX}{}", new_job_id()), value)).collect();
        Self { held, mask }
    }

    /// With these values, for tests of capabilities, which have no call: each with its placeholder.
    #[doc(hidden)]
    pub fn for_tests<'a>(values: impl IntoIterator<Item = &'a str>) -> (Self, Vec<String>) {
        let values: Vec<_> = values.into_iter().collect();
        let vault =
            Self::of(values.iter().map(|&value| Secret::new(value)), Mask::new(values.iter().copied()));
        let placeholders = vault.placeholders().map(str::to_owned).collect();
        (vault, placeholders)
    }

    /// The call has no secret arguments.
    pub fn is_empty(&self) -> bool {
        self.held.is_empty()
    }

    /// The value that a placeholder of this call stands for.
    pub fn reveal(&self, placeholder: &str) -> Option<&Secret> {
        self.held.iter().find(|(known, _)| known == placeholder).map(|(_, value)| value)
    }

    /// Whether a placeholder of this call stands in there, as it is.
    pub fn finds(&self, bytes: &[u8]) -> bool {
        let mut known = self.held.iter().map(|(placeholder, _)| placeholder.as_bytes());
        known.any(|placeholder| bytes.windows(placeholder.len()).any(|piece| piece == placeholder))
    }

    /// The placeholders, in the order of the values.
    pub fn placeholders(&self) -> impl Iterator<Item = &str> {
        self.held.iter().map(|(placeholder, _)| placeholder.as_str())
    }

    /// The values, for a mask that covers others too. Never for anything else.
    pub fn values(&self) -> impl Iterator<Item = &str> {
        self.held.iter().map(|(_, value)| value.expose())
    }

    /// Finds the values. None: there are none, or all are too short to be told from ordinary text.
    pub fn mask(&self) -> Option<&Arc<Mask>> {
        self.mask.as_ref()
    }

    /// A text without the values.
    pub fn hide<'a>(&self, text: &'a str) -> Cow<'a, str> {
        self.mask.as_ref().map_or_else(|| text.into(), |mask| mask.hide(text))
    }

    pub(crate) fn hide_fault(&self, fault: Fault) -> Fault {
        match &self.mask {
            Some(mask) => hide::fault(mask, fault),
            None => fault,
        }
    }

    /// For the operator: those are not found where somebody echoes them.
    pub(crate) fn warn_of_short_ones(&self, call: &str) {
        if self.values().any(|value| (1..SHORTEST).contains(&value.len())) {
            tracing::warn!(
                call,
                "a secret argument of less than {SHORTEST} characters cannot be masked where somebody echoes it"
            );
        }
    }
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Vault({} values)", self.held.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_placeholder_is_found_wherever_it_stands_and_another_calls_is_not() {
        let (vault, placeholders) = Vault::for_tests(["hunter2"]);
        let (_, others) = Vault::for_tests(["hunter2"]);
        for text in [placeholders[0].clone(), format!("{PREFIX}{PREFIX}x{}y", placeholders[0])] {
            assert!(vault.finds(text.as_bytes()), "{text}");
        }
        for text in [others[0].as_str(), PREFIX, "", "hunter2", &placeholders[0][..42]] {
            assert!(!vault.finds(text.as_bytes()) && vault.reveal(text).is_none(), "{text}");
        }
        assert!(!format!("{vault:?}").contains("hunter2"));
        assert!(!Vault::default().finds(placeholders[0].as_bytes()));
    }
}

//! Finding one device in the list of its product.
//!
//! The list is asked for parts of identifiers and so may hold others as well; only the very identifier counts.

use fleetgate_sdk::prelude::*;

use super::page::Wanted;
use super::reading::text;
use super::{Api, DeviceArgs};

/// A short identifier may be part of very many. So many pages are looked through.
const MOST_PAGES: u32 = 5;

/// Whether the list holds the device.
pub enum Listed {
    /// It does.
    Found(Value),
    /// It does not.
    Absent,
    /// It was not read to its end.
    Cut,
}

/// Looks for a device in its product's list, narrowed by more filters. Deleted devices are in no list.
pub fn in_list(
    api: &Api,
    at: &DeviceArgs,
    filters: &[(&str, &str)],
    before_a_change: bool,
) -> Result<Listed, Fault> {
    for page in 1..=MOST_PAGES {
        let wanted = Wanted::full(page);
        let mut look = api.get(at.in_product().devices()).query("filters[identifier]", &at.identifier);
        for (key, value) in filters {
            look = look.query(key, value);
        }
        let look = if before_a_change { look.before_a_change() } else { look };
        let answer = look.queries(wanted.query()).send()?.json()?;
        let devices = answer.list()?;
        let is_it = |data: &&Value| text(data, "identifier").as_deref() == Some(&at.identifier);
        if let Some(data) = devices.iter().find(is_it) {
            return Ok(Listed::Found(data.clone()));
        }
        if devices.is_empty() || !wanted.read(answer.whole(), devices.len()).has_more {
            return Ok(Listed::Absent);
        }
    }
    Ok(Listed::Cut)
}

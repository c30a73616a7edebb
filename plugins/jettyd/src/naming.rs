//! Names of devices. People know `greenhouse`, and a device is known by its id.
//!
//! A name counts only for tools that look, and only for callers who may list devices: a refusal here names some. What
//! acts on a device takes its id alone.

use fleetgate_sdk::prelude::*;

use crate::device::Device;
use crate::reading::shown;

/// Candidates that are named.
const LISTED: usize = 20;

/// The device of this name, or the only one whose name has it in it; letters count in any case. What has no name is
/// called by its id.
///
/// # Errors
/// `invalid-arguments` with the candidates, when there are several.
pub fn named<'a>(all: &'a [Device], asked: &str) -> Result<Option<&'a Device>, Fault> {
    let wanted = asked.to_lowercase();
    let having = |fits: &dyn Fn(&str) -> bool| -> Vec<&Device> {
        all.iter()
            .filter(|device| fits(&device.name.as_deref().unwrap_or(&device.id).to_lowercase()))
            .collect()
    };
    let whole = having(&|name| name == wanted);
    let found = if whole.is_empty() { having(&|name| name.contains(&wanted)) } else { whole };
    match found[..] {
        [] => Ok(None),
        [one] => Ok(Some(one)),
        _ => Err(several(asked, &found)),
    }
}

fn several(asked: &str, found: &[&Device]) -> Fault {
    let named: Vec<_> = found
        .iter()
        .take(LISTED)
        .map(|device| {
            format!("{} ({})", shown(&device.id), shown(device.name.as_deref().unwrap_or("no name")))
        })
        .collect();
    let more = match found.len().saturating_sub(LISTED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let message = format!(
        "`{}` may be any of {}{more}: give the id of the one that is meant.",
        shown(asked),
        named.join(", ")
    );
    let ids: Vec<_> = found.iter().take(LISTED).map(|device| device.id.as_str()).collect();
    Fault::invalid("/device_id", message).detail("candidates", json!(ids))
}

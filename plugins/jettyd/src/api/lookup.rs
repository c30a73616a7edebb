//! Names of devices. People know `greenhouse`, and the API knows an id.
//!
//! A name is looked for only after the API did not know it as an id, only for tools that look, and only for callers who
//! may list devices: a refusal here names some. What acts on a device takes its id alone.

use fleetgate_sdk::prelude::*;

use super::client::Api;
use super::{devices, refusal};
use crate::device::Device;
use crate::reading::shown;

/// Candidates that are named.
const LISTED: usize = 20;

/// Does something with a device by its id, and, where there is none, by its name.
pub(super) fn by_id_or_name<T>(
    api: &Api,
    asked: &str,
    act: impl Fn(&str) -> Result<T, Fault>,
) -> Result<T, Fault> {
    match act(asked) {
        // Servers whose ids are UUIDs call another text a bad request.
        Err(fault)
            if matches!(refusal::status(&fault), Some(400 | 404 | 422)) && call::has_role("devices:read") =>
        {
            let Ok((all, _)) = devices::all(api) else { return Err(fault.field("/device_id")) };
            match named(&all, asked)? {
                Some(device) => act(&device.id),
                None => Err(fault.field("/device_id")),
            }
        }
        Err(fault) if refusal::status(&fault) == Some(404) => Err(fault.field("/device_id")),
        done => done,
    }
}

/// The device of this name, or the only one whose name has it in it; letters count in any case.
fn named<'a>(all: &'a [Device], asked: &str) -> Result<Option<&'a Device>, Fault> {
    let wanted = asked.to_lowercase();
    let having = |fits: &dyn Fn(&str) -> bool| -> Vec<&Device> {
        all.iter()
            .filter(|device| device.name.as_deref().is_some_and(|name| fits(&name.to_lowercase())))
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

//! Devices by id, and then by name: a name is looked for only after the API did not know it as an id.

use fleetgate_sdk::prelude::*;

use super::client::Api;
use super::{devices, refusal};
use crate::naming::named;

/// Does something with a device by its id, and, where there is none, by its name.
pub(super) fn by_id_or_name<T>(
    api: &Api,
    asked: &str,
    act: impl Fn(&str) -> Result<T, Fault>,
) -> Result<T, Fault> {
    let about = |fault: Fault| match refusal::status(&fault) {
        Some(404) => fault.field("/device_id"),
        _ => fault,
    };
    match act(asked) {
        // Servers whose ids are UUIDs call another text a bad request, or stumble over it.
        Err(fault)
            if matches!(refusal::status(&fault), Some(400 | 404 | 422 | 500))
                && call::has_role("devices:read") =>
        {
            let Ok((all, _)) = devices::all(api) else { return Err(about(fault)) };
            if all.iter().any(|device| device.id == asked) {
                return Err(about(fault));
            }
            match named(&all, asked)? {
                Some(device) => act(&device.id).map_err(about),
                None => Err(about(fault)),
            }
        }
        Err(fault) => Err(about(fault)),
        done => done,
    }
}

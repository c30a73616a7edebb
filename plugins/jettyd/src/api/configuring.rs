//! Configuration by the API: a script as a whole, everything else as wishes in the shadow.

use fleetgate_sdk::prelude::*;

use super::client::{Api, answer_with_status};
use super::{reading, refusal};
use crate::configuration::{Checked, Configured, INTERVAL_KEY, Status, objections};
use crate::settings::ConfigurePath;

/// No public page says where a shadow is changed, and a server that knows no such path answers as if there were no device.
fn elsewhere(fault: Fault) -> Fault {
    let message = format!(
        "{}\nIf the device exists, this server takes configurations elsewhere: the operator sets `configure_path`.",
        fault.message
    );
    fault.message(message)
}

/// configure_device
pub fn configure(device: &str, config: &Checked) -> Result<ToolResult, Fault> {
    let api = Api::connect()?;
    let mut wishes = config.wishes.clone();
    if let Some(seconds) = config.interval {
        wishes.insert(INTERVAL_KEY.to_owned(), json!(seconds));
    }
    let (to_shadow, to_config) = match ConfigurePath::chosen()? {
        ConfigurePath::Config if config.script.is_none() => (None, Some(json!({ "config": config.whole }))),
        ConfigurePath::Auto | ConfigurePath::Config => {
            if config.script.is_some() && !wishes.is_empty() {
                return Err(Fault::invalid(
                    "/config",
                    "`rules` and `heartbeats` go another way than the rest, and half of it could fail: configure the two \
                     in two calls.",
                ));
            }
            let desired = (!wishes.is_empty()).then(|| json!({ "desired": wishes }));
            (desired, config.script.clone().map(Value::Object))
        }
        ConfigurePath::Shadow => (Some(json!({ "desired": config.whole })), None),
    };
    let request = match (&to_shadow, &to_config) {
        (Some(body), _) => api.of_device(http::Method::Patch, device, ["shadow"]).json(body),
        (None, Some(body)) => api.of_device(http::Method::Put, device, ["config"]).json(body),
        (None, None) => return Err(Fault::internal("There is nothing to configure.")),
    };
    let (status, said) = answer_with_status(request).map_err(|fault| match refusal::status(&fault) {
        Some(404) => elsewhere(fault).field("/device_id"),
        Some(405 | 501) => elsewhere(fault),
        Some(400 | 422) => fault.field("/config"),
        _ => fault,
    })?;
    let said = reading::object(&said, &[]);
    let errors = objections(said);
    let status = match reading::text(said, &["status"]).and_then(|word| Status::read(&word)) {
        Some(status) => status,
        None if !errors.is_empty() => Status::Rejected,
        // 202: it is on its way, also to a device that is offline. A shadow holds the wish until the device takes it.
        None if status == 202 || to_shadow.is_some() => Status::Accepted,
        None => Status::Applied,
    };
    let note = (config.script.is_some() && status != Status::Rejected)
        .then(|| "It replaces all rules and heartbeats that the device had.".to_owned());
    Configured { device_id: device.to_owned(), status, config: config.whole.clone(), errors, note }
        .into_result()
}

//! A support script on its way to a device and back: the last row of section 4 of the contract.
//!
//! The request waits for `timeout` milliseconds. The device's channel forgets a script after
//! [`Seed::script_limit`], so a slower script is never heard of again, however long the client waits.

use std::time::Duration;

use super::errors::ApiError;
use super::model::{Device, Prints, Script};
use super::seed::{NoAnswer, Seed};

/// What the device printed, or 403.
pub(crate) async fn run(
    device: &Device,
    script: &Script,
    timeout: Duration,
    seed: &Seed,
) -> Result<String, ApiError> {
    let listening = device.is_connected() && device.answers;
    if listening && script.takes < seed.script_limit && script.takes < timeout {
        tokio::time::sleep(script.takes).await;
        return Ok(output(device, script));
    }
    let wait = match seed.no_answer {
        NoAnswer::AfterTimeout => timeout,
        NoAnswer::AtOnce if listening => timeout.min(seed.script_limit),
        NoAnswer::AtOnce => Duration::ZERO,
    };
    tokio::time::sleep(wait).await;
    Err(ApiError::NoAnswer)
}

/// Printed text and return value, trimmed, as the hub hands it on.
fn output(device: &Device, script: &Script) -> String {
    let version = device.firmware.as_ref().and_then(|firmware| firmware.get("version")).unwrap_or("unknown");
    match &script.prints {
        Prints::Text(text) => {
            text.replace("{identifier}", &device.identifier).replace("{version}", version).trim().to_owned()
        }
        Prints::Log { lines } => (0..*lines)
            .map(|line| {
                let (minute, second) = (line / 60 % 60, line % 60);
                format!(
                    "10:{minute:02}:{second:02}.{:03} [info] {} worker {} finished job {line}",
                    line % 1000,
                    device.identifier,
                    line % 8
                )
            })
            .collect::<Vec<_>>()
            .join("\n"),
    }
}

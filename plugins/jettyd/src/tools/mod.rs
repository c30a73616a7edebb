//! The tools, and what all of them check before anything is sent.

pub mod acting;
pub mod alerts;
pub mod devices;
pub mod sensors;

use fleetgate_sdk::Fault;

/// The longest id or name of a device, and the longest key of a sensor.
const LONGEST: usize = 256;

/// An id is the server's or the device's own affair; it only has to be one.
fn check_text(field: &str, text: &str, what: &str) -> Result<(), Fault> {
    if text.trim().is_empty() || text.len() > LONGEST || text.chars().any(char::is_control) {
        let message = format!("{what} has 1 to {LONGEST} bytes, is not blank and has no control characters.");
        return Err(Fault::invalid(field, message));
    }
    Ok(())
}

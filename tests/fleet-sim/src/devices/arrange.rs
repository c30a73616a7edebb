//! Which platform behaves how.

use std::io;

use super::behaviour::Behaviour;
use super::cisco_ios::CiscoIos;
use super::{Platform, Setup};

/// The behaviour of a device with this setup.
pub(crate) fn behaviour(setup: &Setup) -> io::Result<Box<dyn Behaviour>> {
    Ok(match setup.platform {
        Platform::CiscoIos => Box::new(CiscoIos::new(setup)),
        other => {
            let said = format!("no device of platform {other} can be simulated yet");
            return Err(io::Error::new(io::ErrorKind::Unsupported, said));
        }
    })
}

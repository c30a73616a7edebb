//! Which platform behaves how.

use std::io;

use super::arista_eos::AristaEos;
use super::behaviour::Behaviour;
use super::cisco_ios::CiscoIos;
use super::cisco_nxos::CiscoNxos;
use super::juniper_junos::JuniperJunos;
use super::linux::Linux;
use super::{Platform, Setup};

/// The behaviour of a device with this setup.
pub(crate) fn behaviour(setup: &Setup) -> io::Result<Box<dyn Behaviour>> {
    Ok(match setup.platform {
        Platform::CiscoIos => Box::new(CiscoIos::new(setup)),
        Platform::CiscoNxos => Box::new(CiscoNxos::new(setup)),
        Platform::AristaEos => Box::new(AristaEos::new(setup)),
        Platform::JuniperJunos => Box::new(JuniperJunos::new(setup)),
        Platform::Linux => Box::new(Linux::new(setup)),
        other => {
            let said = format!("no device of platform {other} can be simulated yet");
            return Err(io::Error::new(io::ErrorKind::Unsupported, said));
        }
    })
}

//! Simulated network devices: SSH servers with the terminals of ten platforms.
//!
//! A device is one listener on 127.0.0.1 with a host key of its own, a login as its vendor does it, and a
//! command line that keeps a configuration: what is typed there changes what `show running-config` (or its like)
//! prints. Prompts, errors, pagers and questions are the vendors' own, taken from their documentation and from
//! public transcripts; outputs are of our own making in the vendors' formats. A device knows some dozens of
//! commands and refuses every other one as the real one refuses what it does not know.
//!
//! The folder is the architecture: [`Devices`] starts them from [`Setup`]s; `server` is SSH; `terminal`, `editor`
//! and `pager` are what a person sees while typing; `grammar` finds out what a line means, `tree` keeps indented
//! configurations; `industry` is the command line that five of the platforms have in common; the rest has one
//! folder per platform. [`Fault`]s can be switched on per device at any time.

mod arrange;
mod behaviour;
mod device;
mod editor;
mod fault;
mod filter;
mod grammar;
mod industry;
mod journal;
mod key;
mod machine;
mod pager;
mod platform;
mod server;
mod setup;
mod statements;
mod terminal;
mod tree;

mod arista_eos;
mod cisco_ios;
mod cisco_nxos;
mod cisco_xr;
mod fortinet;
mod hp_procurve;
mod juniper_junos;
mod linux;
mod mikrotik_routeros;
mod paloalto_panos;

use std::io;

pub use device::{Counts, Device};
pub use fault::Fault;
pub use journal::{Entry, What};
pub use platform::Platform;
pub use setup::Setup;

/// Devices that listen; they stop when this is dropped.
#[derive(Debug)]
pub struct Devices {
    devices: Vec<Device>,
}

impl Devices {
    /// Starts one device per setup, each on 127.0.0.1 and the port that its setup names.
    ///
    /// # Errors
    /// A port that is taken.
    pub async fn start(setups: impl IntoIterator<Item = Setup>) -> io::Result<Self> {
        let mut devices = Vec::new();
        for setup in setups {
            devices.push(Device::start(setup).await?);
        }
        Ok(Self { devices })
    }

    /// One device of each platform, with its default setup.
    ///
    /// # Errors
    /// None but the system's.
    pub async fn one_of_each() -> io::Result<Self> {
        Self::start(Platform::ALL.into_iter().map(Setup::new)).await
    }

    /// All of them, in the order of their setups.
    pub fn all(&self) -> &[Device] {
        &self.devices
    }

    /// The device with this hostname.
    pub fn named(&self, hostname: &str) -> Option<&Device> {
        self.devices.iter().find(|device| device.hostname() == hostname)
    }

    /// The first device of this platform.
    pub fn of(&self, platform: Platform) -> Option<&Device> {
        self.devices.iter().find(|device| device.platform() == platform)
    }

    /// The lines about all of them for a file of known host keys.
    pub fn known_hosts(&self) -> String {
        self.devices.iter().map(Device::known_hosts).collect()
    }

    /// Terminals and commands that are open on any of them.
    pub fn sessions(&self) -> usize {
        self.devices.iter().map(|device| device.counts().sessions).sum()
    }
}

//! The devices on a real MQTT broker: one connection each, as its own user, with the public firmware's topics,
//! payloads and habits (section 3 of the contract; `mqtt.c`, `telemetry.c`, `jettyd.c`).
//!
//! A device that boots publishes its shadow, then subscribes, then says that it is online. It reports everything at
//! each heartbeat (or when a test says so), does what commands, configurations and desired states say, and never says
//! goodbye: it has no last will. Of a thousand devices each has its own TCP connection too; a connection costs the
//! broker and this process some kilobytes.

mod device;
mod load;
mod manner;
mod session;
mod setup;

use std::net::SocketAddr;

use futures_util::future::join_all;

pub use device::{Device, Received, Sent};
pub use load::{Load, Loaded};
pub use manner::{Acks, Clock, Manner};
pub use setup::{Profile, Setup};

use crate::broker::{Account, May};

/// The user of whoever watches and commands the fleet.
pub const USER: &str = "fleetgate";
/// Its password.
pub const PASSWORD: &str = "simulated-broker-password";

/// Devices that connect to the broker at a time.
const AT_ONCE: usize = 100;

/// Devices at a broker; they fall silent when this is dropped.
#[derive(Debug)]
pub struct Fleet {
    tenant: String,
    devices: Vec<Device>,
}

impl Fleet {
    /// The accounts that a broker needs for these devices, and for [`USER`].
    pub fn accounts(setup: &Setup) -> Vec<Account> {
        let tenant = &setup.tenant;
        let topics = |may: May, suffixes: &[&str], device: &str| -> Vec<(May, String)> {
            suffixes.iter().map(|suffix| (may, format!("jettyd/{tenant}/{device}/{suffix}"))).collect()
        };
        let devices = setup.profiles.iter().map(|Profile { id, key, .. }| {
            let mut allowed = topics(May::Write, &SAYS, id);
            allowed.extend(topics(May::Read, &HEARS, id));
            Account { user: id.clone(), password: key.clone(), topics: allowed }
        });
        let mut allowed = topics(May::Write, &HEARS, "+");
        allowed.push((May::Read, format!("jettyd/{tenant}/#")));
        let watcher = Account { user: USER.into(), password: PASSWORD.into(), topics: allowed };
        devices.chain([watcher]).collect()
    }

    /// Connects the devices to the broker at this address, and returns once those that are there have said so.
    ///
    /// # Errors
    /// If a device is refused, or not heard in time.
    pub async fn start(broker: SocketAddr, setup: Setup) -> Result<Self, String> {
        let new = |(number, profile)| Device::new(broker, &setup.tenant, number, profile);
        let devices: Vec<_> = (1..).zip(setup.profiles.iter().cloned()).map(new).collect();
        for some in devices.chunks(AT_ONCE) {
            let there = some.iter().filter(|device| device.profile().online);
            let connected = join_all(there.map(Device::connect)).await;
            connected.into_iter().collect::<Result<Vec<()>, _>>()?;
        }
        if let Some(every) = setup.every {
            devices.iter().for_each(|device| device.report_every(every));
        }
        Ok(Self { tenant: setup.tenant, devices })
    }

    /// The second level of every topic.
    pub fn tenant(&self) -> &str {
        &self.tenant
    }

    /// All devices.
    pub fn devices(&self) -> &[Device] {
        &self.devices
    }

    /// The device with this id.
    ///
    /// # Panics
    /// If there is none.
    pub fn device(&self, id: &str) -> &Device {
        let found = self.devices.iter().find(|device| device.id() == id);
        found.unwrap_or_else(|| panic!("no device has the id {id:?}"))
    }

    /// Every device that is there reports once.
    ///
    /// # Errors
    /// If the broker does not acknowledge a report in time.
    pub async fn report(&self) -> Result<(), String> {
        let there = self.devices.iter().filter(|device| device.is_connected());
        join_all(there.map(Device::report)).await.into_iter().collect::<Result<Vec<()>, _>>()?;
        Ok(())
    }
}

/// What a device publishes, under its prefix.
const SAYS: [&str; 7] =
    ["telemetry", "status", "shadow/report", "command/response", "config/ack", "alert", "tools/list"];

/// What it subscribes to.
const HEARS: [&str; 4] = ["command", "config", "firmware", "shadow/desired"];

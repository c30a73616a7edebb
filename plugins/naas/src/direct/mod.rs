//! Devices driven over SSH by the plugin itself, where `ssh.devices` is granted.

use crate::job::{DeviceJob, ErrorCode, JobResult};

/// The platforms that this mode drives.
pub const PLATFORMS: [&str; 10] = [
    "arista_eos",
    "cisco_ios",
    "cisco_nxos",
    "cisco_xr",
    "fortinet",
    "hp_procurve",
    "juniper_junos",
    "linux",
    "mikrotik_routeros",
    "paloalto_panos",
];

/// Does what the job says. What the device refuses is in the result.
#[must_use]
pub fn run(job: &DeviceJob) -> JobResult {
    JobResult::refused(job, ErrorCode::Unknown, "This build of the plugin does not drive devices over SSH.")
}

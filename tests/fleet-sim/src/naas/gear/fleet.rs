//! The devices a server starts with: some of each platform, and some of each kind of trouble.

use std::time::Duration;

use super::super::known;
use super::super::model::{Device, Manner, Platform};

/// Platform, the first of its names (the others count up from it), how many, and the third byte of the address.
const RACKS: [(Platform, &str, u8, u8); 10] = [
    (Platform::Ios, known::IOS, 6, 1),
    (Platform::Nxos, known::NXOS, 4, 2),
    (Platform::Eos, known::EOS, 4, 3),
    (Platform::Junos, known::JUNOS, 3, 4),
    (Platform::Linux, known::LINUX, 2, 5),
    (Platform::Xr, known::XR, 2, 6),
    (Platform::Procurve, known::PROCURVE, 3, 7),
    (Platform::Mikrotik, known::MIKROTIK, 3, 9),
    (Platform::Fortinet, known::FORTINET, 2, 8),
    (Platform::Panos, known::PANOS, 2, 10),
];

const TROUBLE: [(&str, Manner); 10] = [
    (known::UNREACHABLE, Manner::Unreachable),
    (known::SILENT, Manner::Silent),
    (known::LOCKED, Manner::Well),
    (known::UNPRIVILEGED, Manner::Unprivileged),
    (known::READ_ONLY, Manner::ReadOnly),
    (known::SLOW, Manner::Slow(Duration::from_secs(20))),
    (known::TOO_SLOW, Manner::Slow(Duration::from_secs(40))),
    (known::CRASHES, Manner::Crashes),
    (known::BROKEN, Manner::Broken),
    (known::MYSTERY, Manner::Mystery),
];

/// All devices; no two have a name or an address in common.
pub(crate) fn fleet() -> Vec<Device> {
    let mut devices = Vec::new();
    for (platform, first, count, rack) in RACKS {
        let stem = first.trim_end_matches(|digit: char| digit.is_ascii_digit());
        for number in 1..=count {
            devices.push(device(format!("{stem}{number:02}"), rack, number, platform, Manner::Well));
        }
    }
    for (number, (name, manner)) in (90..).zip(TROUBLE) {
        devices.push(device(name.to_owned(), 1, number, Platform::Ios, manner));
    }
    for locked in devices.iter_mut().filter(|device| device.name == known::LOCKED) {
        locked.login.1 = "changed last week".to_owned();
    }
    devices
}

fn device(name: String, rack: u8, number: u8, platform: Platform, manner: Manner) -> Device {
    Device {
        name,
        address: format!("10.20.{rack}.{number}"),
        platform,
        manner,
        login: (known::USER.to_owned(), known::PASSWORD.to_owned()),
        serial: format!("FSM{rack:02}{number:02}W0A{rack:X}"),
        config: Vec::new(),
        candidate: Vec::new(),
        saved: true,
    }
}

//! Cisco NX-OS. It shows progress with lone carriage returns, and digests with lone ones for line ends.

use super::cisco_ios;
use crate::direct::platform::Platform;

pub const PLATFORM: Platform = Platform {
    name: "cisco_nxos",
    return_ends_lines: true,
    errors: &[
        "at '^' marker",
        "% unrecognized",
        "% permission denied",
        "cmd exec error",
        "authorization failed",
        "error: ",
    ],
    save: Some("copy running-config startup-config"),
    ..cisco_ios::PLATFORM
};

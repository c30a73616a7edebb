//! Arista EOS. Its shell is that of IOS; configuration sessions are not used.

use super::cisco_ios;
use crate::direct::platform::Platform;

pub const PLATFORM: Platform = Platform {
    name: "arista_eos",
    errors: &[
        "% unrecognized",
        "% unavailable command",
        "% cannot ",
        "% not ",
        "% authorization denied",
        "% host name is invalid",
        "% maximum number",
        "% more than ",
        "% bgp is already running",
    ],
    save: Some("copy running-config startup-config"),
    ..cisco_ios::PLATFORM
};

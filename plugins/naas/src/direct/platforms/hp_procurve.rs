//! HPE ProCurve (ArubaOS-Switch). It places everything on a screen of 24 lines with escape sequences.

use fleetgate_sdk::ssh::Key;

use super::cisco_ios;
use crate::direct::platform::{Answer, Platform};

pub const PLATFORM: Platform = Platform {
    name: "hp_procurve",
    greetings: &[("Press any key to continue", Answer::Key(Key::Enter))],
    // Needs the privileged level.
    terminal: &["no page"],
    errors: &[
        "invalid input:",
        "ambiguous input:",
        "incomplete input:",
        "incorrect input:",
        "error setting",
        "inconsistent value",
        "module not present",
    ],
    save: Some("write memory"),
    ..cisco_ios::PLATFORM
};

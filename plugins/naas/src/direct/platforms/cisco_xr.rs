//! Cisco IOS XR. What is configured waits for a commit, in a candidate of the terminal's own.

use fleetgate_sdk::ssh::Key;

use super::cisco_ios;
use crate::direct::platform::{Answer, CTRL_C, Candidate, Config, Platform};

pub const PLATFORM: Platform = Platform {
    name: "cisco_xr",
    // The prompt's `RP/0/RSP0/CPU0:` counts.
    shown: 31,
    enable: None,
    config: Config::Mode {
        enter: &["configure terminal"],
        leave: "end",
        questions: &[("Uncommitted changes found", Answer::Line("no"))],
        on_close: &[
            &[CTRL_C, Answer::Line("abort")],
            // As `end`, which asks.
            &[CTRL_C, Answer::Key(Key::CtrlZ), Answer::Key(Key::N), Answer::Key(Key::Enter)],
        ],
        candidate: Some(Candidate {
            commit: "commit",
            committed: None,
            discard: None,
            explain: Some("show configuration failed"),
            shared: None,
        }),
    },
    errors: &["% failed", "% unrecognized", "% this command is not authorized", "authorization failed"],
    save: None,
    ..cisco_ios::PLATFORM
};

//! Palo Alto Networks PAN-OS. Its shell is like that of Junos; the candidate is one for all administrators.
//!
//! So only the own user's changes are committed and taken back, which PAN-OS has since 8.0 (`commit partial … admin`,
//! `revert config … partial … admin` in the configure hierarchy of the CLI reference). What other administrators are at
//! work on stays as it is. Only where the grant, or an older PAN-OS, does not take these lines, it is the whole candidate.

use fleetgate_sdk::ssh::Key;

use super::juniper_junos;
use crate::direct::platform::{Answer, CTRL_C, Candidate, Config, OwnChanges, Platform};

pub const PLATFORM: Platform = Platform {
    name: "paloalto_panos",
    greetings: &[("Do you accept", Answer::Line("yes"))],
    from_shell: None,
    terminal: &["set cli scripting-mode on", "set cli terminal width 500", "set cli pager off"],
    config: Config::Mode {
        enter: &["configure"],
        leave: "exit",
        questions: &[("(y or n)", Answer::Key(Key::Y))],
        on_close: &[&[CTRL_C, Answer::Line("revert config"), Answer::Line("exit")]],
        candidate: Some(Candidate {
            commit: "commit",
            committed: Some("configuration committed successfully"),
            discard: Some("revert config"),
            explain: None,
            shared: Some(OwnChanges {
                commit: "commit partial admin",
                discard: "revert config partial admin",
            }),
        }),
    },
    errors: &[
        "unknown command",
        "invalid syntax",
        "validation error",
        "server error",
        "invalid object",
        "incomplete command",
    ],
    ..juniper_junos::PLATFORM
};

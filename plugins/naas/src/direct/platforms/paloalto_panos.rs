//! Palo Alto Networks PAN-OS. Its shell is like that of Junos; the candidate is one for all administrators.

use fleetgate_sdk::ssh::Key;

use super::juniper_junos;
use crate::direct::platform::{Answer, CTRL_C, Candidate, Config, Platform};

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
            shared: Some("What other administrators had changed and not committed was taken back with it."),
        }),
    },
    errors: &["unknown command", "invalid syntax", "validation error", "server error", "invalid object"],
    ..juniper_junos::PLATFORM
};

//! Juniper Junos. `configure private` gives a candidate of the user's own: what others have not committed yet is
//! neither committed nor taken back with it.

use fleetgate_sdk::ssh::{Key, LineEnd};

use crate::direct::platform::{Answer, CTRL_C, Candidate, Config, Platform};
use crate::direct::prompt;

pub const PLATFORM: Platform = Platform {
    name: "juniper_junos",
    line_end: LineEnd::Lf,
    return_ends_lines: false,
    prompt: prompt::juniper,
    shown: usize::MAX,
    user_suffix: "",
    greetings: &[],
    from_shell: Some("cli"),
    enable: None,
    terminal: &["set cli screen-width 511", "set cli screen-length 0", "set cli complete-on-space off"],
    companion,
    config: Config::Mode {
        enter: &["configure private", "configure"],
        leave: "exit configuration-mode",
        questions: &[("uncommitted changes", Answer::Line("yes")), ("Exit anyway", Answer::Line("yes"))],
        on_close: &[&[
            CTRL_C,
            Answer::Line("top"),
            Answer::Line("rollback 0"),
            Answer::Line("exit configuration-mode"),
            Answer::Key(Key::Enter),
        ]],
        candidate: Some(Candidate {
            commit: "commit",
            committed: Some("commit complete"),
            discard: Some("rollback 0"),
            explain: None,
            shared: None,
        }),
    },
    errors: &["unknown command", "missing argument", "invalid value", "statement not found", "is ambiguous"],
    save: None,
};

/// `[edit interfaces]` before the prompt of the configuration mode, `{master:0}` before any.
pub fn companion(line: &str) -> bool {
    let line = line.trim();
    line == "[edit]"
        || line.starts_with("[edit ") && line.ends_with(']')
        || ["{master", "{backup", "{primary", "{secondary", "{linecard"]
            .iter()
            .any(|begin| line.starts_with(begin))
            && line.ends_with('}')
}

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

/// `[edit interfaces]` before the prompt of the configuration mode, `{master:0}` before any, `{master:0}[edit]`.
pub fn companion(line: &str) -> bool {
    let line = line.trim();
    let roles = ["{master", "{backup", "{primary", "{secondary", "{linecard"];
    let (role, rest) = match line.split_once('}') {
        Some((role, rest)) if roles.iter().any(|begin| role.starts_with(begin)) => (true, rest),
        _ => (false, line),
    };
    let edit = rest == "[edit]" || rest.starts_with("[edit ") && rest.ends_with(']');
    edit || role && rest.is_empty()
}

#[cfg(test)]
mod tests {
    use super::companion;

    #[test]
    fn what_stands_above_a_prompt_is_told_from_output() {
        for line in
            ["[edit]", "[edit interfaces ge-0/0/1]", "{master:0}", "{master:0}[edit]", "{primary:node0}"]
        {
            assert!(companion(line), "{line}");
        }
        for line in ["", "}", "master:0", "[edit", "interfaces {", "{master:0} up", "[ edit ]"] {
            assert!(!companion(line), "{line}");
        }
    }
}

//! Fortinet FortiOS. Lines take effect when their block ends (`next`, `end`), and are kept by the device itself.
//!
//! Paging can only be switched off in the device's own configuration, for everybody: it is left as it is, and pages are
//! turned.

use fleetgate_sdk::ssh::LineEnd;

use crate::direct::platform::{Answer, Config, Platform};
use crate::direct::prompt;

pub const PLATFORM: Platform = Platform {
    name: "fortinet",
    line_end: LineEnd::Lf,
    return_ends_lines: false,
    prompt: prompt::fortinet,
    shown: usize::MAX,
    user_suffix: "",
    greetings: &[("to accept", Answer::Line("a"))],
    from_shell: None,
    enable: None,
    terminal: &[],
    companion: |_| false,
    config: Config::Blocks { abort: "abort" },
    errors: &[
        "command fail",
        "unknown action",
        "command parse error",
        "object check operator error",
        "value parse error",
        "object set operator error",
        "discard the setting",
        "node_check_object fail",
        "must be set",
        "incomplete command in the end",
    ],
    save: None,
};

//! MikroTik RouterOS. Lines take effect at once. It repaints its lines, and turns pages in its own way, unless the
//! user's name ends with what switches that off: `+c` colours, `t` asking the terminal, `511w` and `4098h` its size.

use fleetgate_sdk::ssh::{Key, LineEnd};

use crate::direct::platform::{Answer, Config, Platform};
use crate::direct::prompt;

pub const PLATFORM: Platform = Platform {
    name: "mikrotik_routeros",
    line_end: LineEnd::CrLf,
    return_ends_lines: false,
    prompt: prompt::mikrotik,
    shown: usize::MAX,
    user_suffix: "+ct511w4098h",
    greetings: &[("software license", Answer::Key(Key::N)), ("new password>", Answer::Key(Key::CtrlC))],
    from_shell: None,
    enable: None,
    terminal: &[],
    companion: |_| false,
    config: Config::AtOnce,
    errors: &[
        "bad command name",
        "expected ",
        "failure:",
        "input does not match",
        "invalid value",
        "ambiguous value",
        "no such item",
        "not enough permissions",
        "missing value",
        "unknown parameter",
        "out of range",
        "action failed",
        "action timed out",
        "invalid internal item number",
    ],
    save: None,
};

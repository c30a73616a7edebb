//! Cisco IOS and IOS XE.

use fleetgate_sdk::ssh::{Key, LineEnd};

use crate::direct::platform::{Answer, CTRL_C, Config, Platform};
use crate::direct::prompt;

pub const PLATFORM: Platform = Platform {
    name: "cisco_ios",
    line_end: LineEnd::Lf,
    return_ends_lines: false,
    prompt: prompt::cisco,
    // A prompt in a configuration mode shows 20 characters of the name.
    shown: 16,
    user_suffix: "",
    greetings: &[],
    from_shell: None,
    enable: Some("enable"),
    terminal: &["terminal width 511", "terminal length 0"],
    companion: |_| false,
    config: Config::Mode {
        enter: &["configure terminal"],
        leave: "end",
        questions: &[],
        on_close: &[&[CTRL_C, Answer::Line("end")], &[CTRL_C, Answer::Key(Key::CtrlZ)]],
        candidate: None,
    },
    errors: &[
        "% unrecognized",
        "% unknown",
        "% bad ",
        "% command rejected",
        "command rejected:",
        "% not ",
        "% specify ",
        " overlaps with ",
        "authorization failed",
    ],
    save: Some("write mem"),
};

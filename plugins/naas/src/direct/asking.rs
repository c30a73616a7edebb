//! What a device may want while it stands in the middle of a line: the next page, a password, a word.

/// How a pager is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Page {
    /// There is more.
    Next,
    /// It is at its end.
    Leave,
}

/// Whether a line is a pager's. Devices write it as the only thing in its line.
pub fn pager(line: &str) -> Option<Page> {
    let line = line.trim().to_lowercase();
    let less = line.starts_with("lines ") && line[6..].starts_with(|c: char| c.is_ascii_digit());
    // `lines 24-40/40 (END)` (PAN-OS), `(END)` (less).
    if line == "(end)" || (less && line.ends_with("(end)")) {
        return Some(Page::Leave);
    }
    // RouterOS: `-- [Q quit|D dump|down]`; without `down` it is at its end.
    if line.starts_with("-- [q quit|") && line.ends_with(']') {
        return Some(if line.contains("down") { Page::Next } else { Page::Leave });
    }
    // `--More--` (IOS, NX-OS, EOS, FortiOS), `---(more 45%)---` (Junos), `-- MORE --, next page: Space, …` (ProCurve).
    let more = ["--more--", "-- more --", "---(more", "<--- more --->"];
    (less || more.iter().any(|begin| line.starts_with(begin)) && line.len() <= 100).then_some(Page::Next)
}

/// Whether a line asks for a password.
pub fn password(line: &str) -> bool {
    let line = line.trim().to_lowercase();
    let words = ["password", "passphrase", "passcode", "secret"];
    line.len() <= 200 && line.ends_with(':') && words.iter().any(|word| line.contains(word))
}

/// Whether a line asks for a password that is to be set, or for the one that it replaces.
pub fn new_password(line: &str) -> bool {
    let line = line.trim().to_lowercase();
    let words =
        ["new password", "old password", "current password", "current) unix password", "retype", "re-enter"];
    line.len() <= 200 && line.ends_with([':', '>']) && words.iter().any(|words| line.contains(words))
}

/// Whether a line asks for a name.
pub fn user(line: &str) -> bool {
    let line = line.trim().to_lowercase();
    ["username:", "user:", "user name:", "login:", "login name:", "login as:"]
        .iter()
        .any(|end| line.ends_with(end))
        && line.len() <= 100
}

/// Whether a line asks for a word: `Proceed with reload? [confirm]`, `Destination filename [startup-config]?`.
pub fn question(line: &str) -> bool {
    let line = line.trim();
    // RouterOS asks for the items that a line does not name.
    if line == "numbers:" {
        return true;
    }
    let ends = ["?", "]:", "]", "):", "?:", ")"];
    !line.is_empty() && line.len() <= 300 && ends.iter().any(|end| line.ends_with(end)) && {
        let line = line.to_lowercase();
        let choices =
            ["[confirm]", "[yes/no]", "[y/n]", "(yes/no", "(y/n)", "[yes,no]", "[no]", "[yes]", "[n]", "[y]"];
        choices.iter().any(|choice| line.contains(choice)) || line.ends_with('?') || line.ends_with("]:")
    }
}

#[cfg(test)]
mod tests {
    use super::{Page, new_password, pager, password, question, user};

    #[test]
    fn the_pagers_of_all_platforms_are_known() {
        for line in [
            " --More-- ",
            "--More--",
            "--More--(12%)",
            "---(more)---",
            "---(more 45%)---",
            "-- MORE --, next page: Space, next line: Enter, quit: Control-C",
            "--More-- (45%)",
            "<--- More --->",
            "---(more 100%)---[2019/01/01]",
            "lines 1-23 ",
            "-- [Q quit|D dump|down]",
            "-- [Q quit|D dump|right|up|down]",
        ] {
            assert_eq!(pager(line), Some(Page::Next), "{line}");
        }
        for line in ["(END)", "lines 24-40/40 (END)", "-- [Q quit|D dump|up]"] {
            assert_eq!(pager(line), Some(Page::Leave), "{line}");
        }
        for line in ["", "R1#", "lines of text", "no --More-- here", " description -- more --"] {
            assert_eq!(pager(line), None, "{line}");
        }
    }

    #[test]
    fn questions_are_told_from_output() {
        assert!(password("Password: ") && password("[sudo] password for ann:") && password("New password:"));
        assert!(!password("enable secret 5 $1$"));
        for line in [
            "New Password:",
            "Enter old password : ",
            "Current password: ",
            "new password> ",
            "Retype new password:",
        ] {
            assert!(new_password(line), "{line}");
        }
        assert!(!new_password("Password:") && !new_password("Your password will expire in 5 days."));
        assert!(user("Username: ") && user("Please Enter Login Name: ") && !user("no login"));
        for line in [
            "Proceed with reload? [confirm]",
            "Destination filename [startup-config]? ",
            "How many bits in the modulus [512]: ",
            "Uncommitted changes found, commit them before exiting(yes/no/cancel)? [cancel]:",
            "Exit with uncommitted changes? [yes,no] (yes) ",
            "Do you want to save current configuration [y/n]?",
            "Do you want to continue? (y/n)",
            "Reboot, yes? [y/N]:",
            "Warning: The current configuration will be written to the device. Continue? [Y/N]:",
            "numbers: ",
        ] {
            assert!(question(line), "{line}");
        }
        for line in ["", "R1#", "!!!!!", "Building configuration...", "  10.0.0.1 4 msec", "interface up (3)"]
        {
            assert!(!question(line), "{line}");
        }
    }
}

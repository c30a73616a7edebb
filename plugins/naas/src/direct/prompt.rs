//! Reading a line as a prompt.
//!
//! A prompt is the whole line in which the device waits, and nothing like a prompt in the middle of one. What is read
//! here comes from a stranger: hostnames, banners and descriptions may look like prompts too. [`Prompt::is_of`] tells
//! whether it is the prompt of the device that was met at the login, and the terminal waits a moment whether the
//! device goes on.

/// Where a device stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// It shows some things.
    User,
    /// It shows everything, and does what it is told.
    Privileged,
    /// What is typed changes the configuration.
    Config,
    /// An operating system's shell, where the device's own is not what was logged in to.
    Shell,
}

/// A prompt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prompt {
    /// What stays the same in all modes.
    pub host: String,
    /// Where the device stands.
    pub mode: Mode,
}

impl Prompt {
    fn new(host: &str, mode: Mode) -> Option<Self> {
        let fits = host.len() <= 128 && host.chars().any(char::is_alphanumeric);
        fits.then(|| Self { host: host.to_owned(), mode })
    }

    /// Whether the prompt is that of this host. In configuration modes some devices show only the beginning of a long
    /// name: at least `shown` characters.
    #[must_use]
    pub fn is_of(&self, host: &str, shown: usize) -> bool {
        self.host == host
            || self.mode == Mode::Config && self.host.len() >= shown && host.starts_with(&self.host)
    }
}

/// Takes a `(…)` from the end.
fn group(text: &str) -> Option<(&str, &str)> {
    let inside = text.strip_suffix(')')?;
    let open = inside.rfind('(')?;
    Some((&text[..open], &inside[open + 1..]))
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_alphanumeric() || "-_.:/@%+~".contains(c))
}

/// `R1>`, `R1#`, `R1(config-if)#`, `RP/0/RSP0/CPU0:R1(config)#`, `leaf1(s1)(config)#`, `SW1(vlan-10)#`.
pub fn cisco(line: &str) -> Option<Prompt> {
    let line = line.trim();
    let (mut name, mut mode) = match (line.strip_suffix('#'), line.strip_suffix('>')) {
        (Some(name), _) => (name, Mode::Privileged),
        (_, Some(name)) => (name, Mode::User),
        _ => return None,
    };
    while let Some((before, inside)) = group(name) {
        // A supervisor's number or state, the administration plane of IOS XR, a group of EOS: no configuration.
        let plain = ["admin", "standby", "active", "s1", "s2", "boot", "bios-root"].contains(&inside);
        if mode == Mode::Privileged && !plain {
            mode = Mode::Config;
        }
        name = before;
    }
    is_name(name).then(|| Prompt::new(name, mode))?
}

/// `ann@mx1>`, `ann@mx1#`, `admin@pa1(active)>`; shells: `root@mx1%`, `root@mx1:~ #`, `%`, `$`.
pub fn juniper(line: &str) -> Option<Prompt> {
    let line = line.trim();
    if let "%" | "$" = line {
        return Some(Prompt { host: String::new(), mode: Mode::Shell });
    }
    let name = line.get(..line.len().checked_sub(1)?)?;
    let (name, mode) = match line.chars().last()? {
        '%' | '$' => (name.trim_end(), Mode::Shell),
        '#' if name.ends_with(' ') => (name.trim_end(), Mode::Shell),
        '#' => (name, Mode::Config),
        '>' => (name, Mode::Privileged),
        _ => return None,
    };
    // `active`, `passive`: which of two it is may change at any moment. And one that is told to look at a part of itself
    // says so: a virtual system of PAN-OS, a logical system of Junos.
    let bare = group(name).map_or(name, |(before, _)| before);
    let bare = match bare.rsplit_once(" vsys") {
        Some((before, number)) if number.chars().all(|c| c.is_ascii_digit()) => before,
        _ => bare,
    };
    let host = bare.split(':').next().unwrap_or(bare);
    (is_name(bare) && host.contains('@')).then(|| Prompt::new(host, mode))?
}

/// `[admin@gw] >`, `[admin@gw] /ip/address>`.
pub fn mikrotik(line: &str) -> Option<Prompt> {
    let (name, path) = line.trim().strip_prefix('[')?.split_once(']')?;
    let path = path.strip_suffix('>')?.trim();
    let is_path = path.is_empty() || path == "<SAFE>" || path.starts_with('/') && !path.contains('>');
    (is_path && name.contains('@') && !name.contains(['<', '[']))
        .then(|| Prompt::new(name, Mode::Privileged))?
}

/// `FGT-1 #`, `FGT-1 $`, `FGT-1 (interface) #`.
pub fn fortinet(line: &str) -> Option<Prompt> {
    let line = line.trim();
    let name = line.strip_suffix(['#', '$'])?.strip_suffix(' ')?.trim_end();
    match group(name) {
        Some((before, _)) => {
            is_name(before.trim_end()).then(|| Prompt::new(before.trim_end(), Mode::Config))?
        }
        None => is_name(name).then(|| Prompt::new(name, Mode::Privileged))?,
    }
}

#[cfg(test)]
mod tests {
    use super::{Mode, Prompt, cisco, fortinet, juniper, mikrotik};

    fn read(parser: fn(&str) -> Option<Prompt>, line: &str) -> Option<(String, Mode)> {
        parser(line).map(|prompt| (prompt.host, prompt.mode))
    }

    #[test]
    fn prompts_say_where_a_device_stands() {
        for (line, host, mode) in [
            ("R1>", "R1", Mode::User),
            ("R1# ", "R1", Mode::Privileged),
            ("core-1.lab#", "core-1.lab", Mode::Privileged),
            ("core-1.fra.example.com(config-line)#", "core-1.fra.example.com", Mode::Config),
            ("R1(config)#", "R1", Mode::Config),
            ("R1(config-if-range)#", "R1", Mode::Config),
            ("leaf1(s1)(config-if-Et1)#", "leaf1", Mode::Config),
            ("leaf1(s1)#", "leaf1", Mode::Privileged),
            ("SW1(vlan-10)#", "SW1", Mode::Config),
            ("RP/0/RSP0/CPU0:xr1#", "RP/0/RSP0/CPU0:xr1", Mode::Privileged),
            ("RP/0/RSP0/CPU0:xr1(config-bgp)#", "RP/0/RSP0/CPU0:xr1", Mode::Config),
            ("RP/0/RSP0/CPU0:xr1(admin)#", "RP/0/RSP0/CPU0:xr1", Mode::Privileged),
        ] {
            assert_eq!(read(cisco, line), Some((host.into(), mode)), "{line}");
        }
        for (line, host, mode) in [
            ("ann@mx1> ", "ann@mx1", Mode::Privileged),
            ("ann@mx1# ", "ann@mx1", Mode::Config),
            ("admin@pa1(active)>", "admin@pa1", Mode::Privileged),
            ("admin@pa1(active-primary)# ", "admin@pa1", Mode::Config),
            ("root@mx1%", "root@mx1", Mode::Shell),
            ("root@mx1:~ # ", "root@mx1", Mode::Shell),
            ("ann@mx1:LS1> ", "ann@mx1", Mode::Privileged),
            ("admin@PA-VM vsys2(active)# ", "admin@PA-VM", Mode::Config),
            ("admin@PA-VM vsys2> ", "admin@PA-VM", Mode::Privileged),
            ("%", "", Mode::Shell),
        ] {
            assert_eq!(read(juniper, line), Some((host.into(), mode)), "{line}");
        }
        assert_eq!(
            read(mikrotik, "[admin@Main Router] > "),
            Some(("admin@Main Router".into(), Mode::Privileged))
        );
        for line in ["[admin@gw] > ", "[admin@gw] /ip/address> ", "[admin@gw] <SAFE> > "] {
            assert_eq!(read(mikrotik, line), Some(("admin@gw".into(), Mode::Privileged)), "{line}");
        }
        for (line, mode) in [
            ("FGT-1 # ", Mode::Privileged),
            ("FGT-1 $ ", Mode::Privileged),
            ("FGT-1 (port1) # ", Mode::Config),
            // Virtual domains: the whole device, and one of them.
            ("FGT-1 (global) # ", Mode::Config),
            ("FGT-1 (root) # ", Mode::Config),
        ] {
            assert_eq!(read(fortinet, line), Some(("FGT-1".into(), mode)), "{line}");
        }
    }

    #[test]
    fn what_banners_and_output_are_made_of_is_no_prompt() {
        let lines = [
            "",
            "#",
            ">",
            "##########",
            "* Keep out! #",
            "<html>",
            "-->",
            "R1# show version",
            "interface Gi0/1 #",
            "user ann >",
            "Password:",
            "[edit]",
            "{master:0}",
            " --More-- ",
        ];
        for parser in [cisco, juniper, mikrotik] {
            for line in lines {
                assert_eq!(parser(line), None, "{line}");
            }
        }
        for line in ["", "#", "##########", "R1#", "a b c #", "#1 #"] {
            assert_eq!(fortinet(line), None, "{line}");
        }
    }

    #[test]
    fn a_long_name_may_be_cut_in_configuration_modes_and_nowhere_else() {
        let host = "distribution-switch-berlin-7";
        let cut = cisco("distribution-switch-(config)#").unwrap();
        assert!(cut.is_of(host, 16));
        assert!(!cisco("dist(config)#").unwrap().is_of(host, 16), "too short");
        assert!(!cisco("distribution-switch-#").unwrap().is_of(host, 16));
        assert!(!cisco("R2#").unwrap().is_of("R1", 16));
    }
}

//! Which platform a device is, where the call says `autodetect`.
//!
//! In the spirit of Netmiko's `SSHDetect`: log in, look at what the device says by itself and at its prompt, then type a
//! few commands that show what it is, and change nothing anywhere, until the answer to one is decisive. What the prompt
//! looks like only decides what is typed first: a router is not asked for its kernel before it was asked for its version.
//!
//! Nothing of this is believed for anything else than choosing the driver. A device that lies about itself is driven as
//! what it says it is, as if the call had named that.
//!
//! - A probe that is not granted is left out, and the error says which ones these were. Where none may be typed, what the
//!   device says by itself decides, if its prompt fits; a warning says so.
//! - Everything is bounded: so many probes, so long a wait and so many bytes for each, so much time for all.

use std::time::Duration;

use fleetgate_sdk::call;
use fleetgate_sdk::ssh::{Key, LineEnd};

use super::failure::{Failure, quoted};
use super::linux;
use super::platform::{Answer, Config, Platform};
use super::prompt::{self, Mode, Prompt};
use super::session::connect;
use super::terminal::Terminal;
use crate::job::{DeviceJob, ErrorCode};

/// The name that stands for a platform that is to be found.
pub const NAME: &str = "autodetect";
/// How long all of it may take, and how much of the call's time.
const ALL: Duration = Duration::from_secs(90);
/// How long a device may be silent before it answers a probe.
const SILENCE: Duration = Duration::from_secs(10);
/// What is read of one answer, in bytes. What a device is stands in its first lines.
const MOST: usize = 64 << 10;

/// What is typed, in the order in which it is where the prompt says nothing, and what the answers show.
const PROBES: [Probe; 5] = [
    Probe {
        command: "show version",
        shows: &[
            ("arista_eos", Shows::Begins("Arista ")),
            ("arista_eos", Shows::Begins("Software image version:")),
            ("cisco_nxos", Shows::Holds("(NX-OS)")),
            ("cisco_xr", Shows::Begins("Cisco IOS XR Software")),
            // IOS XE, which is driven as IOS; IOS 12.4 and later; IOS before.
            ("cisco_ios", Shows::Begins("Cisco IOS XE Software")),
            ("cisco_ios", Shows::Begins("Cisco IOS Software")),
            ("cisco_ios", Shows::Begins("Cisco Internetwork Operating System Software")),
            ("cisco_ios", Shows::Begins("IOS (tm)")),
            ("juniper_junos", Shows::Begins("JUNOS ")),
            ("juniper_junos", Shows::Begins("Junos: ")),
            ("hp_procurve", Shows::Begins("Image stamp:")),
        ],
    },
    Probe {
        command: "show system info",
        shows: &[
            ("paloalto_panos", Shows::Begins("model: PA-")),
            ("paloalto_panos", Shows::Begins("sw-version:")),
        ],
    },
    Probe { command: "get system status", shows: &[("fortinet", Shows::Begins("Version: Forti"))] },
    Probe {
        command: "/system resource print",
        shows: &[("mikrotik_routeros", Shows::Begins("platform: MikroTik"))],
    },
    Probe {
        command: "uname -a",
        shows: &[
            ("linux", Shows::Begins("Linux ")),
            // Whoever logs in as root stands in the shell below the command line of Junos.
            ("juniper_junos", Shows::Begins("JUNOS ")),
            ("juniper_junos", Shows::Holds(" JNPR-")),
        ],
    },
];

/// What devices say by themselves: before the login, or between it and the first prompt.
const GREETINGS: [(&str, Shows); 9] = [
    ("cisco_nxos", Shows::Begins("Cisco Nexus Operating System (NX-OS)")),
    ("hp_procurve", Shows::Begins("ProCurve J")),
    ("hp_procurve", Shows::Begins("HP J")),
    ("hp_procurve", Shows::Begins("Aruba J")),
    ("juniper_junos", Shows::Begins("--- JUNOS ")),
    ("mikrotik_routeros", Shows::Begins("MikroTik RouterOS ")),
    // Debian and its relatives print their kernel, Ubuntu its name.
    ("linux", Shows::Begins("Linux ")),
    ("linux", Shows::Begins("Welcome to Ubuntu")),
    ("linux", Shows::Holds("GNU/Linux")),
];

struct Probe {
    command: &'static str,
    shows: &'static [(&'static str, Shows)],
}

/// Where in a line a word stands that shows what a device is. Case counts: it is the vendor's own.
#[derive(Debug, Clone, Copy)]
enum Shows {
    Begins(&'static str),
    Holds(&'static str),
}

impl Shows {
    fn in_line(self, line: &str) -> bool {
        match self {
            Self::Begins(words) => line.trim_start().starts_with(words),
            Self::Holds(words) => line.contains(words),
        }
    }
}

/// The best match: what the first line shows that shows anything.
fn shown(shows: &[(&'static str, Shows)], text: &str) -> Option<&'static str> {
    text.lines().find_map(|line| Some(shows.iter().find(|(_, shows)| shows.in_line(line))?.0))
}

/// A device of whatever kind. Enter is what a keyboard sends, which all of them take.
static ANY: Platform = Platform {
    name: NAME,
    line_end: LineEnd::Cr,
    return_ends_lines: false,
    prompt: any_prompt,
    shown: usize::MAX,
    user_suffix: "",
    greetings: &[
        ("Press any key to continue", Answer::Key(Key::Enter)),
        ("software license", Answer::Key(Key::N)),
        ("new password>", Answer::Key(Key::CtrlC)),
        ("to accept", Answer::Line("a")),
        ("Do you accept", Answer::Line("yes")),
    ],
    from_shell: None,
    enable: None,
    terminal: &[],
    companion: super::platforms::junos_companion,
    config: Config::AtOnce,
    errors: &[],
    save: None,
};

type Reader = fn(&str) -> Option<Prompt>;

/// Prompts, strictest first, and what devices that have such are.
const PROMPTS: [(Reader, &[&str]); 6] = [
    (prompt::mikrotik, &["mikrotik_routeros"]),
    (command_line, &["juniper_junos", "paloalto_panos"]),
    // `ann@web1:~$`, `root@mx1%`
    (prompt::juniper, &["linux", "juniper_junos"]),
    (prompt::fortinet, &["fortinet", "linux"]),
    (prompt::cisco, &["cisco_ios", "cisco_nxos", "cisco_xr", "arista_eos", "hp_procurve", "linux"]),
    (linux::prompt, &["linux"]),
];

/// `ann@mx1>`: neither a shell's nor that of a configuration mode, in which nobody is after the login.
fn command_line(line: &str) -> Option<Prompt> {
    prompt::juniper(line).filter(|prompt| prompt.mode == Mode::Privileged)
}

/// Any of them. The whole of it is its name: that stays the same, since no mode is changed here.
fn any_prompt(line: &str) -> Option<Prompt> {
    PROMPTS.iter().find_map(|(read, _)| read(line))?;
    Some(Prompt { host: line.trim().to_owned(), mode: Mode::User })
}

/// The platforms whose prompt it may be.
fn candidates(line: &str) -> &'static [&'static str] {
    PROMPTS.iter().find(|(read, _)| read(line).is_some()).map_or(&[], |(_, platforms)| *platforms)
}

/// Finds it.
pub fn platform(job: &DeviceJob, warnings: &mut Vec<String>) -> Result<&'static str, Failure> {
    let connection = connect(job, "")?;
    let mut terminal = Terminal::open(&connection, &ANY)?;
    terminal.limit(MOST);
    terminal.stop_after(ALL.min(call::deadline() / 2));
    let said = terminal.log_in(job).map_err(|failure| match failure.code {
        ErrorCode::ReadTimeout => failed(&format!(
            "no prompt of a known kind was seen; the device said last: {}",
            quoted(&terminal.last_words())
        )),
        _ => failure,
    })?;
    let greeting = [connection.banner().unwrap_or_default(), said].join("\n");
    let candidates = candidates(terminal.host());
    let greeted = shown(&GREETINGS, &greeting).filter(|platform| candidates.contains(platform));

    let mut probes: Vec<_> = PROBES.iter().collect();
    let fits = |probe: &Probe, platforms: &[&str]| probe.shows.iter().any(|(of, _)| platforms.contains(of));
    // What the device greets with comes first, then what its prompt may be, in the order of the candidates.
    probes.sort_by_key(|probe| match greeted {
        Some(platform) if fits(probe, &[platform]) => 0,
        _ => 1 + candidates.iter().position(|&of| fits(probe, &[of])).unwrap_or(candidates.len()),
    });
    let mut denied = Vec::new();
    for probe in probes {
        if terminal.is_gone() || terminal.is_over() {
            break;
        }
        match terminal.run(probe.command, SILENCE) {
            Ok(reply) => {
                if let Some(platform) = shown(probe.shows, &reply.text) {
                    return Ok(platform);
                }
            }
            Err(failure) if failure.code == ErrorCode::Denied => denied.push(probe.command),
            // It asks something, or says nothing. The next probe is a new line.
            Err(failure) if failure.code == ErrorCode::ReadTimeout => {}
            Err(failure) => return Err(failure),
        }
    }
    if let Some(platform) = greeted {
        warnings
            .push(format!("That the device is {platform} was told by its greeting and its prompt alone."));
        return Ok(platform);
    }
    Err(failed(&why(&terminal, &denied)))
}

fn why(terminal: &Terminal, denied: &[&str]) -> String {
    let over = if terminal.is_over() || terminal.is_gone() { " in time" } else { "" };
    let prompt = quoted(terminal.host());
    match denied {
        [] => format!("the device with the prompt {prompt} did not show{over} what it is; name its platform"),
        denied => {
            let lines = denied.iter().map(|line| quoted(line)).collect::<Vec<_>>().join(", ");
            format!(
                "the device with the prompt {prompt} did not show{over} what it is, and not everything may be asked: grant \
                 {lines} in `commands`, or name its platform"
            )
        }
    }
}

fn failed(why: &str) -> Failure {
    Failure::new(ErrorCode::AutodetectFailed, format!("Platform autodetect failed: {why}."))
}

#[cfg(test)]
mod tests {
    use super::{GREETINGS, PROBES, any_prompt, candidates, shown};
    use crate::direct::PLATFORMS;

    #[test]
    fn every_platform_can_be_shown_and_nothing_else() {
        let mut all: Vec<_> =
            PROBES.iter().flat_map(|probe| probe.shows).map(|(platform, _)| *platform).collect();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all, PLATFORMS);
        assert!(GREETINGS.iter().all(|(platform, _)| PLATFORMS.contains(platform)));
    }

    #[test]
    fn prompts_narrow_what_a_device_may_be() {
        for (line, first) in [
            ("[admin@gw] > ", "mikrotik_routeros"),
            ("FGT-1 # ", "fortinet"),
            ("ann@mx1> ", "juniper_junos"),
            ("root@mx1:~ # ", "linux"),
            ("root@mx1% ", "linux"),
            ("R1#", "cisco_ios"),
            ("ann@web1:~$ ", "linux"),
            ("[root@web1 etc]# ", "linux"),
        ] {
            assert_eq!(candidates(line).first(), Some(&first), "{line}");
            assert_eq!(any_prompt(line).map(|prompt| prompt.host).as_deref(), Some(line.trim()));
        }
        for line in ["", "##########", "* Keep out! #", "Password:", "login:"] {
            assert!(candidates(line).is_empty() && any_prompt(line).is_none(), "{line}");
        }
    }

    #[test]
    fn the_vendors_own_words_show_what_a_device_is() {
        let version = PROBES[0].shows;
        for (text, platform) in [
            (
                "Cisco IOS XE Software, Version 17.03.04\nCisco IOS Software [Amsterdam], Catalyst",
                "cisco_ios",
            ),
            ("Cisco Internetwork Operating System Software \nIOS (tm) C2900XL Software", "cisco_ios"),
            ("Cisco IOS XR Software, Version 7.3.2\nCopyright", "cisco_xr"),
            ("Cisco Nexus Operating System (NX-OS) Software\nTAC support", "cisco_nxos"),
            ("Arista DCS-7050TX-64-R\nHardware version: 01.11", "arista_eos"),
            (" vEOS\nHardware version:    \nSoftware image version: 4.20.1F", "arista_eos"),
            ("fpc0:\n----\nHostname: j1\nModel: ex4300-32f\nJunos: 20.4R3.8", "juniper_junos"),
            ("Hostname: mx1\nModel: mx240\nJUNOS Base OS boot [12.3R12.4]", "juniper_junos"),
            ("\nImage stamp:    /ws/swbuildm/rel_yakima/code/build/lakes\n", "hp_procurve"),
        ] {
            assert_eq!(shown(version, text), Some(platform), "{text}");
        }
        for text in [
            "",
            "% Invalid input detected at '^' marker.",
            "Cisco Adaptive Security Appliance Software Version 9.8",
            "ExtremeXOS version 16",
            "bash: show: command not found",
            "This is no Cisco IOS Software",
        ] {
            assert_eq!(shown(version, text), None, "{text}");
        }
        assert_eq!(shown(PROBES[4].shows, "Linux jump-l1 5.10.0-21-amd64 #1 SMP"), Some("linux"));
        assert_eq!(
            shown(PROBES[4].shows, "FreeBSD mx1 JNPR-12.1-20210529.2f59a40_buil JNPR-12.1 amd64"),
            Some("juniper_junos")
        );
    }
}

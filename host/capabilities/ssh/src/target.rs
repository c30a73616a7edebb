//! Which hosts and ports a grant names: `*.lab.example.com:22`, `10.1.0.0/16:22`, `[2001:db8::1]:2022`.
//!
//! A name is compared as a name and an address as an address: a network does not match a name that leads into it,
//! since looking up whatever name a guest comes up with would tell it to strangers' name servers.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::ops::RangeInclusive;

use fleetgate_core::address::{Class, Host, Opening, OpeningError, canonical, classify};
use ipnet::IpNet;

/// Where SSH listens (RFC 4253, 4).
pub const PORT: u16 = 22;

/// The characters of a name's pattern.
const NAME: &str = "letters, digits, - and _ between dots, with * for any of them";

/// One entry of `targets`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    hosts: Hosts,
    ports: RangeInclusive<u16>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Hosts {
    /// Labels, the last one first: the pattern is anchored at its domain.
    Named {
        labels: Vec<String>,
        below: bool,
    },
    One(IpAddr),
    Network(IpNet),
}

/// Why a text is no target.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TargetError {
    /// It cannot be read.
    #[error("it is neither a name, an address nor a network, perhaps with a port")]
    Unreadable,
    /// A pattern that every name matches.
    #[error("every host would match")]
    Everything,
    /// The address may not be opened.
    #[error(transparent)]
    Opening(#[from] OpeningError),
    /// Not a port, or a range of ports.
    #[error("after the colon stands neither a port nor a range of ports")]
    Port,
}

impl TargetError {
    /// What to write instead.
    pub fn help(&self) -> String {
        match self {
            Self::Unreadable => {
                format!(
                    "write \"core1.example.com:22\", \"*.lab.example.com:22\", \"10.1.2.3:22\" or \"10.1.0.0/16:22\" \
                     ({NAME})"
                )
            }
            Self::Everything => "name a domain (\"*.lab.example.com\") or a network (\"10.0.0.0/8\")".into(),
            Self::Opening(error) => error.help(),
            Self::Port => "write a port like 22, or a range like 2200-2299".into(),
        }
    }
}

impl Target {
    /// Reads one entry. Without a port it is 22.
    pub fn parse(text: &str) -> Result<Self, TargetError> {
        let (host, ports) = split(text).ok_or(TargetError::Unreadable)?;
        let ports = ports.map_or(Ok(PORT..=PORT), parse_ports)?;
        let hosts = if let Ok(network) = host.parse::<IpNet>() {
            Hosts::Network(read_network(&host, network)?)
        } else if let Some(pattern) = read_pattern(&host)? {
            pattern
        } else {
            match parse_host(&host).ok_or(TargetError::Unreadable)? {
                Host::Name(name) => {
                    Hosts::Named { labels: name.rsplit('.').map(str::to_owned).collect(), below: false }
                }
                Host::Address(address) => {
                    Opening::exact(SocketAddr::new(address, *ports.start()))?;
                    Hosts::One(address)
                }
            }
        };
        Ok(Self { hosts, ports })
    }

    /// Whether it names this host and port.
    pub fn matches(&self, host: &Host, port: u16) -> bool {
        self.ports.contains(&port)
            && match (&self.hosts, host) {
                (Hosts::Named { labels, below }, Host::Name(name)) => {
                    let mut asked = name.rsplit('.');
                    labels.iter().all(|label| asked.next().is_some_and(|asked| glob(label, asked)))
                        && (*below == asked.next().is_some())
                }
                (Hosts::One(address), Host::Address(asked)) => address == asked,
                (Hosts::Network(network), Host::Address(asked)) => network.contains(asked),
                _ => false,
            }
    }

    /// What it opens by standing in a grant, for a host and port that it matches: an address opens itself on that
    /// port, a network its addresses, and a name nothing (but `localhost`, which is this machine).
    pub fn openings(&self, host: &Host, port: u16) -> Vec<Opening> {
        match &self.hosts {
            Hosts::Network(network) => vec![Opening::Network(*network)],
            Hosts::One(_) | Hosts::Named { .. } => host.openings(port).unwrap_or_default(),
        }
    }
}

/// Reads a host as a guest gives it: IPv6 with or without brackets.
pub fn parse_host(text: &str) -> Option<Host> {
    match text.parse::<Ipv6Addr>() {
        Ok(address) => Some(Host::Address(canonical(address.into()))),
        Err(_) => Host::parse(text),
    }
}

/// Host and ports of an entry.
fn split(text: &str) -> Option<(String, Option<&str>)> {
    if let Some(rest) = text.strip_prefix('[') {
        let (host, after) = rest.split_once(']')?;
        return match after {
            "" => Some((host.to_owned(), None)),
            after => Some((host.to_owned(), Some(after.strip_prefix(':')?))),
        };
    }
    // Behind a network's slash, and where there is one colon alone, it is the port's.
    let from = text.find('/').unwrap_or(0);
    let colons = text[from..].matches(':').count();
    match text.rfind(':') {
        Some(at) if colons == 1 && at >= from => Some((text[..at].to_owned(), Some(&text[at + 1..]))),
        _ => Some((text.to_owned(), None)),
    }
}

fn parse_ports(text: &str) -> Result<RangeInclusive<u16>, TargetError> {
    let port = |text: &str| {
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse().ok().filter(|port: &u16| digits && *port != 0).ok_or(TargetError::Port)
    };
    match text.split_once('-') {
        None => port(text).map(|port| port..=port),
        Some((first, last)) => {
            let (first, last) = (port(first)?, port(last)?);
            if first <= last { Ok(first..=last) } else { Err(TargetError::Port) }
        }
    }
}

fn read_network(text: &str, network: IpNet) -> Result<IpNet, TargetError> {
    // A network of public addresses opens nothing that is closed, and is no opening's concern.
    if network.trunc() == network && classify(network.addr()) == Class::Public {
        return Ok(network);
    }
    match Opening::parse(text)? {
        Opening::Network(network) => Ok(network),
        Opening::Exact(_) => Err(TargetError::Unreadable),
    }
}

/// None: it has no star, and is one name or address.
fn read_pattern(text: &str) -> Result<Option<Hosts>, TargetError> {
    if !text.contains('*') {
        return Ok(None);
    }
    let mut labels: Vec<_> = text.trim_end_matches('.').rsplit('.').map(str::to_ascii_lowercase).collect();
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '*');
    if labels.iter().any(|label| label.is_empty() || label.len() > 63 || !label.chars().all(allowed)) {
        return Err(TargetError::Unreadable);
    }
    let below = labels.last().is_some_and(|label| label == "**");
    if below {
        labels.pop();
    }
    if labels.iter().any(|label| label.contains("**")) {
        return Err(TargetError::Unreadable);
    }
    if labels.iter().all(|label| label == "*") {
        return Err(TargetError::Everything);
    }
    Ok(Some(Hosts::Named { labels, below }))
}

/// `*` within one label: any number of its characters.
fn glob(pattern: &str, label: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == label,
        Some((before, after)) => label.strip_prefix(before).is_some_and(|rest| {
            (0..=rest.len()).any(|at| rest.is_char_boundary(at) && glob(after, &rest[at..]))
        }),
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.hosts {
            Hosts::Named { labels, below } => {
                let names = below.then_some("**").into_iter();
                let names: Vec<_> = names.chain(labels.iter().rev().map(String::as_str)).collect();
                write!(f, "{}", names.join("."))?;
            }
            Hosts::One(IpAddr::V6(address)) => write!(f, "[{address}]")?,
            Hosts::One(address) => write!(f, "{address}")?,
            Hosts::Network(IpNet::V6(network)) => write!(f, "[{network}]")?,
            Hosts::Network(network) => write!(f, "{network}")?,
        }
        write!(f, ":{}", self.ports.start())?;
        if self.ports.start() != self.ports.end() {
            write!(f, "-{}", self.ports.end())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(target: &str, host: &str, port: u16) -> bool {
        Target::parse(target).unwrap().matches(&parse_host(host).unwrap(), port)
    }

    #[test]
    fn a_star_stands_for_part_of_a_label_and_two_for_any_number_of_labels() {
        assert!(matches("*.lab.example.com:22", "r1.lab.example.com", 22));
        assert!(matches("*.lab.example.com", "R1.Lab.Example.COM.", 22));
        assert!(matches("core-*-a.example.com", "core-17-a.example.com", 22));
        assert!(matches("**.example.com:22", "r1.lab.example.com", 22));
        assert!(matches("**.example.com:22", "lab.example.com", 22));
        assert!(matches("sw-*", "sw-12", 22));
        for (target, host) in [
            ("*.lab.example.com:22", "a.b.lab.example.com"),
            ("*.lab.example.com:22", "lab.example.com"),
            ("**.example.com:22", "example.com"),
            ("**.example.com:22", "example.com.evil.org"),
            ("*.lab.example.com:22", "r1.lab.example.com.evil.org"),
            ("*.lab.example.com:22", "10.0.0.1"),
            ("core-*.example.com", "core.example.com"),
        ] {
            assert!(!matches(target, host, 22), "{target} {host}");
        }
        assert!(!matches("*.lab.example.com:22", "r1.lab.example.com", 2222));
    }

    #[test]
    fn every_spelling_of_an_address_is_that_address() {
        for host in ["10.1.2.3", "10.1.515", "0xa.1.2.3", "167838211", "::ffff:10.1.2.3", "[::ffff:a01:203]"]
        {
            assert!(matches("10.1.2.3:22", host, 22), "{host}");
            assert!(matches("10.1.0.0/16:22", host, 22), "{host}");
            assert!(!matches("10.2.0.0/16:22", host, 22), "{host}");
        }
        assert!(matches("[2001:db8::1]:2022", "2001:DB8:0::1", 2022));
        assert!(matches("[2001:db8::/32]:2022", "[2001:db8::9]", 2022));
        assert!(matches("2001:db8::/32:2022", "2001:db8::9", 2022));
        assert!(matches("2001:db8::/32", "2001:db8::9", 22));
        assert!(matches("2001:db8::1", "2001:db8::1", 22));
        assert!(matches("127.0.0.1:2200-2210", "127.0.0.1", 2205));
        assert!(!matches("127.0.0.1:2200-2210", "127.0.0.1", 2211));
        assert!(matches("8.8.0.0/16:22", "8.8.4.4", 22));
    }

    #[test]
    fn what_is_no_target_says_why() {
        for (text, why) in [
            ("", "neither"),
            ("a b", "neither"),
            ("*", "every host"),
            ("**", "every host"),
            ("*.*", "every host"),
            ("**.*", "every host"),
            ("a.**.example.com", "neither"),
            ("***.example.com", "neither"),
            ("*.lab..com", "neither"),
            ("r1:ssh", "neither a port"),
            ("r1:0", "neither a port"),
            ("r1:65536", "neither a port"),
            ("r1:+22", "neither a port"),
            ("r1:30-20", "neither a port"),
            ("r1:", "neither a port"),
            ("[::1", "neither"),
            ("[::1]22", "neither"),
            ("10.1.0.1/16:22", "bits set behind"),
            ("127.0.0.0/8:22", "no network opens"),
            ("169.254.0.0/16:22", "no network opens"),
            ("224.0.0.0/4:22", "cannot be granted"),
            ("0.0.0.0:22", "cannot be granted"),
            ("user@r1:22", "neither"),
            ("ssh://r1", "neither"),
        ] {
            let error = Target::parse(text).unwrap_err();
            assert!(error.to_string().contains(why), "{text}: {error}");
            assert!(!error.help().is_empty());
        }
    }

    #[test]
    fn a_target_is_shown_as_it_can_be_written() {
        for text in [
            "*.lab.example.com:22",
            "**.example.com:2200-2299",
            "10.1.2.3:22",
            "10.1.0.0/16:22",
            "[2001:db8::1]:22",
            "[2001:db8::/32]:830",
        ] {
            let target = Target::parse(text).unwrap();
            assert_eq!(target.to_string(), text);
            assert_eq!(Target::parse(&target.to_string()).unwrap(), target);
        }
    }

    #[test]
    fn what_a_target_opens_is_what_it_names() {
        let opens = |target: &str, host: &str| {
            let host = parse_host(host).unwrap();
            Target::parse(target)
                .unwrap()
                .openings(&host, 22)
                .iter()
                .map(Opening::to_string)
                .collect::<Vec<_>>()
        };
        assert_eq!(opens("10.1.0.0/16:22", "10.1.2.3"), ["10.1.0.0/16"]);
        assert_eq!(opens("10.1.2.3:22", "10.1.2.3"), ["10.1.2.3:22"]);
        assert_eq!(opens("localhost:22", "localhost"), ["127.0.0.1:22", "[::1]:22"]);
        assert!(opens("*.lab.example.com:22", "r1.lab.example.com").is_empty());
    }
}

//! Where a request goes: scheme, host and port.
//!
//! One host has many spellings (`127.1`, `0x7f.1`, `Example.COM.`, full-width digits), and they are all read by the
//! WHATWG host parser before anything is compared, so that two spellings of one host can never be two hosts.

use std::fmt;
use std::net::{IpAddr, SocketAddr};

use crate::address::{Class, Opening, OpeningError, canonical, classify};

/// `http` or `https`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[allow(missing_docs)]
pub enum Scheme {
    Http,
    Https,
}

impl Scheme {
    /// By its name.
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            _ if name.eq_ignore_ascii_case("https") => Some(Self::Https),
            _ if name.eq_ignore_ascii_case("http") => Some(Self::Http),
            _ => None,
        }
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        if self == Self::Https { "https" } else { "http" }
    }

    /// The port where none is written.
    pub fn port(self) -> u16 {
        if self == Self::Https { 443 } else { 80 }
    }
}

/// A host in its one spelling.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Host {
    /// A name in lower-case ASCII, without the dot of the root.
    Name(String),
    /// An address, never a mapped one.
    Address(IpAddr),
}

impl Host {
    /// Reads any spelling; IPv6 stands in brackets. None: no host is spelled so.
    pub fn parse(text: &str) -> Option<Self> {
        let name = match url::Host::parse(text).ok()? {
            url::Host::Ipv4(address) => return Some(Self::Address(address.into())),
            url::Host::Ipv6(address) => return Some(Self::Address(canonical(address.into()))),
            url::Host::Domain(name) => name,
        };
        let name = name.strip_suffix('.').unwrap_or(&name);
        // Labels as DNS takes them (RFC 1035, with the underscore that people use).
        let label = |label: &str| {
            !label.is_empty()
                && label.len() <= 63
                && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
        };
        (name.len() <= 253 && name.split('.').all(label)).then(|| Self::Name(name.to_owned()))
    }

    /// RFC 6761: this name is this machine, whatever a resolver says.
    pub fn is_localhost(&self) -> bool {
        matches!(self, Self::Name(name) if name == "localhost")
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::Address(IpAddr::V6(address)) => write!(f, "[{address}]"),
            Self::Address(address) => address.fmt(f),
        }
    }
}

/// Scheme, host and port.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Origin {
    /// How.
    pub scheme: Scheme,
    /// To whom.
    pub host: Host,
    /// Where there.
    pub port: u16,
}

impl Origin {
    /// Host and port as a URL and the `Host` header have them: no port where it is the scheme's.
    pub fn authority(&self) -> String {
        if self.port == self.scheme.port() {
            self.host.to_string()
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }

    /// Reads a URL's authority: a host, perhaps with a port, without user. None: it is none.
    pub fn parse(scheme: Scheme, authority: &str) -> Option<Self> {
        let colon = match authority.find(']') {
            Some(end) if authority.starts_with('[') => (end + 1 < authority.len()).then_some(end + 1),
            _ => authority.find(':'),
        };
        let (host, port) = match colon {
            Some(at) => (&authority[..at], authority[at..].strip_prefix(':')?),
            None => return Some(Self { scheme, host: Host::parse(authority)?, port: scheme.port() }),
        };
        // Digits alone: `+80` is a number to Rust and nothing to a URL.
        if !port.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        Some(Self { scheme, host: Host::parse(host)?, port: port.parse().ok().filter(|port| *port != 0)? })
    }

    /// What an origin opens by standing in a grant: a literal address opens itself, and this machine's name this
    /// machine, on that port alone. `Err` for an address that is nobody's.
    pub fn openings(&self) -> Result<Vec<Opening>, OpeningError> {
        let exact = |address: IpAddr| Opening::exact(SocketAddr::new(address, self.port));
        match &self.host {
            Host::Address(address) => Ok(vec![exact(*address)?]),
            host if host.is_localhost() => loopback().map(exact).into_iter().collect(),
            Host::Name(_) => Ok(Vec::new()),
        }
    }

    /// Whether it can only be near: a literal address that is not public, or this machine's name.
    pub fn is_near(&self) -> bool {
        match &self.host {
            Host::Address(address) => classify(*address) != Class::Public,
            host => host.is_localhost(),
        }
    }
}

/// This machine.
pub(crate) fn loopback() -> [IpAddr; 2] {
    [IpAddr::from([127, 0, 0, 1]), IpAddr::from([0u16, 0, 0, 0, 0, 0, 0, 1])]
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme.name(), self.authority())
    }
}

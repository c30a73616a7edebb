//! Hosts as people and guests write them.
//!
//! One host has many spellings (`127.1`, `0x7f.1`, `Example.COM.`, full-width digits), and they are all read by the
//! WHATWG host parser before anything is compared, so that two spellings of one host can never be two hosts.

use std::fmt;
use std::net::{IpAddr, SocketAddr};

use super::{Class, Opening, OpeningError, canonical, classify};

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

    /// What a host opens by standing in a grant with this port: a literal address opens itself, and this machine's
    /// name this machine, on that port alone. `Err` for an address that is nobody's.
    pub fn openings(&self, port: u16) -> Result<Vec<Opening>, OpeningError> {
        let exact = |address: IpAddr| Opening::exact(SocketAddr::new(address, port));
        match self {
            Self::Address(address) => Ok(vec![exact(*address)?]),
            host if host.is_localhost() => loopback().map(exact).into_iter().collect(),
            Self::Name(_) => Ok(Vec::new()),
        }
    }

    /// Whether it can only be near: a literal address that is not public, or this machine's name.
    pub fn is_near(&self) -> bool {
        match self {
            Self::Address(address) => classify(*address) != Class::Public,
            host => host.is_localhost(),
        }
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

/// The addresses of this machine.
pub fn loopback() -> [IpAddr; 2] {
    [IpAddr::from([127, 0, 0, 1]), IpAddr::from([0u16, 0, 0, 0, 0, 0, 0, 1])]
}

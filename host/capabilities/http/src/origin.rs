//! Where a request goes: scheme, host and port.
//!
//! Hosts are read into their one spelling ([`Host::parse`]) before anything is compared.

use std::fmt;

use fleetgate_core::address::{Host, Opening, OpeningError};

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
        self.host.openings(self.port)
    }

    /// Whether it can only be near: a literal address that is not public, or this machine's name.
    pub fn is_near(&self) -> bool {
        self.host.is_near()
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme.name(), self.authority())
    }
}

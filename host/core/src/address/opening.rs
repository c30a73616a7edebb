//! What a grant opens beyond public addresses: the entries of `networks`.

use std::fmt;
use std::net::{IpAddr, SocketAddr};

use ipnet::IpNet;

use super::{Class, Opens, canonical, classify};
use crate::diagnostic::{Misspelt, Spanned, TableReader};

/// What a grant opens beyond public addresses: one entry of `networks`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Opening {
    /// All addresses of a network, on every port.
    Network(IpNet),
    /// One address and port.
    Exact(SocketAddr),
}

/// Why an entry of `networks` is no opening.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OpeningError {
    /// It is not an address at all.
    #[error("{0} is neither a network nor an address")]
    NotAnAddress(String),
    /// A network has bits set behind its prefix.
    #[error("{given} has bits set behind its prefix")]
    HostBits {
        /// As written.
        given: String,
        /// What was probably meant.
        meant: IpNet,
    },
    /// Only exact address and port opens these.
    #[error("{given} is {}, which no network opens", class.name())]
    OnlyExact {
        /// As written.
        given: String,
        /// What it is.
        class: Class,
    },
    /// Nothing opens these.
    #[error("{given} is {}, which cannot be granted", class.name())]
    Never {
        /// As written.
        given: String,
        /// What it is.
        class: Class,
    },
}

impl OpeningError {
    /// What to write instead.
    pub fn help(&self) -> String {
        match self {
            Self::NotAnAddress(_) => {
                "write a network like \"10.2.0.0/16\", an address like \"10.2.3.4\", or address and port like \
                 \"127.0.0.1:4000\""
                    .into()
            }
            Self::HostBits { meant, .. } => format!("write {:?}", meant.to_string()),
            Self::OnlyExact { .. } => "name the exact address and port, like \"127.0.0.1:4000\"".into(),
            Self::Never { .. } => "name the address of a host".into(),
        }
    }
}

impl Opening {
    /// Reads `networks` of a grant: what it opens beyond public addresses.
    pub fn read_networks(table: &mut TableReader<'_>) -> Vec<Self> {
        let networks = table.parsed_strings("networks", |text| {
            Self::parse(text).map_err(|error| Misspelt { message: error.to_string(), help: error.help() })
        });
        networks.unwrap_or_default().into_iter().map(Spanned::into_inner).collect()
    }

    /// One address and port, if it can be anybody's.
    pub fn exact(address: SocketAddr) -> Result<Self, OpeningError> {
        let exact = SocketAddr::new(canonical(address.ip()), address.port());
        let class = classify(exact.ip());
        match class.opens() {
            Opens::Never => Err(OpeningError::Never { given: address.to_string(), class }),
            _ => Ok(Self::Exact(exact)),
        }
    }

    /// Reads `10.2.0.0/16`, `10.2.3.4`, `127.0.0.1:4000` or `[::1]:4000`.
    pub fn parse(text: &str) -> Result<Self, OpeningError> {
        if let Ok(exact) = text.parse::<SocketAddr>() {
            return Self::exact(exact);
        }
        let given = || text.to_owned();
        let network = match (text.parse::<IpNet>(), text.parse::<IpAddr>()) {
            (Ok(network), _) => network,
            (_, Ok(address)) => IpNet::from(canonical(address)),
            _ => return Err(OpeningError::NotAnAddress(crate::diagnostic::quoted(text))),
        };
        if network.trunc() != network {
            return Err(OpeningError::HostBits { given: given(), meant: network.trunc() });
        }
        // A network that lies wholly in a range that networks never open would be a line without effect.
        let class = classify(network.addr());
        let whole =
            network.prefix_len() == network.max_prefix_len() || classify(network.broadcast()) == class;
        match class.opens() {
            Opens::ByExactPort if whole => Err(OpeningError::OnlyExact { given: given(), class }),
            Opens::Never if whole => Err(OpeningError::Never { given: given(), class }),
            _ => Ok(Self::Network(network)),
        }
    }
}

impl fmt::Display for Opening {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Network(network) => network.fmt(f),
            Self::Exact(exact) => exact.fmt(f),
        }
    }
}

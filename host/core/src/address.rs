//! Which addresses a connection may go to.
//!
//! A grant names a host; what a connection reaches is an address, and the two meet only in DNS, which an attacker
//! may own. So the address that a name resolved to is judged by itself, whatever the name was: public addresses
//! are open, everything else is closed unless the grant names it. Three rules go beyond a list of private ranges:
//!
//! - Loopback, link-local and metadata services hand out credentials to whoever can connect, so a network in the
//!   grant never opens them; only the exact address and port does.
//! - An IPv6 address that carries an IPv4 address (mapped, NAT64, 6to4, Teredo) leads to that one, so it is
//!   closed, and where the grant opens the carrying network, the carried address is judged as well.
//! - What is nobody's host (`0.0.0.0`, multicast, broadcast) is never a target.
//!
//! Every kind of reach that opens connections passes here: [`Connector`] resolves a name once, judges every address
//! that it got, and dials the one that was judged. Sources: the IANA special-purpose address registries, RFC 6890, RFC 6052, RFC 3056,
//! RFC 4380, and the cloud providers' documentation of their metadata services.

mod connect;
mod host;
mod opening;
mod resolve;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

pub use connect::{Connector, Dialer, TcpDialer, Unreached};
pub use host::{Host, loopback};
pub use opening::{Opening, OpeningError};
pub use resolve::{Resolver, SystemResolver};

/// Private networks as `networks` of a grant names them (RFC 1918, RFC 6598, RFC 4193).
pub const PRIVATE: [&str; 5] = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7"];

/// What an address is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Class {
    /// Anybody's host on the internet.
    Public,
    /// This machine.
    Loopback,
    /// The local link; cloud metadata mostly lives here.
    LinkLocal,
    /// A cloud's metadata service, wherever its provider put it.
    Metadata,
    /// RFC 1918.
    Private,
    /// Carrier-grade NAT, RFC 6598.
    SharedSpace,
    /// IPv6 unique local, RFC 4193.
    UniqueLocal,
    /// `0.0.0.0/8` and `::`; connecting to them reaches this machine.
    Unspecified,
    /// Groups of hosts.
    Multicast,
    /// `255.255.255.255`.
    Broadcast,
    /// Ranges for examples in documents.
    Documentation,
    /// Ranges for measuring networks.
    Benchmark,
    /// Set aside, or not given to anybody.
    Reserved,
    /// IPv6 that carries an IPv4 address: mapped, compatible, NAT64, 6to4, Teredo.
    Carrier,
}

/// How a closed class may be opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Opens {
    /// It is open.
    Always,
    /// By a network, or by exact address.
    ByNetwork,
    /// By exact address and port alone.
    ByExactPort,
    /// By nothing.
    Never,
}

impl Class {
    /// In words, for the operator.
    pub fn name(self) -> &'static str {
        match self {
            Self::Public => "a public address",
            Self::Loopback => "a loopback address",
            Self::LinkLocal => "a link-local address",
            Self::Metadata => "a metadata service's address",
            Self::Private => "a private address",
            Self::SharedSpace => "an address of shared (CGNAT) space",
            Self::UniqueLocal => "a unique local address",
            Self::Unspecified => "an unspecified address",
            Self::Multicast => "a multicast address",
            Self::Broadcast => "the broadcast address",
            Self::Documentation => "an address of a documentation range",
            Self::Benchmark => "an address of a benchmarking range",
            Self::Reserved => "a reserved address",
            Self::Carrier => "an IPv6 address that carries an IPv4 address",
        }
    }

    fn opens(self) -> Opens {
        match self {
            Self::Public => Opens::Always,
            Self::Loopback | Self::LinkLocal | Self::Metadata => Opens::ByExactPort,
            Self::Unspecified | Self::Multicast | Self::Broadcast => Opens::Never,
            _ => Opens::ByNetwork,
        }
    }
}

/// Metadata services outside of the link-local range. A network in a grant may well hold them (`100.64.0.0/10`,
/// `fd00::/8`), and Azure's is a public address.
const METADATA: [IpAddr; 7] = [
    v4(169, 254, 169, 254),
    v4(169, 254, 170, 2),
    v4(192, 0, 0, 192),
    v4(100, 100, 100, 200),
    v4(168, 63, 129, 16),
    IpAddr::V6(Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254)),
    IpAddr::V6(Ipv6Addr::new(0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254)),
];

const fn v4(a: u8, b: u8, c: u8, d: u8) -> IpAddr {
    IpAddr::V4(Ipv4Addr::new(a, b, c, d))
}

const fn net4(a: u8, b: u8, c: u8, d: u8, bits: u8) -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), bits)
}

const fn net6(a: u16, b: u16, c: u16, bits: u8) -> Ipv6Net {
    Ipv6Net::new_assert(Ipv6Addr::new(a, b, c, 0, 0, 0, 0, 0), bits)
}

/// First match wins.
const SPECIAL_V4: [(Ipv4Net, Class); 17] = [
    (net4(0, 0, 0, 0, 8), Class::Unspecified),
    (net4(10, 0, 0, 0, 8), Class::Private),
    (net4(100, 64, 0, 0, 10), Class::SharedSpace),
    (net4(127, 0, 0, 0, 8), Class::Loopback),
    (net4(169, 254, 0, 0, 16), Class::LinkLocal),
    (net4(172, 16, 0, 0, 12), Class::Private),
    (net4(192, 0, 0, 0, 24), Class::Reserved),
    (net4(192, 0, 2, 0, 24), Class::Documentation),
    (net4(192, 88, 99, 0, 24), Class::Reserved),
    (net4(192, 168, 0, 0, 16), Class::Private),
    (net4(198, 18, 0, 0, 15), Class::Benchmark),
    (net4(198, 51, 100, 0, 24), Class::Documentation),
    (net4(203, 0, 113, 0, 24), Class::Documentation),
    (net4(224, 0, 0, 0, 4), Class::Multicast),
    (net4(255, 255, 255, 255, 32), Class::Broadcast),
    (net4(240, 0, 0, 0, 4), Class::Reserved),
    (net4(192, 52, 193, 0, 24), Class::Reserved),
];

/// First match wins; what is not in `2000::/3` afterwards was never given out.
const SPECIAL_V6: [(Ipv6Net, Class); 13] = [
    (Ipv6Net::new_assert(Ipv6Addr::UNSPECIFIED, 128), Class::Unspecified),
    (Ipv6Net::new_assert(Ipv6Addr::LOCALHOST, 128), Class::Loopback),
    // Compatible (deprecated) and mapped addresses, and everything else that begins with 80 zero bits.
    (net6(0, 0, 0, 80), Class::Carrier),
    (net6(0x64, 0xff9b, 0, 96), Class::Carrier),
    (net6(0x64, 0xff9b, 1, 48), Class::Carrier),
    (net6(0x2001, 0, 0, 32), Class::Carrier),
    (net6(0x2001, 2, 0, 48), Class::Benchmark),
    (net6(0x2001, 0xdb8, 0, 32), Class::Documentation),
    (net6(0x2001, 0, 0, 23), Class::Reserved),
    (net6(0x2002, 0, 0, 16), Class::Carrier),
    (net6(0x3fff, 0, 0, 20), Class::Documentation),
    (net6(0xfc00, 0, 0, 7), Class::UniqueLocal),
    (net6(0xfe80, 0, 0, 10), Class::LinkLocal),
];

/// What this address is. A mapped IPv4 address (`::ffff:127.0.0.1`) is [`Class::Carrier`]; see [`canonical`].
pub fn classify(address: IpAddr) -> Class {
    if METADATA.contains(&address) {
        return Class::Metadata;
    }
    match address {
        IpAddr::V4(address) => SPECIAL_V4
            .iter()
            .find(|(net, _)| net.contains(&address))
            .map_or(Class::Public, |(_, class)| *class),
        IpAddr::V6(address) => match SPECIAL_V6.iter().find(|(net, _)| net.contains(&address)) {
            Some((_, class)) => *class,
            None if address.is_multicast() => Class::Multicast,
            None if address.segments()[0] & 0xe000 == 0x2000 => Class::Public,
            None => Class::Reserved,
        },
    }
}

/// The same address without its IPv6 dress: `::ffff:127.0.0.1` is `127.0.0.1` to the kernel.
pub fn canonical(address: IpAddr) -> IpAddr {
    address.to_canonical()
}

/// The IPv4 addresses that an IPv6 address leads to. Empty for one that leads to itself.
fn carried(address: Ipv6Addr) -> Vec<Ipv4Addr> {
    let bytes = address.octets();
    let at = |from: usize| Ipv4Addr::new(bytes[from], bytes[from + 1], bytes[from + 2], bytes[from + 3]);
    match address.segments() {
        // 6to4: the site's address follows the prefix.
        [0x2002, ..] => vec![at(2)],
        // Teredo: the server, and the client with its bits inverted.
        [0x2001, 0, ..] => vec![at(4), Ipv4Addr::from(!u32::from(at(12)))],
        _ if classify(IpAddr::V6(address)) == Class::Carrier => vec![at(12)],
        _ => Vec::new(),
    }
}

/// An address that a connection may not go to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{address} is {}", class.name())]
pub struct Blocked {
    /// Where the connection would have gone.
    pub address: SocketAddr,
    /// What it is.
    pub class: Class,
}

impl Blocked {
    /// The entry of `networks` that would open it. None: nothing does.
    pub fn opening(&self) -> Option<Opening> {
        match self.class.opens() {
            Opens::Always | Opens::ByNetwork => Some(Opening::Network(IpNet::from(self.address.ip()))),
            Opens::ByExactPort => Some(Opening::Exact(self.address)),
            Opens::Never => None,
        }
    }
}

/// What the connections of one grant may go to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Policy {
    openings: Vec<Opening>,
}

impl Policy {
    /// Public addresses, and these.
    pub fn new(openings: impl IntoIterator<Item = Opening>) -> Self {
        Self { openings: openings.into_iter().collect() }
    }

    /// Judges an address that a connection is about to go to, and returns it as it is to be dialled.
    pub fn check(&self, address: SocketAddr) -> Result<SocketAddr, Blocked> {
        let plain = SocketAddr::new(canonical(address.ip()), address.port());
        if self.openings.contains(&Opening::Exact(plain)) {
            return Ok(plain);
        }
        let named = |ip: IpAddr| {
            self.openings
                .iter()
                .any(|opening| matches!(opening, Opening::Network(network) if network.contains(&ip)))
        };
        let open = |ip: IpAddr| match classify(ip).opens() {
            Opens::Always => true,
            Opens::ByNetwork => named(ip),
            Opens::ByExactPort | Opens::Never => false,
        };
        let blocked = |address: SocketAddr| Err(Blocked { address, class: classify(address.ip()) });
        // No honest name has a mapped address: its owner would publish the IPv4 address itself.
        if address.ip() != plain.ip() && !named(plain.ip()) {
            return match classify(plain.ip()) {
                Class::Public => Err(Blocked { address: plain, class: Class::Carrier }),
                _ => blocked(plain),
            };
        }
        if !open(plain.ip()) {
            return blocked(plain);
        }
        if let IpAddr::V6(ip) = plain.ip()
            && let Some(inner) = carried(ip).into_iter().map(IpAddr::V4).find(|inner| !open(*inner))
        {
            return blocked(SocketAddr::new(inner, plain.port()));
        }
        Ok(plain)
    }
}

//! Connections on which nobody was known yet: no request of theirs came past the question who calls.
//!
//! Whoever reaches the port can open connections, and those who may call need some that are free. So one address has a
//! part of them for strangers and no more, and a stranger whose request was refused, or was for none of what callers
//! have, is let go with its answer. An address behind which many callers are, a proxy's, loses nothing by that: its
//! connections belong to somebody with their first good request.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// How many each address has.
#[derive(Debug, Clone)]
pub(crate) struct Strangers {
    most: usize,
    open: Arc<Mutex<HashMap<IpAddr, usize>>>,
}

/// One connection, until somebody is known on it and after.
#[derive(Debug, Default)]
pub(crate) struct Stranger {
    known: AtomicBool,
    place: Mutex<Option<Place>>,
}

/// Is counted while it is there.
#[derive(Debug)]
struct Place {
    address: IpAddr,
    of: Strangers,
}

impl Strangers {
    /// At most so many of each address.
    pub(crate) fn new(most: usize) -> Self {
        Self { most, open: Arc::default() }
    }

    /// One more from there. None: they are as many as they may be.
    pub(crate) fn from(&self, peer: IpAddr) -> Option<Arc<Stranger>> {
        let Some(address) = origin(peer) else { return Some(Arc::default()) };
        let mut open = self.open();
        let count = open.entry(address).or_default();
        if *count >= self.most {
            return None;
        }
        *count += 1;
        drop(open);
        let place = Place { address, of: self.clone() };
        Some(Arc::new(Stranger { known: AtomicBool::default(), place: Mutex::new(Some(place)) }))
    }

    fn open(&self) -> MutexGuard<'_, HashMap<IpAddr, usize>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Stranger {
    /// Somebody is known on it.
    pub(crate) fn known(&self) {
        if !self.known.swap(true, Ordering::Relaxed) {
            self.place.lock().unwrap_or_else(PoisonError::into_inner).take();
        }
    }

    /// Whether somebody was.
    pub(crate) fn is_known(&self) -> bool {
        self.known.load(Ordering::Relaxed)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = self.of.open();
        if let Some(count) = open.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                open.remove(&self.address);
            }
        }
    }
}

/// What is taken for one address: with IPv6 a whole network of 64 bits, which is what one machine gets. None: this
/// machine, where an address tells nobody from another.
fn origin(peer: IpAddr) -> Option<IpAddr> {
    match peer.to_canonical() {
        address if address.is_loopback() => None,
        IpAddr::V4(address) => Some(address.into()),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            Some(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(strangers: &Strangers, peer: &str) -> Option<Arc<Stranger>> {
        strangers.from(peer.parse().unwrap())
    }

    #[test]
    fn one_address_has_its_part_of_the_connections_and_others_have_theirs() {
        let strangers = Strangers::new(2);
        for [one, same, other] in [
            ["203.0.113.9", "::ffff:203.0.113.9", "203.0.113.10"],
            ["2001:db8:1:2::1", "2001:db8:1:2:ffff:ffff:ffff:ffff", "2001:db8:1:3::1"],
        ] {
            let (first, second) = (from(&strangers, one), from(&strangers, same));
            assert!(first.is_some() && second.is_some());
            assert!(from(&strangers, one).is_none() && from(&strangers, same).is_none());
            assert!(from(&strangers, other).is_some());
            drop(second);
            assert!(from(&strangers, one).is_some(), "one has ended");
        }
        assert!(strangers.open().is_empty(), "nothing is remembered of who is gone");
    }

    #[test]
    fn who_is_known_is_no_stranger_and_counts_no_more() {
        let strangers = Strangers::new(1);
        let first = from(&strangers, "203.0.113.9").unwrap();
        assert!(!first.is_known() && from(&strangers, "203.0.113.9").is_none());
        first.known();
        first.known();
        let next = from(&strangers, "203.0.113.9");
        assert!(first.is_known() && next.is_some());
        drop(first);
        assert!(from(&strangers, "203.0.113.9").is_none(), "a place is given back once");
    }

    #[test]
    fn on_this_machine_an_address_is_nobodys() {
        let strangers = Strangers::new(1);
        let all: Vec<_> = (0..9).map(|_| from(&strangers, "127.0.0.1").unwrap()).collect();
        assert!(from(&strangers, "::1").is_some() && !all[0].is_known());
    }
}

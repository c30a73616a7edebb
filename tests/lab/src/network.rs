//! Names and connections as a test decides.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex};

use fleetgate_core::address::{Dialer, Resolver, TcpDialer};
use futures_util::future::BoxFuture;
use tokio::net::TcpStream;

/// A resolver that answers from a list, one answer after the other, over and over.
pub struct Answers(Mutex<Vec<Vec<IpAddr>>>);

impl Answers {
    /// The list.
    pub fn new(answers: &[&[&str]]) -> Arc<Self> {
        let parse =
            |answer: &&[&str]| answer.iter().map(|address| address.parse().expect("an address")).collect();
        Arc::new(Self(Mutex::new(answers.iter().map(parse).collect())))
    }
}

impl Resolver for Answers {
    fn resolve<'a>(&'a self, _: &'a str) -> BoxFuture<'a, io::Result<Vec<IpAddr>>> {
        let mut answers = self.0.lock().expect("no test fails under it");
        let next = answers.remove(0);
        answers.push(next.clone());
        Box::pin(async move { Ok(next) })
    }
}

/// Writes down what is looked up and what is dialled. No name is known, and addresses that are not near lead nowhere.
#[derive(Debug, Default)]
pub struct Watched {
    /// What was looked up.
    pub names: Mutex<Vec<String>>,
    /// What was dialled.
    pub addresses: Mutex<Vec<SocketAddr>>,
    /// Where addresses lead that are not near.
    pub instead: Option<SocketAddr>,
    /// This one neither answers nor refuses.
    pub dead: Option<IpAddr>,
}

impl Resolver for Watched {
    fn resolve<'a>(&'a self, name: &'a str) -> BoxFuture<'a, io::Result<Vec<IpAddr>>> {
        self.names.lock().expect("no test fails under it").push(name.to_owned());
        Box::pin(async { Err(io::Error::other("no such name")) })
    }
}

impl Dialer for Watched {
    fn dial(&self, address: SocketAddr) -> BoxFuture<'_, io::Result<TcpStream>> {
        self.addresses.lock().expect("no test fails under it").push(address);
        if self.dead == Some(address.ip()) {
            return Box::pin(std::future::pending());
        }
        let near = address.ip().is_loopback().then_some(address);
        match near.or(self.instead) {
            Some(address) => Box::pin(async move { TcpDialer.dial(address).await }),
            None => Box::pin(async { Err(io::ErrorKind::ConnectionRefused.into()) }),
        }
    }
}

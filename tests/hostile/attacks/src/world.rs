//! Looking for the machine that it runs on.

use std::fs;
use std::net::{TcpStream, ToSocketAddrs, UdpSocket};
use std::process::Command;

use fleetgate_sdk::prelude::*;

/// What it found. All of it must be empty.
#[derive(Default, Serialize, JsonSchema)]
pub struct Found {
    /// Environment variables.
    environment: Vec<String>,
    /// Command line.
    arguments: Vec<String>,
    /// Files that it could read or write.
    files: Vec<String>,
    /// What it could connect to or look up.
    network: Vec<String>,
    /// Programs that it could start.
    programs: Vec<String>,
}

/// Where to knock.
#[derive(Deserialize, JsonSchema)]
pub struct Knock {
    /// An address with a listener, `127.0.0.1:1234`.
    address: String,
}

/// Reads the environment, opens files and sockets, starts a program; tells what worked.
#[tool(requires = "any", read_only)]
pub fn look_around(args: Knock) -> Result<Found, Fault> {
    let mut found = Found::default();
    found.environment.extend(std::env::vars().map(|(name, _)| name));
    found.arguments.extend(std::env::args());
    for path in ["/etc/passwd", "/proc/self/environ", ".", "/", "../../etc/hostname"] {
        if fs::read(path).is_ok() || fs::read_dir(path).is_ok() {
            found.files.push(path.to_owned());
        }
    }
    if fs::write("/tmp/fleetgate-hostile", "here").is_ok() {
        found.files.push("/tmp/fleetgate-hostile".to_owned());
    }
    if TcpStream::connect(&args.address).is_ok() {
        found.network.push(format!("tcp {}", args.address));
    }
    if UdpSocket::bind("0.0.0.0:0").is_ok() {
        found.network.push("udp".to_owned());
    }
    if "localhost:80".to_socket_addrs().is_ok_and(|mut addresses| addresses.next().is_some()) {
        found.network.push("names".to_owned());
    }
    if Command::new("sh").spawn().is_ok() {
        found.programs.push("sh".to_owned());
    }
    Ok(found)
}

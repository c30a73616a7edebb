//! SSH to the devices that the operator granted.
//!
//! A plugin names the request of its manifest (`[capabilities.ssh.devices]` is `ssh.devices`) and a target, and the host
//! logs in: the plugin never sees a credential. Which targets, methods and commands are allowed stands in the
//! operator's grant; what is not allowed is an [`SshError`] with the code `denied`, and why is told to the operator
//! alone.
//!
//! Where a device runs commands, run them:
//!
//! ```no_run
//! # use fleetgate_sdk::prelude::*;
//! use fleetgate_sdk::ssh::Connection;
//!
//! # fn uptime(host: &str) -> Result<String, Fault> {
//! let device = Connection::connect("ssh.devices", host, 22)?;
//! let uptime = device.exec("uptime")?;
//! if uptime.exit_status != Some(0) {
//!     return Err(Fault::upstream(format!("uptime failed: {}", uptime.stderr())));
//! }
//! # Ok(uptime.stdout())
//! # }
//! ```
//!
//! Network gear wants a [`Shell`]: lines are typed, and what comes back is read piece by piece. What was in the middle
//! of something when the call ended is left in order by [`Shell::on_close`]:
//!
//! ```no_run
//! # use fleetgate_sdk::prelude::*;
//! use std::time::Duration;
//! use fleetgate_sdk::ssh::{Chunk, Connection, Key, Step, Terminal};
//!
//! # fn shut(host: &str) -> Result<(), Fault> {
//! let shell = Connection::connect("ssh.devices", host, 22)?.open_shell(&Terminal::default())?;
//! shell.on_close(&[Step::Key(Key::CtrlZ)])?;
//! shell.send_line("configure terminal")?;
//! match shell.read(64 * 1024, Duration::from_secs(10))? {
//!     Chunk::Data(bytes) => log::debug(String::from_utf8_lossy(&bytes)),
//!     Chunk::TimedOut => return Err(Fault::timeout("The device says nothing.")),
//!     Chunk::Closed => return Err(Fault::upstream("The device closed the terminal.")),
//! }
//! # Ok(())
//! # }
//! ```
//!
//! Everything that a device says is what a stranger says: check it, bound it, and put none of it into a command.
//! `testing::Device` plays devices in native tests.

mod connection;
mod error;
mod shell;

#[cfg(target_arch = "wasm32")]
mod guest;
#[cfg(target_arch = "wasm32")]
use guest as host;

#[cfg(not(target_arch = "wasm32"))]
use crate::testing::terminal as host;

pub use connection::{Command, Connection, Login, Output};
pub use error::SshError;
pub use shell::{Chunk, Key, LineEnd, Secret, Shell, Step, Terminal};

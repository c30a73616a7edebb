//! SSH for guests.
//!
//! A guest uses `fleetgate:ssh/ssh`, and every connection and every line of every guest takes the same way, which is
//! the order to read this crate in: [`host`] (where it leaves the guest) → [`session`] (one call) → [`guard`] (may it)
//! → [`credential`] → [`pool`] and [`connect`] (the device, who it is, the login) → [`command`] (one command) or
//! [`shell`], [`typing`] and [`screen`] (a terminal) → [`closing`] (its end, whatever became of the guest).
//!
//! [`request`], [`reach`] and [`grant`] are the tables that people write, [`capability`] is what becomes of them at
//! load.

mod brake;
mod brought;
mod capability;
mod client;
mod closing;
mod command;
mod connect;
mod connection;
mod credential;
mod failure;
mod grant;
mod guard;
mod host;
mod host_lines;
mod keyboard;
mod known_hosts;
mod legacy;
mod login;
mod method;
mod pattern;
mod pool;
mod prompt;
mod reach;
mod request;
mod route;
mod schema;
mod screen;
mod session;
mod shell;
mod target;
mod terminal;
mod typed;
mod typing;
mod watch;
mod wire;

pub use brought::LoginArguments;
pub use capability::Ssh;
pub use connect::ConnectFailed;
pub use failure::{Failure, GuestFailure};
pub use login::LoginFailed;
pub use session::MOST_AT_ONCE;

/// For this crate's own tests, which have no guest.
#[doc(hidden)]
pub mod testing {
    pub use crate::capability::SshBinding;
    pub use crate::command::Output;
    pub use crate::pattern::{Commands, Pattern};
    pub use crate::session::{Device, Session};
    pub use crate::shell::{Chunk, Shell};
    pub use crate::terminal::{LineEnd, Terminal};
    pub use crate::typed::{Key, Step};
}

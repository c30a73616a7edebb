//! The command line that Cisco made the industry's: user and privileged mode, configuration line by line in
//! sections, `no` before what is to go, `?` for help. A [`Dialect`] says where a platform differs.

mod configure;
mod dialect;
mod talk;

pub(crate) use dialect::{Dialect, Do, Next, Seat, View};
pub(crate) use talk::{ask, exec, shell, usual_filter};

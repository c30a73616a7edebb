//! Leaving a device in the middle of something.

use std::time::Duration;

use fleetgate_sdk::prelude::*;
use fleetgate_sdk::ssh::{Connection, Shell, SshError, Step, Terminal};

use crate::target::Target;
use crate::terminals::read_until;

/// How to leave.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum How {
    /// Crashes.
    Panic,
    /// Waits for the device, for ever.
    Read,
    /// Burns time, for ever.
    Spin,
    /// Sleeps, for ever.
    Sleep,
    /// Forgets its handles and returns.
    Forget,
}

/// A device to leave.
#[derive(Deserialize, JsonSchema)]
pub struct Leave {
    #[serde(flatten)]
    target: Target,
    /// Typed first.
    line: String,
    /// Read before it leaves.
    until: String,
    /// Left with the host for the end.
    left: String,
    /// How.
    how: How,
}

/// Opens a terminal, types a line, and is gone: after six seconds at the latest.
#[tool(requires = "any", timeout = "6s")]
pub fn leave(args: Leave) -> Result<String, Fault> {
    gone(&args)
}

/// The same, with more time.
#[tool(requires = "any", timeout = "60s")]
pub fn leave_late(args: Leave) -> Result<String, Fault> {
    gone(&args)
}

fn gone(args: &Leave) -> Result<String, Fault> {
    let (device, shell) = begun(args)?;
    match args.how {
        How::Panic => panic!("left"),
        How::Read => loop {
            // Whatever the host says about it.
            let _ = shell.read(1, Duration::from_secs(3600));
        },
        How::Spin => loop {
            std::hint::black_box(&shell);
        },
        How::Sleep => loop {
            let _ = fleetgate_sdk::call::sleep(Duration::from_secs(3600));
        },
        How::Forget => std::mem::forget((device, shell)),
    }
    Ok("forgotten".to_owned())
}

fn begun(args: &Leave) -> Result<(Connection, Shell), SshError> {
    let device = args.target.connect()?;
    let shell = device.open_shell(&Terminal::default())?;
    shell.on_close(&[Step::Line(args.left.clone())])?;
    shell.send_line(&args.line)?;
    let _ = read_until(&shell, &args.until);
    Ok((device, shell))
}

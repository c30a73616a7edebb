//! The host's side of compiling: starts the child, feeds it, and waits for no longer than it may take.

use std::ffi::OsString;
use std::io;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{ExitStatus, Stdio};

use rustix::process::Signal;
use tempfile::NamedTempFile;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::process::{ChildStdin, Command};

use super::{CompileFailed, CompileLimits, OTHER_ENGINE, REFUSED, describe};
use crate::text::clean;

/// What is kept of what the child says.
const MESSAGE: usize = 4 << 10;

/// Compiles in a child. The machine code is in the draft afterwards.
pub(super) async fn run(
    program: &Path,
    args: &[OsString],
    limits: &CompileLimits,
    engine_hash: &str,
    component: &[u8],
    draft: &NamedTempFile,
) -> Result<(), CompileFailed> {
    let not_started = |reason| CompileFailed::NotStarted { program: program.to_owned(), reason };
    let output = draft.as_file().try_clone().map_err(not_started)?;
    let mut child = Command::new(program)
        .args(args)
        .args([limits.memory, limits.cpu.as_secs().max(1), limits.output].map(|limit| limit.to_string()))
        .arg(engine_hash)
        // Credentials may stand in the environment; the child has no use for any of it.
        .env_clear()
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(output)
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(not_started)?;
    let stdin = child.stdin.take().expect("stdin is a pipe");
    let stderr = child.stderr.take().expect("stderr is a pipe");
    let work = async {
        // The pipe stays open until the child has ended: its end tells the child that the host is gone.
        let (_stdin, said, status) = tokio::join!(feed(stdin, component), listen(stderr), child.wait());
        (said, status)
    };
    let ended = tokio::time::timeout(limits.wall, work).await;
    match ended {
        Ok((said, status)) => judge(status.map_err(not_started)?, &said, limits),
        Err(_) => {
            // `kill` waits for the end as well, so no zombie stays.
            let _ = child.kill().await;
            Err(CompileFailed::TimedOut { limit: limits.wall })
        }
    }
}

/// The length, then the bytes. A child that died does not read all; its status says why.
async fn feed(mut stdin: ChildStdin, component: &[u8]) -> (ChildStdin, io::Result<()>) {
    let length = (component.len() as u64).to_le_bytes();
    let mut written = stdin.write_all(&length).await;
    if written.is_ok() {
        written = stdin.write_all(component).await;
    }
    (stdin, written)
}

/// Reads to the end, and keeps the last part: messages end with what was wrong.
async fn listen(mut stderr: impl AsyncRead + Unpin) -> String {
    let mut kept = Vec::new();
    let mut buffer = [0; 4096];
    while let Ok(length @ 1..) = stderr.read(&mut buffer).await {
        kept.extend_from_slice(&buffer[..length]);
        if kept.len() > MESSAGE {
            kept.drain(..kept.len() - MESSAGE);
        }
    }
    clean(String::from_utf8_lossy(&kept).trim()).into_owned()
}

fn judge(status: ExitStatus, said: &str, limits: &CompileLimits) -> Result<(), CompileFailed> {
    let signal = status.signal();
    let is = |wanted: Signal| signal == Some(wanted.as_raw());
    Err(match status.code() {
        Some(0) => return Ok(()),
        Some(REFUSED) => CompileFailed::Refused(said.to_owned()),
        Some(OTHER_ENGINE) => CompileFailed::Crashed {
            status: "another engine".into(),
            said: "the program was replaced while it ran: restart it".into(),
        },
        // Rust's allocator says this, and aborts.
        _ if said.contains("memory allocation of") || said.contains("Cannot allocate memory") => {
            CompileFailed::OutOfMemory { limit: limits.memory }
        }
        _ if is(Signal::XCPU) => CompileFailed::OutOfTime { limit: limits.cpu },
        _ if is(Signal::XFSZ) => CompileFailed::OutputTooLarge { limit: limits.output },
        _ => CompileFailed::Crashed { status: describe(status), said: said.to_owned() },
    })
}

//! The mosquitto process: where it is, how it starts, and what it says when it does not.

use std::io::Write;
use std::net::{Ipv4Addr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use std::{env, fs, io, thread};

use rustix::process::{Pid, Signal, kill_process};

/// Where packages put mosquitto besides `PATH`: Debian's `sbin` is not in everybody's.
const PLACES: [&str; 4] = ["/usr/sbin", "/usr/local/sbin", "/opt/homebrew/sbin", "/opt/homebrew/bin"];

/// How long a start may take; only to end one that hangs.
const PATIENCE: Duration = Duration::from_secs(60);

/// Where mosquitto is, if it is installed.
pub fn installed() -> Option<PathBuf> {
    find("mosquitto").filter(|_| find("mosquitto_passwd").is_some())
}

/// What to tell somebody without mosquitto.
pub fn missing() -> &'static str {
    "mosquitto is not installed: apt-get install mosquitto (Debian, Ubuntu), dnf install mosquitto (Fedora), or \
     brew install mosquitto (macOS)"
}

/// A program of the mosquitto package.
pub(super) fn tool(name: &str) -> io::Result<Command> {
    let found = find(name).ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, missing()))?;
    Ok(Command::new(found))
}

fn find(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let places = env::split_paths(&path).chain(PLACES.map(PathBuf::from));
    places.map(|folder| folder.join(name)).find(|file| file.is_file())
}

/// Starts mosquitto over the settings in this folder, and waits until it listens.
///
/// # Errors
/// `AddrInUse` if the port was taken meanwhile; else what it logged.
pub(super) fn start(folder: &Path, port: u16) -> io::Result<Child> {
    let before = log(folder).len();
    let mut child = tool("mosquitto")?
        .arg("-c")
        .arg(folder.join("mosquitto.conf"))
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    let started = Instant::now();
    loop {
        if let Some(status) = child.try_wait()? {
            let said = log(folder).get(before..).unwrap_or_default().to_owned();
            let taken = said.contains("Address already in use");
            let kind = if taken { io::ErrorKind::AddrInUse } else { io::ErrorKind::Other };
            return Err(io::Error::new(kind, format!("mosquitto ended with {status}: {said}")));
        }
        if TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return Ok(child);
        }
        if started.elapsed() > PATIENCE {
            child.kill().ok();
            child.wait().ok();
            return Err(io::Error::new(io::ErrorKind::TimedOut, "mosquitto does not listen"));
        }
        thread::sleep(Duration::from_millis(5));
    }
}

/// Ends a process when this one has ended without saying so: a broker must not outlive a simulation that was killed.
#[derive(Debug)]
pub(super) struct Guard(Child);

impl Guard {
    /// Over this process, which is our child.
    pub(super) fn over(child: &Child) -> io::Result<Self> {
        let script = r#"read -r _ || kill -9 "$0""#;
        let mut command = Command::new("sh");
        command.args(["-c", script, &child.id().to_string()]);
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        command.spawn().map(Self)
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        // A line lets it go.
        let let_go = self.0.stdin.take().is_some_and(|mut input| input.write_all(b"\n").is_ok());
        if !let_go {
            self.0.kill().ok();
        }
        self.0.wait().ok();
    }
}

pub(super) fn log(folder: &Path) -> String {
    let bytes = fs::read(folder.join("log")).unwrap_or_default();
    String::from_utf8_lossy(&bytes).into_owned()
}

/// A child that has ended takes no signal, and needs none.
pub(super) fn signal(child: &Child, signal: Signal) {
    let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    if let Some(pid) = pid {
        kill_process(pid, signal).ok();
    }
}

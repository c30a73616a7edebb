//! The real host, serving an installation over HTTP on a free port.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::{Installation, Modern};

/// How long a test waits for something that should come soon. Only to end a test that hangs.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// `fleetgate serve`, ended when dropped.
pub struct Server {
    child: Child,
    url: String,
    log: Arc<Mutex<String>>,
}

impl Server {
    /// Serves an installation.
    pub fn start(installation: &Installation) -> Self {
        Self::start_with(installation, &[])
    }

    /// Serves it with more arguments.
    pub fn start_with(installation: &Installation, more: &[&str]) -> Self {
        let mut command = installation.command(&["serve", "--json", "--listen", "127.0.0.1:0"]);
        command.args(more);
        Self::of(command)
    }

    /// Serves by a command that runs `fleetgate serve --json`.
    pub fn of(mut command: Command) -> Self {
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("fleetgate starts");

        let log = Arc::new(Mutex::new(String::new()));
        let (errors, seen) = (child.stderr.take().expect("stderr is piped"), log.clone());
        let reading = std::thread::spawn(move || {
            for line in BufReader::new(errors).lines().map_while(Result::ok) {
                let mut log = seen.lock().expect("nobody panics with the log");
                log.push_str(&line);
                log.push('\n');
            }
        });

        let mut lines = BufReader::new(child.stdout.take().expect("stdout is piped")).lines();
        let Some(Ok(line)) = lines.next() else {
            let status = child.wait().expect("the child ended");
            reading.join().expect("its log ends with it");
            panic!("fleetgate serve ended with {status}:\n{}", log.lock().expect("the log"));
        };
        std::thread::spawn(move || lines.map_while(Result::ok).for_each(drop));
        let said: Value = serde_json::from_str(&line).expect("its first line is JSON");
        let url = said["url"].as_str().expect("it says its URL").to_owned();
        Self { child, url, log }
    }

    /// Of every binding: `http://127.0.0.1:PORT/mcp`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Of one binding.
    pub fn endpoint(&self, binding: &str) -> String {
        format!("{}/{binding}", self.url)
    }

    /// A client of today's protocol, of every binding.
    pub fn client(&self) -> Modern {
        Modern::new(self.url())
    }

    /// The same, of one binding.
    pub fn client_of(&self, binding: &str) -> Modern {
        Modern::new(&self.endpoint(binding))
    }

    /// Its process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Its resident memory, in bytes.
    pub fn resident(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.id())).expect("the host runs");
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).expect("resident memory");
        line.split_whitespace().nth(1).and_then(|kib| kib.parse::<u64>().ok()).expect("a number") << 10
    }

    /// Its file descriptors.
    pub fn descriptors(&self) -> usize {
        std::fs::read_dir(format!("/proc/{}/fd", self.id())).expect("the host runs").count()
    }

    /// TCP connections to these ports of this machine that whoever made them has not closed. How many the host has open
    /// is seen here sooner than at the other end, which hears later of a good-bye than the host says it.
    pub fn connections_to(ports: &[u16]) -> usize {
        const ESTABLISHED: &str = "01";
        // Linux: local address, remote address and state are the fields after the number, as hexadecimal ADDRESS:PORT.
        let table = std::fs::read_to_string("/proc/net/tcp").expect("Linux tells of its connections");
        let remote = |line: &str| {
            let mut fields = line.split_whitespace().skip(2);
            let (remote, state) = (fields.next()?, fields.next()?);
            let port = u16::from_str_radix(remote.rsplit(':').next()?, 16).ok()?;
            (state == ESTABLISHED && ports.contains(&port)).then_some(port)
        };
        table.lines().filter_map(remote).count()
    }

    /// What it logged so far. Its lines come a moment later than they are written: whoever waits for one uses
    /// [`Server::logs`].
    pub fn log(&self) -> String {
        self.log.lock().expect("the log").clone()
    }

    /// Waits until the log holds this.
    pub async fn logs(&self, text: &str) {
        let started = Instant::now();
        while !self.log().contains(text) {
            assert!(started.elapsed() < PATIENCE, "the log never said {text:?}:\n{}", self.log());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Waits until `holds` is true of the host.
    pub async fn until<F: Future<Output = bool>>(&self, what: &str, holds: impl Fn() -> F) {
        let started = Instant::now();
        while !holds().await {
            assert!(started.elapsed() < PATIENCE, "never: {what}\n{}", self.log());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// SIGKILL: nothing is saved any more.
    pub fn kill(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }

    /// Still running?
    pub fn alive(&mut self) -> bool {
        self.child.try_wait().expect("its own child").is_none()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

//! A real OpenSSH server on a free port of loopback, with keys of its own, run by whoever runs the tests.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::{SocketAddr, TcpListener};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tempfile::TempDir;
use tokio::net::TcpSocket;

/// Where Debian, Fedora and macOS put it.
const PROGRAMS: [&str; 3] = ["/usr/sbin/sshd", "/usr/local/sbin/sshd", "/sbin/sshd"];

/// How long a server may take to listen, and for how long a port is tried that somebody else has taken meanwhile.
const PATIENCE: Duration = Duration::from_secs(60);

/// A server.
pub struct Sshd {
    pub address: SocketAddr,
    pub directory: TempDir,
    child: Child,
    said: Arc<Mutex<Vec<String>>>,
}

impl Sshd {
    pub async fn start() -> Self {
        Self::with("").await
    }

    /// With lines for its configuration.
    pub async fn with(lines: &str) -> Self {
        Self::on_free_ports(1, lines).await.0
    }

    /// On so many ports, which are all told.
    pub async fn on_ports(count: usize) -> (Self, Vec<u16>) {
        Self::on_free_ports(count, "").await
    }

    async fn on_free_ports(count: usize, lines: &str) -> (Self, Vec<u16>) {
        let mut directory = tempfile::tempdir().unwrap();
        keygen(&directory.path().join("host_key"), "ed25519", "");
        keygen(&directory.path().join("user_key"), "ed25519", "");
        fs::copy(directory.path().join("user_key.pub"), directory.path().join("authorized_keys")).unwrap();
        let begin = Instant::now();
        loop {
            let ports: Vec<_> = (0..count).map(|_| free_port()).collect();
            match Self::in_directory(directory, &ports, lines).await {
                Ok(server) => return (server, ports),
                Err(taken) => directory = taken.unless_for_long(begin),
            }
        }
    }

    /// The same server on the same port with another host key.
    pub async fn with_another_key(self) -> Self {
        let port = self.address.port();
        let directory = self.stop();
        for name in ["host_key", "host_key.pub"] {
            fs::remove_file(directory.path().join(name)).unwrap();
        }
        keygen(&directory.path().join("host_key"), "ed25519", "");
        Self::on_this_port(directory, port).await
    }

    /// The same server again.
    pub async fn again(self) -> Self {
        let port = self.address.port();
        Self::on_this_port(self.stop(), port).await
    }

    /// Somebody else may have the port for a moment: of a connection, for example.
    async fn on_this_port(mut directory: TempDir, port: u16) -> Self {
        let begin = Instant::now();
        loop {
            match Self::in_directory(directory, &[port], "").await {
                Ok(server) => return server,
                Err(taken) => directory = taken.unless_for_long(begin),
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    fn stop(mut self) -> TempDir {
        self.end();
        std::mem::replace(&mut self.directory, tempfile::tempdir().unwrap())
    }

    async fn in_directory(directory: TempDir, ports: &[u16], lines: &str) -> Result<Self, Taken> {
        let program = PROGRAMS.iter().find(|program| Path::new(program).exists());
        let program =
            program.expect("sshd is missing: install it (Debian: `apt-get install openssh-server`)");
        if rustix::process::geteuid().is_root() {
            // Where root's server locks its unprivileged half in.
            fs::create_dir_all("/run/sshd").unwrap();
        }
        let path = |name: &str| directory.path().join(name).display().to_string();
        // What the person who runs the tests has in the files of a shell is no part of the server.
        fs::create_dir_all(directory.path().join("home")).unwrap();
        let listen: String = ports.iter().map(|port| format!("Port {port}\n")).collect();
        let config = format!(
            "{lines}\nSetEnv HOME={}\n{listen}ListenAddress 127.0.0.1\nHostKey {}\nPidFile none\nAuthorizedKeysFile {}\n\
             StrictModes no\nUsePAM no\nPermitRootLogin yes\nPubkeyAuthentication yes\n\
             KbdInteractiveAuthentication no\nPrintMotd no\nMaxStartups 500\nMaxSessions 10\nLogLevel VERBOSE\n",
            path("home"),
            path("host_key"),
            path("authorized_keys"),
        );
        fs::write(directory.path().join("sshd_config"), config).unwrap();
        let mut child = Command::new(program)
            .args(["-D", "-e", "-f", &path("sshd_config")])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let said = Arc::new(Mutex::new(Vec::new()));
        let (lines, says) = (BufReader::new(child.stderr.take().unwrap()).lines(), Arc::clone(&said));
        std::thread::spawn(move || {
            lines.map_while(Result::ok).for_each(|line| says.lock().unwrap().push(line))
        });
        let mut server =
            Self { address: SocketAddr::from(([127, 0, 0, 1], ports[0])), directory, child, said };
        let begin = Instant::now();
        loop {
            let said = server.said();
            if ports.iter().all(|port| said.contains(&format!("listening on 127.0.0.1 port {port}."))) {
                return Ok(server);
            }
            if said.contains("Address already in use") {
                return Err(Taken { directory: server.stop(), said });
            }
            let ended = server.child.try_wait().unwrap().is_some();
            assert!(!ended || begin.elapsed() < Duration::from_secs(5), "sshd ended: {said}");
            assert!(begin.elapsed() < PATIENCE, "sshd does not listen: {said}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// What it wrote to its log.
    pub fn said(&self) -> String {
        self.said.lock().unwrap().join("\n")
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub fn user_key(&self) -> String {
        fs::read_to_string(self.path("user_key")).unwrap()
    }

    /// The line about it for a file of host keys.
    pub fn known_hosts(&self) -> String {
        let key = fs::read_to_string(self.path("host_key.pub")).unwrap();
        format!("[127.0.0.1]:{} {key}", self.address.port())
    }

    /// A grant for it alone, with its key known and the user's key as credential.
    pub fn grant(&self) -> String {
        format!(
            "targets = [\"{}\"]\nknown_hosts = \"known_hosts\"\ncredential = {{ user = \"{}\", key = \"key\" }}",
            self.address,
            user()
        )
    }

    /// The processes that serve its connections.
    pub fn children(&self) -> Vec<i32> {
        children_of(self.child.id())
    }

    /// Kills the processes that serve its connections.
    pub fn kill_sessions(&self) {
        for child in self.children() {
            let pid = rustix::process::Pid::from_raw(child).unwrap();
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
        }
    }

    fn end(&mut self) {
        self.kill_sessions();
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Somebody else has a port.
struct Taken {
    directory: TempDir,
    said: String,
}

impl Taken {
    fn unless_for_long(self, begin: Instant) -> TempDir {
        assert!(begin.elapsed() < PATIENCE, "no port is free: {}", self.said);
        self.directory
    }
}

impl Drop for Sshd {
    fn drop(&mut self) {
        self.end();
    }
}

/// Direct children of a process.
fn children_of(parent: u32) -> Vec<i32> {
    let mut children = Vec::new();
    for entry in fs::read_dir("/proc").unwrap().filter_map(Result::ok) {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse::<i32>().ok()) else {
            continue;
        };
        let Ok(stat) = fs::read_to_string(entry.path().join("stat")) else { continue };
        // The second field is a name in parentheses, which may hold anything.
        let after = stat.rsplit(')').next().unwrap_or_default();
        if after.split_whitespace().nth(1) == Some(parent.to_string().as_str()) {
            children.push(pid);
        }
    }
    children
}

/// Makes a key pair.
pub fn keygen(path: &Path, kind: &str, passphrase: &str) {
    let made = Command::new("ssh-keygen")
        .args(["-q", "-t", kind, "-N", passphrase, "-C", "", "-f"])
        .arg(path)
        .status()
        .expect("ssh-keygen is missing: install it (Debian: `apt-get install openssh-client`)");
    assert!(made.success());
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}

/// Who runs the tests.
pub fn user() -> String {
    let id = Command::new("id").arg("-un").output().unwrap();
    String::from_utf8(id.stdout).unwrap().trim().to_owned()
}

/// A port at which nobody listens, and which nobody else gets while this is held.
pub struct Nobody(TcpSocket);

impl Nobody {
    pub fn anywhere() -> Self {
        Self::at(0).unwrap()
    }

    /// Where somebody listened until now.
    pub async fn after(server: Sshd) -> Self {
        let (port, begin) = (server.address.port(), Instant::now());
        drop(server);
        loop {
            match Self::at(port) {
                Ok(nobody) => return nobody,
                Err(error) => assert!(begin.elapsed() < PATIENCE, "port {port}: {error}"),
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    fn at(port: u16) -> std::io::Result<Self> {
        let socket = TcpSocket::new_v4()?;
        socket.set_reuseaddr(true)?;
        socket.bind(SocketAddr::from(([127, 0, 0, 1], port)))?;
        Ok(Self(socket))
    }

    pub fn port(&self) -> u16 {
        self.0.local_addr().unwrap().port()
    }
}

/// A port that nobody listens on now.
pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

//! A real Mosquitto broker on free ports of loopback.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use bytes::Bytes;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rumqttc::{AsyncClient, Event, MqttOptions, Packet, PublishOptions, QoS};
use tempfile::TempDir;
use tokio::sync::mpsc;

/// Where Debian, others, and macOS put it.
const DIRECTORIES: [&str; 3] = ["/usr/sbin", "/usr/local/sbin", "/opt/homebrew/sbin"];

/// Only to end a test that hangs.
const PATIENCE: Duration = Duration::from_secs(60);

/// A broker.
pub struct Mosquitto {
    /// Plain MQTT.
    pub address: SocketAddr,
    pub websocket: SocketAddr,
    /// For clients that show a certificate of its authority.
    pub tls: SocketAddr,
    pub wss: SocketAddr,
    pub directory: TempDir,
    authority: CertifiedIssuer<'static, KeyPair>,
    lines: String,
    child: Child,
    said: Arc<Mutex<Vec<String>>>,
}

impl Mosquitto {
    pub async fn start() -> Self {
        Self::with("allow_anonymous true").await
    }

    /// That knows `fleet` with the password `s3cr3t-p4ssword`, and who may use what.
    pub async fn strict(acl: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let file = |name: &str| directory.path().join(name).display().to_string();
        fs::write(file("passwords"), "fleet:s3cr3t-p4ssword\n").unwrap();
        fs::set_permissions(file("passwords"), fs::Permissions::from_mode(0o600)).unwrap();
        let hashed = Command::new("mosquitto_passwd").args(["-U", &file("passwords")]).status();
        assert!(hashed.expect("mosquitto_passwd comes with mosquitto").success());
        fs::write(file("acl"), acl).unwrap();
        fs::set_permissions(file("acl"), fs::Permissions::from_mode(0o600)).unwrap();
        let lines =
            format!("allow_anonymous false\npassword_file {}\nacl_file {}", file("passwords"), file("acl"));
        Self::in_directory(directory, &lines).await
    }

    /// With lines for its configuration.
    pub async fn with(lines: &str) -> Self {
        Self::in_directory(tempfile::tempdir().unwrap(), lines).await
    }

    async fn in_directory(directory: TempDir, lines: &str) -> Self {
        let authority = certificates(directory.path());
        let [address, websocket, tls, wss] = free_addresses();
        let child = spawn(directory.path(), lines, [address, websocket, tls, wss]);
        let mut broker = Self {
            address,
            websocket,
            tls,
            wss,
            directory,
            authority,
            lines: lines.to_owned(),
            child,
            said: Arc::default(),
        };
        let begin = Instant::now();
        while !broker.listens().await {
            assert!(begin.elapsed() < PATIENCE, "mosquitto does not listen: {}", broker.said());
            let [address, websocket, tls, wss] = free_addresses();
            (broker.address, broker.websocket, broker.tls, broker.wss) = (address, websocket, tls, wss);
            broker.child = broker.spawned();
        }
        broker
    }

    fn spawned(&self) -> Child {
        spawn(self.directory.path(), &self.lines, [self.address, self.websocket, self.tls, self.wss])
    }

    /// False: it has ended, since another has one of its ports.
    async fn listens(&mut self) -> bool {
        let before = self.said.lock().unwrap().len();
        let lines = BufReader::new(self.child.stderr.take().unwrap()).lines();
        let said = Arc::clone(&self.said);
        std::thread::spawn(move || {
            lines.map_while(Result::ok).for_each(|line| said.lock().unwrap().push(line))
        });
        let begin = Instant::now();
        let mut ended = None;
        loop {
            let all = [self.address, self.websocket, self.tls];
            // One that has ended may have left its ports to somebody else.
            if self.child.try_wait().unwrap().is_some() {
                let taken = self.said.lock().unwrap()[before..].iter().any(|line| line.contains("in use"));
                if taken {
                    return false;
                }
                // What it said comes a moment later.
                let since = *ended.get_or_insert_with(Instant::now);
                assert!(since.elapsed() < Duration::from_secs(5), "mosquitto ended: {}", self.said());
            } else if all.iter().all(|address| TcpStream::connect(address).is_ok()) {
                return true;
            }
            assert!(begin.elapsed() < PATIENCE, "mosquitto does not listen: {}", self.said());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Waits until it has seen the end of every connection of this client since it was started last.
    pub async fn left(&self, client: &str) {
        let begin = Instant::now();
        loop {
            let said = self.said();
            let said = said.rsplit(" starting").next().unwrap_or_default();
            let came = said.matches(&format!(" as {client} (")).count();
            let ended = ["disconnected", "closed its connection", "closing old connection", "not authorised"];
            let of = |line: &&str| line.contains(&format!("Client {client} "));
            let went = said.lines().filter(of).filter(|line| ended.iter().any(|end| line.contains(end)));
            if went.count() >= came {
                return;
            }
            assert!(begin.elapsed() < PATIENCE, "{client} stays: {said}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// What it wrote to its log.
    pub fn said(&self) -> String {
        self.said.lock().unwrap().join("\n")
    }

    /// Ends it as a power cut would.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// The same on the same ports. It knows what it wrote down before.
    pub async fn again(&mut self) {
        self.kill();
        let begin = Instant::now();
        loop {
            self.child = self.spawned();
            if self.listens().await {
                return;
            }
            assert!(begin.elapsed() < PATIENCE, "its ports are taken: {}", self.said());
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// The same with another certificate of its authority.
    pub async fn certified(&mut self, name: &str, change: impl FnOnce(&mut CertificateParams)) {
        certify(self.directory.path(), "server", name, &self.authority, change);
        self.again().await;
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    /// A client of another program's.
    pub async fn device(&self) -> Device {
        Device::connect(self.address, None).await
    }
}

impl Drop for Mosquitto {
    fn drop(&mut self) {
        self.kill();
    }
}

fn spawn(directory: &Path, lines: &str, [plain, websocket, tls, wss]: [SocketAddr; 4]) -> Child {
    let program =
        DIRECTORIES.iter().map(|place| Path::new(place).join("mosquitto")).find(|path| path.exists());
    let program = program.expect("mosquitto is missing: install it (Debian: `apt-get install mosquitto`)");
    let path = |name: &str| directory.join(name).display().to_string();
    let root = if rustix_is_root() { "user root\n" } else { "" };
    let certificates = format!(
        "cafile {}\ncertfile {}\nkeyfile {}\n",
        path("ca.pem"),
        path("server.pem"),
        path("server.key")
    );
    let config = format!(
        "{root}{lines}\npersistence true\npersistence_location {}/\nautosave_interval 1\nlog_dest stderr\nlog_type all\n\
         listener {} 127.0.0.1\n\
         listener {} 127.0.0.1\nprotocol websockets\n\
         listener {} 127.0.0.1\n{certificates}require_certificate true\n\
         listener {} 127.0.0.1\nprotocol websockets\n{certificates}",
        directory.display(),
        plain.port(),
        websocket.port(),
        tls.port(),
        wss.port(),
    );
    fs::write(directory.join("mosquitto.conf"), config).unwrap();
    Command::new(program)
        .args(["-c", &path("mosquitto.conf")])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

fn rustix_is_root() -> bool {
    let id = Command::new("id").arg("-u").output().unwrap();
    id.stdout.starts_with(b"0\n")
}

/// An authority, a server's certificate for `localhost`, and a client's.
fn certificates(directory: &Path) -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, "the test's authority");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    write(directory, "ca.pem", &authority.pem());
    for owner in ["server", "client"] {
        certify(directory, owner, "localhost", &authority, |_| ());
    }
    authority
}

/// A certificate for this name, and its key.
fn certify(
    directory: &Path,
    owner: &str,
    name: &str,
    authority: &CertifiedIssuer<'static, KeyPair>,
    change: impl FnOnce(&mut CertificateParams),
) {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
    params.distinguished_name.push(DnType::CommonName, owner);
    change(&mut params);
    write(directory, &format!("{owner}.pem"), &params.signed_by(&key, authority).unwrap().pem());
    write(directory, &format!("{owner}.key"), &key.serialize_pem());
}

fn write(directory: &Path, name: &str, pem: &str) {
    fs::write(directory.join(name), pem).unwrap();
    fs::set_permissions(directory.join(name), fs::Permissions::from_mode(0o600)).unwrap();
}

/// Ports that nobody listens on now, and that the system gives to nobody who connects somewhere: those begin at 32,768.
pub fn free_addresses<const N: usize>() -> [SocketAddr; N] {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    [(); N].map(|()| {
        for _ in 0..10_000 {
            let offset = std::process::id() * 61 + NEXT.fetch_add(1, Ordering::Relaxed);
            let port = 12_000 + u16::try_from(offset % 20_000).unwrap();
            let address = SocketAddr::from(([127, 0, 0, 1], port));
            if TcpListener::bind(address).is_ok() {
                return address;
            }
        }
        panic!("no port is free");
    })
}

/// A client of another program's: a device, or somebody who watches. Its session is clean.
pub struct Device {
    client: AsyncClient,
    heard: mpsc::UnboundedReceiver<rumqttc::Publish>,
}

impl Device {
    pub async fn connect(address: SocketAddr, login: Option<(&str, &str)>) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let mut options =
            MqttOptions::new(format!("device{number}"), (address.ip().to_string(), address.port()));
        options.set_max_packet_size(32 << 20, 32 << 20);
        if let Some((user, password)) = login {
            options.set_credentials(user, password.to_owned());
        }
        let (client, mut events) = AsyncClient::builder(options).unbounded().build();
        let (tell, heard) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            while let Ok(event) = events.poll().await {
                if let Event::Incoming(Packet::Publish(message)) = event {
                    let _ = tell.send(message);
                }
            }
        });
        Self { client, heard }
    }

    pub async fn publish(&self, topic: &str, payload: impl Into<Bytes>) {
        self.publish_with(topic, payload, PublishOptions::at_least_once()).await;
    }

    pub async fn retain(&self, topic: &str, payload: impl Into<Bytes>) {
        self.publish_with(topic, payload, PublishOptions::at_least_once().retained()).await;
    }

    pub async fn publish_with(&self, topic: &str, payload: impl Into<Bytes>, options: PublishOptions) {
        let notice = self.client.publish_tracked(topic, payload.into(), options).await.unwrap();
        notice.wait_completion_async().await.unwrap();
    }

    pub async fn subscribe(&self, filter: &str) {
        self.client.subscribe_tracked(filter, QoS::ExactlyOnce).await.unwrap().wait_async().await.unwrap();
    }

    /// The next message.
    pub async fn hears(&mut self) -> (String, Vec<u8>) {
        let message = self.next().await;
        (String::from_utf8(message.topic.to_vec()).unwrap(), message.payload.to_vec())
    }

    pub async fn next(&mut self) -> rumqttc::Publish {
        let heard = tokio::time::timeout(PATIENCE, self.heard.recv()).await;
        heard.expect("a message within a minute").expect("the connection stands")
    }

    /// What came until now.
    pub fn heard(&mut self) -> Vec<rumqttc::Publish> {
        std::iter::from_fn(|| self.heard.try_recv().ok()).collect()
    }
}

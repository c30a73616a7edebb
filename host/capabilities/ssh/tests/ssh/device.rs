//! A small router, for what an OpenSSH server does not do: prompts, an enable password, pages, odd logins, old
//! algorithms, connections that break. It writes down everything that it hears.

mod line;
mod talk;

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use russh::keys::PrivateKey;
use russh::server::{Config, run_stream};
use russh::{MethodKind, MethodSet, Preferred};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::sshd::keygen;
use crate::world::World;
use talk::Talk;

pub const USER: &str = "netops";
pub const PASSWORD: &str = "p4ssw0rd-of-netops";
pub const ENABLE: &str = "en4ble-the-router";

/// Its host key, made once for a run of the tests.
fn host_key() -> PrivateKey {
    static KEY: OnceLock<String> = OnceLock::new();
    let key = KEY.get_or_init(|| {
        let directory = tempfile::tempdir().unwrap();
        keygen(&directory.path().join("key"), "ed25519", "");
        std::fs::read_to_string(directory.path().join("key")).unwrap()
    });
    PrivateKey::from_openssh(key).unwrap()
}

/// How the router behaves.
#[derive(Clone)]
pub struct Setup {
    pub methods: Vec<MethodKind>,
    /// What it asks with `keyboard-interactive`, with whether it shows the answer.
    pub questions: Vec<(&'static str, bool)>,
    /// Another factor after the password.
    pub more: bool,
    /// Sessions on one connection.
    pub sessions: usize,
    pub banner: Option<&'static str>,
    pub preferred: Preferred,
    pub exec: bool,
    pub shell: bool,
    /// Whether it shows what is typed.
    pub echo: bool,
    /// It shows passwords too, with this after every fifth character.
    pub shows_passwords: Option<&'static str>,
    /// It asks for a name before it asks for the password of `enable`.
    pub asks_for_name: bool,
    /// It repeats the password that it got wherever it may say something.
    pub reflects: bool,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            methods: vec![MethodKind::Password],
            questions: vec![("Password: ", false)],
            more: false,
            sessions: 16,
            banner: None,
            preferred: Preferred::default(),
            exec: true,
            shell: true,
            echo: true,
            shows_passwords: None,
            asks_for_name: false,
            reflects: false,
        }
    }
}

/// A router that listens.
pub struct Router {
    pub address: SocketAddr,
    shared: Arc<Shared>,
    stop: CancellationToken,
}

struct Shared {
    setup: Setup,
    heard: Mutex<Vec<String>>,
    accepted: AtomicUsize,
    live: AtomicUsize,
    open: AtomicUsize,
    /// The password that it got last.
    password: Mutex<String>,
    cut: Mutex<CancellationToken>,
}

impl Router {
    pub async fn start() -> Self {
        Self::with(Setup::default()).await
    }

    pub async fn with(setup: Setup) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let config = Arc::new(Config {
            methods: MethodSet::from(setup.methods.as_slice()),
            auth_rejection_time: Duration::ZERO,
            auth_rejection_time_initial: Some(Duration::ZERO),
            keys: vec![host_key()],
            preferred: setup.preferred.clone(),
            ..Config::default()
        });
        let shared = Arc::new(Shared {
            setup,
            heard: Mutex::default(),
            accepted: AtomicUsize::new(0),
            live: AtomicUsize::new(0),
            open: AtomicUsize::new(0),
            password: Mutex::default(),
            cut: Mutex::default(),
        });
        let stop = CancellationToken::new();
        let (serving, stopped) = (Arc::clone(&shared), stop.clone());
        tokio::spawn(async move {
            loop {
                let stream = tokio::select! {
                    accepted = listener.accept() => accepted.unwrap().0,
                    () = stopped.cancelled() => return,
                };
                serving.accepted.fetch_add(1, Ordering::SeqCst);
                serving.live.fetch_add(1, Ordering::SeqCst);
                let (shared, config, stopped) = (Arc::clone(&serving), Arc::clone(&config), stopped.clone());
                let cut = shared.cut.lock().unwrap().clone();
                tokio::spawn(async move {
                    let handler = Talk::new(&shared);
                    let served = async {
                        if let Ok(session) = run_stream(config, stream, handler).await {
                            let handle = session.handle();
                            tokio::select! {
                                _ = session => {}
                                () = cut.cancelled() => {
                                    let _ = handle.disconnect(
                                        russh::Disconnect::ByApplication, shared.last_words("reload"), "".into(),
                                    ).await;
                                }
                            }
                        }
                    };
                    tokio::select! { () = served => {}, () = stopped.cancelled() => {} }
                    shared.live.fetch_sub(1, Ordering::SeqCst);
                });
            }
        });
        Self { address, shared, stop }
    }

    /// Everything that it heard, in order.
    pub fn heard(&self) -> Vec<String> {
        self.shared.heard.lock().unwrap().clone()
    }

    /// How often it heard something that begins so.
    pub fn count(&self, begin: &str) -> usize {
        self.heard().iter().filter(|heard| heard.starts_with(begin)).count()
    }

    /// Connections that were made to it.
    pub fn accepted(&self) -> usize {
        self.shared.accepted.load(Ordering::SeqCst)
    }

    /// Connections that are there.
    pub fn live(&self) -> usize {
        self.shared.live.load(Ordering::SeqCst)
    }

    /// Sessions that are open.
    pub fn open(&self) -> usize {
        self.shared.open.load(Ordering::SeqCst)
    }

    /// Says good-bye on every connection.
    pub fn hang_up(&self) {
        let mut cut = self.shared.cut.lock().unwrap();
        cut.cancel();
        *cut = CancellationToken::new();
    }

    /// The line about it for a file of host keys.
    pub fn known_hosts(&self) -> String {
        let key = host_key().public_key().to_openssh().unwrap();
        format!("[127.0.0.1]:{} {key}\n", self.address.port())
    }

    /// A grant for it alone.
    pub fn grant(&self) -> String {
        format!(
            "targets = [\"{}\"]\nknown_hosts = \"known_hosts\"\nenable = \"enable\"\n\
             credential = {{ user = \"{USER}\", password = \"password\" }}",
            self.address
        )
    }

    pub fn world(&self) -> World {
        self.world_with("")
    }

    /// A world with more lines in the grant.
    pub fn world_with(&self, lines: &str) -> World {
        let world = World::new(&format!("{}\n{lines}", self.grant()))
            .secret("password", PASSWORD)
            .secret("enable", ENABLE);
        world.write("known_hosts", &self.known_hosts());
        world
    }
}

impl Drop for Router {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl Shared {
    fn hear(&self, what: impl Into<String>) {
        self.heard.lock().unwrap().push(what.into());
    }

    /// What it says at the end.
    fn last_words(&self, words: &str) -> String {
        match self.setup.reflects {
            true => format!("{words}: you said {}", self.password.lock().unwrap()),
            false => words.to_owned(),
        }
    }
}

//! A small router, for what an OpenSSH server does not do: prompts, an enable password, pages, odd logins, old
//! algorithms, connections that break. It writes down everything that it hears.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use russh::keys::PrivateKey;
use russh::server::{
    Auth, ChannelOpenHandle, Config, Handle, Handler, Msg, Response, Session, VerifiedPublicKey, run_stream,
};
use russh::{Channel, ChannelId, ChannelMsg, ChannelOpenFailure, MethodKind, MethodSet, Preferred, Pty, Sig};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::sshd::keygen;
use crate::world::World;

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
                    let handler = Talk {
                        shared: Arc::clone(&shared),
                        channels: HashMap::new(),
                        open: Open { own: Arc::default(), all: Arc::clone(&shared) },
                        asked: false,
                    };
                    let served = async {
                        if let Ok(session) = run_stream(config, stream, handler).await {
                            let handle = session.handle();
                            tokio::select! {
                                _ = session => {}
                                () = cut.cancelled() => {
                                    let _ = handle.disconnect(
                                        russh::Disconnect::ByApplication, "reload".into(), "".into(),
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
}

/// One connection.
struct Talk {
    shared: Arc<Shared>,
    channels: HashMap<ChannelId, Channel<Msg>>,
    open: Open,
    asked: bool,
}

/// The sessions of one connection that are open.
#[derive(Clone)]
struct Open {
    own: Arc<Mutex<HashSet<ChannelId>>>,
    all: Arc<Shared>,
}

impl Open {
    fn begin(&self, channel: ChannelId) {
        self.own.lock().unwrap().insert(channel);
        self.all.open.fetch_add(1, Ordering::SeqCst);
    }

    fn end(&self, channel: ChannelId) {
        if self.own.lock().unwrap().remove(&channel) {
            self.all.open.fetch_sub(1, Ordering::SeqCst);
        }
    }
}

impl Drop for Talk {
    fn drop(&mut self) {
        let left: Vec<_> = self.open.own.lock().unwrap().iter().copied().collect();
        left.into_iter().for_each(|channel| self.open.end(channel));
    }
}

impl Talk {
    fn judge(&self, right: bool, how: &str) -> Auth {
        self.shared.hear(format!("login by {how}: {}", if right { "right" } else { "wrong" }));
        match right {
            true if self.shared.setup.more => Auth::Reject {
                proceed_with_methods: Some(MethodSet::from(&[MethodKind::PublicKey][..])),
                partial_success: true,
            },
            true => Auth::Accept,
            false => Auth::reject(),
        }
    }
}

impl Handler for Talk {
    type Error = russh::Error;

    async fn authentication_banner(&mut self) -> Result<Option<String>, Self::Error> {
        Ok(self.shared.setup.banner.map(str::to_owned))
    }

    async fn auth_password(&mut self, user: &str, password: &str) -> Result<Auth, Self::Error> {
        Ok(self.judge(user == USER && password == PASSWORD, "password"))
    }

    async fn auth_publickey(&mut self, _: &str, _: VerifiedPublicKey<'_>) -> Result<Auth, Self::Error> {
        Ok(self.judge(true, "key"))
    }

    async fn auth_keyboard_interactive<'a>(
        &mut self,
        user: &str,
        _: &str,
        response: Option<Response<'a>>,
    ) -> Result<Auth, Self::Error> {
        let questions = &self.shared.setup.questions;
        let Some(response) = response else {
            self.asked = true;
            let prompts = questions.iter().map(|(question, echo)| (Cow::Borrowed(*question), *echo));
            return Ok(Auth::Partial {
                name: "".into(),
                instructions: "".into(),
                prompts: Cow::Owned(prompts.collect()),
            });
        };
        let answers: Vec<_> =
            response.map(|answer| String::from_utf8_lossy(answer.as_ref()).into_owned()).collect();
        let right = user == USER
            && answers.len() == questions.len()
            && answers.iter().zip(questions).all(|(answer, (_, echo))| match echo {
                true => answer == USER,
                false => answer == PASSWORD,
            });
        Ok(self.judge(right, "questions"))
    }

    async fn channel_open_session(
        &mut self,
        channel: Channel<Msg>,
        reply: ChannelOpenHandle,
        _: &mut Session,
    ) -> Result<(), Self::Error> {
        if self.open.own.lock().unwrap().len() >= self.shared.setup.sessions {
            self.shared.hear("session refused");
            reply.reject(ChannelOpenFailure::AdministrativelyProhibited).await;
            return Ok(());
        }
        self.open.begin(channel.id());
        self.channels.insert(channel.id(), channel);
        reply.accept().await;
        Ok(())
    }

    async fn pty_request(
        &mut self,
        channel: ChannelId,
        term: &str,
        columns: u32,
        rows: u32,
        _: u32,
        _: u32,
        _: &[(Pty, u32)],
        session: &mut Session,
    ) -> Result<(), Self::Error> {
        self.shared.hear(format!("terminal {term} {columns}x{rows}"));
        session.channel_success(channel)
    }

    async fn shell_request(&mut self, channel: ChannelId, session: &mut Session) -> Result<(), Self::Error> {
        let Some(opened) = self.channels.remove(&channel).filter(|_| self.shared.setup.shell) else {
            return session.channel_failure(channel);
        };
        session.channel_success(channel)?;
        let line = Line::new(Arc::clone(&self.shared), opened, session.handle());
        let open = self.open.clone();
        tokio::spawn(async move {
            line.run().await;
            open.end(channel);
        });
        Ok(())
    }

    async fn exec_request(
        &mut self,
        channel: ChannelId,
        command: &[u8],
        session: &mut Session,
    ) -> Result<(), Self::Error> {
        let command = String::from_utf8_lossy(command).into_owned();
        self.shared.hear(format!("exec {command}"));
        let Some(opened) = self.channels.remove(&channel).filter(|_| self.shared.setup.exec) else {
            return session.channel_failure(channel);
        };
        session.channel_success(channel)?;
        let mut line = Line::new(Arc::clone(&self.shared), opened, session.handle());
        let open = self.open.clone();
        tokio::spawn(async move {
            line.once(&command).await;
            open.end(channel);
        });
        Ok(())
    }

    async fn signal(&mut self, _: ChannelId, signal: Sig, _: &mut Session) -> Result<(), Self::Error> {
        self.shared.hear(format!("signal {signal:?}"));
        Ok(())
    }

    async fn channel_close(&mut self, channel: ChannelId, _: &mut Session) -> Result<(), Self::Error> {
        self.shared.hear("close");
        self.open.end(channel);
        Ok(())
    }

    async fn agent_request(&mut self, _: ChannelId, _: &mut Session) -> Result<bool, Self::Error> {
        self.shared.hear("agent forwarding");
        Ok(false)
    }
}

/// One line to the router.
struct Line {
    shared: Arc<Shared>,
    channel: Channel<Msg>,
    handle: Handle,
    typed: Vec<u8>,
    enabled: bool,
    configuring: bool,
    /// It asks for a password.
    asks: bool,
    /// Pages that are left.
    pages: usize,
}

impl Line {
    fn new(shared: Arc<Shared>, channel: Channel<Msg>, handle: Handle) -> Self {
        Self {
            shared,
            channel,
            handle,
            typed: Vec::new(),
            enabled: false,
            configuring: false,
            asks: false,
            pages: 0,
        }
    }

    async fn say(&self, text: &str) {
        let _ = self.channel.data_bytes(text.as_bytes().to_vec()).await;
    }

    async fn prompt(&self) {
        let prompt = match (self.enabled, self.configuring) {
            (_, true) => "R1(config)#",
            (true, false) => "R1#",
            (false, false) => "R1>",
        };
        self.say(prompt).await;
    }

    async fn run(mut self) {
        self.say("\r\nR1 at your service\r\n").await;
        self.prompt().await;
        loop {
            match self.channel.wait().await {
                Some(ChannelMsg::Data { data }) => {
                    for byte in data {
                        if !self.hear(byte).await {
                            return;
                        }
                    }
                }
                Some(ChannelMsg::Close) | None => {
                    self.shared.hear("terminal gone");
                    return;
                }
                Some(_) => {}
            }
        }
    }

    /// One character. False: the terminal is closed.
    async fn hear(&mut self, byte: u8) -> bool {
        if self.pages > 0 {
            self.shared.hear(format!("key {}", byte.escape_ascii()));
            self.pages = if byte == b' ' { self.pages - 1 } else { 0 };
            self.say("\r          \r").await;
            self.page().await;
            return true;
        }
        match byte {
            b'\n' | b'\r' => {
                let line = String::from_utf8_lossy(&std::mem::take(&mut self.typed)).into_owned();
                self.say("\r\n").await;
                self.line(&line).await
            }
            3 | 26 => {
                self.shared.hear(format!("key {byte}"));
                self.typed.clear();
                self.configuring = false;
                self.say("\r\n").await;
                self.prompt().await;
                true
            }
            byte => {
                self.typed.push(byte);
                if self.shared.setup.echo && !self.asks {
                    let _ = self.channel.data_bytes(vec![byte]).await;
                }
                true
            }
        }
    }

    async fn page(&mut self) {
        if self.pages == 0 {
            self.prompt().await;
        } else {
            self.say(&format!("page {}\r\n --More-- ", 4 - self.pages)).await;
        }
    }

    /// One line. False: the terminal is closed.
    async fn line(&mut self, line: &str) -> bool {
        if std::mem::take(&mut self.asks) {
            let right = line == ENABLE;
            self.shared.hear(format!("password {}", if right { "right" } else { "wrong" }));
            self.enabled |= right;
            if !right {
                self.say("% Access denied\r\n").await;
            }
            self.prompt().await;
            return true;
        }
        self.shared.hear(format!("line {line}"));
        match line {
            "enable" => {
                self.asks = true;
                self.say("Password: ").await;
                return true;
            }
            "configure terminal" if self.enabled => self.configuring = true,
            "end" => self.configuring = false,
            "show long" => {
                self.pages = 3;
                self.page().await;
                return true;
            }
            "reboot" => {
                let _ = self.handle.disconnect(russh::Disconnect::ByApplication, "".into(), "".into()).await;
                return false;
            }
            "exit" => {
                let id = self.channel.id();
                let _ = self.handle.exit_status_request(id, 7).await;
                let _ = self.handle.close(id).await;
                return false;
            }
            line => {
                let said = self.answer(line).await;
                self.say(&said).await;
            }
        }
        self.prompt().await;
        true
    }

    /// What a command prints.
    async fn answer(&self, command: &str) -> String {
        let mut said = String::new();
        match command.split_once(' ').unwrap_or((command, "")) {
            ("", _) => {}
            ("show", "version") => said.push_str("Version 15.2\r\n"),
            // As devices do where nobody told them to encrypt.
            ("show", "running-config") => {
                let _ = write!(
                    said,
                    "enable password {ENABLE}\r\nusername {USER} password 0 {PASSWORD}\r\nend\r\n"
                );
            }
            ("print", bytes) => {
                let mut left: usize = bytes.parse().unwrap();
                while left > 0 {
                    let piece = left.min(16 << 10);
                    let _ = self.channel.data_bytes(vec![b'x'; piece]).await;
                    left -= piece;
                }
            }
            ("slowly", text) => {
                for byte in text.bytes() {
                    let _ = self.channel.data_bytes(vec![byte]).await;
                    tokio::time::sleep(Duration::from_millis(30)).await;
                }
                said.push_str("\r\n");
            }
            ("ask", question) => {
                self.say(question).await;
                tokio::time::sleep(Duration::from_secs(60)).await;
            }
            ("wait", _) => std::future::pending().await,
            (other, _) if self.configuring => {
                let _ = write!(said, "applied {other}\r\n");
            }
            _ => said.push_str("% Invalid input detected\r\n"),
        }
        said
    }

    /// One command without a terminal.
    async fn once(&mut self, command: &str) {
        let id = self.channel.id();
        if command == "reboot" {
            let _ = self.handle.disconnect(russh::Disconnect::ByApplication, "".into(), "".into()).await;
            return;
        }
        if command.starts_with("wait") {
            loop {
                match self.channel.wait().await {
                    Some(ChannelMsg::Close) | None => return self.shared.hear("command gone"),
                    Some(_) => {}
                }
            }
        }
        let said = self.answer(command).await;
        self.say(&said).await;
        if command.starts_with("show") {
            let _ = self.handle.exit_status_request(id, 0).await;
        }
        let _ = self.handle.eof(id).await;
        let _ = self.handle.close(id).await;
    }
}

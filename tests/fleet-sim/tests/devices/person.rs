//! A person at a terminal: types lines and keys, and looks at what the device shows.

use std::sync::Arc;
use std::time::Duration;

use fleet_sim::devices::{Device, Devices, Setup};
use russh::client::{self, AuthResult, Handle, KeyboardInteractiveAuthResponse};
use russh::keys::{PublicKey, PublicKeyOrCertificate};
use russh::{Channel, ChannelMsg, Disconnect};

/// How long somebody waits before they give up.
const PATIENCE: Duration = Duration::from_secs(60);

/// What a client notices while it connects.
pub struct Eyes {
    noticed: Arc<std::sync::Mutex<(Option<PublicKey>, Option<String>)>>,
}

impl client::Handler for Eyes {
    type Error = russh::Error;

    async fn check_server_key(&mut self, key: &PublicKeyOrCertificate) -> Result<bool, Self::Error> {
        if let PublicKeyOrCertificate::PublicKey { key, .. } = key {
            self.noticed.lock().unwrap().0 = Some(key.clone());
        }
        Ok(true)
    }

    async fn auth_banner(&mut self, banner: &str, _: &mut client::Session) -> Result<(), Self::Error> {
        self.noticed.lock().unwrap().1 = Some(banner.to_owned());
        Ok(())
    }
}

/// A connection to a device.
pub struct Wire {
    pub handle: Handle<Eyes>,
    noticed: Arc<std::sync::Mutex<(Option<PublicKey>, Option<String>)>>,
}

impl Wire {
    /// Connects; nobody is logged in.
    pub async fn connect(device: &Device) -> Result<Self, russh::Error> {
        Self::connect_with(device, client::Config::default()).await
    }

    pub async fn connect_with(device: &Device, config: client::Config) -> Result<Self, russh::Error> {
        let noticed = Arc::default();
        let eyes = Eyes { noticed: Arc::clone(&noticed) };
        let handle = client::connect(Arc::new(config), device.address(), eyes).await?;
        Ok(Self { handle, noticed })
    }

    /// The key that the device showed, as it stands in a file of known keys.
    pub fn key(&self) -> String {
        self.noticed.lock().unwrap().0.as_ref().unwrap().to_openssh().unwrap()
    }

    /// What the device said before the login.
    pub fn banner(&self) -> Option<String> {
        self.noticed.lock().unwrap().1.clone()
    }

    /// Whether the password is taken.
    pub async fn password(&mut self, user: &str, password: &str) -> bool {
        matches!(self.handle.authenticate_password(user, password).await, Ok(AuthResult::Success))
    }

    /// Whether the answer to the one question is taken; the question comes along.
    pub async fn question(&mut self, user: &str, answer: &str) -> (bool, String) {
        let asked = self.handle.authenticate_keyboard_interactive_start(user, None::<String>).await.unwrap();
        let KeyboardInteractiveAuthResponse::InfoRequest { prompts, .. } = asked else {
            return (false, String::new());
        };
        let answered =
            self.handle.authenticate_keyboard_interactive_respond(vec![answer.to_owned()]).await.unwrap();
        (matches!(answered, KeyboardInteractiveAuthResponse::Success), prompts[0].prompt.clone())
    }

    /// Runs a command without a terminal: what it printed, its errors, its exit status.
    pub async fn exec(&self, command: &str) -> (String, String, Option<u32>) {
        let mut channel = self.handle.channel_open_session().await.unwrap();
        channel.exec(true, command).await.unwrap();
        let (mut out, mut err, mut status) = (Vec::new(), Vec::new(), None);
        while let Some(message) = channel.wait().await {
            match message {
                ChannelMsg::Data { data } => out.extend_from_slice(&data),
                ChannelMsg::ExtendedData { data, .. } => err.extend_from_slice(&data),
                ChannelMsg::ExitStatus { exit_status } => status = Some(exit_status),
                _ => {}
            }
        }
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        (text(out), text(err), status)
    }
}

/// Somebody at a terminal.
pub struct Person {
    pub wire: Wire,
    channel: Channel<client::Msg>,
    seen: String,
}

impl Person {
    /// Starts a device and sits down at it, 80 columns by 24 rows.
    pub async fn at(setup: Setup) -> (Self, Devices) {
        let devices = Devices::start([setup]).await.unwrap();
        let person = Self::log_in(&devices.all()[0]).await;
        (person, devices)
    }

    pub async fn log_in(device: &Device) -> Self {
        Self::log_in_as(device, device.user(), 80, 24).await
    }

    pub async fn log_in_as(device: &Device, user: &str, columns: u32, rows: u32) -> Self {
        let mut wire = Wire::connect(device).await.unwrap();
        if !wire.password(user, device.password()).await {
            assert!(wire.question(user, device.password()).await.0, "{} lets {user} in", device.hostname());
        }
        Self::sit_down(wire, columns, rows).await
    }

    pub async fn sit_down(wire: Wire, columns: u32, rows: u32) -> Self {
        let channel = wire.handle.channel_open_session().await.unwrap();
        channel.request_pty(true, "vt100", columns, rows, 0, 0, &[]).await.unwrap();
        channel.request_shell(true).await.unwrap();
        Self { wire, channel, seen: String::new() }
    }

    /// Types a line and enter.
    pub async fn types(&mut self, line: &str) {
        self.presses(&format!("{line}\r")).await;
    }

    /// Presses keys.
    pub async fn presses(&mut self, keys: &str) {
        self.channel.data_bytes(keys.as_bytes().to_vec()).await.unwrap();
    }

    /// What is shown up to this text and with it.
    pub async fn sees(&mut self, text: &str) -> String {
        let mut from = 0;
        loop {
            if let Some(at) = self.seen[from..].find(text).map(|at| from + at) {
                let rest = self.seen.split_off(at + text.len());
                return std::mem::replace(&mut self.seen, rest);
            }
            // What was searched once is not searched again: some outputs are very long.
            from = self.seen.floor_char_boundary(self.seen.len().saturating_sub(text.len()));
            assert!(self.look().await, "never saw {text:?}, but {:?}", self.seen);
        }
    }

    /// What is shown until this text stands at its end and nothing follows for a moment.
    pub async fn prompt(&mut self, prompt: &str) -> String {
        loop {
            while !self.seen.ends_with(prompt) {
                assert!(self.look().await, "never saw the prompt {prompt:?}, but {:?}", self.seen);
            }
            let more = tokio::time::timeout(Duration::from_millis(30), self.channel.wait()).await;
            match more {
                Err(_) => return std::mem::take(&mut self.seen),
                Ok(Some(ChannelMsg::Data { data })) => self.seen.push_str(&String::from_utf8_lossy(&data)),
                Ok(_) => {}
            }
        }
    }

    /// Types a line and waits for this prompt: what stands between the two.
    pub async fn asks(&mut self, line: &str, prompt: &str) -> String {
        self.types(line).await;
        let shown = self.prompt(prompt).await;
        let shown = shown.split_once('\n').map_or("", |(_, shown)| shown);
        shown.strip_suffix(prompt).unwrap_or(shown).to_owned()
    }

    /// Everything until the device closes the terminal.
    pub async fn end(&mut self) -> String {
        while self.look().await {}
        std::mem::take(&mut self.seen)
    }

    /// Gets up: the connection is closed in good order.
    pub async fn leaves(self) {
        let _ = self.wire.handle.disconnect(Disconnect::ByApplication, "", "").await;
    }

    async fn look(&mut self) -> bool {
        let looked = tokio::time::timeout(PATIENCE, self.channel.wait()).await;
        match looked.unwrap_or_else(|_| panic!("nothing more came after {:?}", self.seen)) {
            Some(ChannelMsg::Data { data }) => {
                self.seen.push_str(&String::from_utf8_lossy(&data));
                true
            }
            Some(ChannelMsg::Close) | None => false,
            Some(_) => true,
        }
    }
}

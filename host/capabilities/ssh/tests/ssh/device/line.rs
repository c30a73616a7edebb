//! One terminal or command of the router.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use russh::server::{Handle, Msg};
use russh::{Channel, ChannelMsg, Sig};

use super::{ENABLE, PASSWORD, Shared, USER};

/// One line to the router.
pub(super) struct Line {
    shared: Arc<Shared>,
    channel: Channel<Msg>,
    handle: Handle,
    typed: Vec<u8>,
    enabled: bool,
    configuring: bool,
    /// It asks for a password.
    asks: bool,
    /// It asks for a name.
    names: bool,
    /// Pages that are left.
    pages: usize,
}

impl Line {
    pub(super) fn new(shared: Arc<Shared>, channel: Channel<Msg>, handle: Handle) -> Self {
        Self {
            shared,
            channel,
            handle,
            typed: Vec::new(),
            enabled: false,
            configuring: false,
            asks: false,
            names: false,
            pages: 0,
        }
    }

    async fn say(&self, text: &str) {
        let _ = self.channel.data_bytes(text.as_bytes().to_vec()).await;
    }

    async fn say_byte(&self, byte: u8) {
        let _ = self.channel.data_bytes(vec![byte]).await;
    }

    async fn prompt(&self) {
        let prompt = match (self.enabled, self.configuring) {
            (_, true) => "R1(config)#",
            (true, false) => "R1#",
            (false, false) => "R1>",
        };
        self.say(prompt).await;
    }

    pub(super) async fn run(mut self) {
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
                match self.shared.setup.shows_passwords {
                    _ if self.shared.setup.echo && !self.asks => self.say_byte(byte).await,
                    Some(between) if self.asks => {
                        self.say_byte(byte).await;
                        if self.typed.len().is_multiple_of(5) {
                            self.say(between).await;
                        }
                    }
                    _ => {}
                }
                true
            }
        }
    }

    async fn hang_up(&self) {
        let words = self.shared.last_words("");
        let _ = self.handle.disconnect(russh::Disconnect::ByApplication, words, "".into()).await;
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
        let named = std::mem::take(&mut self.names);
        match line {
            "enable" if self.shared.setup.asks_for_name => {
                self.names = true;
                self.say("Username: ").await;
                return true;
            }
            _ if named => {
                self.asks = true;
                self.say("Password: ").await;
                return true;
            }
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
                self.hang_up().await;
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
            // The first characters, a pause, and the others.
            ("halting", text) => {
                let (first, others) = text.split_once('|').unwrap();
                self.say(first).await;
                tokio::time::sleep(Duration::from_millis(600)).await;
                let _ = write!(said, "{others}\r\n");
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
    pub(super) async fn once(&mut self, command: &str) {
        let id = self.channel.id();
        if command == "reboot" {
            self.hang_up().await;
            return;
        }
        if command == "crash" {
            let signal = Sig::Custom(self.shared.last_words("dump"));
            let _ = self.handle.exit_signal_request(id, signal, false, "".into(), "".into()).await;
            let _ = self.handle.close(id).await;
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

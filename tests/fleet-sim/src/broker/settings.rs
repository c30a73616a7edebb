//! What a broker is started with, and how mosquitto reads it: `mosquitto.conf`, `passwords`, `topics`.

use std::fmt::Write;
use std::path::Path;
use std::{fs, io};

use super::program;

/// What a test may choose about a broker.
#[derive(Debug, Clone, Default)]
pub struct Setup {
    /// Who may connect, and what each may do. None: anybody may do everything.
    pub accounts: Vec<Account>,
    /// TLS on the listener.
    pub tls: Tls,
    /// Whether sessions and messages outlive the process; a change is saved soon after it was acknowledged.
    pub persistent: bool,
    /// More lines for `mosquitto.conf`, before the listener (`max_packet_size 1000`, …).
    pub lines: Vec<String>,
}

/// Whether and how the listener speaks TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Tls {
    /// Plain TCP.
    #[default]
    Off,
    /// The broker shows a certificate of its own authority, for `localhost` and `127.0.0.1`.
    Server,
    /// The client must show one too.
    Mutual,
}

/// Somebody who may connect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// The user.
    pub user: String,
    /// Its password.
    pub password: String,
    /// Topic filters, and what may be done there; everything else is refused by the broker.
    pub topics: Vec<(May, String)>,
}

/// What an account may do at a topic filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum May {
    /// Subscribe.
    Read,
    /// Publish.
    Write,
    /// Both.
    Both,
}

impl Account {
    /// An account that may do everything.
    pub fn anything(user: &str, password: &str) -> Self {
        Self { user: user.into(), password: password.into(), topics: vec![(May::Both, "#".into())] }
    }
}

/// Writes `mosquitto.conf`.
pub(super) fn write(folder: &Path, port: u16, setup: &Setup) -> io::Result<()> {
    let at = |file: &str| folder.join(file).display().to_string();
    // Started by root it would become the user mosquitto, who cannot read this folder; any other user it stays.
    let mut conf = format!("user root\nper_listener_settings false\nlog_dest file {}\n", at("log"));
    conf += "log_type error\nlog_type warning\nlog_type notice\nlog_type information\nlog_type subscribe\n";
    if setup.accounts.is_empty() {
        conf += "allow_anonymous true\n";
    } else {
        conf += &format!("allow_anonymous false\npassword_file {}\n", at("passwords"));
        conf += &format!("acl_file {}\n", at("topics"));
    }
    if setup.persistent {
        conf += &format!("persistence true\npersistence_location {}/\n", folder.display());
        conf += "autosave_on_changes true\nautosave_interval 1\n";
    }
    // As many messages may wait for a client that is away as a minute of a thousand devices makes.
    conf += "max_queued_messages 100000\n";
    for line in &setup.lines {
        conf += line;
        conf.push('\n');
    }
    conf += &format!("listener {port} 127.0.0.1\n");
    if setup.tls != Tls::Off {
        conf += &format!("cafile {}\n", at("ca.pem"));
        conf += &format!("certfile {}\nkeyfile {}\n", at("server.pem"), at("server.key"));
    }
    if setup.tls == Tls::Mutual {
        conf += "require_certificate true\n";
    }
    fs::write(folder.join("mosquitto.conf"), conf)
}

/// Writes `passwords` (hashed) and `topics`.
pub(super) fn write_accounts(folder: &Path, accounts: &[Account]) -> io::Result<()> {
    let (mut passwords, mut topics) = (String::new(), String::new());
    for Account { user, password, topics: filters } in accounts {
        let _ = writeln!(passwords, "{user}:{password}");
        let _ = writeln!(topics, "user {user}");
        for (may, filter) in filters {
            let may = match may {
                May::Read => "read",
                May::Write => "write",
                May::Both => "readwrite",
            };
            let _ = writeln!(topics, "topic {may} {filter}");
        }
    }
    let hashed = folder.join("passwords");
    fs::write(&hashed, passwords)?;
    fs::write(folder.join("topics"), topics)?;
    if accounts.is_empty() {
        return Ok(());
    }
    let done = program::tool("mosquitto_passwd")?.arg("-U").arg(&hashed).output()?;
    if done.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&done.stderr).into_owned();
    Err(io::Error::other(format!("mosquitto_passwd ended with {}: {said}", done.status)))
}

//! What the operator gives: `[plugins.<binding>.grant.ssh.<name>]`.
//!
//! Everything is read once, here, into what the guard and the connections use. A grant narrows the request: a method
//! or a command that the plugin does not ask for is an error, since it can only be a misunderstanding.

use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use fleetgate_core::address::{Host, Opening};
use fleetgate_core::capability::Grant;
use fleetgate_core::diagnostic::{Document, Misspelt, Spanned, TableReader, quoted};
use fleetgate_core::settings::Secrets;
use fleetgate_core::units::{format_duration, format_size};

use crate::credential::Credential;
use crate::legacy::Legacy;
use crate::method::Methods;
use crate::pattern::Commands;
use crate::request::{SshRequest, read_narrower_commands, read_narrower_methods};
use crate::target::{PORT, Target, parse_host};

/// More entries than this are better summed up.
const MOST_TARGETS: usize = 1024;
/// Jump hosts, one behind the other.
const MOST_JUMPS: usize = 3;

/// Each with its default, its least and its most.
const CONNECTIONS: (i64, i64, i64) = (32, 1, 1024);
const PER_TARGET: (i64, i64, i64) = (4, 1, 64);
const CHANNELS: (i64, i64, i64) = (8, 1, 64);
const SESSIONS: (i64, i64, i64) = (64, 1, 1024);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(20);
const IDLE: Duration = Duration::from_secs(60);
const LONGEST_IDLE: Duration = Duration::from_secs(3600);
const OUTPUT: u64 = 4 << 20;
const MOST_OUTPUT: u64 = 64 << 20;

/// A parsed grant.
#[derive(Debug, Clone)]
pub(crate) struct SshGrant {
    /// Where it stands, for messages: `plugins.naas.grant.ssh.devices`.
    pub(crate) key: String,
    pub(crate) place: (Arc<Document>, Range<usize>),
    pub(crate) targets: Vec<Target>,
    pub(crate) networks: Vec<Opening>,
    pub(crate) methods: Option<Methods>,
    pub(crate) commands: Option<Commands>,
    pub(crate) login: Login,
    pub(crate) jump: Option<Box<Jump>>,
    pub(crate) host_keys: HostKeys,
    pub(crate) legacy: Legacy,
    pub(crate) limits: SshLimits,
}

/// With what to log in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Login {
    pub(crate) credential: Option<Credential>,
    /// The name of the secret that `enable` asks for.
    pub(crate) enable: Option<String>,
    /// Secret arguments of the call replace the credential.
    pub(crate) from_call: bool,
    /// The login's password is typed where a device asks for it.
    pub(crate) type_password: bool,
    /// Lines after which passwords are typed. None: those that are known.
    pub(crate) password_after: Option<Commands>,
}

/// How a device's key is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct HostKeys {
    /// Absolute.
    pub(crate) file: Option<PathBuf>,
    pub(crate) trust_on_first_use: bool,
}

/// A host on the way.
#[derive(Debug, Clone)]
pub(crate) struct Jump {
    pub(crate) host: Host,
    pub(crate) port: u16,
    pub(crate) credential: Credential,
    pub(crate) host_keys: HostKeys,
    /// It looks the targets' names up, and where they lead is not judged here.
    pub(crate) resolves: bool,
    pub(crate) legacy: Legacy,
    /// The host before it.
    pub(crate) jump: Option<Box<Jump>>,
}

/// What a grant may use up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SshLimits {
    /// Connections at once, to all targets.
    pub(crate) connections: usize,
    /// To one target with one credential.
    pub(crate) per_target: usize,
    /// Commands and terminals at once on one connection.
    pub(crate) channels: usize,
    /// Commands and terminals at once, of all calls together.
    pub(crate) sessions: usize,
    /// For name, connection and key exchange, and again for the login.
    pub(crate) connect_timeout: Duration,
    /// How long an unused connection is kept.
    pub(crate) idle: Duration,
    /// For one command. None: the call's time.
    pub(crate) timeout: Option<Duration>,
    /// What is kept of one command's output, and of what a terminal said and nobody read, in bytes.
    pub(crate) output: u64,
}

impl SshGrant {
    pub(crate) fn read(table: &mut TableReader<'_>, request: &SshRequest, secrets: &Secrets) -> Option<Self> {
        let targets = read_targets(table);
        let networks = Opening::read_networks(table);
        let methods = read_narrower_methods(table, request);
        let commands = read_narrower_commands(table, request);
        let login = Login {
            credential: Credential::read(table, secrets),
            enable: secrets.take(table, "enable"),
            from_call: table.bool("from_call").unwrap_or(false),
            type_password: table.bool("type_password").unwrap_or(false),
            password_after: Commands::read_key(table, "password_after")
                .map(|lines| Commands::new(lines.into_iter().map(Spanned::into_inner).collect())),
        };
        if !table.has("credential") && !login.from_call {
            table.error(
                "nothing says with what to log in",
                "add credential = { user = \"name\", password = \"secret\" }, or from_call = true to take it from the \
                 secret arguments of each call",
            );
        }
        let jump = read_jump(table, secrets, MOST_JUMPS);
        let host_keys = read_host_keys(table, secrets);
        let legacy = Legacy::read(table);
        let limits = read_limits(table);
        if table.failed() {
            return None;
        }
        Some(Self {
            key: table.key_path().to_owned(),
            place: (Arc::clone(table.document()), table.span()),
            targets,
            networks,
            methods,
            commands,
            login,
            jump,
            host_keys: host_keys?,
            legacy,
            limits,
        })
    }
}

impl Grant for SshGrant {
    fn describe(&self) -> Vec<String> {
        let targets: Vec<_> = self.targets.iter().map(Target::to_string).collect();
        let methods =
            self.methods.as_ref().map_or_else(|| "the methods it asks for".to_owned(), Methods::to_string);
        let mut lines = vec![format!("{methods} on {}", targets.join(", "))];
        match &self.commands {
            Some(commands) => lines.push(format!("the commands {commands}")),
            None => lines.push("any command that it asks for".into()),
        }
        if let Some(credential) = &self.login.credential {
            lines.push(format!("as {}", credential.describe()));
        }
        if self.login.from_call {
            lines.push("as whom the call's secret arguments say".into());
        }
        if let Some(enable) = &self.login.enable {
            lines.push(format!("the enable password is the secret {enable}"));
        }
        if self.login.type_password {
            lines.push("the login's password is typed too, where a device asks for it".into());
        }
        if let Some(after) = &self.login.password_after {
            lines.push(format!("passwords are typed after the lines {after}"));
        }
        if !self.networks.is_empty() {
            let networks: Vec<_> = self.networks.iter().map(Opening::to_string).collect();
            lines.push(format!("names may lead to {} beside public addresses", networks.join(", ")));
        }
        let mut jump = self.jump.as_deref();
        while let Some(hop) = jump {
            let Jump { host, port, credential, .. } = hop;
            lines.push(format!("by way of {host}:{port}, as {}", credential.describe()));
            if hop.resolves {
                lines.push(format!("{host} looks the names up: where they lead is not checked"));
            }
            jump = hop.jump.as_deref();
        }
        lines.push(self.host_keys.describe());
        if !self.legacy.names().is_empty() {
            lines.push(format!("with old algorithms: {}", self.legacy.names().join(", ")));
        }
        let limits = &self.limits;
        lines.push(format!(
            "at most {} connections ({} to one target), {} sessions, {} of output",
            limits.connections,
            limits.per_target,
            limits.sessions,
            format_size(limits.output)
        ));
        if let Some(timeout) = limits.timeout {
            lines.push(format!("at most {} for a command", format_duration(timeout)));
        }
        lines
    }
}

impl HostKeys {
    fn describe(&self) -> String {
        match (&self.file, self.trust_on_first_use) {
            (Some(file), false) => format!("host keys as in {}", file.display()),
            (Some(file), true) => {
                format!("host keys as in {}; an unknown host is trusted the first time", file.display())
            }
            (None, _) => "an unknown host is trusted the first time, and remembered".into(),
        }
    }
}

fn read_targets(table: &mut TableReader<'_>) -> Vec<Target> {
    if !table.has("targets") {
        table.value("targets");
        table.error(
            "missing key \"targets\"",
            "say which devices: targets = [\"*.lab.example.com:22\", \"10.1.0.0/16:22\"]",
        );
        return Vec::new();
    }
    let parse = |text: &str| Target::parse(text).map_err(|error| Misspelt::new(text, &error, error.help()));
    let Some(targets) = table.parsed_strings("targets", parse) else { return Vec::new() };
    if targets.is_empty() {
        table.error_at("targets", "no target is named", "name at least one, like [\"*.lab.example.com:22\"]");
    }
    if targets.len() > MOST_TARGETS {
        table.error_at(
            "targets",
            format!("more than {MOST_TARGETS} targets"),
            "sum them up with * or a network",
        );
    }
    targets.into_iter().map(Spanned::into_inner).collect()
}

fn read_host_keys(table: &mut TableReader<'_>, secrets: &Secrets) -> Option<HostKeys> {
    let file = table.string("known_hosts").map(|path| secrets.directory().join(path));
    let trust_on_first_use = table.bool("trust_on_first_use").unwrap_or(false);
    if file.is_none() && !trust_on_first_use && !table.has("known_hosts") {
        table.error(
            "nothing says how a device proves that it is itself",
            "add known_hosts = a file (ssh-keyscan HOST >> known_hosts writes one: compare the keys with the devices'), \
             or trust_on_first_use = true to take whatever key a device shows the first time",
        );
        return None;
    }
    Some(HostKeys { file, trust_on_first_use })
}

fn read_jump(outer: &mut TableReader<'_>, secrets: &Secrets, left: usize) -> Option<Box<Jump>> {
    let mut table = outer.table("jump")?;
    if left == 0 {
        table.error(format!("more than {MOST_JUMPS} jump hosts"), "reach the targets from a nearer host");
        table.leave_rest();
        return None;
    }
    let host = table.spanned_string("host");
    if host.is_none() && !table.has("host") {
        table.error("missing key \"host\"", "say which: host = \"bastion.example.com:22\"");
    }
    let parsed = host.as_ref().and_then(|text| {
        let parsed = host_and_port(text.get_ref());
        if parsed.is_none() {
            table.error_at(
                text,
                format!("{} is not a host, perhaps with a port", quoted(text.get_ref())),
                "write it like \"bastion.example.com:22\"",
            );
        }
        parsed
    });
    if let Some((host, port)) = &parsed
        && let Err(never) = host.openings(*port)
    {
        table.error_at("host", never.to_string(), never.help());
    }
    if !table.has("credential") {
        table.error(
            "missing key \"credential\"",
            "a jump host has a login of its own: credential = { user = \"name\", key = \"secret\" }",
        );
    }
    let credential = Credential::read(&mut table, secrets);
    let host_keys = read_host_keys(&mut table, secrets);
    let resolves = table.bool("resolves").unwrap_or(false);
    let legacy = Legacy::read(&mut table);
    let jump = read_jump(&mut table, secrets, left - 1);
    table.finish();
    let (host, port) = parsed?;
    Some(Box::new(Jump {
        host,
        port,
        credential: credential?,
        host_keys: host_keys?,
        resolves,
        legacy,
        jump,
    }))
}

/// `bastion.example.com:22`, `10.0.0.1` or `[2001:db8::1]:22`.
fn host_and_port(text: &str) -> Option<(Host, u16)> {
    if let Some(host) = parse_host(text) {
        return Some((host, PORT));
    }
    let (host, port) = text.rsplit_once(':')?;
    let digits = !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
    Some((Host::parse(host)?, port.parse().ok().filter(|port| digits && *port != 0)?))
}

fn read_limits(table: &mut TableReader<'_>) -> SshLimits {
    let mut number = |key: &str, (default, least, most): (i64, i64, i64)| {
        let number = table.integer_within(key, least, most).unwrap_or(default);
        usize::try_from(number).unwrap_or(1)
    };
    let connections = number("connections", CONNECTIONS);
    let per_target = number("connections_per_target", PER_TARGET);
    let channels = number("channels", CHANNELS);
    let sessions = number("sessions", SESSIONS);
    let mut duration = |key: &str| {
        let duration = table.spanned_duration(key)?;
        if duration.get_ref().is_zero() {
            table.error_at(&duration, "nothing is done in no time", "write a longer one, like \"30s\"");
        }
        Some(duration)
    };
    let connect_timeout = duration("connect_timeout").map_or(CONNECT_TIMEOUT, |time| time.into_inner());
    let timeout = duration("timeout").map(|time| time.into_inner());
    let idle = duration("idle");
    if let Some(idle) = idle.as_ref().filter(|idle| *idle.get_ref() > LONGEST_IDLE) {
        table.error_at(
            idle,
            "unused connections are not kept so long",
            format!("write at most {:?}", format_duration(LONGEST_IDLE)),
        );
    }
    let output = table.spanned_size("output");
    if let Some(output) = output.as_ref().filter(|output| !(1..=MOST_OUTPUT).contains(output.get_ref())) {
        let help = format!("write at most {:?}", format_size(MOST_OUTPUT));
        table.error_at(output, "so much is not kept in memory", help);
    }
    SshLimits {
        connections,
        per_target,
        channels,
        sessions,
        connect_timeout,
        idle: idle.map_or(IDLE, |idle| idle.into_inner()),
        timeout,
        output: output.map_or(OUTPUT, |output| output.into_inner()),
    }
}

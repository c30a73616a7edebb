//! `[secrets]`: where credentials are read from, anew each time, so that a rotated one is used by the next
//! connection.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use zeroize::Zeroizing;

use crate::diagnostic::{Spanned, TableReader, did_you_mean, quoted};
use crate::manifest::grammar;
use crate::ownership::{self, Rules};

/// Keys and certificates are a few KiB; a larger file is the wrong one.
const MAX_BYTES: u64 = 64 * 1024;

/// Directories that belong to the machinery that starts the host (systemd, Docker, Kubernetes): it decides who may
/// read there, and commonly everybody within the container may.
const MANAGED: [&str; 3] = ["/run/credentials", "/run/secrets", "/var/run/secrets"];

/// Where a secret is read from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretSource {
    /// A file, by absolute path.
    File(PathBuf),
    /// A credential that systemd put into `$CREDENTIALS_DIRECTORY`.
    Systemd(String),
    /// An environment variable of the host.
    Env(String),
}

/// All sources by name. Holds no secret. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Secrets(Arc<Sources>);

#[derive(Debug, Default)]
struct Sources {
    by_name: BTreeMap<String, SecretSource>,
    directory: PathBuf,
    credentials: Option<PathBuf>,
}

/// A secret's value. Wiped from memory when it is dropped, and never printed.
#[derive(Clone)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// A secret of this value.
    pub fn new(value: impl Into<String>) -> Self {
        Self(Zeroizing::new(value.into()))
    }

    /// The value, for the one place that sends it. Never into a message or a log.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// A secret that cannot be had now.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the secret \"{name}\" cannot be had: {reason}")]
pub struct SecretUnreadable {
    /// Its key under `[secrets]`.
    pub name: String,
    /// Why, with the file or variable.
    pub reason: String,
    /// What to do.
    pub help: String,
}

impl Secrets {
    /// From sources by name. Relative paths in other tables start from `directory`, that of `fleetgate.toml`.
    /// systemd's credentials are where `$CREDENTIALS_DIRECTORY` says.
    pub fn new(directory: impl Into<PathBuf>, by_name: BTreeMap<String, SecretSource>) -> Self {
        let credentials = std::env::var_os("CREDENTIALS_DIRECTORY").map(PathBuf::from);
        Self(Arc::new(Sources { by_name, directory: directory.into(), credentials }))
    }

    /// The same with another directory for systemd's credentials.
    pub fn with_credentials_directory(self, credentials: Option<PathBuf>) -> Self {
        let by_name = self.0.by_name.clone();
        Self(Arc::new(Sources { by_name, directory: self.0.directory.clone(), credentials }))
    }

    /// The directory of `fleetgate.toml`, from which relative paths in a grant start.
    pub fn directory(&self) -> &Path {
        &self.0.directory
    }

    /// The names, sorted.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.by_name.keys().map(String::as_str)
    }

    /// Where a secret is read from.
    pub fn source(&self, name: &str) -> Option<&SecretSource> {
        self.0.by_name.get(name)
    }

    /// The files that secrets are read from, to be watched.
    pub fn files(&self) -> impl Iterator<Item = &Path> {
        self.0.by_name.values().filter_map(|source| match source {
            SecretSource::File(path) => Some(path.as_path()),
            SecretSource::Systemd(_) | SecretSource::Env(_) => None,
        })
    }

    /// Takes the name of a secret from a grant's table; says so when there is none of that name.
    pub fn take(&self, table: &mut TableReader<'_>, key: &str) -> Option<String> {
        let name = table.spanned_string(key)?;
        self.known(table, &name).then(|| name.into_inner())
    }

    /// Whether there is a secret of this name; says so when there is none.
    pub fn known(&self, table: &TableReader<'_>, name: &Spanned<String>) -> bool {
        let known = self.0.by_name.contains_key(name.get_ref());
        if !known {
            let mut help = did_you_mean(name.get_ref(), self.names());
            if !help.starts_with("did you mean") {
                help = format!(
                    "name a secret here and add it under [secrets], like {} = {{ file = \"/run/secrets/…\" }}",
                    if grammar::is_key(name.get_ref()) { name.get_ref() } else { "api-key" }
                );
            }
            // The text is not repeated: it may be the secret itself, written in the wrong place.
            table.error_at(name, "there is no secret of this name", help);
        }
        known
    }

    /// Reads a secret, anew each time. One line feed at the end is not part of it.
    pub fn read(&self, name: &str) -> Result<Secret, SecretUnreadable> {
        let unreadable = |reason: String, help: String| SecretUnreadable { name: name.into(), reason, help };
        let mut value = match self.source(name) {
            None => {
                let help = did_you_mean(name, self.names());
                return Err(unreadable("there is none of this name under [secrets]".into(), help));
            }
            Some(SecretSource::File(path)) => self.read_file(name, path)?,
            Some(SecretSource::Systemd(credential)) => {
                let Some(directory) = &self.0.credentials else {
                    let help =
                        format!("run the host as a systemd service with LoadCredential={credential}:…");
                    return Err(unreadable("$CREDENTIALS_DIRECTORY is not set".into(), help));
                };
                self.read_file(name, &directory.join(credential))?
            }
            Some(SecretSource::Env(variable)) => {
                let value = std::env::var(variable).map_err(|_| {
                    let reason = format!("the environment variable {variable} is not set, or not text");
                    unreadable(reason, format!("set {variable} for the host"))
                })?;
                Zeroizing::new(value)
            }
        };
        if value.ends_with('\n') {
            value.pop();
            if value.ends_with('\r') {
                value.pop();
            }
        }
        if value.is_empty() {
            return Err(unreadable("it is empty".into(), "put the secret there".into()));
        }
        Ok(Secret(value))
    }

    fn read_file(&self, name: &str, path: &Path) -> Result<Zeroizing<String>, SecretUnreadable> {
        let managed = path.canonicalize().is_ok_and(|real| {
            MANAGED.iter().any(|directory| real.starts_with(directory))
                || self.0.credentials.as_ref().is_some_and(|directory| real.starts_with(directory))
        });
        let rules =
            Rules { follow_links: true, public: managed, sticky_directory: true, max_bytes: MAX_BYTES };
        let bytes = ownership::read(path, &rules).map_err(|refused| SecretUnreadable {
            name: name.into(),
            reason: refused.to_string(),
            help: refused.help(),
        })?;
        String::from_utf8(bytes).map(Zeroizing::new).map_err(|wrong| {
            // The bytes are a secret although they are no text.
            drop(Zeroizing::new(wrong.into_bytes()));
            SecretUnreadable {
                name: name.into(),
                reason: format!("{} is not UTF-8 text", path.display()),
                help: "write the secret as text".into(),
            }
        })
    }
}

/// Reads `[secrets]`.
pub(super) fn secrets(root: &mut TableReader<'_>, directory: &Path) -> Secrets {
    let mut by_name = BTreeMap::new();
    for (name, mut table) in root.tables("secrets") {
        if !grammar::is_key(name.get_ref()) {
            let message = format!("{} is not a name for a secret", quoted(name.get_ref()));
            table.error_at(&name, message, grammar::KEY);
        }
        let file = table.string("file").map(|path| SecretSource::File(directory.join(path)));
        let systemd = table.string("systemd");
        if systemd.as_ref().is_some_and(|name| name.is_empty() || name.contains('/') || name.starts_with('.'))
        {
            table.error_at(
                "systemd",
                "not the name of a credential",
                "write the name of LoadCredential=, without a path",
            );
        }
        let env = table.string("env");
        if env.as_ref().is_some_and(|name| name.is_empty() || name.contains(['=', '\0'])) {
            table.error_at("env", "not the name of an environment variable", "write its name, without $");
        }
        table.finish();
        let found = [file, systemd.map(SecretSource::Systemd), env.map(SecretSource::Env)];
        let mut found = found.into_iter().flatten();
        match (found.next(), found.next()) {
            (Some(source), None) => {
                by_name.insert(name.into_inner(), source);
            }
            (None, _) if table.failed() => {}
            (None, _) => table.error("nothing says where this secret is", SOURCES),
            (Some(_), Some(_)) => table.error("a secret has one source", SOURCES),
        }
    }
    Secrets::new(directory, by_name)
}

const SOURCES: &str =
    "write one of { file = \"/path\" }, { systemd = \"credential\" } or { env = \"VARIABLE\" }";

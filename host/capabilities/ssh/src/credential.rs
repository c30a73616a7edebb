//! What the host logs in with, and what must not come back.
//!
//! A credential belongs to the targets of one grant. It is read again a second after it was read last, so that a
//! rotated one is used by the next connection without a reload; connections that were made with the old one are not
//! used again, since each remembers a keyed digest of what it was made with.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use fleetgate_core::diagnostic::{TableReader, quoted};
use fleetgate_core::mask::Mask;
use fleetgate_core::settings::{Secret, Secrets};
use hmac::{Hmac, KeyInit, Mac};
use russh::keys::{PrivateKey, decode_secret_key};
use sha2::Sha256;

/// How long a value is used before it is read again.
const FRESH: Duration = Duration::from_secs(1);

/// A shorter secret is in every text by chance and cannot be masked.
pub(crate) const SHORTEST_TYPED: usize = 4;

/// A credential as a grant names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Credential {
    pub(crate) user: String,
    pub(crate) method: Method,
}

/// How it is shown that the user is who he says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Method {
    /// The secret's name.
    Password(String),
    /// The secrets' names.
    Key { key: String, passphrase: Option<String> },
    /// An agent's socket. None: `$SSH_AUTH_SOCK`.
    Agent { socket: Option<PathBuf> },
}

impl Credential {
    /// Reads `credential = { … }`. Errors are said into the reader.
    pub(crate) fn read(grant: &mut TableReader<'_>, secrets: &Secrets) -> Option<Self> {
        let mut table = grant.table("credential")?;
        let user = table.required_string("user").filter(|user| check_user(&table, user));
        let kinds = [table.has("password"), table.has("key"), table.bool("agent") == Some(true)];
        let password = secrets.take(&mut table, "password");
        let key = secrets.take(&mut table, "key");
        let passphrase = secrets.take(&mut table, "passphrase");
        let socket = table.string("socket");
        let method = match kinds {
            [true, false, false] => password.map(Method::Password),
            [false, true, false] => key.map(|key| Method::Key { key, passphrase }),
            [false, false, true] => {
                Some(Method::Agent { socket: socket.map(|path| secrets.directory().join(path)) })
            }
            _ => {
                table.error(
                    "a credential is one of password, key and agent",
                    "write { user = \"name\", password = \"secret\" }, { user = \"name\", key = \"secret\" } or \
                     { user = \"name\", agent = true }; password and key are names from [secrets]",
                );
                None
            }
        };
        for (key, of, there) in [("passphrase", "key", kinds[1]), ("socket", "agent", kinds[2])] {
            if table.has(key) && !there {
                table.error_at(key, format!("{key} belongs to {of}"), format!("leave it out, or add {of}"));
            }
        }
        table.finish();
        Some(Self { user: user?, method: method? })
    }

    /// In words. Names the secret and never shows it.
    pub(crate) fn describe(&self) -> String {
        let user = quoted(&self.user);
        match &self.method {
            Method::Password(secret) => format!("user {user} with a password, from the secret {secret}"),
            Method::Key { key, .. } => format!("user {user} with a key, from the secret {key}"),
            Method::Agent { socket: None } => format!("user {user} with the keys of the host's SSH agent"),
            Method::Agent { socket: Some(path) } => {
                format!("user {user} with the keys of the agent at {}", path.display())
            }
        }
    }
}

fn check_user(table: &TableReader<'_>, user: &str) -> bool {
    let fine = is_user(user);
    if !fine {
        table.error_at("user", "not a user's name", "write 1 to 64 printable characters without spaces");
    }
    fine
}

/// Whether a text can be a user's name on some device.
pub(crate) fn is_user(user: &str) -> bool {
    (1..=64).contains(&user.len()) && user.bytes().all(|byte| byte.is_ascii_graphic())
}

/// A credential's values, ready for a login.
pub(crate) struct Login {
    pub(crate) user: String,
    pub(crate) proof: Proof,
    pub(crate) enable: Option<Secret>,
    /// A call brought it, who may be guessing: its keyed digest.
    pub(crate) guessed: Option<[u8; 32]>,
    /// None: there is nothing to mask.
    pub(crate) mask: Option<Arc<Mask>>,
    /// Tells logins apart without holding what they are made of. The password for `enable` counts, since a connection
    /// masks what its own login knows.
    pub(crate) digest: [u8; 32],
}

/// What shows that the user is who he says.
#[derive(Clone)]
pub(crate) enum Proof {
    Password(Secret),
    Key(Arc<PrivateKey>),
    Agent(PathBuf),
}

impl Login {
    /// Of these values.
    pub(crate) fn new(user: String, proof: Proof, enable: Option<Secret>) -> Self {
        let digest = digest(&user, &proof, enable.as_ref());
        let mut login = Self { user, proof, enable, guessed: None, mask: None, digest };
        login.mask = Mask::new(login.values());
        if login.values().any(|value| value.len() < SHORTEST_TYPED) {
            tracing::warn!(
                "a password of less than {SHORTEST_TYPED} characters cannot be masked where a device shows it"
            );
        }
        login
    }

    /// The passwords that may be typed, for masks.
    pub(crate) fn values(&self) -> impl Iterator<Item = &str> {
        let password = match &self.proof {
            Proof::Password(password) => Some(password),
            Proof::Key(_) | Proof::Agent(_) => None,
        };
        password.into_iter().chain(&self.enable).map(Secret::expose)
    }

    /// With a password for `enable` that a call brings.
    pub(crate) fn guessing(user: String, proof: Proof, enable: Secret) -> Self {
        let guessed = Some(keyed([enable.expose().as_bytes()]));
        Self { guessed, ..Self::new(user, proof, Some(enable)) }
    }

    /// The password that this name stands for, to be typed.
    pub(crate) fn typed(&self, name: &str) -> Option<&Secret> {
        match (name, &self.proof) {
            ("password", Proof::Password(password)) => Some(password),
            ("enable", _) => self.enable.as_ref(),
            _ => None,
        }
    }
}

/// Of everything that a login is made of.
fn digest(user: &str, proof: &Proof, enable: Option<&Secret>) -> [u8; 32] {
    let fingerprint;
    let (kind, proof) = match proof {
        Proof::Password(password) => (&b"password"[..], password.expose().as_bytes()),
        Proof::Key(key) => {
            fingerprint = key.fingerprint(russh::keys::HashAlg::Sha256);
            (&b"key"[..], fingerprint.as_bytes())
        }
        Proof::Agent(socket) => (&b"agent"[..], socket.as_os_str().as_encoded_bytes()),
    };
    let enable = enable.map(|enable| enable.expose().as_bytes());
    keyed([user.as_bytes(), proof, kind].into_iter().chain(enable))
}

/// Keyed with random bytes of this process, so that it says nothing to anybody else.
fn keyed<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> [u8; 32] {
    static KEY: std::sync::OnceLock<[u8; 32]> = std::sync::OnceLock::new();
    let key = KEY.get_or_init(|| {
        let mut key = [0; 32];
        getrandom::fill(&mut key).expect("the system gives random bytes");
        key
    });
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
    for part in parts {
        mac.update(&(part.len() as u64).to_be_bytes());
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

/// Knows where a credential's values are, and reads them when it is time.
pub(crate) struct Keeper {
    credential: Credential,
    enable: Option<String>,
    secrets: Secrets,
    current: Mutex<Option<(Instant, Arc<Login>)>>,
}

impl Keeper {
    pub(crate) fn new(credential: Credential, enable: Option<String>, secrets: Secrets) -> Self {
        Self { credential, enable, secrets, current: Mutex::new(None) }
    }

    /// The user's name.
    pub(crate) fn user(&self) -> &str {
        &self.credential.user
    }

    /// The values as they are now. `Err` in words for the operator, without a value.
    pub(crate) fn current(&self) -> Result<Arc<Login>, String> {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((read, login)) = &*current
            && read.elapsed() < FRESH
        {
            return Ok(Arc::clone(login));
        }
        let proof = match &self.credential.method {
            Method::Password(name) => Proof::Password(read(&self.secrets, name)?),
            Method::Key { key, passphrase } => {
                Proof::Key(Arc::new(private_key(&self.secrets, key, passphrase.as_deref())?))
            }
            Method::Agent { socket: Some(socket) } => Proof::Agent(socket.clone()),
            Method::Agent { socket: None } => {
                let socket = std::env::var_os("SSH_AUTH_SOCK").ok_or(
                    "the environment variable SSH_AUTH_SOCK is not set (start an SSH agent for the host)",
                )?;
                Proof::Agent(socket.into())
            }
        };
        let enable = self.enable.as_ref().map(|name| read(&self.secrets, name)).transpose()?;
        let login = Login::new(self.credential.user.clone(), proof, enable);
        let login = match current.take() {
            Some((_, same)) if same.digest == login.digest => same,
            _ => Arc::new(login),
        };
        *current = Some((Instant::now(), Arc::clone(&login)));
        Ok(login)
    }
}

/// Reads a secret. `Err` in words for the operator.
pub(crate) fn read(secrets: &Secrets, name: &str) -> Result<Secret, String> {
    let secret = secrets.read(name).map_err(|error| format!("{error} ({})", error.help))?;
    if secret.expose().contains(['\n', '\r', '\0']) {
        return Err(format!("the secret {name} has several lines, and a password has one"));
    }
    Ok(secret)
}

fn private_key(secrets: &Secrets, name: &str, passphrase: Option<&str>) -> Result<PrivateKey, String> {
    let pem = secrets.read(name).map_err(|error| format!("{error} ({})", error.help))?;
    let passphrase = passphrase.map(|name| read(secrets, name)).transpose()?;
    decode_secret_key(pem.expose(), passphrase.as_ref().map(Secret::expose)).map_err(|error| match error {
        russh::keys::Error::KeyIsEncrypted => {
            format!("the secret {name} is a key with a passphrase (add passphrase = the name of a secret)")
        }
        // What the parser says may hold pieces of what it parsed.
        _ => format!(
            "the secret {name} is not a private key in OpenSSH's or PEM form, or its passphrase is another"
        ),
    })
}

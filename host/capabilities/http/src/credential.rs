//! What the host adds to a request, and what must not come back.
//!
//! A credential belongs to one origin of one grant. It is added after the decision, by the code that sends, and is
//! read again a second after it was read last, so that a rotated one is used without a reload.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use fleetgate_core::diagnostic::{TableReader, quoted};
use fleetgate_core::mask::Mask;
use fleetgate_core::settings::{Secret, Secrets};
use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderName, HeaderValue};

/// How long a value is used before it is read again.
const FRESH: Duration = Duration::from_secs(1);

/// A credential as a grant names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Credential {
    /// `Authorization: Bearer …` (RFC 6750).
    Bearer { secret: String },
    /// `Authorization: Basic …` (RFC 7617).
    Basic { user: String, password: String },
    /// A header field of the upstream's own.
    Header { name: HeaderName, secret: String },
}

/// Fields that frame a message or say where it goes.
const NOT_FOR_CREDENTIALS: [&str; 8] = [
    "host",
    "content-length",
    "content-type",
    "content-encoding",
    "transfer-encoding",
    "connection",
    "te",
    "trailer",
];

impl Credential {
    /// Reads `credential = { … }`. Errors are said into the reader.
    pub(crate) fn read(grant: &mut TableReader<'_>, secrets: &Secrets) -> Option<Self> {
        let mut table = grant.table("credential")?;
        let kinds = ["bearer", "basic", "header"].map(|kind| table.has(kind));
        let credential = match kinds {
            [true, false, false] => secrets.take(&mut table, "bearer").map(|secret| Self::Bearer { secret }),
            [false, true, false] => table.table("basic").and_then(|mut basic| {
                let user = basic.required_string("user");
                if user.as_ref().is_some_and(|user| user.contains(':') || user.chars().any(char::is_control))
                {
                    basic.error_at(
                        "user",
                        "a user's name has no colon and no control characters",
                        "RFC 7617 says so",
                    );
                }
                basic.present("password");
                let password = secrets.take(&mut basic, "password");
                basic.finish();
                Some(Self::Basic { user: user?, password: password? })
            }),
            [false, false, true] => {
                let name = table.required_string("header").and_then(|name| header_name(&table, &name));
                table.present("secret");
                let secret = secrets.take(&mut table, "secret");
                name.zip(secret).map(|(name, secret)| Self::Header { name, secret })
            }
            _ => {
                // Asked for, so that none of them is called unknown as well.
                for key in ["bearer", "basic", "header", "secret"] {
                    table.value(key);
                }
                table.error(
                    "a credential is one of bearer, basic and header",
                    "write { bearer = \"secret\" }, { basic = { user = \"name\", password = \"secret\" } } or \
                     { header = \"X-Api-Key\", secret = \"secret\" }, each with a name from [secrets]",
                );
                None
            }
        };
        table.finish();
        credential
    }

    /// In words. Names the secret and never shows it.
    pub(crate) fn describe(&self) -> String {
        match self {
            Self::Bearer { secret } => format!("a bearer token, from the secret {secret}"),
            Self::Basic { user, password } => {
                format!("user {} with a password, from the secret {password}", quoted(user))
            }
            Self::Header { name, secret } => format!("the header {name}, from the secret {secret}"),
        }
    }

    fn secret(&self) -> &str {
        match self {
            Self::Bearer { secret } | Self::Header { secret, .. } => secret,
            Self::Basic { password, .. } => password,
        }
    }
}

fn header_name(table: &TableReader<'_>, name: &str) -> Option<HeaderName> {
    let parsed = HeaderName::from_bytes(name.as_bytes()).ok();
    let bad = |name: &HeaderName| {
        NOT_FOR_CREDENTIALS.contains(&name.as_str()) || name.as_str().starts_with("proxy-")
    };
    match parsed {
        Some(name) if !bad(&name) => Some(name),
        _ => {
            let message = format!("{} is not a header field for a credential", quoted(name));
            table.error_at("header", message, "write the name of the field, like \"X-Api-Key\"");
            None
        }
    }
}

/// A credential's value, ready to be added, and its mask.
pub(crate) struct Injected {
    name: HeaderName,
    value: HeaderValue,
    /// None: the value is too short to be told from ordinary text.
    pub(crate) mask: Option<Arc<Mask>>,
    secret: Secret,
    /// User and password, as Basic has them, and the same in base64.
    pair: Option<[Secret; 2]>,
}

impl Injected {
    /// Adds it, instead of whatever the guest set there.
    pub(crate) fn add(&self, headers: &mut HeaderMap) {
        headers.insert(self.name.clone(), self.value.clone());
    }

    /// What must not come back.
    pub(crate) fn values(&self) -> impl Iterator<Item = &str> {
        [&self.secret].into_iter().chain(self.pair.iter().flatten()).map(Secret::expose)
    }
}

/// Knows where a credential's value is, and reads it when it is time.
pub(crate) struct Keeper {
    credential: Credential,
    secrets: Secrets,
    current: Mutex<Option<(Instant, Arc<Injected>)>>,
}

impl Keeper {
    pub(crate) fn new(credential: Credential, secrets: Secrets) -> Self {
        Self { credential, secrets, current: Mutex::new(None) }
    }

    /// The value as it is now. `Err` in words for the operator, without the value.
    pub(crate) fn current(&self) -> Result<Arc<Injected>, String> {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((read, injected)) = &*current
            && read.elapsed() < FRESH
        {
            return Ok(Arc::clone(injected));
        }
        let secret = self
            .secrets
            .read(self.credential.secret())
            .map_err(|error| format!("{error} ({})", error.help))?;
        let injected = match current.take() {
            Some((_, same)) if same.secret.expose() == secret.expose() => same,
            _ => Arc::new(self.inject(secret)?),
        };
        *current = Some((Instant::now(), Arc::clone(&injected)));
        Ok(injected)
    }

    fn inject(&self, secret: Secret) -> Result<Injected, String> {
        let (name, text, pair) = match &self.credential {
            Credential::Bearer { .. } => (AUTHORIZATION, format!("Bearer {}", secret.expose()), None),
            Credential::Basic { user, .. } => {
                let pair = Secret::new(format!("{user}:{}", secret.expose()));
                let encoded = Secret::new(STANDARD.encode(pair.expose()));
                (AUTHORIZATION, format!("Basic {}", encoded.expose()), Some([pair, encoded]))
            }
            Credential::Header { name, .. } => (name.clone(), secret.expose().to_owned(), None),
        };
        let mut value = HeaderValue::from_str(&text).map_err(|_| {
            format!(
                "the secret {} holds characters that no header takes, like a line break",
                self.credential.secret()
            )
        })?;
        value.set_sensitive(true);
        let mut injected = Injected { name, value, mask: None, secret, pair };
        injected.mask = Mask::new(injected.values());
        if injected.mask.is_none() {
            tracing::warn!(
                secret = self.credential.secret(),
                "a secret of less than four characters cannot be masked where an upstream echoes it"
            );
        }
        Ok(injected)
    }
}

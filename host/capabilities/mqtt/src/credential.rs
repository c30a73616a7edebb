//! Who the host is to a broker. Read again at each connection, so that a rotated password is used by the next one.

use fleetgate_core::diagnostic::{TableReader, quoted};
use fleetgate_core::mask::Mask;
use fleetgate_core::settings::{Secret, Secrets};
use std::sync::Arc;

/// A credential as a grant names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Credential {
    pub(crate) user: String,
    /// The secret's name.
    pub(crate) password: String,
}

/// Its values.
pub(crate) struct Login {
    pub(crate) user: String,
    pub(crate) password: Secret,
    /// Finds what must not be read of what a broker says. None: the password is too short to be told from other text.
    pub(crate) mask: Option<Arc<Mask>>,
}

impl Credential {
    /// Reads `credential = { … }`. Errors are said into the reader.
    pub(crate) fn read(grant: &mut TableReader<'_>, secrets: &Secrets) -> Option<Self> {
        let mut table = grant.table("credential")?;
        let user = table.required_string("user");
        if user
            .as_ref()
            .is_some_and(|user| !(1..=256).contains(&user.len()) || user.contains(char::is_control))
        {
            table.error_at("user", "not a user's name", "write 1 to 256 printable characters");
        }
        table.present("password");
        let password = secrets.take(&mut table, "password");
        table.finish();
        Some(Self { user: user?, password: password? })
    }

    /// In words. Names the secret and never shows it.
    pub(crate) fn describe(&self) -> String {
        format!("user {} with a password, from the secret {}", quoted(&self.user), self.password)
    }

    /// The values as they are now. `Err` in words for the operator, without a value.
    pub(crate) fn current(&self, secrets: &Secrets) -> Result<Login, String> {
        let password = secrets.read(&self.password).map_err(|error| format!("{error} ({})", error.help))?;
        let mask = Mask::new([password.expose()]);
        Ok(Login { user: self.user.clone(), password, mask })
    }
}

//! The login that a call brings, in place of the grant's credential or of parts of it.
//!
//! A guest never has a password: it names a secret argument of its call by its placeholder, and here it becomes the
//! value, if the grant takes logins of callers at all.

use std::sync::Arc;

use fleetgate_core::capability::Refusal;

use crate::credential::{Login, Proof, is_user};
use crate::failure::Failure;
use crate::guard::Permit;
use crate::session::Session;
use crate::typed::printable;

/// The longest password that a call brings, in bytes.
const LONGEST_PASSWORD: usize = 1 << 10;

/// What a guest says about the login: placeholders of the call's secret arguments, and a name in the clear.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LoginArguments {
    /// The user's name.
    pub user: Option<String>,
    /// A placeholder.
    pub password: Option<String>,
    /// A placeholder.
    pub enable: Option<String>,
}

impl Session {
    /// With what to log in.
    pub(crate) fn login(
        &self,
        permit: &Permit,
        given: Option<LoginArguments>,
    ) -> Result<Arc<Login>, Failure> {
        let route = &permit.route;
        let Some(given) = given else {
            let keeper = route.credential.as_ref().ok_or(Failure::NoArgument("user and password"))?;
            return keeper.current().map_err(Failure::Credential);
        };
        if !route.from_call {
            let why = format!("{}: a login of the call's own", route.capability);
            return Err(Failure::Refused(
                Refusal::new("from-call", why).allowed_by(format!("[{}] from_call = true", route.grant)),
            ));
        }
        let reveal = |placeholder: &String| {
            let secret = self.call().secrets.reveal(placeholder).ok_or_else(|| {
                // A password in the clear would be one that the guest knows, or tries.
                let why =
                    format!("{}: a text that stands for no secret argument of this call", route.capability);
                Failure::Refused(Refusal::new("placeholder", why))
            })?;
            // The host types it: with a line end in it, it would be commands that nobody looked at.
            if secret.expose().len() > LONGEST_PASSWORD || !printable(secret.expose()) {
                return Err(Failure::Invalid(format!(
                    "a password has at most {LONGEST_PASSWORD} bytes, and printable characters alone"
                )));
            }
            Ok(secret.clone())
        };
        let user = match (&given.user, &route.credential) {
            (Some(user), _) if is_user(user) => user.clone(),
            (Some(_), _) => {
                let why = "a user's name has 1 to 64 printable characters without spaces";
                return Err(Failure::Invalid(why.into()));
            }
            (None, Some(keeper)) => keeper.user().to_owned(),
            (None, None) => return Err(Failure::NoArgument("user")),
        };
        let password = given.password.as_ref().map(reveal).transpose()?;
        let enable = given.enable.as_ref().map(reveal).transpose()?;
        let granted_enable =
            || route.enable.as_ref().map(|read| read()).transpose().map_err(Failure::Credential);
        match (password, &route.credential) {
            (Some(password), _) => {
                let proof = Proof::Password(password);
                Ok(Arc::new(match enable {
                    None => Login::new(user, proof, granted_enable()?),
                    Some(enable) => Login::guessing(user, proof, enable),
                }))
            }
            (None, Some(keeper)) if user == keeper.user() => {
                let current = keeper.current().map_err(Failure::Credential)?;
                Ok(match enable {
                    None => current,
                    Some(enable) => Arc::new(Login::guessing(user, current.proof.clone(), enable)),
                })
            }
            // Somebody else's name with the grant's password would be a guess.
            (None, _) => Err(Failure::NoArgument("password")),
        }
    }
}

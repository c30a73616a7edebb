//! Logging in: the one method that the credential is good for, once.
//!
//! The device says first what it takes (a request with the method `none`, RFC 4252, 5.2), so that a password is never
//! offered to one that wants a key. A password that was refused is not offered again, also not by another method: many
//! refusals lock an account.

use std::time::Duration;

use fleetgate_core::settings::Secret;
use russh::client::{AuthResult, Handle, KeyboardInteractiveAuthResponse, Prompt};
use russh::keys::agent::AgentIdentity;
use russh::keys::agent::client::AgentClient;
use russh::keys::{HashAlg, PrivateKeyWithHashAlg, PublicKey};
use russh::{MethodKind, MethodSet};

use crate::client::{Client, Gone, Seen};
use crate::credential::{Login, Proof};
use crate::prompt::asks_for_password;

/// Keys of an agent that are tried; servers count them as failures.
const MOST_AGENT_KEYS: usize = 5;
/// How long an agent may take to name its keys.
const AGENT: Duration = Duration::from_secs(5);
/// Rounds of questions (RFC 4256) that are answered.
const MOST_ROUNDS: usize = 4;

/// Why a login did not come about.
#[derive(Debug, thiserror::Error)]
pub enum LoginFailed {
    /// The credential is refused.
    #[error("the device refuses {method} of {user}{}", .words.as_ref().map_or_else(String::new, |words| format!(": it says {words:?}")))]
    Refused {
        /// Who.
        user: String,
        /// `the password`, `the key`
        method: &'static str,
        /// The device's last words.
        words: Option<String>,
    },
    /// It takes something else.
    #[error("the device takes {} from {user}, and the credential is {wanted}", methods(.offered))]
    Method {
        /// Who.
        user: String,
        /// What it takes.
        offered: Vec<&'static str>,
        /// `a password`, `a key`
        wanted: &'static str,
    },
    /// It wants more than one proof.
    #[error("the device takes {method} of {user} and wants {} besides", methods(.also))]
    More {
        /// Who.
        user: String,
        /// `the password`, `the key`
        method: &'static str,
        /// What else.
        also: Vec<&'static str>,
    },
    /// It asks what nobody can answer.
    #[error("the device asks {user} {question:?}, which is no password")]
    Question {
        /// Who.
        user: String,
        /// In its words.
        question: String,
    },
    /// The agent cannot be used.
    #[error("the SSH agent at {socket}: {why}")]
    Agent {
        /// Where.
        socket: String,
        /// In words.
        why: String,
    },
    /// The connection broke.
    #[error("the connection broke during the login: {0}")]
    Broke(String),
}

fn methods(offered: &[&str]) -> String {
    match offered {
        [] => "nothing".to_owned(),
        offered => offered.join(", "),
    }
}

fn names(methods: &MethodSet) -> Vec<&'static str> {
    methods.iter().map(<&str>::from).collect()
}

/// Logs in.
pub(crate) async fn log_in(
    handle: &mut Handle<Client>,
    login: &Login,
    seen: &Seen,
    rsa_sha1: bool,
) -> Result<(), LoginFailed> {
    let attempt = Attempt { user: &login.user, seen };
    let first = handle.authenticate_none(login.user.as_str()).await;
    let Some(offered) = attempt.remaining(first)? else { return Ok(()) };
    match &login.proof {
        Proof::Password(password) if offered.contains(&MethodKind::Password) => {
            let answer = handle.authenticate_password(login.user.as_str(), password.expose()).await;
            attempt.ended(answer, "the password")
        }
        Proof::Password(password) if offered.contains(&MethodKind::KeyboardInteractive) => {
            attempt.interactively(handle, password).await
        }
        Proof::Key(key) if offered.contains(&MethodKind::PublicKey) => {
            let hash = rsa_hash(handle, key.public_key(), rsa_sha1).await;
            let key = PrivateKeyWithHashAlg::new(key.clone(), hash);
            let answer = handle.authenticate_publickey(login.user.as_str(), key).await;
            attempt.ended(answer, "the key")
        }
        Proof::Agent(socket) if offered.contains(&MethodKind::PublicKey) => {
            attempt.with_agent(handle, socket, rsa_sha1).await
        }
        proof => Err(LoginFailed::Method {
            user: login.user.clone(),
            offered: names(&offered),
            wanted: if matches!(proof, Proof::Password(_)) { "a password" } else { "a key" },
        }),
    }
}

struct Attempt<'a> {
    user: &'a str,
    seen: &'a Seen,
}

impl Attempt<'_> {
    /// The methods that are left. None: it is done.
    fn remaining(&self, answer: Result<AuthResult, russh::Error>) -> Result<Option<MethodSet>, LoginFailed> {
        match answer {
            Ok(AuthResult::Success) => Ok(None),
            // russh says the same of a connection that is gone.
            Ok(AuthResult::Failure { remaining_methods, .. }) if remaining_methods.is_empty() => {
                match self.seen.gone() {
                    Some(Gone::NoMethod) | None => Ok(Some(remaining_methods)),
                    Some(Gone::Said(words)) => Err(LoginFailed::Broke(format!("the device says {words:?}"))),
                    Some(Gone::Broke(why)) => Err(LoginFailed::Broke(why)),
                }
            }
            Ok(AuthResult::Failure { remaining_methods, .. }) => Ok(Some(remaining_methods)),
            Err(error) => Err(self.broke(&error)),
        }
    }

    fn broke(&self, error: &russh::Error) -> LoginFailed {
        match self.seen.gone() {
            Some(Gone::Said(words)) => LoginFailed::Broke(format!("the device says {words:?}")),
            Some(Gone::Broke(why)) => LoginFailed::Broke(why),
            Some(Gone::NoMethod) | None => LoginFailed::Broke(self.seen.words(&error.to_string())),
        }
    }

    fn refused(&self, method: &'static str, words: Option<String>) -> LoginFailed {
        LoginFailed::Refused { user: self.user.to_owned(), method, words }
    }

    /// How the one attempt ended.
    fn ended(
        &self,
        answer: Result<AuthResult, russh::Error>,
        method: &'static str,
    ) -> Result<(), LoginFailed> {
        match answer {
            Ok(AuthResult::Success) => Ok(()),
            Ok(AuthResult::Failure { partial_success: true, remaining_methods }) => {
                Err(LoginFailed::More { user: self.user.to_owned(), method, also: names(&remaining_methods) })
            }
            Ok(AuthResult::Failure { remaining_methods, .. }) if remaining_methods.is_empty() => {
                // A server that has heard enough says so and hangs up, instead of refusing once more.
                match self.seen.gone() {
                    Some(Gone::Broke(why)) => Err(LoginFailed::Broke(why)),
                    Some(Gone::Said(words)) => Err(self.refused(method, Some(words))),
                    Some(Gone::NoMethod) | None => Err(self.refused(method, None)),
                }
            }
            Ok(AuthResult::Failure { .. }) => Err(self.refused(method, None)),
            Err(error) => Err(self.broke(&error)),
        }
    }

    /// RFC 4256, as network devices use it: one question, which is for the password.
    async fn interactively(&self, handle: &mut Handle<Client>, password: &Secret) -> Result<(), LoginFailed> {
        let mut answer = handle
            .authenticate_keyboard_interactive_start(self.user, None)
            .await
            .map_err(|error| self.broke(&error))?;
        let mut given = false;
        for _ in 0..MOST_ROUNDS {
            let prompts = match answer {
                KeyboardInteractiveAuthResponse::Success => return Ok(()),
                KeyboardInteractiveAuthResponse::Failure { remaining_methods, partial_success } => {
                    let failure = AuthResult::Failure { remaining_methods, partial_success };
                    return self.ended(Ok(failure), "the password");
                }
                KeyboardInteractiveAuthResponse::InfoRequest { prompts, .. } => prompts,
            };
            let mut answers = Vec::with_capacity(prompts.len());
            for prompt in &prompts {
                answers.push(self.answer(prompt, prompts.len(), password, &mut given)?);
            }
            answer = handle
                .authenticate_keyboard_interactive_respond(answers)
                .await
                .map_err(|error| self.broke(&error))?;
        }
        Err(self.refused("the password", None))
    }

    /// The password, where it is asked for, once; the user's name.
    fn answer(
        &self,
        prompt: &Prompt,
        of: usize,
        password: &Secret,
        given: &mut bool,
    ) -> Result<String, LoginFailed> {
        let asks = !prompt.echo && (of == 1 || asks_for_password(&prompt.prompt));
        if asks && !*given {
            *given = true;
            return Ok(password.expose().to_owned());
        }
        if asks {
            // Asked again, for what was given already.
            return Err(self.refused("the password", None));
        }
        let lower = prompt.prompt.to_lowercase();
        if prompt.echo && (lower.contains("user") || lower.contains("login")) {
            return Ok(self.user.to_owned());
        }
        let question = self.seen.words(&prompt.prompt);
        Err(LoginFailed::Question { user: self.user.to_owned(), question })
    }

    async fn with_agent(
        &self,
        handle: &mut Handle<Client>,
        socket: &std::path::Path,
        rsa_sha1: bool,
    ) -> Result<(), LoginFailed> {
        let unusable = |why: String| LoginFailed::Agent { socket: socket.display().to_string(), why };
        let ask = async {
            let mut agent = AgentClient::connect_uds(socket).await?;
            let identities = agent.request_identities().await?;
            Ok::<_, russh::keys::Error>((agent, identities))
        };
        let (mut agent, identities) = tokio::time::timeout(AGENT, ask)
            .await
            .map_err(|_| unusable("it does not answer".into()))?
            .map_err(|error| unusable(error.to_string()))?;
        let keys = identities.into_iter().filter_map(|identity| match identity {
            AgentIdentity::PublicKey { key, .. } => Some(key),
            AgentIdentity::Certificate { .. } => None,
        });
        let mut last = Err(unusable("it has no keys".into()));
        for key in keys.take(MOST_AGENT_KEYS) {
            let hash = rsa_hash(handle, &key, rsa_sha1).await;
            let answer = handle.authenticate_publickey_with(self.user, key, hash, &mut agent).await;
            let answer = answer.map_err(|error| unusable(error.to_string()))?;
            last = self.ended(Ok(answer), "the agent's keys");
            if !matches!(last, Err(LoginFailed::Refused { words: None, .. })) {
                break;
            }
        }
        last
    }
}

/// The hash that an RSA key signs with: the best that the device names; SHA-1 only where the grant allows it and the
/// device knows nothing better (RFC 8308, 3.1).
async fn rsa_hash(handle: &Handle<Client>, key: &PublicKey, sha1: bool) -> Option<HashAlg> {
    if !key.algorithm().is_rsa() {
        return None;
    }
    match handle.best_supported_rsa_hash().await {
        Ok(Some(Some(hash))) => Some(hash),
        Ok(_) if sha1 => None,
        _ => Some(HashAlg::Sha512),
    }
}

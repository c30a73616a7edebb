//! The state between a question and its answers, while a client without a session holds it.
//!
//! A client gets one token: what the host must know again, encrypted and authenticated (XChaCha20-Poly1305) with a key
//! of this process that leaves it never. The token is good for the same caller, on the same endpoint, for the same
//! tool, prompt or resource with the same arguments, once, and for ten minutes; it carries the digest of the plugin
//! that asked, since the state is that version's own. Whoever changes one bit of it, or sends it for something else,
//! has no token. After a restart of the host all of them are worthless, and clients are told to begin anew.

use std::collections::{HashMap, HashSet, VecDeque};
use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305, XNonce};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use super::Kind as Asked;
use crate::artifact::Digest;
use crate::call::Kind;
use crate::catalog::Scope;
use crate::domain::{InputRequest, Question};

/// How long an answer may take.
pub const TTL: Duration = Duration::from_secs(600);
/// The longest token that is looked at.
const MAX_TOKEN: usize = 1 << 20;
/// Tokens that were used and could still be sent again: of one caller, and of all.
const MAX_USED: (usize, usize) = (1 << 14, 1 << 17);

const NONCE: usize = 24;
type Nonce = [u8; NONCE];

/// What a token is for. All of it must be the same when it comes back.
#[derive(Debug, Clone, Copy)]
pub struct Matter<'a> {
    /// Who is asked: [`crate::principal::Principal::name`].
    pub principal: &'a str,
    /// On which endpoint.
    pub scope: &'a Scope,
    /// Whose question it is.
    pub binding: &'a str,
    /// What was called: a tool, a prompt or a resource.
    pub kind: Kind,
    /// Its name on that endpoint, or its URI.
    pub name: &'a str,
    /// With what, as JSON text; empty where nothing was given. The order of keys does not matter.
    pub arguments: &'a str,
}

impl Matter<'_> {
    /// Every part with its length, so that no two matters look alike.
    fn bytes(&self) -> Vec<u8> {
        let (shared, endpoint): (&str, &str) = match self.scope {
            Scope::Shared => ("shared", ""),
            Scope::Binding(name) => ("binding", name),
        };
        let kind = self.kind.to_string();
        let arguments = match serde_json::from_str::<Value>(self.arguments) {
            Ok(mut arguments) => {
                arguments.sort_all_objects();
                arguments.to_string()
            }
            Err(_) => self.arguments.to_owned(),
        };
        let arguments = Sha256::digest(arguments);
        let parts: [&[u8]; 8] = [
            b"fleetgate question 1",
            self.principal.as_bytes(),
            shared.as_bytes(),
            endpoint.as_bytes(),
            self.binding.as_bytes(),
            kind.as_bytes(),
            self.name.as_bytes(),
            &arguments,
        ];
        let mut bytes = Vec::new();
        for part in parts {
            bytes.extend((part.len() as u64).to_be_bytes());
            bytes.extend(part);
        }
        bytes
    }
}

/// What a token held.
#[derive(Debug, Clone, PartialEq)]
pub struct Opened {
    /// Of the plugin that asked. If it is another one now, the state means nothing to it.
    pub plugin: Digest,
    /// What was asked, as far as [`super::answers`] needs it.
    pub asked: Vec<InputRequest>,
    /// The guest's own.
    pub state: Option<Vec<u8>>,
}

/// A token that is not accepted. The text is for whoever sent it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unopenable {
    /// It was changed, or is another matter's, or another process's.
    #[error(
        "this requestState is not one for this request: it was changed, it belongs to another caller, endpoint, name \
         or arguments, or the server was started again; send the request without it, and it is asked anew"
    )]
    Foreign,
    /// Its time is over.
    #[error("this requestState is too old; send the request without it, and it is asked anew")]
    Expired,
    /// It was there before.
    #[error("this requestState was used before; send the request without it, and it is asked anew")]
    Used,
    /// More are remembered than there is room for.
    #[error("too many questions were answered in the last minutes; try again later")]
    Busy,
}

/// Seals and opens tokens. One for the whole process.
pub struct Sealer {
    cipher: XChaCha20Poly1305,
    ttl: Duration,
    began: Instant,
    used: Mutex<Used>,
}

/// The nonces of tokens that were opened and are not over yet.
#[derive(Default)]
struct Used {
    known: HashSet<Nonce>,
    /// In the order in which they can be forgotten.
    order: VecDeque<(Instant, Nonce, String)>,
    of: HashMap<String, usize>,
}

/// What stands before the guest's state.
#[derive(Serialize, Deserialize)]
struct Head {
    plugin: [u8; 32],
    /// Milliseconds since the sealer began.
    ends: u64,
    /// Key, kind and, of a form, its schema.
    asked: Vec<(String, String, Value)>,
    state: bool,
}

impl Sealer {
    /// With a key of its own.
    pub fn new(ttl: Duration) -> Self {
        let mut key = Zeroizing::new([0u8; 32]);
        // Without randomness the host cannot work at all (keys, sessions).
        getrandom::fill(&mut *key).expect("the operating system has randomness");
        let cipher = XChaCha20Poly1305::new((&*key).into());
        Self { cipher, ttl, began: Instant::now(), used: Mutex::default() }
    }

    /// A token for this question of this plugin.
    pub fn seal(&self, matter: &Matter<'_>, plugin: &Digest, question: &Question) -> String {
        let asked = question.requests.iter().map(|request| {
            let schema = match Asked::of(&request.kind) {
                Some(Asked::Form) => request.params["requestedSchema"].clone(),
                _ => Value::Null,
            };
            (request.key.clone(), request.kind.clone(), schema)
        });
        let head = Head {
            plugin: *plugin.as_bytes(),
            ends: millis(self.began.elapsed().saturating_add(self.ttl)),
            asked: asked.collect(),
            state: question.state.is_some(),
        };
        let head = serde_json::to_vec(&head).expect("texts, numbers and JSON can be written as JSON");
        let mut plain = (head.len() as u32).to_be_bytes().to_vec();
        plain.extend(head);
        plain.extend(question.state.as_deref().unwrap_or_default());
        let mut nonce: Nonce = [0; NONCE];
        getrandom::fill(&mut nonce).expect("the operating system has randomness");
        let payload = Payload { msg: &plain, aad: &matter.bytes() };
        let sealed = self.cipher.encrypt(&XNonce::from(nonce), payload).expect("a question is no terabyte");
        let mut token = nonce.to_vec();
        token.extend(sealed);
        BASE64_URL_SAFE_NO_PAD.encode(token)
    }

    /// Opens a token, once. It counts as used from here on, whatever becomes of the request.
    pub fn open(&self, matter: &Matter<'_>, token: &str) -> Result<Opened, Unopenable> {
        if token.len() > MAX_TOKEN {
            return Err(Unopenable::Foreign);
        }
        let token = BASE64_URL_SAFE_NO_PAD.decode(token).map_err(|_| Unopenable::Foreign)?;
        let (nonce, sealed) = token.split_first_chunk::<NONCE>().ok_or(Unopenable::Foreign)?;
        let payload = Payload { msg: sealed, aad: &matter.bytes() };
        let plain = self.cipher.decrypt(&XNonce::from(*nonce), payload).map_err(|_| Unopenable::Foreign)?;
        let (head, state) = read(&plain).ok_or(Unopenable::Foreign)?;
        let ends = Duration::from_millis(head.ends);
        if self.began.elapsed() >= ends {
            return Err(Unopenable::Expired);
        }
        self.use_up(*nonce, matter.principal)?;
        let asked = head.asked.into_iter().map(|(key, kind, schema)| {
            let params = if schema.is_null() { json!({}) } else { json!({ "requestedSchema": schema }) };
            InputRequest { key, kind, params }
        });
        Ok(Opened {
            plugin: Digest::from_bytes(head.plugin),
            asked: asked.collect(),
            state: head.state.then(|| state.to_vec()),
        })
    }

    fn use_up(&self, nonce: Nonce, principal: &str) -> Result<(), Unopenable> {
        let now = Instant::now();
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        used.forget(now);
        if used.known.contains(&nonce) {
            return Err(Unopenable::Used);
        }
        let own = used.of.get(principal).copied().unwrap_or_default();
        if own >= MAX_USED.0 || used.known.len() >= MAX_USED.1 {
            return Err(Unopenable::Busy);
        }
        used.known.insert(nonce);
        *used.of.entry(principal.to_owned()).or_default() += 1;
        // Its own end comes before that.
        used.order.push_back((now + self.ttl, nonce, principal.to_owned()));
        Ok(())
    }
}

impl Used {
    fn forget(&mut self, now: Instant) {
        while let Some((_, nonce, principal)) = self.order.pop_front_if(|(ends, ..)| *ends <= now) {
            self.known.remove(&nonce);
            if let Some(count) = self.of.get_mut(&principal) {
                *count -= 1;
                if *count == 0 {
                    self.of.remove(&principal);
                }
            }
        }
    }
}

impl fmt::Debug for Sealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sealer").field("ttl", &self.ttl).finish_non_exhaustive()
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

fn read(plain: &[u8]) -> Option<(Head, &[u8])> {
    let (length, rest) = plain.split_first_chunk::<4>()?;
    let (head, state) = rest.split_at_checked(u32::from_be_bytes(*length) as usize)?;
    Some((serde_json::from_slice(head).ok()?, state))
}

//! Our side of an SSH connection, as russh asks for it: who the device is, and that it may open nothing here.

use std::sync::{Arc, Mutex, PoisonError};

use fleetgate_core::address::Host;
use fleetgate_core::mask::{Mask, Masker};
use fleetgate_core::text;
use russh::client::{ChannelOpenHandle, DisconnectReason, Handler, Msg, Session};
use russh::keys::{PublicKey, PublicKeyOrCertificate};
use russh::{Channel, Error};

use crate::host_lines::{self, Known, Verdict};
use crate::known_hosts::HostKeys;

/// What is kept of a banner, in bytes.
const BANNER: usize = 8 << 10;
/// Of one, in bytes.
const MAX_CHARACTER: usize = 4;
/// What is kept of a device's last words, in bytes.
const LAST_WORDS: usize = 256;

/// What was seen of the other side. What it says may hold what it was told: it is masked before anybody hears of it.
#[derive(Debug)]
pub(crate) struct Seen {
    facts: Mutex<Facts>,
    mask: Option<Arc<Mask>>,
}

#[derive(Debug, Default)]
struct Facts {
    /// The key that it showed, and what was thought of it.
    key: Option<(PublicKey, Result<Verdict, String>)>,
    banner: String,
    gone: Option<Gone>,
}

/// Why a connection is over.
#[derive(Debug, Clone)]
pub(crate) enum Gone {
    /// The device said good-bye, in these words.
    Said(String),
    /// It offers no method any more.
    NoMethod,
    /// It went away, or did not speak SSH as it should.
    Broke(String),
}

impl Seen {
    pub(crate) fn new(mask: Option<Arc<Mask>>) -> Self {
        Self { facts: Mutex::default(), mask }
    }

    fn facts(&self) -> std::sync::MutexGuard<'_, Facts> {
        self.facts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The key that the device showed, with the verdict.
    pub(crate) fn key(&self) -> Option<(PublicKey, Result<Verdict, String>)> {
        self.facts().key.clone()
    }

    /// What it said before the login.
    pub(crate) fn banner(&self) -> Option<String> {
        let banner = self.facts().banner.clone();
        let shown = match self.mask.clone().map(Masker::new) {
            None => banner,
            Some(mut masker) => {
                // A password may have been cut at its end.
                let cut = banner.len() >= BANNER - MAX_CHARACTER;
                let mut clean = masker.push(banner.into()).to_vec();
                if !cut {
                    clean.extend_from_slice(&masker.finish());
                }
                String::from_utf8_lossy(&clean).into_owned()
            }
        };
        Some(shown).filter(|banner| !banner.is_empty())
    }

    /// Words of the other side, short and without tricks or passwords.
    pub(crate) fn words(&self, text: &str) -> String {
        let masked = self.mask.as_ref().map_or_else(|| text.to_owned(), |mask| mask.replace(text));
        text::clean(&masked[..masked.floor_char_boundary(LAST_WORDS)]).trim().to_owned()
    }

    /// Why it is gone. None: it is not, or nothing is known.
    pub(crate) fn gone(&self) -> Option<Gone> {
        self.facts().gone.clone()
    }
}

/// Our side of one connection.
pub(crate) struct Client {
    pub(crate) seen: Arc<Seen>,
    pub(crate) host: Host,
    pub(crate) port: u16,
    pub(crate) host_keys: HostKeys,
    /// As it was read before the connection was made.
    pub(crate) known: Arc<Known>,
}

/// A kind of channel that the other side does not get: the handle rejects it when it is dropped, at the end.
macro_rules! rejected {
    ($open:ident($($argument:ty),*)) => {
        async fn $open(
            &mut self,
            _: Channel<Msg>,
            $(_: $argument,)*
            _: ChannelOpenHandle,
            _: &mut Session,
        ) -> Result<(), Error> {
            Ok(())
        }
    };
}

impl Handler for Client {
    type Error = Error;

    async fn check_server_key(&mut self, shown: &PublicKeyOrCertificate) -> Result<bool, Error> {
        let key = shown.public_key();
        let mut verdict = Ok(self.known.judge(&key));
        if verdict == Ok(Verdict::Unknown) && self.host_keys.remembered.is_some() {
            let (host_keys, host, port) = (self.host_keys.clone(), self.host.clone(), self.port);
            let shown = key.clone();
            // Writes to the disk.
            let remember = tokio::task::spawn_blocking(move || host_keys.remember(&host, port, &shown));
            verdict = remember.await.unwrap_or_else(|failed| Err(failed.to_string()));
            if verdict == Ok(Verdict::Known) {
                tracing::warn!(
                    device = %host_lines::name(&self.host, self.port),
                    key = %crate::known_hosts::fingerprint(&key),
                    "trusted on first use"
                );
            }
        }
        let trusted = verdict == Ok(Verdict::Known);
        self.seen.facts().key = Some((key, verdict));
        Ok(trusted)
    }

    async fn auth_banner(&mut self, banner: &str, _: &mut Session) -> Result<(), Error> {
        let mut facts = self.seen.facts();
        let room = BANNER.saturating_sub(facts.banner.len());
        let piece = &banner[..banner.floor_char_boundary(room)];
        facts.banner.push_str(piece);
        Ok(())
    }

    async fn disconnected(&mut self, reason: DisconnectReason<Error>) -> Result<(), Error> {
        let gone = match reason {
            DisconnectReason::ReceivedDisconnect(info) => Gone::Said(self.seen.words(&info.message)),
            DisconnectReason::Error(Error::NoAuthMethod) => Gone::NoMethod,
            DisconnectReason::Error(Error::Disconnect | Error::HUP) => {
                Gone::Broke("the other side closed it".into())
            }
            DisconnectReason::Error(error) => Gone::Broke(self.seen.words(&error.to_string())),
        };
        self.seen.facts().gone = Some(gone);
        Ok(())
    }

    // A device opens nothing here: no forwarded port, no agent, no display. russh accepts all of these unless told
    // otherwise.
    rejected!(server_channel_open_session());
    rejected!(server_channel_open_agent_forward());
    rejected!(server_channel_open_x11(&str, u32));
    rejected!(server_channel_open_direct_tcpip(&str, u32, &str, u32));
    rejected!(server_channel_open_direct_streamlocal(&str));
    rejected!(server_channel_open_forwarded_tcpip(&str, u32, &str, u32));
    rejected!(server_channel_open_forwarded_streamlocal(&str));
}

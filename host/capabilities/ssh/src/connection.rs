//! A live connection, logged in, and the channels on it.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use russh::client::{Handle, Msg};
use russh::{Channel, ChannelOpenFailure, ChannelStream, Disconnect, Error};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use crate::client::{Client, Gone, Seen};
use crate::credential::Login;
use crate::wire::Lifeline;

/// How long the other side may take to open a channel.
const OPEN: Duration = Duration::from_secs(10);
/// A connection takes so many channels one after the other: russh keeps a little of each that it closed.
const MOST_CHANNELS: usize = 1_000;
/// How long a good-bye may take.
const GOOD_BYE: Duration = Duration::from_secs(1);
/// How long a connection that was cut may take to end.
const CLOSED: Duration = Duration::from_secs(10);

/// One connection. Ended when it is dropped.
pub(crate) struct Connection {
    /// Taken when it is dropped.
    live: Option<Live>,
    seen: Arc<Seen>,
    /// Commands and terminals that it takes at once.
    channels: Arc<Semaphore>,
    most: usize,
    retired: AtomicBool,
    opened: AtomicUsize,
    login: [u8; 32],
    idle_since: Mutex<Instant>,
    /// One of the grant's connections. None: a jump host's.
    slot: Option<OwnedSemaphorePermit>,
}

struct Live {
    handle: Handle<Client>,
    life: Lifeline,
    /// What carries it.
    via: Option<Arc<Connection>>,
}

/// Why there is no channel.
#[derive(Debug)]
pub(crate) enum OpenFailed {
    /// The connection is no good any more.
    Broke(String),
    /// The other side opens none.
    Refused(ChannelOpenFailure),
}

impl Connection {
    pub(crate) fn new(
        handle: Handle<Client>,
        life: Lifeline,
        seen: Arc<Seen>,
        login: [u8; 32],
        channels: usize,
        via: Option<Arc<Connection>>,
    ) -> Self {
        Self {
            live: Some(Live { handle, life, via }),
            seen,
            channels: Arc::new(Semaphore::new(channels)),
            most: channels,
            retired: AtomicBool::new(false),
            opened: AtomicUsize::new(0),
            login,
            idle_since: Mutex::new(Instant::now()),
            slot: None,
        }
    }

    /// The same, holding one of the grant's connections until it is closed.
    pub(crate) fn holding(mut self, slot: OwnedSemaphorePermit) -> Self {
        self.slot = Some(slot);
        self
    }

    /// Whether new channels may be opened on it.
    pub(crate) fn is_usable(&self) -> bool {
        !self.retired.load(Ordering::Relaxed)
            && self.live.as_ref().is_some_and(|live| !live.handle.is_closed())
    }

    /// Takes no new channels any more; ends with the last user.
    pub(crate) fn retire(&self) {
        self.retired.store(true, Ordering::Relaxed);
    }

    /// Retires it and cuts it, whoever uses it.
    pub(crate) fn cut(&self) {
        self.retire();
        if let Some(live) = &self.live {
            live.life.cut();
        }
    }

    pub(crate) fn made_with(&self, login: &Login) -> bool {
        self.login == login.digest
    }

    /// What the device said before the login.
    pub(crate) fn banner(&self) -> Option<String> {
        self.seen.banner()
    }

    /// Room for one more channel. None: it has as many as it takes.
    pub(crate) fn room(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.channels).try_acquire_owned().ok()
    }

    /// Takes no more channels than are open now. `own`: the room of the one that was refused.
    pub(crate) fn is_full(&self, own: OwnedSemaphorePermit) {
        own.forget();
        self.channels.forget_permits(self.most);
    }

    /// Whether nothing is open on it.
    pub(crate) fn is_idle(&self) -> bool {
        // Each room holds the semaphore that it came from.
        Arc::strong_count(&self.channels) == 1
    }

    /// Whether more than one channel is open on it, or about to be.
    pub(crate) fn is_shared(&self) -> bool {
        Arc::strong_count(&self.channels) > 2
    }

    /// Nobody uses it from now on.
    pub(crate) fn idle(&self) {
        *self.idle_since.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    /// For how long nobody has used it.
    pub(crate) fn idle_for(&self) -> Duration {
        self.idle_since.lock().unwrap_or_else(PoisonError::into_inner).elapsed()
    }

    /// Why it is gone, in words.
    pub(crate) fn gone(&self) -> String {
        match self.seen.gone() {
            Some(Gone::Said(words)) => format!("the device says {words:?}"),
            Some(Gone::Broke(why)) => why,
            Some(Gone::NoMethod) | None => "the other side closed it".into(),
        }
    }

    /// Asks the other side whether it is there, and waits for the answer.
    pub(crate) async fn answers(&self) -> bool {
        self.handle().send_ping().await.is_ok() && !self.handle().is_closed()
    }

    /// Opens a session channel (RFC 4254, 6.1).
    pub(crate) async fn session(self: &Arc<Self>) -> Result<Channel<Msg>, OpenFailed> {
        self.open(|connection| async move { connection.handle().channel_open_session().await }).await
    }

    /// Opens a channel to another host (RFC 4254, 7.2).
    pub(crate) async fn forward(
        self: &Arc<Self>,
        to: &str,
        port: u16,
    ) -> Result<ChannelStream<Msg>, OpenFailed> {
        let to = to.to_owned();
        let open = move |connection: Arc<Self>| async move {
            connection.handle().channel_open_direct_tcpip(to, port.into(), "127.0.0.1", 0).await
        };
        Ok(self.open(open).await?.into_stream())
    }

    /// In a task of its own: a channel whose opening is given up half-way would stay open, unknown to everybody.
    async fn open<F>(
        self: &Arc<Self>,
        open: impl FnOnce(Arc<Self>) -> F + Send + 'static,
    ) -> Result<Channel<Msg>, OpenFailed>
    where
        F: Future<Output = Result<Channel<Msg>, Error>> + Send,
    {
        if self.opened.fetch_add(1, Ordering::Relaxed) + 1 >= MOST_CHANNELS {
            self.retire();
        }
        let (sender, receiver) = oneshot::channel();
        let connection = Arc::clone(self);
        tokio::spawn(async move {
            let opened = tokio::time::timeout(OPEN, open(Arc::clone(&connection))).await;
            if opened.is_err() {
                connection.retire();
            }
            if let Err(Ok(Ok(unwanted))) = sender.send(opened) {
                let _ = unwanted.close().await;
            }
        });
        match receiver.await {
            Ok(Ok(Ok(channel))) => Ok(channel),
            Ok(Ok(Err(Error::ChannelOpenFailure(why)))) => Err(OpenFailed::Refused(why)),
            Ok(Ok(Err(_))) | Err(_) => Err(OpenFailed::Broke(self.gone())),
            Ok(Err(_)) => Err(OpenFailed::Broke("it opens no channel and says nothing".into())),
        }
    }

    fn handle(&self) -> &Handle<Client> {
        &self.live.as_ref().expect("it is there until the connection is dropped").handle
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        let (Some(Live { mut handle, life, via }), slot) = (self.live.take(), self.slot.take()) else {
            return;
        };
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        // A word of good-bye, and then the end in any case.
        runtime.spawn(async move {
            let good_bye = async {
                let _ = handle.disconnect(Disconnect::ByApplication, "", "").await;
                let _ = (&mut handle).await;
            };
            let said = tokio::time::timeout(GOOD_BYE, good_bye).await;
            drop(life);
            if said.is_err() {
                // It ends now that nothing carries it; and the slot is free when it is closed, not before.
                let _ = tokio::time::timeout(CLOSED, &mut handle).await;
            }
            drop(via);
            drop(slot);
        });
    }
}

//! The one store of a configuration, shared by all its hosts.
//!
//! Several hosts may run on one configuration at the same time: a `serve`, a `stdio` for each client, a `call` now and
//! then. The file has one process, so the first that needs it **holds** it ([`holder`]) and lets the others in through
//! a Unix socket beside it, in bounded frames ([`wire`]); they **ask** ([`connection`]). When the holder ends, however
//! it ends, its lock is free, and whoever needs the store next takes it.
//!
//! **Nothing is opened before it is needed**, so that a host whose plugins remember nothing makes no file.
//!
//! **Once.** What was on its way when a holder died is asked again of the next one. A write carries a name of its own,
//! which is kept with it for a while: asked again, it is answered and not done again. So a write that has answered was
//! done once, and one whose answer is [`StoreError::Unavailable`] says whether it may have been done.

mod connection;
mod holder;
mod socket;
mod wire;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use fleetgate_core::store::{Batch, Entry, Key, Listed, Page, Space, Store, StoreError, Usage};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use crate::embedded::Embedded;
use connection::{Connection, NoConnection};
use holder::Holder;
use wire::{Answer, Asked};

/// How long somebody waits for the store altogether. Shorter than a write's name is kept ([`crate::rows::REPEATED`]).
const PATIENCE: Duration = Duration::from_secs(30);
/// How long letting go may wait for its turn.
const CLOSING: Duration = Duration::from_secs(1);
/// The pauses between two attempts to hold the file or to reach who does.
const PAUSES: [Duration; 5] = [
    Duration::from_millis(2),
    Duration::from_millis(10),
    Duration::from_millis(50),
    Duration::from_millis(100),
    Duration::from_millis(250),
];

/// The store in `state.redb`, whichever process holds it. Cheap to clone. Must be used within a tokio runtime.
#[derive(Clone)]
pub struct StateStore(Arc<Inner>);

struct Inner {
    directory: PathBuf,
    side: tokio::sync::Mutex<Side>,
    /// Names this store among those that ask.
    client: String,
    written: AtomicU64,
}

enum Side {
    Nobody,
    Holds(Holder),
    Asks(Arc<Connection>),
    Closed,
}

/// Who answers now.
enum Way {
    Here(Arc<Embedded>),
    There(Arc<Connection>),
}

impl StateStore {
    /// The store of this directory ([`crate::directory`]). Opens nothing yet.
    pub fn new(directory: &Path) -> Self {
        let mut client = [0; 16];
        // Without randomness two processes could have one name, and the operating system always has some.
        getrandom::fill(&mut client).expect("the operating system has random bytes");
        let client = client.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"));
        let (side, written) = (tokio::sync::Mutex::new(Side::Nobody), AtomicU64::new(0));
        Self(Arc::new(Inner { directory: directory.to_owned(), side, client, written }))
    }

    /// Whether there is something to open: for those who only look.
    pub fn exists(&self) -> bool {
        holder::file(&self.0.directory).exists()
    }

    /// Whether this process holds the file now.
    pub async fn holds(&self) -> bool {
        matches!(&*self.0.side.lock().await, Side::Holds(_))
    }

    /// Lets go of the file, so that it need not be repaired by who takes it next. Everything that is asked afterwards
    /// is refused.
    pub async fn close(&self) {
        // Who waits for another process to let go of the file is not waited for.
        let Ok(mut side) = tokio::time::timeout(CLOSING, self.0.side.lock()).await else { return };
        if let Side::Holds(holder) = std::mem::replace(&mut *side, Side::Closed) {
            holder.close().await;
        }
    }

    /// Asks until somebody answers, or patience is at its end.
    async fn ask(&self, asked: Asked) -> Result<Answer, StoreError> {
        let begun = Instant::now();
        let left = || PATIENCE.saturating_sub(begun.elapsed());
        let writes = matches!(asked, Asked::Write { .. });
        // Whether another process may have done it.
        let mut sent = false;
        loop {
            let way = match tokio::time::timeout(left(), self.way()).await {
                Ok(Ok(way)) => way,
                Ok(Err(StoreError::Broken { reason, .. } | StoreError::Unavailable { reason, .. }))
                    if sent && writes =>
                {
                    return Err(self.unavailable(&reason, true));
                }
                Ok(Err(error)) => return Err(error),
                Err(_) => return Err(self.unavailable("nobody answers who holds it", sent && writes)),
            };
            match way {
                // Who was never asked elsewhere needs no name.
                Way::Here(store) => return Ok(holder::answer(&store, asked, sent).await),
                Way::There(other) => {
                    sent = true;
                    match tokio::time::timeout(left(), other.ask(&asked)).await {
                        Ok(Some(answer)) => return Ok(answer),
                        Ok(None) => {}
                        Err(_) => {
                            let why = "the process that holds it does not answer";
                            return Err(self.unavailable(why, writes));
                        }
                    }
                }
            }
        }
    }

    /// Holds the file or reaches who does, and tries until one of the two can be done.
    async fn way(&self) -> Result<Way, StoreError> {
        let mut side = self.0.side.lock().await;
        match &*side {
            Side::Holds(holder) => return Ok(Way::Here(holder.store().clone())),
            Side::Asks(connection) if connection.is_open() => return Ok(Way::There(connection.clone())),
            Side::Asks(_) | Side::Nobody => {}
            Side::Closed => return Err(self.unavailable("this host is stopping", false)),
        }
        *side = Side::Nobody;
        let mut pauses = PAUSES.into_iter().chain(std::iter::repeat(PAUSES[PAUSES.len() - 1]));
        loop {
            let directory = self.0.directory.clone();
            let taken = tokio::task::spawn_blocking(move || Holder::take(&directory)).await;
            match taken {
                Ok(Ok(Some(holder))) => {
                    let holder = holder.listen().map_err(|failed| self.broken(&failed))?;
                    let store = holder.store().clone();
                    *side = Side::Holds(holder);
                    return Ok(Way::Here(store));
                }
                Ok(Ok(None)) => {}
                Ok(Err(failed)) => return Err(self.broken(&failed)),
                Err(_) => return Err(self.unavailable("the storage engine failed", false)),
            }
            match Connection::open(&self.0.directory).await {
                Ok(connection) => {
                    let connection = Arc::new(connection);
                    *side = Side::Asks(connection.clone());
                    return Ok(Way::There(connection));
                }
                // It ends or begins just now.
                Err(NoConnection::NotNow(reason)) => {
                    tracing::debug!(%reason, "who holds the state cannot be reached yet")
                }
                Err(NoConnection::Never(reason)) => return Err(self.broken(&reason)),
            }
            tokio::time::sleep(pauses.next().unwrap_or_default()).await;
        }
    }

    fn place(&self) -> String {
        holder::file(&self.0.directory).display().to_string()
    }

    fn unavailable(&self, reason: &str, unknown: bool) -> StoreError {
        StoreError::Unavailable { place: self.place(), reason: reason.into(), unknown }
    }

    fn broken(&self, reason: &dyn fmt::Display) -> StoreError {
        StoreError::Broken { place: self.place(), reason: reason.to_string() }
    }
}

impl Store for StateStore {
    fn get(&self, space: &Space, key: &Key) -> BoxFuture<'static, Result<Option<Entry>, StoreError>> {
        let (store, asked) = (self.clone(), Asked::Get { space: space.clone(), key: key.clone() });
        async move { store.ask(asked).await?.entry() }.boxed()
    }

    fn list(&self, space: &Space, page: Page) -> BoxFuture<'static, Result<Listed, StoreError>> {
        let (store, asked) = (self.clone(), Asked::List { space: space.clone(), page });
        async move { store.ask(asked).await?.listed() }.boxed()
    }

    fn write(&self, space: &Space, batch: Batch) -> BoxFuture<'static, Result<Vec<u64>, StoreError>> {
        let (store, space) = (self.clone(), space.clone());
        async move {
            batch.check()?;
            let number = store.0.written.fetch_add(1, Ordering::Relaxed);
            let name = Key::new(format!("{}-{number}", store.0.client))?;
            store.ask(Asked::Write { space, batch, name }).await?.written()
        }
        .boxed()
    }

    fn usage(&self, space: &Space, part: &str) -> BoxFuture<'static, Result<Usage, StoreError>> {
        let (store, asked) = (self.clone(), Asked::Usage { space: space.clone(), part: part.to_owned() });
        async move { store.ask(asked).await?.usage() }.boxed()
    }

    fn spaces(&self, after: Option<&Space>) -> BoxFuture<'static, Result<Vec<Space>, StoreError>> {
        let (store, asked) = (self.clone(), Asked::Spaces { after: after.cloned() });
        async move { store.ask(asked).await?.spaces() }.boxed()
    }
}

impl fmt::Debug for StateStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StateStore").field("directory", &self.0.directory).finish_non_exhaustive()
    }
}

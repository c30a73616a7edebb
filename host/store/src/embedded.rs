//! The store itself: what callers hold.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use fleetgate_core::store::{Batch, Entry, Key, Listed, Page, Space, Store, StoreError, Usage};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use redb::{Database, ReadTransaction, ReadableDatabase};
use tokio::sync::{Semaphore, oneshot};

use super::file::{self, OpenFailed};
use super::rows;
use super::writer::{self, Asked, Request};

/// Writes that wait for the disk; more wait to be let in.
const WAITING: usize = 1_024;
/// How often, and with which pause, a file is opened anew that a reader has not let go of yet.
const TRIES: u32 = 50;
const PAUSE: Duration = Duration::from_millis(20);

/// A store in one file, which this process has to itself. Must be used within a tokio runtime.
pub struct Embedded {
    shared: Arc<Shared>,
    places: Arc<Semaphore>,
    asked: Sender<Asked>,
    writer: Option<JoinHandle<()>>,
}

type Opener = Box<dyn Fn() -> Result<Database, OpenFailed> + Send + Sync>;

/// What the writer and the readers share.
pub(super) struct Shared {
    path: PathBuf,
    opener: Opener,
    /// None after an error, until somebody needs it again.
    database: Mutex<Option<Arc<Database>>>,
}

impl Embedded {
    /// Opens a file, makes it where there is none, and repairs it where its last process was killed. Blocks; a repair
    /// reads the whole file.
    pub fn open(path: &Path) -> Result<Arc<Self>, OpenFailed> {
        let of = path.to_owned();
        Self::over(path, Box::new(move || file::open(&of)))
    }

    pub(super) fn over(path: &Path, opener: Opener) -> Result<Arc<Self>, OpenFailed> {
        let database = opener()?;
        match rows::prepare(&database) {
            Ok(Ok(())) => {}
            Ok(Err(format)) => return Err(OpenFailed::Later { path: path.to_owned(), format }),
            Err(redb::Error::Io(source)) => return Err(OpenFailed::Io { path: path.to_owned(), source }),
            Err(error) => {
                return Err(OpenFailed::Damaged { path: path.to_owned(), reason: error.to_string() });
            }
        }
        let database = Mutex::new(Some(Arc::new(database)));
        let shared = Arc::new(Shared { path: path.to_owned(), opener, database });
        let (asked, heard) = channel();
        let of_writer = shared.clone();
        let writer = std::thread::Builder::new()
            .name("fleetgate-store".into())
            .spawn(move || writer::run(&of_writer, &heard))
            .map_err(|source| OpenFailed::Io { path: path.to_owned(), source })?;
        let places = Arc::new(Semaphore::new(WAITING));
        Ok(Arc::new(Self { shared, places, asked, writer: Some(writer) }))
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.shared.path
    }

    fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&ReadTransaction) -> Result<T, redb::Error> + Send + 'static,
    ) -> BoxFuture<'static, Result<T, StoreError>> {
        let shared = self.shared.clone();
        async move {
            let of_reader = shared.clone();
            let read = tokio::task::spawn_blocking(move || {
                let database = of_reader.database()?;
                work(&database.begin_read()?)
            });
            match read.await {
                Ok(read) => read.map_err(|error| shared.failed(&error)),
                Err(_) => Err(shared.broken("the storage engine failed")),
            }
        }
        .boxed()
    }
}

impl Store for Embedded {
    fn get(&self, space: &Space, key: &Key) -> BoxFuture<'static, Result<Option<Entry>, StoreError>> {
        let (space, key) = (space.clone(), key.clone());
        self.read(move |transaction| rows::get(transaction, &space, &key))
    }

    fn list(&self, space: &Space, page: Page) -> BoxFuture<'static, Result<Listed, StoreError>> {
        let space = space.clone();
        self.read(move |transaction| rows::list(transaction, &space, &page))
    }

    fn usage(&self, space: &Space, part: &str) -> BoxFuture<'static, Result<Usage, StoreError>> {
        let (space, part) = (space.clone(), part.to_owned());
        self.read(move |transaction| rows::usage(transaction, &space, &part))
    }

    fn spaces(&self, after: Option<&Space>) -> BoxFuture<'static, Result<Vec<Space>, StoreError>> {
        let after = after.cloned();
        self.read(move |transaction| rows::spaces(transaction, after.as_ref()))
    }

    fn write(&self, space: &Space, batch: Batch) -> BoxFuture<'static, Result<Vec<u64>, StoreError>> {
        self.write_once(space, batch, None)
    }
}

impl Embedded {
    /// A write that can be repeated: by the same name it is done once, and answered as the first time.
    pub(super) fn write_once(
        &self,
        space: &Space,
        batch: Batch,
        name: Option<Key>,
    ) -> BoxFuture<'static, Result<Vec<u64>, StoreError>> {
        let (shared, places, space) = (self.shared.clone(), self.places.clone(), space.clone());
        let asked = self.asked.clone();
        async move {
            batch.check()?;
            let stopped = || shared.broken("its writer has stopped");
            let place = places.acquire_owned().await.map_err(|_| stopped())?;
            let (answer, written) = oneshot::channel();
            let request = Request { space, batch, name, answer, place };
            asked.send(Asked::Write(request)).map_err(|_| stopped())?;
            written.await.unwrap_or_else(|_| Err(stopped()))
        }
        .boxed()
    }
}

impl Drop for Embedded {
    fn drop(&mut self) {
        // What is asked for by now is still written. A writer that has ended hears nothing, and needs not.
        let _ = self.asked.send(Asked::Stop);
        if let Some(writer) = self.writer.take() {
            let _ = writer.join();
        }
    }
}

impl fmt::Debug for Embedded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Embedded").field("path", &self.shared.path).finish_non_exhaustive()
    }
}

impl Shared {
    /// The open file; opened anew where it had to be closed.
    pub(super) fn database(&self) -> Result<Arc<Database>, redb::Error> {
        let mut place = self.database.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(database) = &*place {
            return Ok(database.clone());
        }
        for _ in 0..TRIES {
            match (self.opener)() {
                Ok(database) => return Ok(place.insert(Arc::new(database)).clone()),
                // A reader that began before it was closed.
                Err(OpenFailed::InUse(_)) => std::thread::sleep(PAUSE),
                Err(OpenFailed::Io { source, .. }) => return Err(redb::Error::Io(source)),
                Err(other) => return Err(redb::Error::Corrupted(other.to_string())),
            }
        }
        Err(redb::Error::DatabaseAlreadyOpen)
    }

    /// Lets go of the file. Readers that have begun go on with it.
    pub(super) fn close(&self) {
        drop(self.database.lock().unwrap_or_else(PoisonError::into_inner).take());
    }

    pub(super) fn broken(&self, reason: &str) -> StoreError {
        StoreError::Broken { place: self.place(), reason: reason.into() }
    }

    /// A write may have happened, and the file cannot be asked.
    pub(super) fn unknown(&self, failed: &StoreError) -> StoreError {
        StoreError::Unavailable { place: self.place(), reason: failed.to_string(), unknown: true }
    }

    pub(super) fn failed(&self, error: &redb::Error) -> StoreError {
        use std::io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
        match error {
            redb::Error::Io(io) if matches!(io.kind(), StorageFull | QuotaExceeded | FileTooLarge) => {
                StoreError::Full { place: self.place(), reason: io.to_string() }
            }
            redb::Error::ValueTooLarge(bytes) => {
                StoreError::TooLarge { bytes: *bytes, max: fleetgate_core::store::MAX_VALUE }
            }
            other => self.broken(&other.to_string()),
        }
    }

    fn place(&self) -> String {
        self.path.display().to_string()
    }
}

#[cfg(test)]
mod tests;

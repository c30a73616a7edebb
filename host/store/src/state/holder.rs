//! The process that holds the file: its lock, and the others that it lets in.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use fleetgate_core::store::{Store, StoreError};
use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;
use tokio::io::{AsyncWriteExt, BufReader};
use tokio::net::unix::OwnedWriteHalf;
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;

use super::socket;
use super::wire::{self, Answer, Asked, Hello, Numbered, PROTOCOL};
use crate::embedded::Embedded;
use crate::file::{self, OpenFailed};

/// Processes that are let in at once.
const MOST: usize = 64;
/// Questions of one process that are worked on at once. More wait in its socket.
const AT_ONCE: usize = 256;
/// Bytes of questions that are worked on at once, of all processes, in KiB.
const ROOM: usize = 256 << 10;
/// How long another process may take to say its first word.
const GREETING: Duration = Duration::from_secs(5);

/// The file.
pub(super) fn file(directory: &Path) -> PathBuf {
    directory.join("state.redb")
}

/// The lock, and what it is for.
pub(super) struct Taken {
    directory: PathBuf,
    store: Arc<Embedded>,
    lock: File,
}

/// The same, with the others let in.
pub(super) struct Holder {
    directory: PathBuf,
    store: Arc<Embedded>,
    /// Ends when it is dropped.
    serving: JoinSet<()>,
    /// Last, since whoever gets it opens the file.
    lock: File,
}

impl Holder {
    /// Takes the file, if nobody has it. Blocks; a file that was not closed is repaired.
    pub(super) fn take(directory: &Path) -> Result<Option<Taken>, OpenFailed> {
        let path = directory.join("state.lock");
        let lock = file::private_file(&path)?;
        match flock(&lock, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(Errno::WOULDBLOCK) => return Ok(None),
            Err(error) => return Err(OpenFailed::Io { path, source: error.into() }),
        }
        match Embedded::open(&file(directory)) {
            Ok(store) => Ok(Some(Taken { directory: directory.to_owned(), store, lock })),
            // Who had the lock lets go of the file just now.
            Err(OpenFailed::InUse(_)) => Ok(None),
            Err(failed) => Err(failed),
        }
    }

    pub(super) fn store(&self) -> &Arc<Embedded> {
        &self.store
    }

    /// Lets go, when everything that was asked for is written.
    pub(super) async fn close(self) {
        let Self { directory, store, mut serving, lock } = self;
        serving.shutdown().await;
        let closed = tokio::task::spawn_blocking(move || {
            // The next one makes it anew.
            let _ = socket::remove(&directory);
            drop(store);
            drop(lock);
        });
        let _ = closed.await;
    }
}

impl Taken {
    /// Lets the others in.
    pub(super) fn listen(self) -> io::Result<Holder> {
        let Self { directory, store, lock } = self;
        let listener = socket::listen(&directory)?;
        let mut serving = JoinSet::new();
        serving.spawn(serve(listener, store.clone()));
        Ok(Holder { directory, store, serving, lock })
    }
}

async fn serve(listener: UnixListener, store: Arc<Embedded>) {
    let room = Arc::new(Semaphore::new(ROOM));
    let mut others = JoinSet::new();
    loop {
        tokio::select! {
            Some(_) = others.join_next() => {}
            accepted = listener.accept(), if others.len() < MOST => match accepted {
                Ok((stream, _)) => {
                    let (store, room) = (store.clone(), room.clone());
                    others.spawn(async move {
                        if let Err(reason) = talk(stream, store, room).await {
                            tracing::debug!(%reason, "another host that uses the state is gone");
                        }
                    });
                }
                Err(error) => {
                    tracing::warn!(%error, "another host cannot be let in to the state");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            },
        }
    }
}

/// One other process, until it ends.
async fn talk(stream: UnixStream, store: Arc<Embedded>, room: Arc<Semaphore>) -> io::Result<()> {
    if !socket::is_ours(&stream)? {
        tracing::warn!("a process of another user wanted the state, and was turned away");
        return Ok(());
    }
    let (reads, mut writes) = stream.into_split();
    let mut reads = BufReader::new(reads);
    let greeting = async {
        writes.write_all(&wire::frame(&Hello { protocol: PROTOCOL })?).await?;
        let length = wire::length(&mut reads).await?.ok_or(io::ErrorKind::UnexpectedEof)?;
        wire::body::<Hello>(&mut reads, length).await
    };
    let hello = tokio::time::timeout(GREETING, greeting).await.map_err(io::Error::other)??;
    if hello.protocol != PROTOCOL {
        // It has read ours, and knows why.
        return Ok(());
    }
    let (answers, sent) = mpsc::channel(AT_ONCE);
    let mut work = JoinSet::new();
    work.spawn(send(writes, sent));
    let places = Arc::new(Semaphore::new(AT_ONCE));
    while let Some(length) = wire::length(&mut reads).await? {
        let closed = |_| io::Error::other("closed");
        let place = places.clone().acquire_owned().await.map_err(closed)?;
        let held = room.clone().acquire_many_owned((length >> 10) as u32 + 1).await.map_err(closed)?;
        let Numbered { number, said } = wire::body::<Numbered<Asked>>(&mut reads, length).await?;
        let (store, answers) = (store.clone(), answers.clone());
        work.spawn(async move {
            let answer = Numbered { number, said: answer(&store, said, true).await };
            drop(held);
            if let Ok(frame) = wire::frame(&answer) {
                // Who asked may have gone.
                let _ = answers.send(frame).await;
            }
            drop(place);
        });
        while work.try_join_next().is_some() {}
    }
    Ok(())
}

async fn send(mut writes: OwnedWriteHalf, mut frames: mpsc::Receiver<Vec<u8>>) {
    while let Some(frame) = frames.recv().await {
        if writes.write_all(&frame).await.is_err() {
            return;
        }
    }
}

/// `once`: another process may have done it by its name.
pub(super) async fn answer(store: &Embedded, asked: Asked, once: bool) -> Answer {
    fn said<T>(done: Result<T, StoreError>, answer: fn(T) -> Answer) -> Answer {
        done.map_or_else(Answer::Failed, answer)
    }
    match asked {
        Asked::Get { space, key } => said(store.get(&space, &key).await, Answer::Entry),
        Asked::List { space, page } => said(store.list(&space, page).await, Answer::Listed),
        Asked::Write { space, batch, name } => {
            let name = once.then_some(name);
            let written = store.write_once(&space, batch, name).await;
            // Nobody could look whether it was done by its name.
            let written = written.map_err(|error| match error {
                StoreError::Broken { place, reason } if once => {
                    StoreError::Unavailable { place, reason, unknown: true }
                }
                other => other,
            });
            said(written, Answer::Written)
        }
        Asked::Usage { space, part } => said(store.usage(&space, &part).await, Answer::Usage),
        Asked::Spaces { after } => said(store.spaces(after.as_ref()).await, Answer::Spaces),
    }
}

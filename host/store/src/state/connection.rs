//! The way to the process that holds the file.

use std::collections::HashMap;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use fleetgate_core::store::StoreError;
use tokio::io::{AsyncWriteExt, BufReader};
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

use super::socket;
use super::wire::{self, Answer, Asked, Hello, Numbered, PROTOCOL};

/// Frames that wait to be sent.
const WAITING: usize = 64;
/// How long the holder may take to say its first word.
const GREETING: Duration = Duration::from_secs(5);

/// There is no way.
pub(super) enum NoConnection {
    /// It may go better in a moment.
    NotNow(io::Error),
    /// It does not until somebody does something.
    Never(String),
}

/// An open way. Closed when dropped.
pub(super) struct Connection {
    frames: mpsc::Sender<Vec<u8>>,
    waiting: Arc<Waiting>,
    next: AtomicU64,
    tasks: [JoinHandle<()>; 2],
}

/// Who waits for an answer, by the number of the question. None: none will come any more.
struct Waiting(Mutex<Option<HashMap<u64, oneshot::Sender<Answer>>>>);

impl Connection {
    pub(super) async fn open(directory: &Path) -> Result<Self, NoConnection> {
        let stream = socket::connect(directory).await.map_err(|error| match error.kind() {
            io::ErrorKind::InvalidInput => NoConnection::Never(error.to_string()),
            _ => NoConnection::NotNow(error),
        })?;
        if !socket::is_ours(&stream).map_err(NoConnection::NotNow)? {
            return Err(NoConnection::Never("its socket belongs to a process of another user".into()));
        }
        let (reads, mut writes) = stream.into_split();
        let mut reads = BufReader::new(reads);
        let greeting = async {
            writes.write_all(&wire::frame(&Hello { protocol: PROTOCOL })?).await?;
            let length = wire::length(&mut reads).await?.ok_or(io::ErrorKind::UnexpectedEof)?;
            wire::body::<Hello>(&mut reads, length).await
        };
        let greeting = tokio::time::timeout(GREETING, greeting).await;
        let hello = greeting.map_err(|_| NoConnection::NotNow(io::ErrorKind::TimedOut.into()))?;
        if hello.map_err(NoConnection::NotNow)?.protocol != PROTOCOL {
            let why = "another version of fleetgate holds it: restart the hosts that still run with that one";
            return Err(NoConnection::Never(why.into()));
        }
        let waiting = Arc::new(Waiting(Mutex::new(Some(HashMap::new()))));
        let (frames, sent) = mpsc::channel(WAITING);
        let tasks =
            [tokio::spawn(send(writes, sent, waiting.clone())), tokio::spawn(hear(reads, waiting.clone()))];
        Ok(Self { frames, waiting, next: AtomicU64::new(0), tasks })
    }

    pub(super) fn is_open(&self) -> bool {
        self.waiting.lock().is_some()
    }

    /// Asks. None: the way broke off, and whether it was done is not known.
    pub(super) async fn ask(&self, asked: &Asked) -> Option<Answer> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let frame = match wire::frame(&Numbered { number, said: asked }) {
            Ok(frame) => frame,
            Err(error) => return Some(Answer::Failed(StoreError::Batch { reason: error.to_string() })),
        };
        let (answer, answered) = oneshot::channel();
        self.waiting.lock().as_mut()?.insert(number, answer);
        // Forgotten when nobody waits any more.
        let _place = Place { waiting: &self.waiting, number };
        // A task of its own sends it, so that it is sent whole, whoever stops waiting.
        self.frames.send(frame).await.ok()?;
        answered.await.ok()
    }
}

struct Place<'a> {
    waiting: &'a Waiting,
    number: u64,
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        if let Some(waiting) = self.waiting.lock().as_mut() {
            waiting.remove(&self.number);
        }
    }
}

impl Waiting {
    fn lock(&self) -> std::sync::MutexGuard<'_, Option<HashMap<u64, oneshot::Sender<Answer>>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// No answer comes any more: everybody who waits is told.
    fn end(&self) {
        self.lock().take();
    }
}

async fn send(mut writes: OwnedWriteHalf, mut frames: mpsc::Receiver<Vec<u8>>, waiting: Arc<Waiting>) {
    while let Some(frame) = frames.recv().await {
        if writes.write_all(&frame).await.is_err() {
            break;
        }
    }
    waiting.end();
}

async fn hear(mut reads: BufReader<OwnedReadHalf>, waiting: Arc<Waiting>) {
    while let Ok(Some(length)) = wire::length(&mut reads).await {
        let Ok(Numbered { number, said }) = wire::body::<Numbered<Answer>>(&mut reads, length).await else {
            break;
        };
        let asked = waiting.lock().as_mut().and_then(|waiting| waiting.remove(&number));
        if let Some(asked) = asked {
            // Who asked may have gone.
            let _ = asked.send(said);
        }
    }
    waiting.end();
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
        self.waiting.end();
    }
}

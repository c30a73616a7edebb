//! Messages as lines of a pipe.
//!
//! A line is one message, or in sessions of 2025-03-26 and before several of them; then all of their answers are one
//! line, too. Lines end with a line feed, and a carriage return before it does not count; nor does a byte order mark.
//! What is no message is answered with an error and is not the end: a client that made one mistake may go on.

use std::collections::{HashMap, VecDeque};
use std::io;

use rmcp::RoleServer;
use rmcp::model::{
    ClientJsonRpcMessage, ClientNotification, GetMeta, JsonRpcMessage, ProtocolVersion, RequestId,
    ServerJsonRpcMessage, ServerResult,
};
use rmcp::transport::Transport;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::incoming::{self, Batch, Wrong, written};
use crate::meta;

/// The longest line, in bytes.
const MAX_LINE: usize = 16 << 20;
/// Lines that wait to be written.
const WAITING_LINES: usize = 64;
/// A line's memory that is kept for the next one.
const KEPT_LINE: usize = 1 << 20;
/// What the last lines may take.
const CLOSING: std::time::Duration = std::time::Duration::from_secs(1);

/// One client at the other end.
pub(crate) struct Pipe<R> {
    read: BufReader<R>,
    line: Vec<u8>,
    /// The line is too long: what is left of it is not kept.
    skipping: bool,
    /// There are no more lines.
    ended: bool,
    /// Messages that came together and are still to be handed on.
    messages: VecDeque<ClientJsonRpcMessage>,
    /// Lines that are still to be written before the next one is read.
    replies: VecDeque<String>,
    version: Option<ProtocolVersion>,
    under_way: UnderWay,
    out: Option<mpsc::Sender<String>>,
    writer: Option<JoinHandle<()>>,
}

enum Line {
    Whole,
    TooLong,
    End,
}

impl<R: AsyncRead + Send + Unpin> Pipe<R> {
    pub(crate) fn new(read: R, write: impl AsyncWrite + Send + Unpin + 'static) -> Self {
        let (out, lines) = mpsc::channel(WAITING_LINES);
        Self {
            read: BufReader::new(read),
            line: Vec::new(),
            skipping: false,
            ended: false,
            messages: VecDeque::new(),
            replies: VecDeque::new(),
            version: None,
            under_way: UnderWay::default(),
            out: Some(out),
            writer: Some(tokio::spawn(write_lines(write, lines))),
        }
    }

    /// Reads up to the end of a line. May be dropped and begun again at any time: what was read is in `self.line`.
    async fn read_line(&mut self) -> io::Result<Line> {
        loop {
            let available = self.read.fill_buf().await?;
            if available.is_empty() {
                return Ok(if std::mem::take(&mut self.skipping) { Line::TooLong } else { Line::End });
            }
            let newline = available.iter().position(|byte| *byte == b'\n');
            let taken = newline.map_or(available.len(), |position| position + 1);
            if !self.skipping && self.line.len() + taken <= MAX_LINE {
                self.line.extend_from_slice(&available[..taken]);
            } else {
                self.skipping = true;
                self.line = Vec::new();
            }
            self.read.consume(taken);
            if newline.is_some() {
                return Ok(if std::mem::take(&mut self.skipping) { Line::TooLong } else { Line::Whole });
            }
        }
    }

    /// Takes the line that was read.
    fn take_line(&mut self) {
        let mut bytes = std::mem::take(&mut self.line);
        let line = bytes.strip_suffix(b"\n").unwrap_or(&bytes);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line);
        if !line.trim_ascii().is_empty()
            && let Err(wrong) = self.take(line)
        {
            self.reply(&wrong.into_message());
        }
        if bytes.capacity() <= KEPT_LINE {
            bytes.clear();
            self.line = bytes;
        }
    }

    fn take(&mut self, line: &[u8]) -> Result<(), Wrong> {
        incoming::bounded(line)?;
        if !incoming::is_batch(line) {
            let Some(message) = incoming::message(line)? else { return Ok(()) };
            if let JsonRpcMessage::Request(request) = &message {
                self.under_way.begin(&request.id)?;
                // A client of the modern era never negotiates: each request says it.
                if self.version.is_none() {
                    self.version = request.request.get_meta().protocol_version();
                }
            }
            self.hand_on(message);
            return Ok(());
        }
        let batch = incoming::batch(line, self.version.as_ref())?;
        let wrong: Vec<_> = batch.wrong.iter().map(|wrong| written(wrong, self.version.as_ref())).collect();
        if batch.ids().next().is_none() && !wrong.is_empty() {
            self.replies.push_back(array(&wrong));
        } else {
            self.under_way.begin_together(&batch, wrong)?;
        }
        batch.messages.into_iter().for_each(|message| self.hand_on(message));
        Ok(())
    }

    fn hand_on(&mut self, message: ClientJsonRpcMessage) {
        // What is given up is not answered, and whatever came with it does not wait for it.
        if let JsonRpcMessage::Notification(notification) = &message
            && let ClientNotification::CancelledNotification(cancelled) = &notification.notification
            && let Some(id) = &cancelled.params.request_id
            && let Answer::Line(line) = self.under_way.end(id, None)
        {
            self.replies.push_back(line);
        }
        self.messages.push_back(message);
    }

    fn reply(&mut self, message: &ServerJsonRpcMessage) {
        self.replies.push_back(written(message, self.version.as_ref()));
    }
}

impl<R: AsyncRead + Send + Unpin> Transport<RoleServer> for Pipe<R> {
    type Error = io::Error;

    fn send(
        &mut self,
        mut message: ServerJsonRpcMessage,
    ) -> impl Future<Output = Result<(), io::Error>> + Send + 'static {
        if let JsonRpcMessage::Response(response) = &mut message
            && let ServerResult::TaskAckResult(acknowledgement) = &mut response.result
        {
            meta::stamp_acknowledgement(acknowledgement);
        }
        let mut text = Some(written(&message, self.version.as_ref()));
        let id = match &message {
            JsonRpcMessage::Response(response) => {
                if let ServerResult::InitializeResult(result) = &response.result {
                    self.version = Some(result.protocol_version.clone());
                }
                Some(&response.id)
            }
            JsonRpcMessage::Error(error) => error.id.as_ref(),
            _ => None,
        };
        if let Some(id) = id {
            text = match self.under_way.end(id, text) {
                Answer::Line(line) => Some(line),
                Answer::Later => None,
            };
        }
        let out = self.out.clone();
        async move {
            let Some(line) = text else { return Ok(()) };
            let closed = || io::Error::from(io::ErrorKind::BrokenPipe);
            out.ok_or_else(closed)?.send(line).await.map_err(|_| closed())
        }
    }

    async fn receive(&mut self) -> Option<ClientJsonRpcMessage> {
        loop {
            while let Some(reply) = self.replies.front() {
                self.out.as_ref()?.send(reply.clone()).await.ok()?;
                self.replies.pop_front();
            }
            if let Some(message) = self.messages.pop_front() {
                return Some(message);
            }
            if self.ended {
                return None;
            }
            match self.read_line().await {
                Ok(Line::Whole) => self.take_line(),
                Ok(Line::TooLong) => {
                    let wrong = Wrong::invalid(format!("a message may have at most {MAX_LINE} bytes"));
                    self.reply(&wrong.into_message());
                }
                Ok(Line::End) => {
                    self.ended = true;
                    self.take_line();
                }
                Err(error) => {
                    tracing::error!(%error, "the client's messages cannot be read");
                    self.ended = true;
                }
            }
        }
    }

    async fn close(&mut self) -> Result<(), io::Error> {
        self.out = None;
        if let Some(writer) = self.writer.take() {
            let abort = writer.abort_handle();
            if tokio::time::timeout(CLOSING, writer).await.is_err() {
                abort.abort();
            }
        }
        Ok(())
    }
}

/// One task writes, so that no line is ever torn by a send that was given up.
async fn write_lines(mut write: impl AsyncWrite + Unpin, mut lines: mpsc::Receiver<String>) {
    while let Some(mut line) = lines.recv().await {
        line.push('\n');
        let written = async {
            write.write_all(line.as_bytes()).await?;
            write.flush().await
        };
        if let Err(error) = written.await {
            tracing::debug!(%error, "the client reads no more");
            return;
        }
    }
}

/// Requests that wait for their answer, and which of them came together.
#[derive(Default)]
struct UnderWay {
    waiting: HashMap<RequestId, Option<u64>>,
    together: HashMap<u64, Together>,
    next: u64,
}

struct Together {
    missing: usize,
    answers: Vec<String>,
}

/// What becomes of an answer.
enum Answer {
    Line(String),
    /// It waits for the others, or nobody waits for it.
    Later,
}

impl UnderWay {
    fn begin(&mut self, id: &RequestId) -> Result<(), Wrong> {
        self.free(id)?;
        self.waiting.insert(id.clone(), None);
        Ok(())
    }

    fn begin_together(&mut self, batch: &Batch, wrong: Vec<String>) -> Result<(), Wrong> {
        batch.ids().try_for_each(|id| self.free(id))?;
        let missing = batch.ids().count();
        if missing > 0 {
            self.next += 1;
            self.together.insert(self.next, Together { missing, answers: wrong });
            self.waiting.extend(batch.ids().map(|id| (id.clone(), Some(self.next))));
        }
        Ok(())
    }

    fn free(&self, id: &RequestId) -> Result<(), Wrong> {
        match self.waiting.contains_key(id) {
            true => Err(Wrong::invalid(format!("a request with the id {id} is under way already"))),
            false => Ok(()),
        }
    }

    /// A request is answered, or given up.
    fn end(&mut self, id: &RequestId, answer: Option<String>) -> Answer {
        let Some(batch) = self.waiting.remove(id) else { return Answer::Later };
        let Some(number) = batch else { return answer.map_or(Answer::Later, Answer::Line) };
        let Some(together) = self.together.get_mut(&number) else { return Answer::Later };
        together.answers.extend(answer);
        together.missing -= 1;
        if together.missing > 0 {
            return Answer::Later;
        }
        let answers = self.together.remove(&number).map(|together| together.answers).unwrap_or_default();
        if answers.is_empty() { Answer::Later } else { Answer::Line(array(&answers)) }
    }
}

fn array(answers: &[String]) -> String {
    format!("[{}]", answers.join(","))
}

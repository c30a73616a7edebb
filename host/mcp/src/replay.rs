//! What a legacy session said lately, so that a client whose stream broke can hear the rest of it.
//!
//! Each session has its own [`Replay`]: it goes with the session, is bounded by itself, and an event id of one
//! session leads to nothing in another. A resumed stream follows what is still being said until the answer is out.
//! rmcp's own cache cannot do that: it forgets a stream together with its answer.

use std::collections::{HashMap, VecDeque};
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use futures_util::stream;
use rmcp::model::{ContentBlock, JsonRpcMessage, ResourceContents, ServerJsonRpcMessage, ServerResult};
use rmcp::transport::streamable_http_server::session::{
    EventStore, EventStoreError, EventStream, ServerSseMessage,
};
use serde_json::Value;
use tokio::sync::watch;

/// What one session keeps, in bytes of its messages, roughly.
const MAX_BYTES: usize = 4 << 20;
/// Events of one stream.
const MAX_EVENTS: usize = 256;
/// Streams.
const MAX_STREAMS: usize = 64;

/// The events of one session. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Replay(Arc<Shared>);

struct Shared {
    kept: Mutex<Kept>,
    /// Told of each event; true when the session ended.
    ended: watch::Sender<bool>,
}

#[derive(Default)]
struct Kept {
    streams: HashMap<String, Said>,
    /// Oldest first.
    order: VecDeque<String>,
    bytes: usize,
}

#[derive(Default)]
struct Said {
    /// How many events were dropped before the first that is kept.
    dropped: u64,
    events: VecDeque<(ServerSseMessage, usize)>,
    /// The answer is among them: nothing more will come.
    answered: bool,
}

/// An event id that belongs to no stream of this session, or to one that is gone.
#[derive(Debug, thiserror::Error)]
#[error("the stream of this event is not kept any more")]
struct Gone;

impl Replay {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Shared { kept: Mutex::default(), ended: watch::Sender::new(false) }))
    }

    /// Ends every stream that follows.
    pub(crate) fn end(&self) {
        self.0.ended.send_replace(true);
    }

    /// What this stream said from `number` on, and what it will say until its answer.
    fn follow(&self, stream: String, number: u64) -> EventStream {
        let state = (self.clone(), self.0.ended.subscribe(), stream, number);
        Box::pin(stream::unfold(state, async |(replay, mut ended, stream, number)| {
            loop {
                let over = *ended.borrow_and_update();
                match replay.read(&stream, number) {
                    Next::Event(event, number) => return Some((event, (replay, ended, stream, number))),
                    Next::End => return None,
                    Next::Later if over => return None,
                    Next::Later => ended.changed().await.ok()?,
                }
            }
        }))
    }

    fn store(&self, stream: &str, event: &ServerSseMessage) -> String {
        let mut kept = self.0.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if !kept.streams.contains_key(stream) {
            kept.order.push_back(stream.to_owned());
        }
        let weight = event.message.as_deref().map_or(0, weight);
        let said = kept.streams.entry(stream.to_owned()).or_default();
        let id = format!("{stream}/{}", said.dropped + said.events.len() as u64);
        said.answered |=
            matches!(event.message.as_deref(), Some(JsonRpcMessage::Response(_) | JsonRpcMessage::Error(_)));
        let mut event = event.clone();
        event.event_id = Some(id.clone());
        said.events.push_back((event, weight));
        let mut freed = 0;
        while said.events.len() > MAX_EVENTS {
            freed += said.drop_first();
        }
        kept.bytes = kept.bytes + weight - freed;
        kept.shrink(stream);
        drop(kept);
        self.0.ended.send_modify(|_| {});
        id
    }

    /// The event of this number, or why there is none.
    fn read(&self, stream: &str, number: u64) -> Next {
        let kept = self.0.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(said) = kept.streams.get(stream) else { return Next::End };
        // What was dropped meanwhile is skipped.
        let position = number.saturating_sub(said.dropped);
        match usize::try_from(position).ok().and_then(|position| said.events.get(position)) {
            Some((event, _)) => Next::Event(event.clone(), said.dropped + position + 1),
            None if said.answered => Next::End,
            None => Next::Later,
        }
    }
}

impl Kept {
    /// Drops whole streams, the oldest first, and at last the oldest events of this one.
    fn shrink(&mut self, newest: &str) {
        while (self.bytes > MAX_BYTES || self.streams.len() > MAX_STREAMS) && self.streams.len() > 1 {
            let Some(oldest) = self.order.iter().position(|stream| stream != newest) else { break };
            let oldest = self.order.remove(oldest).unwrap_or_default();
            let said = self.streams.remove(&oldest).unwrap_or_default();
            self.bytes -= said.events.iter().map(|(_, weight)| weight).sum::<usize>();
        }
        while self.bytes > MAX_BYTES
            && let Some(said) = self.streams.get_mut(newest)
            && !said.events.is_empty()
        {
            self.bytes -= said.drop_first();
        }
    }
}

impl Said {
    fn drop_first(&mut self) -> usize {
        self.dropped += 1;
        self.events.pop_front().map_or(0, |(_, weight)| weight)
    }
}

enum Next {
    Event(ServerSseMessage, u64),
    Later,
    End,
}

#[async_trait]
impl EventStore for Replay {
    async fn store_event(
        &self,
        stream_id: &str,
        event: &ServerSseMessage,
    ) -> Result<String, EventStoreError> {
        Ok(self.store(stream_id, event))
    }

    async fn replay_events_after(&self, last_event_id: &str) -> Result<EventStream, EventStoreError> {
        let (stream, number) = last_event_id.rsplit_once('/').ok_or(Gone)?;
        let next = number.parse::<u64>().ok().and_then(|number| number.checked_add(1)).ok_or(Gone)?;
        let known = {
            let kept = self.0.kept.lock().unwrap_or_else(PoisonError::into_inner);
            kept.streams.get(stream).is_some_and(|said| next <= said.dropped + said.events.len() as u64)
        };
        if !known {
            return Err(Gone.into());
        }
        Ok(self.follow(stream.to_owned(), next))
    }
}

/// How much memory a message takes, roughly. What a tool answers is the largest, and is not written out for it.
fn weight(message: &ServerJsonRpcMessage) -> usize {
    const OVERHEAD: usize = 512;
    let inside = match message {
        JsonRpcMessage::Response(response) => match &response.result {
            ServerResult::CallToolResult(result) => {
                let content: usize = result.content.iter().map(block).sum();
                content + result.structured_content.as_ref().map_or(0, value)
            }
            _ => written(message),
        },
        _ => written(message),
    };
    OVERHEAD + inside
}

/// What a value takes besides its text.
const VALUE: usize = size_of::<Value>();

/// The length of a message as JSON, with what its values take in memory: small ones take more than their text.
fn written(message: &ServerJsonRpcMessage) -> usize {
    struct Scale(usize);
    impl io::Write for Scale {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            // serde_json writes each of these by itself, and one of them stands before every value.
            self.0 += bytes.len() + if matches!(bytes, b"," | b"[" | b"{") { VALUE } else { 0 };
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let mut scale = Scale(0);
    // What cannot be written is never sent. It weighs as much as there may be, and is not kept.
    serde_json::to_writer(&mut scale, message).map_or(MAX_BYTES, |()| scale.0)
}

fn block(block: &ContentBlock) -> usize {
    match block {
        ContentBlock::Text(text) => text.text.len(),
        ContentBlock::Image(image) => image.data.len(),
        ContentBlock::Audio(audio) => audio.data.len(),
        ContentBlock::Resource(embedded) => match &embedded.resource {
            ResourceContents::TextResourceContents { text, .. } => text.len(),
            ResourceContents::BlobResourceContents { blob, .. } => blob.len(),
            _ => 0,
        },
        _ => 256,
    }
}

fn value(value: &Value) -> usize {
    VALUE
        + match value {
            Value::String(text) => text.len(),
            Value::Array(items) => items.iter().map(self::value).sum(),
            Value::Object(fields) => {
                fields.iter().map(|(key, field)| size_of::<String>() + key.len() + self::value(field)).sum()
            }
            _ => 0,
        }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use futures_util::StreamExt;
    use rmcp::model::{CallToolResult, RequestId, ServerJsonRpcMessage};
    use serde_json::json;

    use super::*;

    fn note() -> ServerSseMessage {
        ServerSseMessage::retry(Duration::from_secs(3))
    }

    fn answer(text: &str) -> ServerSseMessage {
        let result = CallToolResult::success(vec![ContentBlock::text(text)]);
        ServerSseMessage::from_message(ServerJsonRpcMessage::response(result.into(), RequestId::Number(1)))
    }

    async fn ids(replay: &Replay, after: &str) -> Vec<String> {
        let stream = replay.replay_events_after(after).await.unwrap();
        stream.map(|event| event.event_id.unwrap()).collect().await
    }

    #[tokio::test]
    async fn a_resumed_stream_repeats_what_was_missed_and_ends_with_the_answer() {
        let replay = Replay::new();
        for event in [note(), note(), answer("done")] {
            replay.store("a", &event);
        }
        replay.store("b", &note());
        assert_eq!(ids(&replay, "a/0").await, ["a/1", "a/2"]);
        assert!(ids(&replay, "a/2").await.is_empty());
    }

    #[tokio::test]
    async fn a_resumed_stream_follows_what_is_still_being_said() {
        let replay = Replay::new();
        replay.store("a", &note());
        let mut stream = replay.replay_events_after("a/0").await.unwrap();
        let follow = tokio::spawn(async move {
            let mut heard = Vec::new();
            while let Some(event) = stream.next().await {
                heard.push(event.event_id.unwrap());
            }
            heard
        });
        for event in [note(), answer("done")] {
            tokio::task::yield_now().await;
            replay.store("a", &event);
        }
        assert_eq!(follow.await.unwrap(), ["a/1", "a/2"]);
    }

    #[tokio::test]
    async fn a_following_stream_ends_with_its_session() {
        let replay = Replay::new();
        replay.store("a", &note());
        let stream = replay.replay_events_after("a/0").await.unwrap();
        replay.end();
        assert_eq!(stream.count().await, 0);
    }

    #[tokio::test]
    async fn an_event_that_was_never_sent_leads_to_nothing() {
        let replay = Replay::new();
        replay.store("a", &note());
        for wrong in ["", "a", "a/1", "a/x", "b/0", "a/18446744073709551615"] {
            assert!(replay.replay_events_after(wrong).await.is_err(), "{wrong}");
        }
    }

    #[tokio::test]
    async fn what_is_kept_is_bounded() {
        let replay = Replay::new();
        let large = "x".repeat(MAX_BYTES / 2);
        for stream in ["a", "b", "c"] {
            replay.store(stream, &note());
            replay.store(stream, &answer(&large));
        }
        assert!(replay.replay_events_after("a/0").await.is_err(), "the oldest went");
        assert_eq!(ids(&replay, "c/0").await, ["c/1"]);
        replay.store("d", &answer(&"x".repeat(MAX_BYTES + 1)));
        let kept = replay.0.kept.lock().unwrap();
        assert!(kept.bytes <= MAX_BYTES, "{}", kept.bytes);
        drop(kept);
        for number in 0..2 * MAX_STREAMS {
            replay.store(&number.to_string(), &note());
        }
        assert!(replay.0.kept.lock().unwrap().streams.len() <= MAX_STREAMS);
        for _ in 0..2 * MAX_EVENTS {
            replay.store("long", &note());
        }
        assert_eq!(ids_so_far(&replay, "long").len(), MAX_EVENTS);
    }

    fn log_line(data: Value) -> ServerSseMessage {
        let line = json!({"jsonrpc": "2.0", "method": "notifications/message",
                          "params": {"level": "info", "data": data}});
        ServerSseMessage::from_message(serde_json::from_value(line).unwrap())
    }

    #[tokio::test]
    async fn long_notifications_are_bounded_as_answers_are() {
        let text = Value::from("x".repeat(MAX_BYTES / 16));
        let numbers = Value::from(vec![0; MAX_BYTES / 16 / VALUE]);
        for data in [text, numbers] {
            let replay = Replay::new();
            for _ in 0..64 {
                replay.store("a", &log_line(data.clone()));
            }
            let kept = ids_so_far(&replay, "a").len();
            assert!((8..=16).contains(&kept), "{kept} are kept");
            assert!(replay.0.kept.lock().unwrap().bytes <= MAX_BYTES);
        }
    }

    fn ids_so_far(replay: &Replay, stream: &str) -> Vec<u64> {
        let mut numbers = Vec::new();
        let mut next = 0;
        while let Next::Event(_, following) = replay.read(stream, next) {
            numbers.push(following - 1);
            next = following;
        }
        numbers
    }
}

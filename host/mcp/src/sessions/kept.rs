//! What one session said lately, stream by stream, each event under an id by which a client whose stream broke, or was
//! closed for it, can hear the rest.
//!
//! This is also the way by which messages reach a client that listens: its response reads along. So nobody ever waits
//! for a slow client, and what is bounded here is all that there is. Dropped first are whole streams that are over,
//! the oldest first; then what was heard already, or what nobody listens to. An answer that somebody is about to
//! hear, and the last answer that was given, go last, when a client takes nothing at all.

use std::collections::{BTreeMap, VecDeque};

use rmcp::model::JsonRpcMessage;
use rmcp::transport::streamable_http_server::session::ServerSseMessage;

use super::routes::{Number, STANDING};
use super::weight::weight;
use crate::keys;

/// What one session keeps, in bytes of its messages, roughly.
pub(super) const MAX_BYTES: usize = 4 << 20;
/// What may wait to be heard where one stream carries everything, in bytes, roughly. A client that is further behind
/// is let go.
pub(super) const MAX_UNHEARD: usize = 64 << 20;
/// And with answers that a reader is about to hear: a client that asks and does not read has no more than this. More
/// than what one stream for everything may have unheard, so that its client is let go before anything is dropped.
const MAX_AWAITED: usize = 2 * MAX_UNHEARD;
/// Events of one stream.
const MAX_EVENTS: usize = 256;
/// Streams.
const MAX_STREAMS: usize = 64;

/// The streams of one session.
pub(super) struct Kept {
    /// Part of each event id, so that those of another session mean nothing here.
    tag: String,
    streams: BTreeMap<Number, Said>,
    /// Where something was said last.
    latest: Number,
    next: Number,
    bytes: usize,
}

#[derive(Default)]
struct Said {
    /// Answers that are still to come.
    open: usize,
    /// More may come although no answer is to come.
    endless: bool,
    /// Its client takes nothing but the answer.
    deaf: bool,
    /// Who reads it, if anybody; a later reader takes an earlier one's place.
    reader: Option<u64>,
    readers: u64,
    /// How many events were read.
    taken: u64,
    /// How many events were dropped before the first that is kept.
    dropped: u64,
    events: VecDeque<(ServerSseMessage, usize)>,
}

/// What comes next on a stream.
pub(super) enum Next {
    Event(ServerSseMessage, u64),
    Later,
    End,
}

impl Kept {
    pub(super) fn new() -> Self {
        let standing = Said { endless: true, ..Said::default() };
        let tag = keys::random()[..8].to_owned();
        let streams = BTreeMap::from([(STANDING, standing)]);
        Self { tag, streams, latest: STANDING, next: STANDING + 1, bytes: 0 }
    }

    /// A new stream on which so many answers will come.
    pub(super) fn open(&mut self, answers: usize, deaf: bool) -> Number {
        let number = self.next;
        self.next += 1;
        self.streams.insert(number, Said { open: answers, deaf, ..Said::default() });
        self.shrink();
        number
    }

    /// One answer less will come on this stream.
    pub(super) fn close_one(&mut self, stream: Number) {
        if let Some(said) = self.streams.get_mut(&stream) {
            said.open = said.open.saturating_sub(1);
        }
    }

    /// Whether nothing but an answer is heard there.
    pub(super) fn is_deaf(&self, stream: Number) -> bool {
        self.streams.get(&stream).is_some_and(|said| said.deaf)
    }

    /// Says something. On a stream that is not kept any more nobody hears it.
    pub(super) fn say(&mut self, stream: Number, mut event: ServerSseMessage) {
        let Some(said) = self.streams.get_mut(&stream) else { return };
        let weight = event.message.as_deref().map_or(0, weight);
        event.event_id = Some(format!("{}-{stream}/{}", self.tag, said.end()));
        said.events.push_back((event, weight));
        self.bytes += weight;
        self.latest = stream;
        if said.events.len() > MAX_EVENTS && said.may_drop_first(false) {
            self.bytes -= said.drop_first();
        }
        self.shrink();
    }

    /// Begins to read a stream. Whoever read it before reads it no more.
    pub(super) fn attach(&mut self, stream: Number) -> Option<u64> {
        let said = self.streams.get_mut(&stream)?;
        said.readers += 1;
        said.reader = Some(said.readers);
        said.reader
    }

    /// This reader left.
    pub(super) fn detach(&mut self, stream: Number, reader: u64) {
        if let Some(said) = self.streams.get_mut(&stream).filter(|said| said.reader == Some(reader)) {
            said.reader = None;
            self.shrink();
        }
    }

    /// The event of this number, or the next one if it was dropped; or why there is none.
    pub(super) fn read(&mut self, stream: Number, reader: u64, number: u64) -> Next {
        let Some(said) = self.streams.get_mut(&stream).filter(|said| said.reader == Some(reader)) else {
            return Next::End;
        };
        let position = number.saturating_sub(said.dropped);
        match usize::try_from(position).ok().and_then(|position| said.events.get(position)) {
            Some((event, _)) => {
                let following = said.dropped + position + 1;
                said.taken = said.taken.max(following);
                Next::Event(event.clone(), following)
            }
            None if said.open == 0 && !said.endless => Next::End,
            None => Next::Later,
        }
    }

    /// Forgets a stream, also what its reader has not read yet.
    pub(super) fn forget(&mut self, stream: Number) {
        let said = self.streams.remove(&stream).unwrap_or_default();
        self.bytes -= said.events.iter().map(|(_, weight)| weight).sum::<usize>();
    }

    /// The number of the first event of a stream that nobody read yet.
    pub(super) fn unread(&self, stream: Number) -> u64 {
        self.streams.get(&stream).map_or(0, |said| said.taken)
    }

    /// The weight of what its reader has not read yet.
    pub(super) fn weight_unread(&self, stream: Number) -> usize {
        self.streams.get(&stream).map_or(0, |said| {
            let read = usize::try_from(said.taken.saturating_sub(said.dropped)).unwrap_or(usize::MAX);
            said.events.iter().skip(read).map(|(_, weight)| weight).sum()
        })
    }

    /// The stream of this event, and the number of the event after it.
    pub(super) fn after(&self, event_id: &str) -> Option<(Number, u64)> {
        let (stream, number) = event_id.strip_prefix(&self.tag)?.strip_prefix('-')?.split_once('/')?;
        let (stream, next) = (stream.parse().ok()?, number.parse::<u64>().ok()?.checked_add(1)?);
        (next <= self.streams.get(&stream)?.end()).then_some((stream, next))
    }

    fn shrink(&mut self) {
        while self.bytes > MAX_BYTES || self.streams.len() > MAX_STREAMS {
            let latest = self.latest;
            let over = self.streams.iter().find(|(number, said)| said.is_over() && **number != latest);
            if let Some(number) = over.map(|(number, _)| *number) {
                self.forget(number);
                continue;
            }
            if self.bytes <= MAX_BYTES {
                return;
            }
            let anything = self.bytes > MAX_AWAITED;
            let mut streams = self.streams.iter_mut();
            let Some((_, said)) = streams.find(|(number, said)| {
                said.may_drop_first(**number == latest) || (anything && !said.events.is_empty())
            }) else {
                return;
            };
            self.bytes -= said.drop_first();
        }
    }
}

impl Said {
    /// The number that the next event will have.
    fn end(&self) -> u64 {
        self.dropped + self.events.len() as u64
    }

    fn is_over(&self) -> bool {
        self.open == 0 && !self.endless && self.reader.is_none()
    }

    fn may_drop_first(&self, latest: bool) -> bool {
        let Some((event, _)) = self.events.front() else { return false };
        let is_answer =
            matches!(event.message.as_deref(), Some(JsonRpcMessage::Response(_) | JsonRpcMessage::Error(_)));
        let heard = self.taken > self.dropped;
        let awaited = self.reader.is_some() || (latest && self.events.len() == 1);
        !is_answer || heard || !awaited
    }

    fn drop_first(&mut self) -> usize {
        self.dropped += 1;
        self.events.pop_front().map_or(0, |(_, weight)| weight)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use rmcp::model::{CallToolResult, ContentBlock, RequestId, ServerJsonRpcMessage};
    use serde_json::{Value, json};

    use super::super::weight::VALUE;
    use super::*;

    fn note() -> ServerSseMessage {
        ServerSseMessage::retry(Duration::from_secs(3))
    }

    fn answer(text: &str) -> ServerSseMessage {
        let result = CallToolResult::success(vec![ContentBlock::text(text)]);
        ServerSseMessage::from_message(ServerJsonRpcMessage::response(result.into(), RequestId::Number(1)))
    }

    fn log_line(data: Value) -> ServerSseMessage {
        let line = json!({"jsonrpc": "2.0", "method": "notifications/message",
                          "params": {"level": "info", "data": data}});
        ServerSseMessage::from_message(serde_json::from_value(line).unwrap())
    }

    /// What a reader hears from `number` on, now.
    fn hears(kept: &mut Kept, stream: Number, mut number: u64) -> Vec<u64> {
        let reader = kept.attach(stream).unwrap();
        let mut heard = Vec::new();
        while let Next::Event(event, following) = kept.read(stream, reader, number) {
            assert!(event.event_id.unwrap().ends_with(&format!("{stream}/{}", following - 1)));
            heard.push(following - 1);
            number = following;
        }
        kept.detach(stream, reader);
        heard
    }

    /// A stream with these events, to its end.
    fn said(kept: &mut Kept, events: impl IntoIterator<Item = ServerSseMessage>) -> Number {
        let stream = kept.open(1, false);
        events.into_iter().for_each(|event| kept.say(stream, event));
        kept.close_one(stream);
        stream
    }

    #[test]
    fn an_event_leads_to_those_after_it_and_to_no_other_streams() {
        let mut kept = Kept::new();
        let stream = said(&mut kept, [note(), note(), answer("done")]);
        let other = said(&mut kept, [note()]);
        let id = |stream, number| format!("{}-{stream}/{number}", kept.tag);
        assert_eq!(kept.after(&id(stream, 0)), Some((stream, 1)));
        assert_eq!(kept.after(&id(stream, 2)), Some((stream, 3)));
        let tag = &kept.tag;
        let wrong = [
            String::new(),
            id(stream, 3),
            id(other, 1),
            id(7, 0),
            format!("{stream}/0"),
            format!("{tag}-{stream}"),
            format!("{tag}-{stream}/x"),
            format!("{tag}-{stream}/18446744073709551615"),
            format!("ffffffff-{stream}/0"),
        ];
        for wrong in wrong {
            assert_eq!(kept.after(&wrong), None, "{wrong}");
        }
        assert_eq!(hears(&mut kept, stream, 1), [1, 2]);
    }

    #[test]
    fn a_stream_has_one_reader_the_last_that_came() {
        let mut kept = Kept::new();
        let stream = kept.open(1, false);
        let first = kept.attach(stream).unwrap();
        assert!(matches!(kept.read(stream, first, 0), Next::Later));
        let second = kept.attach(stream).unwrap();
        assert!(matches!(kept.read(stream, first, 0), Next::End));
        kept.detach(stream, first);
        assert!(matches!(kept.read(stream, second, 0), Next::Later), "it is not sent away by the first one");
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let mut kept = Kept::new();
        let large = "x".repeat(MAX_BYTES / 2);
        let [oldest, _, newest] = [(); 3].map(|()| said(&mut kept, [note(), answer(&large)]));
        assert!(kept.attach(oldest).is_none(), "the oldest went");
        assert_eq!(hears(&mut kept, newest, 1), [1]);
        for _ in 0..2 * MAX_STREAMS {
            said(&mut kept, [note()]);
        }
        assert!(kept.streams.len() <= MAX_STREAMS);
        let long = kept.open(1, false);
        for _ in 0..2 * MAX_EVENTS {
            kept.say(long, note());
        }
        assert_eq!(hears(&mut kept, long, 0).len(), MAX_EVENTS);
    }

    #[test]
    fn the_last_answer_is_kept_however_large() {
        let mut kept = Kept::new();
        let huge = "x".repeat(MAX_BYTES + 1);
        let first = said(&mut kept, [note(), answer(&huge)]);
        assert_eq!(hears(&mut kept, first, 1), [1]);
        let second = said(&mut kept, [note(), answer(&huge)]);
        assert!(kept.attach(first).is_none());
        assert_eq!(hears(&mut kept, second, 1), [1]);
    }

    #[test]
    fn an_answer_that_somebody_is_about_to_hear_is_not_dropped() {
        let mut kept = Kept::new();
        let huge = "x".repeat(MAX_BYTES);
        let streams = [(); 3].map(|()| {
            let stream = kept.open(1, false);
            let reader = kept.attach(stream).unwrap();
            kept.say(stream, answer(&huge));
            kept.close_one(stream);
            (stream, reader)
        });
        for (stream, reader) in streams {
            assert!(matches!(kept.read(stream, reader, 0), Next::Event(..)));
        }
        for (stream, reader) in streams {
            kept.detach(stream, reader);
        }
        assert!(kept.bytes <= MAX_BYTES + 1024, "{}", kept.bytes);
    }

    #[test]
    fn streams_that_are_still_to_be_answered_are_not_dropped() {
        let mut kept = Kept::new();
        let open: Vec<_> = (0..2 * MAX_STREAMS).map(|_| kept.open(1, false)).collect();
        for stream in open {
            assert!(kept.attach(stream).is_some());
        }
    }

    #[test]
    fn long_notifications_are_bounded_as_answers_are() {
        let text = Value::from("x".repeat(MAX_BYTES / 16));
        let numbers = Value::from(vec![0; MAX_BYTES / 16 / VALUE]);
        for data in [text, numbers] {
            let mut kept = Kept::new();
            let stream = kept.open(1, false);
            let _slow = kept.attach(stream);
            for _ in 0..64 {
                kept.say(stream, log_line(data.clone()));
            }
            assert!(kept.bytes <= MAX_BYTES);
            let heard = hears(&mut kept, stream, 0).len();
            assert!((8..=16).contains(&heard), "{heard} are kept");
        }
    }
}

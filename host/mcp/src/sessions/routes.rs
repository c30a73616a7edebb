//! Which of a session's streams each message belongs to.
//!
//! An answer goes to the stream that its request opened, and so does whatever is said for a request before that:
//! progress, log lines, questions. What nobody asked for goes to the standing stream (specification of 2025-11-25,
//! `basic/transports`, "Sending Messages to the Server" and "Listening for Messages from the Server").

use std::collections::HashMap;

use rmcp::model::{
    GetExtensions, ProgressToken, RequestId, ServerJsonRpcMessage, ServerNotification, ServerRequest,
};
use rmcp::service::OriginatingRequestId;

/// Streams of one session are numbered in the order in which they were opened.
pub(super) type Number = u64;

/// The stream that no request opened: what a client's GET listens to, and the only one of the transport of
/// 2024-11-05.
pub(super) const STANDING: Number = 0;

/// Where things go.
#[derive(Default)]
pub(super) struct Routes {
    /// Requests that wait for their answer.
    waiting: HashMap<RequestId, (Number, Option<ProgressToken>)>,
    progress: HashMap<ProgressToken, Number>,
    /// Requests of this server's that wait for the client's answer.
    asked: HashMap<RequestId, Number>,
}

/// Where one message goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Route {
    To(Number),
    /// To this stream, on which one answer less is still to come.
    Answer(Number),
    /// Its request was given up, so it is not said any more.
    Nowhere,
}

impl Routes {
    /// How many requests wait for their answer.
    pub(super) fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// Which.
    pub(super) fn under_way(&self) -> Vec<RequestId> {
        self.waiting.keys().cloned().collect()
    }

    /// Whether this request waits for its answer.
    pub(super) fn waits(&self, id: &RequestId) -> bool {
        self.waiting.contains_key(id)
    }

    /// A request came, and its answer goes to this stream.
    pub(super) fn expect(&mut self, id: RequestId, token: Option<ProgressToken>, stream: Number) {
        if let Some(token) = token.clone() {
            self.progress.insert(token, stream);
        }
        self.waiting.insert(id, (stream, token));
    }

    /// A request is answered, or given up. Returns its stream.
    pub(super) fn forget(&mut self, id: &RequestId) -> Option<Number> {
        let (stream, token) = self.waiting.remove(id)?;
        if let Some(token) = token {
            self.progress.remove(&token);
        }
        if !self.waiting.values().any(|(other, _)| *other == stream) {
            self.asked.retain(|_, other| *other != stream);
        }
        Some(stream)
    }

    /// The client answered a request of this server's.
    pub(super) fn replied(&mut self, id: &RequestId) {
        self.asked.remove(id);
    }

    /// Where this message goes.
    pub(super) fn route(&mut self, message: &ServerJsonRpcMessage) -> Route {
        match message {
            ServerJsonRpcMessage::Response(response) => self.answer(Some(&response.id)),
            ServerJsonRpcMessage::Error(error) => self.answer(error.id.as_ref()),
            ServerJsonRpcMessage::Request(request) => {
                let stream = self.of(&request.request).unwrap_or(STANDING);
                self.asked.insert(request.id.clone(), stream);
                Route::To(stream)
            }
            ServerJsonRpcMessage::Notification(notification) => self.notification(&notification.notification),
        }
    }

    fn answer(&mut self, id: Option<&RequestId>) -> Route {
        let Some(id) = id else { return Route::To(STANDING) };
        self.forget(id).map_or(Route::Nowhere, Route::Answer)
    }

    /// The stream of the request that this one was made for.
    fn of(&self, request: &ServerRequest) -> Option<Number> {
        let OriginatingRequestId(id) = request.extensions().get()?;
        self.waiting.get(id).map(|(stream, _)| *stream)
    }

    fn notification(&mut self, notification: &ServerNotification) -> Route {
        let known = |stream: Option<Number>| stream.map_or(Route::Nowhere, Route::To);
        match notification {
            ServerNotification::ProgressNotification(progress) => {
                known(self.progress.get(&progress.params.progress_token).copied())
            }
            // This server gives up a request of its own.
            ServerNotification::CancelledNotification(cancelled) => {
                let stream = cancelled.params.request_id.as_ref().and_then(|id| self.asked.remove(id));
                Route::To(stream.unwrap_or(STANDING))
            }
            ServerNotification::LoggingMessageNotification(line) => match line.extensions.get() {
                Some(OriginatingRequestId(id)) => known(self.waiting.get(id).map(|(stream, _)| *stream)),
                None => Route::To(STANDING),
            },
            _ => Route::To(STANDING),
        }
    }
}

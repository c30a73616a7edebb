//! What a backend was asked: every request as it arrived, for assertions in tests.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use axum::body::Bytes;
use axum::http::request::Parts;
use jiff::Timestamp;

/// One request, as it arrived on the wire.
#[derive(Debug, Clone)]
pub struct Recorded {
    /// When it had been read completely.
    pub at: Timestamp,
    /// The method, in capitals.
    pub method: String,
    /// The path exactly as sent, percent-encoding included.
    pub path: String,
    /// The query exactly as sent, without `?`; empty if there was none.
    pub query: String,
    /// Header names in lower case with their values, in the order they were sent; what is not UTF-8 is replaced.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
    /// The status it was answered with; `None` while it runs and for a connection that was dropped.
    pub status: Option<u16>,
}

impl Recorded {
    /// The first value of a header; `name` in any case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// The body as JSON, if it is JSON.
    pub fn json(&self) -> Option<serde_json::Value> {
        serde_json::from_slice(&self.body).ok()
    }
}

/// Requests that are kept; older ones are forgotten, so that a demo can run for weeks.
const KEPT: usize = 20_000;

/// The requests of one backend, oldest first.
#[derive(Debug, Clone, Default)]
pub(crate) struct Journal {
    pages: Arc<Mutex<Pages>>,
}

/// Entries keep their number when others are forgotten, so an answer never lands on a later request.
#[derive(Debug, Default)]
struct Pages {
    first: usize,
    entries: VecDeque<Recorded>,
}

impl Journal {
    pub(crate) fn record(&self, parts: &Parts, body: &Bytes) -> usize {
        let headers = parts
            .headers
            .iter()
            .map(|(name, value)| {
                (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
            })
            .collect();
        let entry = Recorded {
            at: Timestamp::now(),
            method: parts.method.to_string(),
            path: parts.uri.path().to_owned(),
            query: parts.uri.query().unwrap_or_default().to_owned(),
            headers,
            body: body.to_vec(),
            status: None,
        };
        let mut pages = self.lock();
        if pages.entries.len() == KEPT {
            pages.entries.pop_front();
            pages.first += 1;
        }
        pages.entries.push_back(entry);
        pages.first + pages.entries.len() - 1
    }

    pub(crate) fn answered(&self, entry: usize, status: u16) {
        let mut pages = self.lock();
        let index = entry.checked_sub(pages.first);
        if let Some(entry) = index.and_then(|index| pages.entries.get_mut(index)) {
            entry.status = Some(status);
        }
    }

    pub(crate) fn all(&self) -> Vec<Recorded> {
        self.lock().entries.iter().cloned().collect()
    }

    pub(crate) fn clear(&self) {
        let mut pages = self.lock();
        pages.first += pages.entries.len();
        pages.entries.clear();
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Pages> {
        self.pages.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

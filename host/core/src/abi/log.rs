//! A plugin's log: bounded in rate and size, cleaned of what could forge a line, and passed on as fields.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use serde_json::Value;

use crate::sandbox::{CallInfo, Level};
use crate::secret_arguments::hide;
use crate::text::{clean, clean_json};

/// The longest message; the rest is cut off.
const MAX_MESSAGE: usize = 4 << 10;
/// The largest data, as JSON text; what is larger is left out.
const MAX_DATA: usize = 16 << 10;
/// Lines a second of one binding, and how many at once.
const RATE: NonZeroU32 = NonZeroU32::new(100).unwrap();
const BURST: NonZeroU32 = NonZeroU32::new(500).unwrap();

/// How much one binding may log. What is over the limit is counted, and the count is logged with the next line.
#[derive(Debug)]
pub struct LogGate {
    limiter: DefaultDirectRateLimiter,
    dropped: AtomicU64,
}

impl LogGate {
    /// With nothing used.
    pub fn new() -> Arc<Self> {
        let limiter = RateLimiter::direct(Quota::per_second(RATE).allow_burst(BURST));
        Arc::new(Self { limiter, dropped: AtomicU64::new(0) })
    }

    /// Whether another line may be written; with how many were dropped before it.
    fn admit(&self) -> Option<u64> {
        if self.limiter.check().is_ok() {
            Some(self.dropped.swap(0, Ordering::Relaxed))
        } else {
            self.dropped.fetch_add(1, Ordering::Relaxed);
            None
        }
    }
}

/// Writes one line of a plugin to the host's log and shows it to who listens to the call. `data` is JSON text; what is
/// not JSON is shown as text.
pub fn write(call: &CallInfo, level: Level, message: &str, data: Option<String>) {
    let Some(dropped) = call.log.admit() else { return };
    let message = call.secrets.hide(message);
    let message = clean(cut(&message, MAX_MESSAGE));
    let data = data.filter(|json| json.len() <= MAX_DATA).map(|json| {
        let mut value = serde_json::from_str(&json).unwrap_or(Value::String(json));
        if let Some(mask) = call.secrets.mask() {
            hide::json(mask, &mut value);
        }
        clean_json(&mut value);
        value
    });
    if dropped > 0 {
        tracing::warn!(target: "plugin", binding = %call.binding, dropped, "log lines over the limit were dropped");
    }
    let text = data.as_ref().map(Value::to_string);
    macro_rules! event {
        ($level:ident) => {
            tracing::event!(target: "plugin", tracing::Level::$level, binding = %call.binding, tool = %call.tool,
                call = %call.id, data = text.as_deref(), "{message}")
        };
    }
    match level {
        Level::Debug => event!(DEBUG),
        Level::Info | Level::Notice => event!(INFO),
        Level::Warning => event!(WARN),
        _ => event!(ERROR),
    }
    call.observer.log(level, &message, data.as_ref());
}

/// The first `max` bytes, ending at a character.
fn cut(text: &str, max: usize) -> &str {
    &text[..text.floor_char_boundary(max)]
}

//! What a guest wanted and may not, as every capability tells it to the operator. The guest learns that it was refused
//! and nothing else.

use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::sandbox::CallInfo;

/// Refusals of one call that are logged. A guest that asks in a loop does not fill the log.
const MOST_LOGGED: usize = 16;

/// Something that may not be done. Everything in it is for the operator alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// Which rule, in a word, for the log.
    pub rule: &'static str,
    /// What was refused and why.
    pub why: String,
    /// The line that would allow it. None: no line does.
    pub allow: Option<String>,
}

impl Refusal {
    /// One that no line allows.
    pub fn new(rule: &'static str, why: impl Into<String>) -> Self {
        Self { rule, why: why.into(), allow: None }
    }

    /// The same, where this line would allow it.
    pub fn allowed_by(self, line: impl Into<String>) -> Self {
        Self { allow: Some(line.into()), ..self }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.why)?;
        self.allow.as_ref().map_or(Ok(()), |allow| write!(f, "; to allow it: {allow}"))
    }
}

/// Tells the operator of the refusals of one call by one capability: the call's record has them, bounded as all that
/// stands there is, and the log has the first few.
#[derive(Debug, Default)]
pub struct Refusals(AtomicUsize);

impl Refusals {
    /// `said`: the log line's message, the same for all of one capability.
    pub fn note(&self, call: &CallInfo, refusal: &Refusal, said: &'static str) {
        call.used.refuse(refusal.to_string());
        if self.0.fetch_add(1, Ordering::Relaxed) >= MOST_LOGGED {
            return;
        }
        tracing::warn!(
            call = %call.id, binding = %call.binding, tool = %call.tool, principal = %call.principal,
            rule = refusal.rule, why = %call.secrets.hide(&refusal.why), allow = refusal.allow.as_deref(),
            "{said}"
        );
    }
}

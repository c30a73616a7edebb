//! Asking back: what a plugin may ask of the client that calls it, and of the person in front of it.
//!
//! A guest that needs an answer ends its call with a question; no instance waits. On its way out the question passes
//! [`check`]: what was not granted is refused, what is sent is bounded, cleaned and rebuilt from the parts that MCP
//! knows, and begins with the name of the binding that asks, so that a person sees who it is. What comes back passes
//! [`answers`]: only what was asked for, each by its kind; an answer that is missing or wrong is left out, so that the
//! guest asks again. The continued call is a new pass through the whole corridor.
//!
//! - [`capability`]: `[client]` of the manifest and its grants, a capability like any other
//! - [`question`]: the check; [`form`], [`website`] and [`sampling`] are the kinds that have parameters, [`secrets`]
//!   knows what a form must not ask for
//! - [`answer`]: what a client gives
//! - [`declared`]: what the client can be asked at all
//! - [`seal`]: what lies between a question and its answers, in the hands of a client without a session

mod answer;
mod capability;
mod declared;
mod form;
mod question;
mod sampling;
mod seal;
mod secrets;
mod website;

pub use answer::answers;
pub use capability::{Asks, ClientCapability, KIND, SKILLS};
pub(crate) use capability::{grant_schemas, granted_where_alone, manifest_schema, requests};
pub use declared::{knows_tasks, undeclared};
pub use form::{Choice, Field, FieldKind, Form, TextFormat};
pub use question::{Asker, Unaskable, check};
pub use seal::{Matter, Opened, Sealer, TTL, Unopenable};

/// How often one call may ask before it is ended.
pub const MAX_ROUNDS: usize = 16;
/// The most requests in one question.
pub const MAX_REQUESTS: usize = 16;
/// The largest state of a question, in bytes.
pub const MAX_STATE: usize = 64 << 10;

/// What can be asked; the words of the plugin interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Form,
    Website,
    Sampling,
    Roots,
}

impl Kind {
    fn of(word: &str) -> Option<Self> {
        Some(match word {
            "elicitation-form" => Self::Form,
            "elicitation-url" => Self::Website,
            "sampling" => Self::Sampling,
            "roots" => Self::Roots,
            _ => return None,
        })
    }
}

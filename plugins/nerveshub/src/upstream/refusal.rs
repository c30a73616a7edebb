//! From an HTTP status of NervesHub to a fault that says what to do.
//!
//! NervesHub hides more than it says: a role that is too low is a 401, a foreign organization and a typing error
//! are both a 404, and all of them carry the same sentence. So the explanation is made here.

use fleetgate_sdk::prelude::*;

use super::address::Route;

/// How much of NervesHub's own sentence goes into a message, in bytes.
const SENTENCE: usize = 500;

/// What a request does, which decides whether repeating it is harmless.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// It looks.
    Read,
    /// It changes something, and doing so twice is the same as once.
    Repeatable,
    /// It makes something happen each time.
    Once,
}

impl Effect {
    /// The NervesHub role that such a request needs.
    fn role(self) -> &'static str {
        if self == Self::Read { "view" } else { "manage" }
    }
}

/// What is known of the credential after NervesHub answered 401.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Credential {
    /// It is valid, so the role is too low.
    Valid,
    /// NervesHub does not accept it.
    Invalid,
    /// It could not be asked.
    Untold,
}

/// An answer that is not a success.
pub struct Refused<'a> {
    /// The answer.
    pub response: &'a http::Response,
    /// What was asked for.
    pub route: &'a Route,
    /// What the request was to do.
    pub effect: Effect,
}

impl Refused<'_> {
    /// In words. `credential` is asked only after a 401.
    pub fn fault(&self, credential: impl FnOnce() -> Credential) -> Fault {
        // Status, beginning of the body, and the wait that was asked for.
        let facts = self.response.fault();
        let fault = match self.response.status() {
            401 => self.unauthorized(credential),
            403 => Fault::denied(format!("NervesHub refused this for {}: {}.", self.route.what, self.said())),
            404 => self.not_found(),
            422 => self.invalid(),
            status @ 300..=399 => Fault::upstream(format!(
                "NervesHub answered with a redirect ({status}). The granted URL is probably not the one that the \
                 server calls its own: https, the right host, no path."
            )),
            status @ 500.. => self.failed(status),
            _ => Fault::upstream(format!(
                "NervesHub refused the request about {}: {}.",
                self.route.what,
                self.said()
            )),
        };
        let (retryable, retry_after) =
            if self.may_be_repeated() { (facts.retryable, facts.retry_after) } else { (false, None) };
        Fault { details: facts.details, retryable, retry_after, ..fault }
    }

    fn unauthorized(&self, credential: impl FnOnce() -> Credential) -> Fault {
        let bad_token = || {
            Fault::upstream(
                "NervesHub does not accept the credential (401). The operator must replace the token that this \
                 binding was granted for http.api.",
            )
        };
        // What is the user's own needs no role.
        let Some(org) = &self.route.org else { return bad_token() };
        let role = self.effect.role();
        let what = &self.route.what;
        match credential() {
            Credential::Invalid => bad_token(),
            Credential::Valid => Fault::denied(format!(
                "NervesHub answered 401 for {what}. The credential itself is valid, so its user's role is too low: \
                 the {role} role is required upstream in organization `{org}`."
            )),
            Credential::Untold => Fault::denied(format!(
                "NervesHub answered 401 for {what}: {role} role required upstream in organization `{org}`, or bad \
                 token. NervesHub does not tell the two apart."
            )),
        }
    }

    fn not_found(&self) -> Fault {
        let fault = Fault::unknown(format!(
            "NervesHub knows no {}, or the user of the granted token is not a member of the organization (it \
             answers both alike). Names are case-sensitive; list_orgs, list_products, list_devices, list_firmware \
             and list_scripts show them.",
            self.route.what
        ));
        match self.route.field {
            Some(field) => fault.field(field),
            None => fault,
        }
    }

    /// 422: NervesHub names its own fields. `tags` is an argument of ours as well.
    fn invalid(&self) -> Fault {
        let message = format!("NervesHub refused the change of {}: {}.", self.route.what, self.said());
        let about_tags = self.errors().is_some_and(|errors| errors.get("tags").is_some());
        if about_tags { Fault::invalid("/tags", message) } else { Fault::upstream(message) }
    }

    fn failed(&self, status: u16) -> Fault {
        let mut message =
            format!("NervesHub failed with status {status} for {}: {}.", self.route.what, self.said());
        if self.effect == Effect::Once {
            message.push_str(UNCERTAIN);
        }
        Fault::upstream(message)
    }

    /// A request that got 429 was not acted upon. A server that failed may have acted, which matters where acting
    /// twice does.
    fn may_be_repeated(&self) -> bool {
        self.effect != Effect::Once || self.response.status() == 429
    }

    /// The sentence that NervesHub gave, without its full stop.
    fn said(&self) -> String {
        let said = match self.errors() {
            Some(Value::Object(fields)) => match fields.get("detail").and_then(Value::as_str) {
                Some(detail) => detail.to_owned(),
                None => {
                    let fields = fields.iter().map(|(field, said)| format!("{field} {}", sentence(said)));
                    fields.collect::<Vec<_>>().join("; ")
                }
            },
            Some(other) => sentence(&other),
            None => String::new(),
        };
        let said = said.trim().trim_end_matches('.');
        if said.is_empty() {
            return format!("status {}, without an explanation", self.response.status());
        }
        said[..said.floor_char_boundary(SENTENCE)].to_owned()
    }

    fn errors(&self) -> Option<Value> {
        self.response.json::<Value>().ok()?.get_mut("errors").map(Value::take)
    }
}

const UNCERTAIN: &str =
    " It is not known whether the request took effect: look with get_device before repeating it.";

/// A request that got no answer. One that must not be repeated blindly may have arrived all the same.
pub fn unanswered(fault: Fault, effect: Effect) -> Fault {
    if effect != Effect::Once || !fault.retryable {
        return fault;
    }
    let message = format!("{}{UNCERTAIN}", fault.message);
    fault.message(message).not_retryable()
}

/// Whether the server understood that it was asked, and would not answer this: what an older or newer one does with
/// a filter that it does not know.
pub fn refused_by_the_server(fault: &Fault) -> bool {
    let status = fault.details.as_ref().and_then(|details| details.get("status")).and_then(Value::as_u64);
    fault.is("upstream") && matches!(status, Some(400 | 422 | 500))
}

fn sentence(said: &Value) -> String {
    match said {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(sentence).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}

//! The NervesHub REST API, as the tools see it.
//!
//! Everything goes through [`Api`]: one place builds paths, sends, and turns what comes back into data or into a
//! [`Fault`] that says what to do.

pub mod address;
pub mod device;
pub mod lookup;
pub mod page;
pub mod reading;
pub mod refusal;

use std::fmt::Display;
use std::time::Duration;

use fleetgate_sdk::prelude::*;

pub use address::{DeviceArgs, OrgArgs, ProductArgs, Route, check_segment};
pub use device::{AssignedGroup, Device};
pub use lookup::{Listed, in_list};
pub use page::{LARGEST_PAGE, Pagination, Wanted, total_entries};
pub use refusal::{Effect, refused_by_the_server};

use address::Segment;
use refusal::{Credential, Refused};

/// The name of the manifest's request.
const CAPABILITY: &str = "http.api";

/// The API of the granted server.
pub struct Api {
    upstream: http::Upstream,
}

impl Api {
    /// Refuses at once, with a sentence for the operator, when nothing was granted.
    pub fn connect() -> Result<Self, Fault> {
        if granted(CAPABILITY) {
            return Ok(Self { upstream: http::upstream("api") });
        }
        let binding = call::binding();
        let binding = if binding.is_empty() { "nerveshub" } else { &binding };
        Err(Fault::denied(format!(
            "No NervesHub server was granted to this plugin. The operator grants one in fleetgate.toml: \
             [plugins.{binding}.grant.http.api] with `url` and `credential`."
        )))
    }

    /// Looks.
    pub fn get(&self, route: Route) -> Call<'_> {
        self.call(http::Method::Get, route, Effect::Read)
    }

    /// Replaces: again and again the same.
    pub fn put(&self, route: Route) -> Call<'_> {
        self.call(http::Method::Put, route, Effect::Repeatable)
    }

    /// Removes: again and again the same.
    pub fn delete(&self, route: Route) -> Call<'_> {
        self.call(http::Method::Delete, route, Effect::Repeatable)
    }

    /// Makes something happen, each time.
    pub fn post(&self, route: Route) -> Call<'_> {
        self.call(http::Method::Post, route, Effect::Once)
    }

    fn call(&self, method: http::Method, route: Route, effect: Effect) -> Call<'_> {
        let mut request = self.upstream.request(method, http::ROOT);
        for segment in &route.segments {
            request = match segment {
                Segment::Word(word) => request.segment(word),
                Segment::Argument(field, value) => request.segment_named(field, value),
            };
        }
        // Without it, NervesHub may explain an error with a page of HTML.
        let request = request.header("accept", "application/json");
        Call { api: self, request, route, effect }
    }

    /// What a 401 was about. It costs one request, and only after a 401.
    fn credential(&self) -> Credential {
        match self.get(Route::me()).request.send() {
            Ok(response) if response.is_ok() => Credential::Valid,
            Ok(response) if response.status() == 401 => Credential::Invalid,
            Ok(_) | Err(_) => Credential::Untold,
        }
    }
}

/// One request that is not sent yet.
#[must_use = "nothing is sent without `.send()` or `.answer()`"]
pub struct Call<'a> {
    api: &'a Api,
    request: http::Request,
    route: Route,
    effect: Effect,
}

impl<'a> Call<'a> {
    /// This look prepares a change, so the role that a refusal asks for is that of the change.
    pub fn before_a_change(mut self) -> Self {
        self.effect = Effect::Repeatable;
        self
    }

    /// A pair of the query.
    pub fn query(mut self, key: &str, value: impl Display) -> Self {
        self.request = self.request.query(key, value);
        self
    }

    /// Several pairs of the query.
    pub fn queries(self, pairs: impl IntoIterator<Item = (String, String)>) -> Self {
        pairs.into_iter().fold(self, |call, (key, value)| call.query(&key, value))
    }

    /// The body.
    pub fn json(mut self, body: &Value) -> Self {
        self.request = self.request.json(body);
        self
    }

    /// How long the answer may take.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.request = self.request.timeout(timeout);
        self
    }

    /// Sends it; a status that is not a success is a fault.
    pub fn send(self) -> Result<Answer<'a>, Fault> {
        self.answer()?.accepted()
    }

    /// Sends it; every status is an answer.
    pub fn answer(self) -> Result<Answer<'a>, Fault> {
        let Self { api, request, route, effect } = self;
        match request.send() {
            Ok(response) => Ok(Answer { api, response, route, effect }),
            Err(fault) => Err(refusal::unanswered(fault, effect)),
        }
    }
}

/// What came back.
pub struct Answer<'a> {
    api: &'a Api,
    response: http::Response,
    route: Route,
    effect: Effect,
}

impl<'a> Answer<'a> {
    /// The status.
    pub fn status(&self) -> u16 {
        self.response.status()
    }

    /// Itself, if the request was accepted. Any success will do: a tag update is answered with 201.
    pub fn accepted(self) -> Result<Self, Fault> {
        if self.response.is_ok() {
            return Ok(self);
        }
        let refused = Refused { response: &self.response, route: &self.route, effect: self.effect };
        Err(refused.fault(|| self.api.credential()))
    }

    /// A fault with a code and a message of the tool's own, and the facts of this answer.
    pub fn refused_as(&self, code: &str, message: String) -> Fault {
        let facts = self.response.fault().not_retryable();
        Fault { code: code.to_owned(), message, ..facts }
    }

    /// The body as it is.
    pub fn into_body(self) -> Vec<u8> {
        self.response.into_bytes()
    }

    /// The body as JSON.
    pub fn json(&self) -> Result<Document, Fault> {
        let whole = self.response.json()?;
        Ok(Document { whole, what: self.route.what.clone() })
    }

    /// The object under `data`.
    pub fn data(&self) -> Result<Value, Fault> {
        let mut document = self.json()?;
        match document.whole.get_mut("data").map(Value::take) {
            Some(data) if data.is_object() => Ok(data),
            _ => Err(document.not_as_promised("an object")),
        }
    }

    /// The list under `data`.
    pub fn list(&self) -> Result<Vec<Value>, Fault> {
        let mut document = self.json()?;
        match document.whole.get_mut("data").map(Value::take) {
            Some(Value::Array(list)) => Ok(list),
            _ => Err(document.not_as_promised("a list")),
        }
    }
}

/// An answer in JSON.
pub struct Document {
    whole: Value,
    what: String,
}

impl Document {
    /// All of it.
    pub fn whole(&self) -> &Value {
        &self.whole
    }

    /// The list under `data`.
    pub fn list(&self) -> Result<&Vec<Value>, Fault> {
        self.whole.get("data").and_then(Value::as_array).ok_or_else(|| self.not_as_promised("a list"))
    }

    fn not_as_promised(&self, promised: &str) -> Fault {
        Fault::upstream(format!(
            "NervesHub's answer about {} has not {promised} under `data`. Is the granted URL that of a NervesHub server?",
            self.what
        ))
    }
}

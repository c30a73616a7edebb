//! A binding with its grants, and the buckets that are used through it.

use std::sync::Arc;

use fleetgate_core::capability::BindingParts;
use fleetgate_core::diagnostic::Diagnostics;
use fleetgate_core::sandbox::CallInfo;
use fleetgate_core::store::{Condition, Store};
use fleetgate_keyvalue::testing::{Bucket, Found, KeyValueBinding, Session, Write};
use fleetgate_keyvalue::{Failure, KeyValue};
use fleetgate_lab::{Binding, Subject};

/// `keyvalue.history`.
pub struct History;

pub type World = fleetgate_lab::World<History>;
pub type Call = fleetgate_lab::Call<History>;

impl Subject for History {
    const CAPABILITY: &'static str = "keyvalue.history";
    const REQUEST: &'static str = "";

    type Kind = KeyValue;
    type Options = ();
    type Bound = KeyValueBinding;
    type Caller = Caller;

    fn capability((): ()) -> KeyValue {
        KeyValue
    }

    fn bind(keyvalue: &KeyValue, parts: BindingParts<'_>) -> Result<KeyValueBinding, Diagnostics> {
        Ok(keyvalue.bind_keyvalue(parts))
    }

    fn caller(binding: &Binding<Self>, call: Arc<CallInfo>) -> Caller {
        Caller { session: binding.binding.session(&call), call }
    }
}

/// A world with this request, granted as it is asked for, in memory.
pub fn asking(request: &str) -> World {
    World::new("").request(request)
}

/// The same over a store.
pub fn storing_in(store: Arc<dyn Store>, request: &str) -> World {
    asking(request).storing(store)
}

/// One in which a bucket belongs to all callers.
pub fn for_all() -> World {
    asking(FOR_ALL)
}

pub const FOR_ALL: &str = "scope = \"shared\"";

/// A call of ann that may do all that is granted.
pub fn call() -> Call {
    Call::default()
}

/// A call that is going on.
pub struct Caller {
    pub session: Session,
    pub call: Arc<CallInfo>,
}

impl Caller {
    pub fn open(&self) -> Bucket {
        self.session.open("keyvalue.history").unwrap_or_else(|failure| panic!("{failure}"))
    }

    /// The code that the guest gets when it opens the bucket.
    pub fn refused(&self) -> &'static str {
        match self.session.open("keyvalue.history") {
            Ok(_) => panic!("it is opened"),
            Err(failure) => failure.guest().code,
        }
    }
}

/// The code of a failure.
pub fn code<T>(done: Result<T, Failure>) -> &'static str {
    match done {
        Ok(_) => "ok",
        Err(failure) => failure.guest().code,
    }
}

pub async fn set(bucket: &Bucket, key: &str, value: &str) -> Result<u64, Failure> {
    bucket.set(key.to_owned(), value.into(), None).await
}

pub async fn text(bucket: &Bucket, key: &str) -> Option<String> {
    let found = bucket.get(key).await.unwrap_or_else(|failure| panic!("{failure}"));
    found.map(|found| String::from_utf8(found.value).expect("text"))
}

pub async fn keys(bucket: &Bucket, prefix: &str) -> Vec<String> {
    let listed = bucket.list(prefix, None, 1000, false).await.unwrap_or_else(|failure| panic!("{failure}"));
    listed.entries.into_iter().map(|Found { key, .. }| key).collect()
}

pub fn put(key: &str, value: &str) -> Write {
    Write { key: key.into(), when: Condition::Any, value: Some((value.into(), None)) }
}

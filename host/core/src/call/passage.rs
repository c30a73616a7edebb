//! What differs from one kind of request to another on the way through the corridor.

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::{CallContext, Kind};
use crate::catalog::{Catalog, Guarded};
use crate::domain::{Fault, Outcome};
use crate::sandbox::work::Work;

/// One request on its way.
pub(super) trait Passage: Send + Sized {
    /// What of its guest was ended, in its faults: `the tool`.
    const WORK: &'static str;
    /// What it is for, once that is found.
    type Found: Guarded + Send + Sync;
    /// The guest's function.
    type Work: Work;
    /// What leaves the host.
    type Answer: Send + 'static;

    /// What it asks for, in its refusals.
    fn kind(&self) -> Kind;
    fn context(&self) -> &CallContext;
    /// Of which binding, where the request says it.
    fn whose(&self) -> Option<&str> {
        None
    }
    /// What it asks for, as it was written.
    fn name(&self) -> &str;
    /// The same in the words of the audit record, if there is nothing of that name; bounded and harmless.
    fn asked_for(&self) -> String;
    /// Why there is nothing, for the operator.
    fn not_found(&self) -> String {
        format!("no live binding has a {} of this name", self.kind())
    }
    /// What it asks for in the words of the audit record.
    fn entry(&self, found: &Self::Found) -> String;
    /// What was given along, as text: hashed for the record, and measured.
    fn arguments(&self) -> Cow<'_, str>;

    /// What it is for, by the name that it has in its scope.
    fn find(&self, catalog: &Catalog) -> Option<Self::Found>;
    /// What is right and wrong with its arguments. Large ones are looked at away from the workers.
    fn check(&self, found: &Self::Found) -> Check;
    /// The answer, where it takes no guest.
    fn at_hand(&self, _: &Self::Found) -> Option<Result<Self::Answer, Fault>> {
        None
    }
    /// What the guest is to do, and what happens with what it returns.
    fn errand(self, found: &Self::Found) -> Errand<Self>;
    /// How much the guest returned, in bytes.
    fn size(done: &<Self::Work as Work>::Done) -> usize;
    /// Whether the answer says that the guest failed.
    fn is_error(_: &Self::Answer) -> bool {
        false
    }
}

/// Looks at arguments: what of them is recorded, and what is wrong.
pub(super) type Check = Box<dyn FnOnce() -> (Map<String, Value>, Result<(), Fault>) + Send>;

/// Looks at what a guest returned: what may leave the host, or the fault that takes its place.
pub(super) type Outgoing<P> = Box<
    dyn FnOnce(<<P as Passage>::Work as Work>::Done) -> Result<Outcome<<P as Passage>::Answer>, Fault> + Send,
>;

/// A request on its way to a guest.
pub(super) struct Errand<P: Passage> {
    pub(super) context: CallContext,
    pub(super) work: P::Work,
    pub(super) outgoing: Outgoing<P>,
}

/// A name that somebody chose, as it may stand in a record.
pub(super) fn shown(name: &str) -> String {
    crate::text::clean(&name[..name.floor_char_boundary(128)]).into_owned()
}

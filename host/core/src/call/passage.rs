//! What differs from one kind of request to another on the way through the corridor.

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::{CallContext, Kind};
use crate::catalog::{Catalog, Guarded};
use crate::domain::{Fault, Outcome};
use crate::sandbox::work::Work;
use crate::secret_arguments::{Arguments, Vault};

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
    /// What was given along, as text.
    fn arguments(&self) -> Cow<'_, str>;

    /// What of it may be hashed for the record: nothing that is secret.
    fn hashable(&self, _: &Self::Found) -> Option<Cow<'_, str>> {
        Some(self.arguments())
    }

    /// What it is for, by the name that it has in its scope.
    fn find(&self, catalog: &Catalog) -> Option<Self::Found>;
    /// What is right and wrong with its arguments. Large ones are looked at away from the workers.
    fn check(&self, found: &Self::Found) -> Check;
    /// The same request with its arguments as the check left them.
    fn settled(self, _: Arguments) -> Self {
        self
    }
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

/// Looks at arguments.
pub(super) type Check = Box<dyn FnOnce() -> Looked + Send>;

/// What a look at arguments found.
pub(crate) struct Looked {
    /// What of them is recorded.
    pub(crate) recorded: Map<String, Value>,
    /// Those without their secrets, which stand beside them. None: as they came, or unreadable.
    pub(crate) arguments: Option<Arguments>,
    /// What is wrong.
    pub(crate) right: Result<(), Fault>,
}

impl From<Result<(), Fault>> for Looked {
    fn from(right: Result<(), Fault>) -> Self {
        Self { recorded: Map::new(), arguments: None, right }
    }
}

/// Looks at what a guest returned: what may leave the host, or the fault that takes its place.
pub(super) type Outgoing<P> = Box<
    dyn FnOnce(<<P as Passage>::Work as Work>::Done) -> Result<Outcome<<P as Passage>::Answer>, Fault> + Send,
>;

/// A request on its way to a guest.
pub(super) struct Errand<P: Passage> {
    pub(super) context: CallContext,
    pub(super) work: P::Work,
    /// What the placeholders stand for that the guest gets.
    pub(super) secrets: Vault,
    pub(super) outgoing: Outgoing<P>,
}

/// A name that somebody chose, as it may stand in a record.
pub(super) fn shown(name: &str) -> String {
    crate::text::clean(&name[..name.floor_char_boundary(128)]).into_owned()
}

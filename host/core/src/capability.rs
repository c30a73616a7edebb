//! The seam between the core and a capability.
//!
//! The core holds capabilities by their kind (`http`, `ssh`) and knows none of them by name. A capability has
//! three moments: [`Capability::link`] once per engine, [`Capability::bind`] at each load or grant change, and
//! [`Bound::state`] once per call. One whose world speaks by itself has a fourth, [`Bound::listen`]. What it keeps for a call lies in one boxed slot of the call's state, found by
//! type, since wasmtime's `add_to_linker` functions take a bare `fn` that cannot capture an index.

mod refusal;
mod standing;

use std::any::Any;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;
use std::marker::PhantomData;
use std::path::Path;
use std::sync::Arc;

use wasmtime::component::{HasData, Linker, ResourceTable};

pub use refusal::{Refusal, Refusals};
pub use standing::{Heard, Listening, MAX_UNACKNOWLEDGED, Origin, Sink, SinkClosed, Standing};

use crate::diagnostic::{Diagnostics, TableReader};
use crate::sandbox::{CallInfo, CallState};
use crate::settings::{Limits, Secrets};
use crate::store::Store;

/// One kind of reach into the world.
pub trait Capability: Send + Sync + 'static {
    /// The word in manifests and grants: `http`.
    fn kind(&self) -> &'static str;

    /// Reads `[capabilities.<kind>.<name>]` of a manifest. `why`, `optional` and `env` were read by the core. Says
    /// what is wrong into the reader, which also refuses the keys that nobody read. None: it said something.
    fn parse_request(&self, table: &mut TableReader<'_>) -> Option<Arc<dyn Request>>;

    /// Reads one entry of a tool's `reach`. It may only narrow the request.
    fn parse_reach(&self, table: &mut TableReader<'_>, request: &dyn Request) -> Option<Arc<dyn Reach>>;

    /// Reads `[plugins.<binding>.grant.<kind>.<name>]`. It may narrow the request, never widen it.
    fn parse_grant(
        &self,
        table: &mut TableReader<'_>,
        request: &dyn Request,
        secrets: &Secrets,
    ) -> Option<Arc<dyn Grant>>;

    /// Makes one binding's requests and grants of this kind ready for calls: reads secrets, compiles matchers,
    /// makes connection pools. At each load or grant change; may block for short.
    fn bind(&self, binding: BindingParts<'_>) -> Result<Arc<dyn Bound>, Diagnostics>;

    /// Adds the host functions. Once per engine; they are always linked, and a call without a grant is denied.
    fn link(&self, linker: &mut Linker<CallState>) -> wasmtime::Result<()>;

    /// By what words its guests change something beyond the host, for `may` in the grant of an event: `publish` of
    /// `mqtt.broker:publish`. Empty: there is one way, which has no word. None: nothing beyond the host is changed.
    fn acts(&self) -> Option<&'static [&'static str]> {
        Some(&[])
    }

    /// Whether it says something by itself, so that events may come from it: what it binds listens
    /// ([`Bound::listen`]). By default not.
    fn speaks(&self) -> bool {
        false
    }

    /// The JSON Schemas of `[capabilities.<kind>.<name>]`, of a `reach` entry and of a grant, for editors.
    /// Each is a closed table schema (`additionalProperties: false`) without `$ref`, since it becomes part of another.
    fn schemas(&self) -> Schemas;
}

/// JSON Schemas of a capability's three tables.
#[derive(Debug, Clone)]
pub struct Schemas {
    /// In the manifest.
    pub request: serde_json::Value,
    /// In a tool's `reach`.
    pub reach: serde_json::Value,
    /// In `fleetgate.toml`.
    pub grant: serde_json::Value,
}

/// What an author asked for, parsed. Compared when a new version arrives, and shown to the operator.
pub trait Request: Any + Debug + Send + Sync {
    /// What this asks for beyond `old`, one sentence each. Empty: nothing more.
    fn widens(&self, old: &dyn Request) -> Vec<String>;
    /// What is asked for, in sentences for `check` and `inspect`.
    fn describe(&self) -> Vec<String>;
    /// What a grant has beside what environment variables say, where they grant in place of a table: lines of TOML.
    /// `from_variables` are the keys of the grant that variables fill; what else is filled is the author's default.
    /// By default nothing.
    fn granted_alone(&self, _from_variables: &BTreeSet<&str>) -> String {
        String::new()
    }
    /// Whether it needs no word of the operator where a plugin serves one person alone, in the place of its own server:
    /// it reaches nothing beyond the host. By default it does.
    fn granted_unasked(&self) -> bool {
        false
    }
    /// The table to paste into `fleetgate.toml`, without its header: one `key = value` line each, with comments
    /// where the operator has to fill in.
    fn grant_template(&self) -> String;
}

impl dyn Request {
    /// What this is to the capability that parsed it. The core hands each capability back its own, so that another one
    /// is a mistake in the core.
    pub fn parsed<T: Request>(&self) -> &T {
        (self as &dyn Any).downcast_ref().expect("the core hands back what this capability parsed")
    }
}

/// A tool's part of what the plugin was granted, parsed.
pub trait Reach: Any + Debug + Send + Sync {
    /// What this reaches beyond `old`, one sentence each.
    fn widens(&self, old: &dyn Reach) -> Vec<String>;
    /// In words.
    fn describe(&self) -> String;
}

/// What the operator gave, parsed.
pub trait Grant: Any + Debug + Send + Sync {
    /// What is given, in sentences for `check`. Names secrets, never shows them.
    fn describe(&self) -> Vec<String>;
}

impl dyn Grant {
    /// As for a [`Request`].
    pub fn parsed<T: Grant>(&self) -> &T {
        (self as &dyn Any).downcast_ref().expect("the core hands back what this capability parsed")
    }
}

/// What [`Capability::bind`] gets.
pub struct BindingParts<'a> {
    /// The binding's name.
    pub name: &'a str,
    /// This kind's requests by name (`api`), each with its grant if there is one.
    pub wants: BTreeMap<String, Want>,
    /// To read credentials from.
    pub secrets: &'a Secrets,
    /// The operator's limits.
    pub limits: &'a Limits,
    /// The host's directory for what it remembers. It may not be there yet.
    pub state: &'a Path,
    /// The one store of this configuration, shared by all its hosts. Nobody opens it before it is used.
    pub store: &'a Arc<dyn Store>,
}

/// A request, with its grant if there is one.
pub type Want = (Arc<dyn Request>, Option<Arc<dyn Grant>>);

/// One binding's side of a capability. Dropped with the last call of its catalog; takes its connections and
/// standing work with it.
pub trait Bound: Send + Sync + 'static {
    /// What the host functions need for one call. Must not block.
    fn state(&self, call: &Arc<CallInfo>) -> Box<dyn Any + Send>;

    /// Listens for an event of the plugin until what it answers is dropped. Must not block: it listens on in a task of
    /// its own, and what is the matter at a moment says [`Listening::trouble`]. An error is a sentence for the operator:
    /// it cannot be listened to at all, as granted. By default this capability has nothing to listen to.
    fn listen(&self, standing: Standing) -> Result<Box<dyn Listening>, String> {
        Err(format!("the event {} listens to what never says anything by itself", standing.event))
    }

    /// Through which of its requests (`broker`) the binding listened in an earlier life of the host, so that a source may
    /// still keep something. Must not block. By default through none.
    fn left_over(&self) -> Vec<String> {
        Vec::new()
    }

    /// Nobody listens through this request any more: as [`Listening::give_up`], for what was taken away while no host
    /// ran. Must not block. By default there is nothing to do.
    fn forget(&self, _name: &str) {}
}

/// What a capability's host functions see of a call.
pub struct Slot<'a, S> {
    /// Its own state.
    pub state: &'a mut S,
    /// The handles of the guest's resources.
    pub table: &'a mut ResourceTable,
    /// The call that is going on.
    pub call: &'a Arc<CallInfo>,
}

/// Names the slot of type `S` to wasmtime.
pub struct Of<S>(PhantomData<S>);

impl<S: Send + 'static> HasData for Of<S> {
    type Data<'a> = Slot<'a, S>;
}

/// The capabilities that this host was built with, by kind.
#[derive(Clone, Default)]
pub struct Capabilities(BTreeMap<&'static str, Arc<dyn Capability>>);

impl Capabilities {
    /// None yet.
    pub fn new() -> Self {
        Self::default()
    }
    /// Adds one; the last of a kind wins.
    pub fn with(mut self, capability: impl Capability) -> Self {
        self.0.insert(capability.kind(), Arc::new(capability));
        self
    }
    /// The capability of this kind.
    pub fn get(&self, kind: &str) -> Option<&Arc<dyn Capability>> {
        self.0.get(kind)
    }
    /// All kinds, sorted.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &Arc<dyn Capability>)> {
        self.0.iter().map(|(kind, capability)| (*kind, capability))
    }
}

impl Debug for Capabilities {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

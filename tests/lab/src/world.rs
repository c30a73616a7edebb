//! What an author and an operator wrote, and what becomes of it.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use fleetgate_core::capability::{BindingParts, Capability, Grant, Reach, Request};
use fleetgate_core::diagnostic::{Diagnostics, Document};
use fleetgate_core::settings::Limits;
use fleetgate_core::store::{Memory, Store};

use crate::{Call, Place, Subject, parts};

/// A request, and its grant where there is one.
pub type Tables = (Arc<dyn Request>, Option<Arc<dyn Grant>>);

/// What an author asks for, and what an operator grants of it, in the binding `lab`.
pub struct World<S: Subject> {
    /// The capability.
    pub capability: S::Kind,
    /// Where bindings keep what they keep.
    pub store: Arc<dyn Store>,
    place: Place,
    wants: Vec<Want>,
}

/// One request.
struct Want {
    name: String,
    request: String,
    grant: Option<String>,
}

/// What became of a world, with the files that are read while it is used.
pub struct Binding<S: Subject> {
    /// Of the capability's own.
    pub binding: S::Bound,
    /// Where its files are.
    pub place: Place,
}

impl<S: Subject> World<S> {
    /// What is asked for where a test says nothing else, with this grant.
    pub fn new(grant: &str) -> Self {
        Self::with(S::Options::default(), grant)
    }

    /// The same with another capability.
    pub fn with(options: S::Options, grant: &str) -> Self {
        Self::over(options).want(parts(S::CAPABILITY).1, S::REQUEST, Some(grant))
    }

    /// Nothing is asked for.
    pub fn empty() -> Self {
        Self::over(S::Options::default())
    }

    /// The same with another capability.
    pub fn over(options: S::Options) -> Self {
        Self {
            capability: S::capability(options),
            store: Arc::new(Memory::new()),
            place: Place::new(),
            wants: Vec::new(),
        }
    }

    /// Something of this name is asked for, and granted or not.
    pub fn want(mut self, name: &str, request: &str, grant: Option<&str>) -> Self {
        let (request, grant) = (request.to_owned(), grant.map(str::to_owned));
        self.wants.push(Want { name: name.to_owned(), request, grant });
        self
    }

    /// With another request.
    pub fn request(mut self, request: &str) -> Self {
        request.clone_into(&mut self.first_mut().request);
        self
    }

    /// With another grant.
    pub fn granting(mut self, grant: &str) -> Self {
        self.first_mut().grant = Some(grant.to_owned());
        self
    }

    /// With none.
    pub fn ungranted(mut self) -> Self {
        self.first_mut().grant = None;
        self
    }

    /// With a secret, in a file of its name.
    pub fn secret(mut self, name: &str, value: &str) -> Self {
        self.place.add_secret(name, value);
        self
    }

    /// With what bindings keep in another store.
    pub fn storing(mut self, store: Arc<dyn Store>) -> Self {
        self.store = store;
        self
    }

    /// The grant's text.
    pub fn grant(&self) -> String {
        self.first().grant.clone().unwrap_or_default()
    }

    /// Where a file beside `fleetgate.toml` is.
    pub fn path(&self, name: &str) -> PathBuf {
        self.place.path(name)
    }

    /// Puts a file there, for its owner alone.
    pub fn write(&self, name: &str, content: &str) {
        self.place.write(name, content);
    }

    /// Reads the request and its grant.
    pub fn read(&self) -> Result<Tables, Diagnostics> {
        self.read_want(self.first())
    }

    /// Reads these, as if they stood there.
    pub fn tables(&self, request: &str, grant: Option<&str>) -> Result<Tables, Diagnostics> {
        let (request, grant) = (request.to_owned(), grant.map(str::to_owned));
        self.read_want(&Want { name: parts(S::CAPABILITY).1.to_owned(), request, grant })
    }

    fn read_want(&self, Want { name, request, grant }: &Want) -> Result<Tables, Diagnostics> {
        let kind = parts(S::CAPABILITY).0;
        let mut text = format!("[capabilities.{kind}.{name}]\n{request}\n");
        if let Some(grant) = grant {
            text += &format!("[plugins.lab.grant.{kind}.{name}]\n{grant}\n");
        }
        let document = Arc::new(Document::new(self.path("fleetgate.toml"), text));
        let capability = &self.capability;
        let request = document
            .read_at(&["capabilities", kind, name.as_str()], |table| capability.parse_request(table))?;
        let grant = match grant {
            None => None,
            Some(_) => {
                Some(document.read_at(&["plugins", "lab", "grant", kind, name.as_str()], |table| {
                    capability.parse_grant(table, &*request, &self.place.secrets())
                })?)
            }
        };
        Ok((request, grant))
    }

    /// A tool's reach on the request.
    pub fn reach(&self, reach: &str) -> Arc<dyn Reach> {
        self.try_reach(reach).unwrap_or_else(|problems| panic!("{problems}"))
    }

    /// The same, or what is wrong with it.
    pub fn try_reach(&self, reach: &str) -> Result<Arc<dyn Reach>, Diagnostics> {
        let (request, _) = self.tables(&self.first().request, None)?;
        let document = Arc::new(Document::new("plugin.toml", reach.to_owned()));
        document.read(|table| self.capability.parse_reach(table, &*request))
    }

    /// The binding `lab`.
    pub fn bind(&self) -> Binding<S> {
        self.try_bind().unwrap_or_else(|problems| panic!("{problems}"))
    }

    /// The same, or what is wrong with it.
    pub fn try_bind(&self) -> Result<Binding<S>, Diagnostics> {
        self.try_bind_as("lab")
    }

    /// The same plugin with the same grants, as another binding.
    pub fn bind_as(&self, name: &str) -> Binding<S> {
        self.try_bind_as(name).unwrap_or_else(|problems| panic!("{problems}"))
    }

    fn try_bind_as(&self, name: &str) -> Result<Binding<S>, Diagnostics> {
        let mut wants = BTreeMap::new();
        for want in &self.wants {
            wants.insert(want.name.clone(), self.read_want(want)?);
        }
        let (secrets, limits, state) = (self.place.secrets(), Limits::default(), self.path("state"));
        let parts = BindingParts {
            name,
            wants,
            secrets: &secrets,
            limits: &limits,
            state: &state,
            store: &self.store,
        };
        Ok(Binding { binding: S::bind(&self.capability, parts)?, place: self.place.clone() })
    }

    /// What is wrong with the tables.
    pub fn problem(&self) -> String {
        match self.try_bind() {
            Ok(_) => panic!("nothing is wrong"),
            Err(problems) => problems.to_string(),
        }
    }

    /// A call that may do all that is granted.
    pub fn call(&self) -> Call<S> {
        let kind = parts(S::CAPABILITY).0;
        let granted = self.wants.iter().filter(|want| want.grant.is_some());
        Call::granted(granted.map(|want| format!("{kind}.{}", want.name)))
    }

    fn first(&self) -> &Want {
        self.wants.first().expect("something is asked for")
    }

    fn first_mut(&mut self) -> &mut Want {
        self.wants.first_mut().expect("something is asked for")
    }
}

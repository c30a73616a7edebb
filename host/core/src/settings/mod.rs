//! What the operator gives: `fleetgate.toml`.
//!
//! Parsing has two steps, because a grant can only be read beside the request that it answers: [`parse`] reads
//! everything but the grants and keeps their text; [`Binding::grants`] reads those of one binding against its
//! plugin's manifest, through the capabilities.

mod binding;
mod limits;
mod parse;
mod schema;
mod secrets;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use binding::{Binding, Grants, ToolOverride};
pub use limits::Limits;
pub use parse::{load, parse};
pub use schema::json_schema;
pub use secrets::{Secret, SecretSource, SecretUnreadable, Secrets};

use crate::diagnostic::Document;
use crate::principal::HeldRole;

/// A checked `fleetgate.toml`.
#[derive(Debug, Clone)]
pub struct Settings {
    /// `[serve]`
    pub serve: Serve,
    /// `[secrets]`
    pub secrets: Secrets,
    /// `[limits]`
    pub limits: Limits,
    /// `[plugins.<name>]`, by binding name.
    pub bindings: BTreeMap<String, Arc<Binding>>,
    /// `[groups]`
    pub groups: BTreeMap<String, Vec<HeldRole>>,
    /// The file, kept for the spans of messages.
    pub document: Arc<Document>,
}

/// `[serve]`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Serve {
    /// Where `serve` listens.
    pub listen: SocketAddr,
    /// The URL that clients use, when it is another than `listen` (behind a proxy). Fixes allowed Host and Origin.
    pub public_url: Option<String>,
    /// The drop directory, absolute.
    pub plugins: PathBuf,
    /// What a caller on loopback without a credential holds.
    pub local_roles: Vec<HeldRole>,
    /// What happens to a plugin without a table.
    pub unlisted: Unlisted,
    /// Where the audit log, the lock's state and the compiled cache live, absolute.
    pub state: PathBuf,
}

/// `[serve] unlisted`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Unlisted {
    /// Found, shown by `check`, not served.
    #[default]
    Hold,
    /// Served with nothing granted, for development.
    Serve,
}

impl Settings {
    /// The directory that relative paths in the file start from.
    pub fn directory(&self) -> &Path {
        self.document.path.parent().unwrap_or_else(|| Path::new("."))
    }
}

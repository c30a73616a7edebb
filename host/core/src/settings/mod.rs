//! What the operator gives: `fleetgate.toml`.
//!
//! Parsing has two steps, because a grant can only be read beside the request that it answers: [`parse`] reads
//! everything but the grants and keeps their text; [`Binding::grants`] reads those of one binding against its
//! plugin's manifest, through the capabilities.

mod binding;
mod grants;
mod jobs;
mod limits;
mod parse;
mod schema;
mod secrets;
mod serve;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use binding::{Binding, Grants, Override};
pub use jobs::{JobSettings, MIN_TTL};
pub use limits::{Limits, LimitsTable};
pub use parse::{load, parse};
pub use schema::json_schema;
pub use secrets::{Secret, SecretSource, SecretUnreadable, Secrets};
pub use serve::{Serve, Unlisted};

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
    /// `[jobs]`
    pub jobs: JobSettings,
    /// `[plugins.<name>]`, by binding name.
    pub bindings: BTreeMap<String, Arc<Binding>>,
    /// `[groups]`
    pub groups: BTreeMap<String, Vec<HeldRole>>,
    /// The file, kept for the spans of messages.
    pub document: Arc<Document>,
    directory: PathBuf,
}

impl Settings {
    /// The directory that relative paths in the file start from, absolute.
    pub fn directory(&self) -> &Path {
        &self.directory
    }
}

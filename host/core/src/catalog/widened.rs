//! Whether a version asks for more than was approved.

use std::sync::Arc;

use super::lock::{Approved, FILE};
use crate::capability::Capabilities;
use crate::diagnostic::Document;
use crate::manifest::{self, Manifest};

impl Approved {
    /// What a manifest asks for beyond the approved one, one sentence each.
    pub(super) fn widened_by(&self, new: &Manifest, capabilities: &Capabilities) -> Vec<String> {
        let document = Arc::new(Document::new(FILE, self.manifest.clone()));
        match manifest::parse(&document, capabilities) {
            Ok(old) => manifest::widening(&old, new),
            Err(problems) => {
                let first = problems.iter().next().map(|problem| problem.message.clone()).unwrap_or_default();
                vec![format!(
                    "what was approved (version {}) is not understood by this host: {first}",
                    self.version
                )]
            }
        }
    }
}

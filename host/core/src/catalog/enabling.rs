//! Serving a plugin that was found: `fleetgate enable ID` adds its table to `fleetgate.toml` and approves the
//! version that lies there.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::Version;
use super::alone::alone_beside;
use super::approval::{ApprovalFailed, Seen, record, see};
use super::host::HostOptions;
use super::load::Candidate;
use super::lock::Lock;
use crate::capability::Capabilities;
use crate::diagnostic::Document;
use crate::manifest::{ConfigKind, Manifest};
use crate::settings;
use crate::whole_file;

/// What enabling a plugin would do.
#[derive(Debug)]
pub struct Enabling {
    /// The plugin.
    pub id: String,
    /// What lies in the drop directory.
    pub version: Arc<Version>,
    /// What is added to `fleetgate.toml`: the table, and what the plugin asks for, to be filled in.
    pub table: String,
    candidate: Arc<Candidate>,
    settings: PathBuf,
}

impl Enabling {
    /// Looks at the plugin's file, and runs nothing.
    pub async fn of(
        id: &str,
        options: HostOptions,
        capabilities: Capabilities,
    ) -> Result<Self, ApprovalFailed> {
        let settings = options.settings.clone();
        let Seen { reload, candidate } = see(options, id, None, capabilities).await?;
        if reload.settings.bindings.values().any(|binding| binding.plugin == id || binding.name == id) {
            return Err(ApprovalFailed::AlreadyEnabled(id.to_owned()));
        }
        let version = candidate.version.clone();
        let table = grant_table(&version.manifest, id);
        Ok(Self { id: id.to_owned(), version, table, candidate, settings })
    }

    /// Records that `by` accepts this version, then adds the table. Everything else in `fleetgate.toml` stays as it
    /// is written. The host, if it runs, tries to serve it within a second; while a grant is not filled in, it says
    /// which.
    pub fn enable(&self, by: &str) -> Result<(), ApprovalFailed> {
        record(&Lock::path_beside(&self.settings), &self.candidate, by)?;
        let failed = |reason: String| ApprovalFailed::Settings {
            path: self.settings.clone(),
            reason,
            table: self.table.clone(),
        };
        // A link is written through: what it leads to is the file.
        let path = self.settings.canonicalize().map_err(|error| failed(error.to_string()))?;
        let _alone = alone_beside(&path).map_err(|error| failed(error.to_string()))?;
        let before = fs::read_to_string(&path).map_err(|error| failed(error.to_string()))?;
        let gap = if before.is_empty() || before.ends_with("\n\n") {
            ""
        } else if before.ends_with('\n') {
            "\n"
        } else {
            "\n\n"
        };
        let after = format!("{before}{gap}{}", self.table);
        let directory = path.parent().unwrap_or(Path::new("/"));
        settings::parse(&Arc::new(Document::new(&path, after.as_str())), directory)
            .map_err(|problems| failed(problems.to_string()))?;
        write(&path, &after).map_err(|error| failed(error.to_string()))
    }
}

/// Replaces the file; mode and owner stay.
fn write(path: &Path, text: &str) -> std::io::Result<()> {
    let before = fs::metadata(path)?;
    whole_file::replace(path, text.as_bytes(), before.mode() & 0o7777)?;
    if rustix::process::geteuid().is_root() {
        std::os::unix::fs::chown(path, Some(before.uid()), Some(before.gid()))?;
    }
    Ok(())
}

/// The table to add to `fleetgate.toml`: `[plugins.<name>]` and a table for each capability that the plugin asks
/// for. What the operator has to fill in says so; what is optional stands in comments.
pub fn grant_table(manifest: &Manifest, name: &str) -> String {
    let plugin = &manifest.plugin;
    let mut table = format!("# {}\n[plugins.{name}]\n", one_line(&plugin.description));
    if plugin.id != name {
        table.push_str(&format!("use = \"{}\"\n", plugin.id));
    }
    let required: Vec<_> =
        manifest.config.iter().filter(|(_, key)| key.required && key.default.is_none()).collect();
    if !required.is_empty() {
        table.push_str(&format!("\n[plugins.{name}.config]\n"));
        for (key, declared) in required {
            table.push_str(&format!(
                "# {key} = {}  # {}\n",
                example(declared.kind),
                one_line(&declared.description)
            ));
        }
    }
    for (key, asked) in &manifest.capabilities {
        let optional = if asked.optional { ", optional" } else { "" };
        table.push_str(&format!("\n# {}{optional}\n", one_line(&asked.why)));
        let grant = format!("[plugins.{name}.grant.{key}]\n{}\n", asked.request.grant_template().trim_end());
        // Whoever takes the comments off an optional table has not chosen what is optional within it: more rights, too.
        let comment = if asked.optional { "# " } else { "" };
        for line in grant.lines() {
            table.push_str(&format!("{comment}{line}\n"));
        }
    }
    table
}

/// A manifest's text must not end the comment that it stands in.
fn one_line(text: &str) -> String {
    crate::text::clean(text).split_whitespace().collect::<Vec<_>>().join(" ")
}

fn example(kind: ConfigKind) -> &'static str {
    match kind {
        ConfigKind::String => "\"…\"",
        ConfigKind::Bool => "true",
        ConfigKind::Integer => "1",
        ConfigKind::Number => "1.0",
        ConfigKind::Duration => "\"30s\"",
        ConfigKind::Size => "\"1MiB\"",
        ConfigKind::Strings => "[\"…\"]",
    }
}

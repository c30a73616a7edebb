//! `fleetgate pack`: a component and its `plugin.toml` become one file.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use fleetgate_core::artifact::{self, Artifact, PackError};
use fleetgate_core::diagnostic::{Diagnostics, Document};
use fleetgate_core::manifest::Manifest;
use fleetgate_core::units::format_size;
use fleetgate_core::uri::UriPattern;
use serde_json::json;

use crate::failure::Failure;
use crate::running::capabilities;
use crate::{output, whole_file};

/// Packs a component with its manifest: FILE.wasm is a plugin, ready for the plugin directory.
#[derive(Debug, Args)]
pub struct Pack {
    /// The component, built for wasm32-wasip2.
    component: PathBuf,
    /// The manifest as its author wrote it.
    #[arg(value_name = "plugin.toml")]
    manifest: PathBuf,
    /// Where the plugin goes: <id>.wasm, or a directory.
    #[arg(short, long, value_name = "FILE.wasm")]
    output: PathBuf,
    /// Print what was packed as JSON.
    #[arg(long)]
    json: bool,
}

impl Pack {
    pub fn run(self) -> Result<(), Failure> {
        let read = |path: &Path| {
            fs::read(path).map_err(|error| Failure::usage(format!("cannot read {}: {error}", path.display())))
        };
        let component = read(&self.component)?;
        let text = String::from_utf8(read(&self.manifest)?)
            .map_err(|_| Failure::failed(format!("{} is not UTF-8 text", self.manifest.display())))?;
        let document = Arc::new(Document::new(&self.manifest, text));
        let capabilities = capabilities();
        let packed =
            artifact::pack(&component, &document, &capabilities).map_err(|error| self.refused(error))?;

        let id = plugin_id(&document)?;
        let file =
            if self.output.is_dir() { self.output.join(format!("{id}.wasm")) } else { self.output.clone() };
        if file.file_name().is_none_or(|name| name != format!("{id}.wasm").as_str()) {
            return Err(Failure::usage(format!("{} is not named after the plugin {id}", file.display()))
                .help(format!("write -o {}", file.with_file_name(format!("{id}.wasm")).display())));
        }
        let artifact = Artifact::from_bytes(&file, packed).map_err(|error| {
            Failure::failed(format!("what was packed is no plugin: {error}")).help(error.help())
        })?;
        let manifest = artifact.manifest(&capabilities)?;
        whole_file::write(&file, &artifact.bytes)?;

        let (version, size) = (&manifest.plugin.version, artifact.bytes.len() as u64);
        let entries = entries(&manifest);
        if self.json {
            let mut facts = json!({
                "id": id, "version": version, "file": file.display().to_string(),
                "digest": artifact.digest.to_string(), "bytes": size,
            });
            for (kind, count) in entries {
                facts[kind] = count.into();
            }
            output::json(&facts);
        } else {
            let (file, entries) = (file.display(), counted(&entries));
            output::line(format_args!("{file}: {id} {version}, {entries}, {}", rounded(size)));
            output::line(artifact.digest);
        }
        Ok(())
    }

    fn refused(&self, error: PackError) -> Failure {
        let help = error.help();
        match error {
            PackError::Manifest(problems) | PackError::Disagree(problems) => problems.into(),
            PackError::Component(problem) => {
                Failure::failed(format!("{} {problem}", self.component.display())).help(help)
            }
            other => Failure::failed(other).help(help),
        }
    }
}

fn plugin_id(document: &Arc<Document>) -> Result<String, Diagnostics> {
    document.read(|root| {
        root.leave_rest();
        let mut plugin = root.table("plugin")?;
        plugin.leave_rest();
        plugin.required_string("id")
    })
}

/// How many entries the manifest has of each kind. Those of skills are resources of a scheme of their own.
fn entries(manifest: &Manifest) -> [(&'static str, usize); 4] {
    let of_skill = |pattern: &&UriPattern| pattern.as_str().starts_with("skill:");
    let skills = manifest.resources.keys().filter(of_skill).count();
    [
        ("tools", manifest.tools.len()),
        ("resources", manifest.resources.len() - skills),
        ("prompts", manifest.prompts.len()),
        ("skills", skills),
    ]
}

/// `18 tools, 1 prompt`
fn counted(entries: &[(&'static str, usize)]) -> String {
    let some = entries.iter().filter(|(_, count)| *count > 0);
    let counted: Vec<String> = some
        .map(|(kind, count)| match count {
            1 => format!("1 {}", kind.trim_end_matches('s')),
            count => format!("{count} {kind}"),
        })
        .collect();
    if counted.is_empty() { "nothing to call".to_owned() } else { counted.join(", ") }
}

/// In whole KiB.
fn rounded(bytes: u64) -> String {
    format_size(bytes.div_ceil(1024) * 1024)
}

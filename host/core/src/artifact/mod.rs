//! The file that arrives: one component with one manifest, read once and never looked at again on disk.
//!
//! - [`sections`]: the walk over its bytes; [`interface`]: what it imports and exports
//! - [`pack`]: how such a file is made of a component and a `plugin.toml`; [`declared`]: what the plugin's code
//!   says of what it has

mod declared;
mod digest;
mod interface;
mod pack;
mod sections;

use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use digest::{Digest, DigestSpelling};
pub use interface::{exports, imports};
pub use pack::{ENTRIES_SECTION, PackError, pack};

use crate::capability::Capabilities;
use crate::diagnostic::{Diagnostic, Diagnostics, Document, quoted};
use crate::manifest::{self, Manifest, SECTION, grammar};
use crate::ownership::{self, FileRefused, Rules};
use crate::units::format_size;

/// The most bytes that a plugin's file may have: 64 MiB.
pub const MAX_BYTES: u64 = 64 << 20;

/// A plugin's file in memory, whose outside was checked. What is inside is checked by the compiler.
#[derive(Debug, Clone)]
pub struct Artifact {
    /// From the file's name, `<id>.wasm`.
    pub id: String,
    /// Where it was read.
    pub path: PathBuf,
    /// All of it.
    pub bytes: Arc<[u8]>,
    /// Of all of it.
    pub digest: Digest,
    /// Of the component without its manifest section: the compiled code depends on nothing else.
    pub code_digest: Digest,
    /// What stands in the manifest section.
    pub manifest_text: Arc<str>,
}

/// A file that is no plugin.
#[derive(Debug, thiserror::Error)]
pub enum ArtifactError {
    /// It cannot be read, or somebody else could have written it.
    #[error(transparent)]
    Refused(#[from] FileRefused),
    /// It is not named `<id>.wasm`.
    #[error("{} is not named after a plugin", .path.display())]
    Name {
        /// Which.
        path: PathBuf,
    },
    /// It is not a component with one manifest.
    #[error("{} {problem}", .path.display())]
    Broken {
        /// Which.
        path: PathBuf,
        /// What it is instead.
        problem: Broken,
    },
}

impl ArtifactError {
    /// What to do.
    pub fn help(&self) -> String {
        match self {
            Self::Refused(refused) => refused.help(),
            Self::Name { .. } => format!("name it <id>.wasm; for the id {}", grammar::ID),
            Self::Broken { problem, .. } => problem.help().into(),
        }
    }

    /// Whether the file is still being written, so that another look may go better. A truncated one may be.
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Refused(refused) => refused.is_passing(),
            Self::Name { .. } => false,
            Self::Broken { problem, .. } => matches!(problem, Broken::Empty | Broken::Truncated { .. }),
        }
    }
}

/// Why bytes are not a component with one manifest. Reads after the file's name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    /// No bytes.
    #[error("is empty")]
    Empty,
    /// Over [`MAX_BYTES`].
    #[error("has {size} bytes, and a plugin has at most {}", format_size(MAX_BYTES))]
    TooLarge {
        /// Bytes.
        size: u64,
    },
    /// Something else.
    #[error("is not WebAssembly")]
    NotWasm,
    /// WebAssembly of a version that is neither a module's nor a component's.
    #[error("is WebAssembly of an unknown version")]
    OtherVersion,
    /// A module, not a component.
    #[error("is a core module, not a component")]
    CoreModule,
    /// The last section is not whole.
    #[error("is truncated: the section at byte {at} is not whole")]
    Truncated {
        /// Where that section begins.
        at: usize,
    },
    /// A section that cannot be read.
    #[error("is malformed at byte {at}")]
    Malformed {
        /// Where that section begins.
        at: usize,
    },
    /// Nested deeper than any compiler's output.
    #[error("nests components too deeply")]
    TooDeep,
    /// No manifest.
    #[error("has no manifest")]
    NoManifest,
    /// More than one manifest.
    #[error("has more than one manifest")]
    TwoManifests,
    /// A manifest that is not UTF-8.
    #[error("has a manifest that is not UTF-8 text")]
    ManifestNotText,
}

impl Broken {
    /// What to do.
    pub fn help(&self) -> &'static str {
        match self {
            Self::NoManifest => "run `fleetgate pack COMPONENT plugin.toml -o FILE.wasm`",
            Self::TwoManifests | Self::ManifestNotText => {
                "run `fleetgate pack` again, which writes exactly one"
            }
            Self::CoreModule => "build the plugin for wasm32-wasip2, which makes a component",
            Self::Empty | Self::Truncated { .. } => "copy the file again; it is read when it is whole",
            Self::NotWasm | Self::OtherVersion | Self::Malformed { .. } | Self::TooDeep => {
                "build and pack the plugin again"
            }
            Self::TooLarge { .. } => "build the plugin without debug information (the profile `plugin`)",
        }
    }
}

/// Reads a plugin's file: a regular file `<id>.wasm`, no symbolic link, that only its owner can write, who is the
/// host's user or root, as is the directory's.
pub fn read(path: &Path) -> Result<Artifact, ArtifactError> {
    let id = id_of(path)?;
    let rules = Rules { follow_links: false, public: true, sticky_directory: false, max_bytes: MAX_BYTES };
    let bytes = ownership::read(path, &rules)?;
    Artifact::new(path, id, bytes)
}

impl Artifact {
    /// From bytes that did not come from the drop directory.
    pub fn from_bytes(path: impl Into<PathBuf>, bytes: impl Into<Vec<u8>>) -> Result<Self, ArtifactError> {
        let path = path.into();
        let id = id_of(&path)?;
        Self::new(&path, id, bytes.into())
    }

    fn new(path: &Path, id: String, bytes: Vec<u8>) -> Result<Self, ArtifactError> {
        let broken = |problem| ArtifactError::Broken { path: path.to_owned(), problem };
        let (manifest_text, code_digest) = split(&bytes).map_err(broken)?;
        let digest = Digest::of(&bytes);
        Ok(Self { id, path: path.to_owned(), bytes: bytes.into(), digest, code_digest, manifest_text })
    }

    /// The manifest section as a document, for messages.
    pub fn document(&self) -> Arc<Document> {
        let path = format!("{}[{SECTION}]", self.path.display());
        Arc::new(Document::new(path, Arc::clone(&self.manifest_text)))
    }

    /// Reads the manifest, which must name the id that the file bears.
    pub fn manifest(&self, capabilities: &Capabilities) -> Result<Manifest, Diagnostics> {
        let document = self.document();
        let manifest = manifest::parse(&document, capabilities)?;
        if manifest.plugin.id == self.id {
            return Ok(manifest);
        }
        let said = document.read_at(&["plugin"], |table| {
            table.leave_rest();
            let file = format!("{}.wasm", self.id);
            let message = format!("the plugin's id is {}, the file is {file}", quoted(&manifest.plugin.id));
            table.error_at("id", message, format!("rename the file to {}.wasm", manifest.plugin.id));
            Some(())
        });
        let impossible = || Diagnostic::whole_file(&document, "the file bears another id", "").into();
        Err(said.err().unwrap_or_else(impossible))
    }
}

/// The manifest's text, and the digest of everything else.
fn split(bytes: &[u8]) -> Result<(Arc<str>, Digest), Broken> {
    if bytes.len() as u64 > MAX_BYTES {
        return Err(Broken::TooLarge { size: bytes.len() as u64 });
    }
    let mut found = None;
    for section in sections::of_component(bytes)? {
        let section = section?;
        if let Some((SECTION, data)) = section.custom()?
            && found.replace((section.whole, data)).is_some()
        {
            return Err(Broken::TwoManifests);
        }
    }
    let (whole, data) = found.ok_or(Broken::NoManifest)?;
    let text = std::str::from_utf8(data).map_err(|_| Broken::ManifestNotText)?;
    Ok((text.into(), Digest::of_parts(&[&bytes[..whole.start], &bytes[whole.end..]])))
}

fn id_of(path: &Path) -> Result<String, ArtifactError> {
    let id = path.file_name().and_then(|name| name.to_str()).and_then(|name| name.strip_suffix(".wasm"));
    match id {
        Some(id) if grammar::is_id(id) => Ok(id.to_owned()),
        _ => Err(ArtifactError::Name { path: path.to_owned() }),
    }
}

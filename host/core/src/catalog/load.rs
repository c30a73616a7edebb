//! From a file to a plugin that can be bound: read, manifest, compiled, prepared.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::kept::Kept;
use super::{LivePlugin, Problem, Version};
use crate::artifact::{self, Artifact};
use crate::capability::Capabilities;
use crate::sandbox::Sandbox;
use crate::sandbox::compile::Compiler;

/// A file whose manifest was read. Its bytes are read again when they are needed, which is seldom: a thousand
/// plugins are not held in memory while they wait for their turn.
#[derive(Debug, Clone)]
pub(super) struct Candidate {
    pub(super) id: String,
    pub(super) version: Arc<Version>,
    pub(super) source: Source,
}

/// Where a candidate's bytes are.
#[derive(Debug, Clone)]
pub(super) enum Source {
    /// In the drop directory.
    File(PathBuf),
    /// In the state directory.
    Kept(Kept),
}

impl Candidate {
    /// Reads a file of the drop directory.
    pub(super) fn read(path: &Path, capabilities: &Capabilities) -> Result<Self, Problem> {
        let artifact = artifact::read(path)?;
        Self::of(&artifact, Source::File(path.to_owned()), capabilities)
    }

    /// Reads the copy of what was approved.
    pub(super) fn kept(
        artifact: &Artifact,
        kept: Kept,
        capabilities: &Capabilities,
    ) -> Result<Self, Problem> {
        Self::of(artifact, Source::Kept(kept), capabilities)
    }

    fn of(artifact: &Artifact, source: Source, capabilities: &Capabilities) -> Result<Self, Problem> {
        let manifest = artifact.manifest(capabilities).map_err(Problem::Manifest)?;
        let version =
            Arc::new(Version { digest: artifact.digest, code_digest: artifact.code_digest, manifest });
        Ok(Self { id: artifact.id.clone(), version, source })
    }

    /// The bytes, which must still be those that were looked at.
    pub(super) fn bytes(&self) -> Result<Artifact, Problem> {
        let digest = self.version.digest;
        match &self.source {
            Source::File(path) => {
                let artifact = artifact::read(path)?;
                if artifact.digest == digest { Ok(artifact) } else { Err(Problem::Changing(path.clone())) }
            }
            Source::Kept(kept) => {
                let gone = || Problem::Host("the copy of the approved version is gone".into());
                kept.get(&self.id, &digest).ok_or_else(gone)
            }
        }
    }
}

/// Compiles a candidate, or takes it from the cache, and links it.
pub(super) async fn load(
    candidate: Arc<Candidate>,
    compiler: Arc<Compiler>,
    sandbox: Arc<Sandbox>,
) -> Result<Arc<LivePlugin>, Problem> {
    let code = candidate.version.code_digest;
    let cached = {
        let (compiler, sandbox, candidate) = (compiler.clone(), sandbox.clone(), candidate.clone());
        tokio::task::spawn_blocking(move || {
            let component = compiler.cache().get(&code)?;
            Some(finish(&candidate, &component, &sandbox))
        })
    };
    let failed = |panic: tokio::task::JoinError| Problem::Host(panic.to_string());
    if let Some(done) = cached.await.map_err(failed)? {
        return done;
    }
    // Waits for its turn before it reads.
    let turn = compiler.turn(&candidate.id).await;
    let reading = candidate.clone();
    let artifact = tokio::task::spawn_blocking(move || reading.bytes()).await.map_err(failed)??;
    let component = turn.compile(artifact.bytes, code).await?;
    finish(&candidate, &component, &sandbox)
}

fn finish(
    candidate: &Candidate,
    component: &wasmtime::component::Component,
    sandbox: &Sandbox,
) -> Result<Arc<LivePlugin>, Problem> {
    let guest = sandbox.prepare(component)?;
    let version = &candidate.version;
    Ok(Arc::new(LivePlugin { manifest: version.manifest.clone(), digest: version.digest, guest }))
}

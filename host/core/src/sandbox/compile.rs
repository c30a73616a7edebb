//! From a component's bytes to machine code, in a child process.
//!
//! Cranelift cannot be cancelled, a hostile component can make it use memory and time without end, and what it once
//! used the process keeps. So the host never compiles: it starts itself with a hidden subcommand, in which
//! [`child_main`] bounds its own memory, CPU time and output, and kills it when it takes too long. The component
//! goes in by stdin, the machine code comes out into a draft of the [`Cache`], which is sealed here. The child
//! inherits no environment and no other open file.

use std::ffi::OsString;
use std::io;
use std::path::PathBuf;
use std::process::ExitStatus;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tempfile::NamedTempFile;
use tokio::sync::{Semaphore, SemaphorePermit};
use wasmtime::component::Component;

use super::cache::{Cache, CacheFailed};
use crate::artifact::Digest;
use crate::units::{format_duration, format_size};

mod child;
mod parent;

pub use child::child_main;

/// The hidden subcommand that calls [`child_main`].
pub const SUBCOMMAND: &str = "__compile";

/// Components that compile at the same time. Each uses all cores and a lot of memory.
const AT_ONCE: usize = 2;

/// Where compiling happens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CompileIn {
    /// In a child process: `program args… <limits>`, which has to call [`child_main`] with what follows `args`.
    Child {
        /// Usually this very program.
        program: PathBuf,
        /// Usually [`SUBCOMMAND`].
        args: Vec<OsString>,
    },
    /// In this process, without any limit but the component's size. For tests and benches that compile what they
    /// wrote themselves; a host that takes files from others must not.
    ThisProcess,
}

impl CompileIn {
    /// In a child of the running program, by [`SUBCOMMAND`].
    pub fn this_program() -> io::Result<Self> {
        Ok(Self::Child { program: std::env::current_exe()?, args: vec![SUBCOMMAND.into()] })
    }
}

/// What compiling one component may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CompileLimits {
    /// Memory of the child, in bytes.
    pub memory: u64,
    /// CPU time of the child, over all its threads. It ends a child whose host is gone.
    pub cpu: Duration,
    /// How long it may take.
    pub wall: Duration,
    /// The largest component, in bytes.
    pub component: u64,
    /// The most machine code, in bytes.
    pub output: u64,
}

impl Default for CompileLimits {
    fn default() -> Self {
        Self {
            // A Python component (18 MB) needs 1.3 GB; the rest is for slower machines and larger interpreters.
            memory: 4 << 30,
            cpu: Duration::from_secs(480),
            wall: Duration::from_secs(120),
            component: 64 << 20,
            output: 1 << 30,
        }
    }
}

/// A component that did not become machine code.
#[derive(Debug, thiserror::Error)]
pub enum CompileFailed {
    /// It is over the size cap; nothing was started.
    #[error("the component has {size} bytes, and at most {} are compiled", format_size(*.limit))]
    TooLarge {
        /// Bytes.
        size: u64,
        /// Bytes.
        limit: u64,
    },
    /// It is no valid component, or uses a feature of WebAssembly that this host has switched off.
    #[error("it is not a component that this host runs: {0}")]
    Refused(String),
    /// The child used up its memory.
    #[error("compiling it needed more than {} of memory", format_size(*.limit))]
    OutOfMemory {
        /// Bytes.
        limit: u64,
    },
    /// The child used up its CPU time.
    #[error("compiling it needed more than {} of CPU time", format_duration(*.limit))]
    OutOfTime {
        /// Over all threads.
        limit: Duration,
    },
    /// The child was killed because it took too long.
    #[error("compiling it took longer than {}", format_duration(*.limit))]
    TimedOut {
        /// Wall time.
        limit: Duration,
    },
    /// The machine code is too large.
    #[error("its machine code has more than {}", format_size(*.limit))]
    OutputTooLarge {
        /// Bytes.
        limit: u64,
    },
    /// The child ended in another way.
    #[error("the compiler ended with {status}{}", if said.is_empty() { String::new() } else { format!(": {said}") })]
    Crashed {
        /// The exit code or signal.
        status: String,
        /// The end of what it wrote to stderr, made harmless.
        said: String,
    },
    /// The child could not be started or spoken to.
    #[error("the compiler ({}) cannot be run: {reason}", .program.display())]
    NotStarted {
        /// What should have run.
        program: PathBuf,
        /// What the operating system said.
        reason: io::Error,
    },
    /// The machine code could not be stored.
    #[error("{0}")]
    Cache(#[from] CacheFailed),
}

/// How far compiling one plugin is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// It waits until another plugin is compiled.
    Waiting,
    /// It is being compiled; this many bytes.
    Compiling {
        /// The component's bytes.
        bytes: u64,
    },
    /// It is compiled, and stored.
    Done {
        /// From the start of the child.
        took: Duration,
    },
    /// It failed; the error is reported elsewhere.
    Failed,
}

/// Hears how far each plugin is, by its id. Plugins that come from the cache are not mentioned.
pub type Progress = Arc<dyn Fn(&str, Step) + Send + Sync>;

/// Turns components into machine code, and keeps it.
pub struct Compiler {
    how: CompileIn,
    cache: Cache,
    limits: CompileLimits,
    progress: Option<Progress>,
    places: Semaphore,
}

/// The right to compile one component now.
pub struct Turn<'a> {
    compiler: &'a Compiler,
    plugin: &'a str,
    _place: SemaphorePermit<'a>,
}

impl Compiler {
    /// A compiler with the default limits that tells nobody.
    pub fn new(how: CompileIn, cache: Cache) -> Self {
        let limits = CompileLimits::default();
        Self { how, cache, limits, progress: None, places: Semaphore::new(AT_ONCE) }
    }

    /// With other limits.
    pub fn limits(self, limits: CompileLimits) -> Self {
        Self { limits, ..self }
    }

    /// Tells how far it is. Called from async tasks: must not block.
    pub fn progress(self, progress: Progress) -> Self {
        Self { progress: Some(progress), ..self }
    }

    /// The cache.
    pub fn cache(&self) -> &Cache {
        &self.cache
    }

    /// From the cache, else compiled. `plugin` names it to who hears of the progress; `code` must be the digest of
    /// `bytes`' code.
    pub async fn component(
        &self,
        plugin: &str,
        bytes: Arc<[u8]>,
        code: Digest,
    ) -> Result<Component, CompileFailed> {
        let cache = self.cache.clone();
        let cached = tokio::task::spawn_blocking(move || cache.get(&code)).await;
        match cached {
            Ok(Some(component)) => Ok(component),
            _ => self.turn(plugin).await.compile(bytes, code).await,
        }
    }

    /// Waits until fewer than two others compile. Whoever has many components reads each only when it is its turn.
    pub async fn turn<'a>(&'a self, plugin: &'a str) -> Turn<'a> {
        self.tell(plugin, Step::Waiting);
        let place = self.places.acquire().await.expect("the semaphore stays open");
        Turn { compiler: self, plugin, _place: place }
    }

    fn tell(&self, plugin: &str, step: Step) {
        if let Some(progress) = &self.progress {
            progress(plugin, step);
        }
    }

    async fn compile_now(&self, bytes: Arc<[u8]>, code: Digest) -> Result<Component, CompileFailed> {
        let draft = self.cache.draft()?;
        let draft = match &self.how {
            CompileIn::Child { program, args } => {
                parent::run(program, args, &self.limits, &self.cache.engine_hash(), &bytes, &draft).await?;
                draft
            }
            CompileIn::ThisProcess => self.here(bytes, draft).await?,
        };
        let cache = self.cache.clone();
        match tokio::task::spawn_blocking(move || cache.seal(draft, &code)).await {
            Ok(sealed) => Ok(sealed?),
            Err(panic) => Err(crashed(&panic)),
        }
    }

    async fn here(&self, bytes: Arc<[u8]>, draft: NamedTempFile) -> Result<NamedTempFile, CompileFailed> {
        let engine = self.cache.engine().clone();
        let compiled = tokio::task::spawn_blocking(move || {
            let code = engine.precompile_component(&bytes);
            code.map_err(|error| CompileFailed::Refused(format!("{error:#}"))).and_then(|code| {
                match io::Write::write_all(&mut draft.as_file(), &code) {
                    Ok(()) => Ok(draft),
                    Err(reason) => Err(CacheFailed::Io { path: draft.path().to_owned(), reason }.into()),
                }
            })
        });
        compiled.await.unwrap_or_else(|panic| Err(crashed(&panic)))
    }
}

impl Turn<'_> {
    /// Compiles, whatever the cache holds.
    pub async fn compile(self, bytes: Arc<[u8]>, code: Digest) -> Result<Component, CompileFailed> {
        let (size, limit) = (bytes.len() as u64, self.compiler.limits.component);
        if size > limit {
            return Err(CompileFailed::TooLarge { size, limit });
        }
        self.compiler.tell(self.plugin, Step::Compiling { bytes: size });
        let start = Instant::now();
        let component = self.compiler.compile_now(bytes, code).await;
        let step = if component.is_ok() { Step::Done { took: start.elapsed() } } else { Step::Failed };
        self.compiler.tell(self.plugin, step);
        component
    }
}

fn crashed(panic: &tokio::task::JoinError) -> CompileFailed {
    CompileFailed::Crashed { status: "a panic".into(), said: panic.to_string() }
}

/// The child's exit code when the component is refused. Its message is on stderr.
const REFUSED: i32 = 10;
/// The child's exit code when its engine is another than the host's: the program was replaced while it ran.
const OTHER_ENGINE: i32 = 11;

fn describe(status: ExitStatus) -> String {
    use std::os::unix::process::ExitStatusExt;
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("exit code {code}"),
        (None, Some(signal)) => format!("signal {signal}"),
        (None, None) => status.to_string(),
    }
}

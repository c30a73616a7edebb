//! The sandbox alone, in this process: the greeting plugin, compiled here, called through the core's own way of running
//! a guest. No server, no catalog, no audit.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use fleetgate_core::abi::log::LogGate;
use fleetgate_core::artifact;
use fleetgate_core::capability::Capabilities;
use fleetgate_core::domain::Outcome;
use fleetgate_core::jobs::JobsOfCall;
use fleetgate_core::sandbox::cache::Cache;
use fleetgate_core::sandbox::compile::{CompileIn, Compiler};
use fleetgate_core::sandbox::{
    Allocator, BindingMemory, BindingPermits, CallInfo, CallLimits, Guest, Nobody, Run, Sandbox,
    SandboxOptions, Used,
};
use fleetgate_core::secret_arguments::Vault;
use tokio_util::sync::CancellationToken;

use crate::program;

/// The host's defaults.
const LIMITS: CallLimits = CallLimits {
    memory: 64 << 20,
    cpu: Duration::from_secs(2),
    timeout: Duration::from_secs(30),
    result: 16 << 20,
    response: 32 << 20,
};

/// The greeting plugin, ready for calls.
pub struct Greeter {
    guest: Guest,
    permits: BindingPermits,
    memory: Arc<BindingMemory>,
    log: Arc<LogGate>,
    // Both outlive the calls: the engine's ticker, and the file that is mapped.
    _sandbox: Arc<Sandbox>,
    _state: tempfile::TempDir,
}

impl Greeter {
    /// Compiles it for an engine with this allocator.
    pub async fn new(allocator: Allocator) -> Result<Self> {
        let artifact = artifact::read(&program::plugin("hello")?)?;
        let options = SandboxOptions { allocator: Some(allocator), ..SandboxOptions::default() };
        let sandbox = Sandbox::new(&options, &Capabilities::new())?;
        let state = tempfile::tempdir()?;
        let cache = Cache::open(&state.path().join("state"), sandbox.engine())?;
        let compiler = Compiler::new(CompileIn::ThisProcess, cache);
        let component = compiler.component("hello", artifact.bytes, artifact.code_digest).await?;
        let this = Self {
            guest: sandbox.prepare(&component)?,
            permits: sandbox.permits().binding(64),
            memory: BindingMemory::new(1 << 30),
            log: LogGate::new(),
            _sandbox: sandbox,
            _state: state,
        };
        this.call().await.context("the first call failed")?;
        Ok(this)
    }

    /// One call in a fresh instance, with its answer checked.
    pub async fn call(&self) -> Result<()> {
        let call = Arc::new(CallInfo {
            id: "bench".into(),
            binding: "hello".into(),
            plugin: "hello".into(),
            tool: "greet".into(),
            principal: "bench".into(),
            roles: Vec::new(),
            session: String::new(),
            client_capabilities: "{}".into(),
            config: Arc::default(),
            granted: Arc::default(),
            policy: Arc::default(),
            limits: LIMITS,
            deadline: Instant::now() + LIMITS.timeout,
            cancel: CancellationToken::new(),
            log: self.log.clone(),
            observer: Arc::new(Nobody),
            lists: None,
            used: Used::default(),
            jobs: JobsOfCall::default(),
            secrets: Vault::default(),
        });
        let permit = self.permits.acquire().await;
        let run = Run { call, memory: self.memory.clone(), slots: Vec::new(), permit };
        let answer = self.guest.call_tool(run, r#"{"name":"Ada"}"#.to_owned(), None).await?;
        let Ok(Outcome::Done(result)) = answer else { anyhow::bail!("the tool failed: {answer:?}") };
        let text = result.content.first().and_then(|block| block.text.as_deref());
        ensure!(text == Some("Hello, Ada!") && !result.is_error, "a wrong answer: {result:?}");
        Ok(())
    }
}

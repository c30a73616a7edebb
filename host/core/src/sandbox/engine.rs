//! The one engine of a host: every setting with its reason.
//!
//! What a guest may use is what is compiled in and switched on here. Everything that the plugins of today do not
//! need is off: less to attack, and a component that wants it is refused when it is compiled.

use std::sync::Arc;
use std::time::Duration;

use wasmtime::component::{Component, Linker};
use wasmtime::{
    Config, Enabled, Engine, InstanceAllocationStrategy, OptLevel, PoolingAllocationConfig,
    WasmBacktraceDetails, WasmFeatures,
};

use super::lane::SlowLane;
use super::pool::Permits;
use super::run::Guest;
use super::state::CallState;
use crate::abi::v0_1;
use crate::capability::Capabilities;

/// How often a guest that computes gives way. Short enough for honest calls to slip in between, long enough for
/// an honest call to end within one.
pub(super) const TICK: Duration = Duration::from_millis(5);

/// Stack of one call's fiber, and how much of it wasm may use. The rest is the host's own frames.
const FIBER_STACK: usize = 1 << 20;
const WASM_STACK: usize = 512 << 10;

/// The most that one component may have, of each.
const CORE_INSTANCES: u32 = 32;
const MEMORIES: u32 = 4;
const TABLES: u32 = 8;

/// Where instances get their memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Allocator {
    /// Slots that are reserved once and reused: a fresh instance costs microseconds. Needs terabytes of address
    /// space (not of memory).
    Pooling,
    /// Each instance maps its own memory. Works under `ulimit -v`, and is about three times slower for each call.
    OnDemand,
}

/// What a sandbox is made with.
#[derive(Debug, Clone)]
pub struct SandboxOptions {
    /// None: pooling, and on demand where the machine cannot.
    pub allocator: Option<Allocator>,
    /// Calls at once, of all bindings together. A quarter of them is the most that one binding gets.
    pub calls: u32,
    /// Jobs at once, of all bindings together: beside the calls, so that neither takes the other's place.
    pub jobs: u32,
    /// Handlers of events beside them.
    pub events: u32,
    /// Workers that guests over their first ticks of CPU may use at once.
    pub slow_lane: usize,
}

impl Default for SandboxOptions {
    fn default() -> Self {
        let workers = std::thread::available_parallelism().map_or(1, usize::from);
        Self { allocator: None, calls: 1_000, jobs: 256, events: 16, slow_lane: (workers / 2).max(1) }
    }
}

/// The engine could not be made, or its capabilities not linked.
#[derive(Debug, thiserror::Error)]
pub enum SandboxFailed {
    /// Neither allocator works here.
    #[error("the WebAssembly engine cannot start: {0:#}")]
    Engine(wasmtime::Error),
    /// A capability's host functions clash with another's.
    #[error("the host functions of the capability {kind} cannot be linked: {reason:#}")]
    Link {
        /// Which.
        kind: &'static str,
        /// What wasmtime said.
        reason: wasmtime::Error,
    },
    /// The ticker thread could not be started.
    #[error("the thread that makes guests give way cannot be started: {0}")]
    Ticker(std::io::Error),
}

/// A component that this host cannot run.
#[derive(Debug, thiserror::Error)]
pub enum NotRunnable {
    /// It imports something that no capability of this host offers, or in another version.
    #[error("it needs an import that this host does not have: {0}")]
    Import(String),
}

/// Runs guests. One for each host process.
pub struct Sandbox {
    engine: Engine,
    linker: Linker<CallState>,
    allocator: Allocator,
    permits: Arc<Permits>,
    jobs: u32,
    events: u32,
    lane: Arc<SlowLane>,
}

impl Sandbox {
    /// An engine with everything linked that guests may import.
    pub fn new(options: &SandboxOptions, capabilities: &Capabilities) -> Result<Arc<Self>, SandboxFailed> {
        let (engine, allocator) = start_engine(options).map_err(SandboxFailed::Engine)?;
        let mut linker = Linker::new(&engine);
        wasmtime_wasi::p2::add_to_linker_async(&mut linker)
            .and_then(|()| v0_1::link(&mut linker))
            .map_err(|reason| SandboxFailed::Link { kind: "wasi", reason })?;
        for (kind, capability) in capabilities.iter() {
            capability.link(&mut linker).map_err(|reason| SandboxFailed::Link { kind, reason })?;
        }
        start_ticker(&engine).map_err(SandboxFailed::Ticker)?;
        Ok(Arc::new(Self {
            engine,
            linker,
            allocator,
            permits: Permits::new(options.calls),
            jobs: options.jobs,
            events: options.events,
            lane: SlowLane::new(options.slow_lane),
        }))
    }

    /// The engine, for compiling and for reading the compiled cache.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Which allocator this machine got. The child that compiles must be told, so that both settings agree.
    pub fn allocator(&self) -> Allocator {
        self.allocator
    }

    /// The pool's permits; each binding gets its share of them.
    pub fn permits(&self) -> &Arc<Permits> {
        &self.permits
    }

    /// How many jobs have room beside the calls.
    pub fn room_for_jobs(&self) -> u32 {
        self.jobs
    }

    /// How many handlers of events have room beside the calls and the jobs.
    pub fn room_for_events(&self) -> u32 {
        self.events
    }

    /// Makes a compiled component ready for calls: imports are matched and exports looked up once, here.
    pub fn prepare(&self, component: &Component) -> Result<Guest, NotRunnable> {
        let pre = self
            .linker
            .instantiate_pre(component)
            .map_err(|error| NotRunnable::Import(format!("{error:#}")))?;
        Ok(Guest::new(pre, self.lane.clone()))
    }
}

/// The settings that decide what machine code looks like. The same for the host and for the child that compiles,
/// so that the compiled file fits; [`Engine::precompile_compatibility_hash`] tells when it does not.
pub fn code_config() -> Config {
    let mut config = Config::new();
    config
        // Off: what no plugin needs and attackers like. Threads, gc, stack switching and component-model-async are
        // not even compiled in.
        .wasm_features(WasmFeatures::FUNCTION_REFERENCES, false)
        .wasm_memory64(false)
        .wasm_component_model_memory64(false)
        .wasm_tail_call(false)
        .wasm_relaxed_simd(false)
        .wasm_custom_page_sizes(false)
        .wasm_wide_arithmetic(false)
        // Sync-typed functions only; the host's imports wait on a fiber.
        .concurrency_support(false)
        // A guest gives way at each tick. Fuel costs up to 1.3 times the guest's speed and gains nothing.
        .epoch_interruption(true)
        .max_wasm_stack(WASM_STACK)
        .async_stack_size(FIBER_STACK)
        .cranelift_opt_level(OptLevel::Speed)
        // A trap's message names functions, not addresses and not the author's source paths.
        .wasm_backtrace_details(WasmBacktraceDetails::Disable)
        // Copy-on-write images of a module's memory make a fresh instance cheap.
        .memory_init_cow(true);
    config
}

fn start_engine(options: &SandboxOptions) -> wasmtime::Result<(Engine, Allocator)> {
    if options.allocator != Some(Allocator::OnDemand) {
        let all = options.calls.saturating_add(options.jobs).saturating_add(options.events);
        match Engine::new(code_config().allocation_strategy(pool(all))) {
            Ok(engine) => return Ok((engine, Allocator::Pooling)),
            Err(error) if options.allocator.is_none() => tracing::warn!(
                error = format!("{error:#}"),
                "the address space for pooled instances cannot be reserved (is there an `ulimit -v`?): calls cost \
                 about three times as much"
            ),
            Err(error) => return Err(error),
        }
    }
    let mut config = code_config();
    config.allocation_strategy(InstanceAllocationStrategy::OnDemand);
    Ok((Engine::new(&config)?, Allocator::OnDemand))
}

fn pool(calls: u32) -> PoolingAllocationConfig {
    let mut pool = PoolingAllocationConfig::new();
    // Permits count calls, so each call must have room for the most that a component may have: otherwise one with
    // many memories could take the slots of many. A component of the Rust SDK has three core instances and one
    // memory; Python's have some twenty instances. Slots cost address space, not memory.
    pool.total_component_instances(calls)
        .total_core_instances(calls.saturating_mul(CORE_INSTANCES))
        .total_memories(calls.saturating_mul(MEMORIES))
        .total_tables(calls.saturating_mul(TABLES))
        .total_stacks(calls)
        .max_core_instances_per_component(CORE_INSTANCES)
        .max_memories_per_component(MEMORIES)
        .max_tables_per_component(TABLES)
        .max_memory_size(256 << 20)
        .table_elements(20_000)
        // Pages that a call dirtied are reset in place up to this size. Only with pagemap_scan (Linux 6.7) is that
        // cheaper than giving them back: it finds the dirty ones; without it the whole range would be cleared.
        // A slot keeps them, so a crowd of greedy calls must not leave much: 64 of them 32 MiB.
        .linear_memory_keep_resident(512 << 10)
        .table_keep_resident(1 << 16)
        .pagemap_scan(Enabled::Auto)
        .max_unused_warm_slots(calls.saturating_mul(2));
    pool
}

fn start_ticker(engine: &Engine) -> std::io::Result<()> {
    let engine = engine.weak();
    std::thread::Builder::new().name("fleetgate-tick".into()).spawn(move || {
        // Ends with the engine: the last strong reference is the sandbox's.
        while let Some(engine) = engine.upgrade() {
            engine.increment_epoch();
            drop(engine);
            std::thread::sleep(TICK);
        }
    })?;
    Ok(())
}

//! Compiling in a child, which is this very test program: it runs [`the_child`] and nothing else.

use std::ffi::OsString;
use std::fmt::Write;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use fleetgate_core::artifact::Digest;
use fleetgate_core::sandbox::cache::Cache;
use fleetgate_core::sandbox::code_config;
use fleetgate_core::sandbox::compile::{CompileFailed, CompileIn, CompileLimits, Compiler, Step, child_main};
use tempfile::TempDir;
use wasmtime::Engine;
use wasmtime::component::Component;

#[test]
#[ignore = "it is the child of the tests in this file"]
fn the_child() {
    let arguments: Vec<OsString> =
        std::env::args_os().skip_while(|argument| argument != "--").skip(1).collect();
    if !arguments.is_empty() {
        assert_eq!(std::env::vars_os().count(), 0, "the child inherits no environment");
        child_main(arguments);
    }
}

fn child() -> CompileIn {
    let args = ["--exact", "core::compile::the_child", "--ignored", "--nocapture", "--"].map(OsString::from);
    CompileIn::Child { program: std::env::current_exe().expect("this program"), args: args.into() }
}

fn compiler(how: CompileIn, limits: CompileLimits) -> (TempDir, Compiler) {
    let state = TempDir::new().expect("a directory");
    let engine = Engine::new(&code_config()).expect("an engine");
    let cache = Cache::open(state.path(), &engine).expect("a cache");
    (state, Compiler::new(how, cache).limits(limits))
}

async fn compile(how: CompileIn, limits: CompileLimits, bytes: &[u8]) -> Result<Component, CompileFailed> {
    let (state, compiler) = compiler(how, limits);
    let done = compiler.component("test", bytes.into(), Digest::of(bytes)).await;
    let left = std::fs::read_dir(state.path().join("compiled")).expect("a cache").count();
    assert_eq!(left, usize::from(done.is_ok()), "no draft is left behind");
    done
}

async fn in_child(bytes: &[u8]) -> Result<Component, CompileFailed> {
    compile(child(), CompileLimits::default(), bytes).await
}

fn component(module: &str) -> Vec<u8> {
    wat::parse_str(format!("(component (core module {module}))")).expect("a component")
}

/// A component with so many functions of so many additions, each of which Cranelift has to keep in mind.
fn large(functions: usize, additions: usize) -> Vec<u8> {
    let mut body = String::from("(func (param i32) (result i32) (local.get 0)");
    for number in 0..additions {
        let _ = write!(body, "(local.get 0) (i32.const {number}) i32.mul i32.add ");
    }
    component(&(body + ")").repeat(functions))
}

#[tokio::test]
async fn the_child_compiles_what_the_host_then_maps() {
    in_child(&component("(func (export \"f\"))")).await.expect("it compiles");
}

#[tokio::test]
async fn what_the_child_made_is_used_without_it_the_next_time() {
    let (_state, compiler) = compiler(child(), CompileLimits::default());
    let bytes = component("");
    let seen = Arc::new(Mutex::new(Vec::new()));
    let steps = seen.clone();
    let compiler = compiler.progress(Arc::new(move |id, step| {
        steps.lock().expect("no panic").push((id.to_owned(), step));
    }));
    for _ in 0..3 {
        compiler.component("naas", bytes.clone().into(), Digest::of(&bytes)).await.expect("it compiles");
    }
    let seen = seen.lock().expect("no panic");
    let size = bytes.len() as u64;
    assert!(
        matches!(&seen[..], [(id, Step::Waiting), (_, Step::Compiling { bytes }), (_, Step::Done { .. })]
            if id == "naas" && *bytes == size),
        "{seen:?}"
    );
}

#[tokio::test]
async fn what_is_no_component_is_refused_with_a_reason() {
    let whole = component("(func (export \"f\") (drop (i32.const 1)))");
    let garbage: Vec<u8> =
        (0..100_000_u32).map(|number| (number.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let cases: [(&str, Vec<u8>); 5] = [
        ("nothing", Vec::new()),
        ("garbage", garbage),
        ("a truncated component", whole[..whole.len() - 5].to_vec()),
        ("a core module", wat::parse_str("(module)").expect("a module")),
        ("text", b"(component)".to_vec()),
    ];
    for (what, bytes) in cases {
        for how in [child(), CompileIn::ThisProcess] {
            let failed = compile(how, CompileLimits::default(), &bytes).await.map(drop).expect_err(what);
            assert!(matches!(&failed, CompileFailed::Refused(why) if !why.is_empty()), "{what}: {failed:?}");
        }
    }
}

#[tokio::test]
async fn machine_code_is_no_component() {
    let engine = Engine::new(&code_config()).expect("an engine");
    let code = engine.precompile_component(&component("")).expect("it compiles");
    let failed = in_child(&code).await.map(drop).expect_err("machine code");
    assert!(matches!(failed, CompileFailed::Refused(_)), "{failed:?}");
}

#[tokio::test]
async fn features_that_no_plugin_needs_are_refused() {
    for (what, module) in [
        ("threads", "(memory 1 1 shared)"),
        ("64-bit memory", "(memory i64 1)"),
        ("garbage collection", "(type (struct (field i32)))"),
        (
            "typed function references",
            "(type $t (func)) (func (param (ref null $t)) (call_ref $t (local.get 0)))",
        ),
        ("exceptions", "(tag)"),
        ("tail calls", "(func $f return_call $f)"),
        (
            "relaxed SIMD",
            "(func (param v128 v128) (result v128) (i32x4.relaxed_trunc_f32x4_s (local.get 0)))",
        ),
        ("custom page sizes", "(memory 1 (pagesize 1))"),
        (
            "wide arithmetic",
            "(func (param i64 i64) (result i64 i64) (i64.mul_wide_s (local.get 0) (local.get 1)))",
        ),
        ("stack switching", "(type $f (func)) (type $c (cont $f))"),
    ] {
        let failed = in_child(&component(module)).await.map(drop).expect_err(what);
        assert!(matches!(failed, CompileFailed::Refused(_)), "{what}: {failed:?}");
    }
    let asynchronous = wat::parse_str(
        r#"(component
            (core module $m (func (export "f")) (func (export "cb") (param i32 i32 i32) (result i32) unreachable))
            (core instance $i (instantiate $m))
            (func (export "f") async (canon lift (core func $i "f") async)))"#,
    );
    let failed = in_child(&asynchronous.expect("a component")).await.map(drop).expect_err("async");
    assert!(matches!(failed, CompileFailed::Refused(_)), "async: {failed:?}");
}

#[tokio::test]
async fn a_component_over_the_size_cap_is_not_even_tried() {
    let limits = CompileLimits { component: 100, ..CompileLimits::default() };
    let nowhere = CompileIn::Child { program: PathBuf::from("/nonexistent"), args: Vec::new() };
    let failed = compile(nowhere, limits, &[0; 101]).await.map(drop).expect_err("too large");
    assert!(matches!(failed, CompileFailed::TooLarge { size: 101, limit: 100 }), "{failed:?}");
}

#[tokio::test]
async fn sixty_four_mebibytes_of_garbage_are_refused() {
    let mut bytes = vec![0xff; 64 << 20];
    bytes[..8].copy_from_slice(&[0, b'a', b's', b'm', 0x0d, 0, 1, 0]);
    let failed = in_child(&bytes).await.map(drop).expect_err("garbage");
    assert!(matches!(failed, CompileFailed::Refused(_)), "{failed:?}");
}

#[tokio::test]
async fn components_and_blocks_that_nest_without_end_leave_the_host_as_it_was() {
    let mut nested = b"\0asm\x0d\0\x01\0".to_vec();
    for _ in 0..5_000 {
        // Section 4 holds a component.
        let mut section = vec![4];
        let mut length = nested.len();
        while length >= 128 {
            section.push((length & 127) as u8 | 128);
            length >>= 7;
        }
        section.push(length as u8);
        nested = [b"\0asm\x0d\0\x01\0".as_slice(), &section, &nested].concat();
    }
    let blocks = component(&format!("(func {} {})", "(block ".repeat(20_000), ")".repeat(20_000)));
    let (_state, compiler) = compiler(child(), CompileLimits::default());
    for bytes in [nested, blocks] {
        // Legal, as it happens. A child that crashed would be as good.
        let done = compiler.component("deep", bytes.clone().into(), Digest::of(&bytes)).await;
        assert!(matches!(done, Ok(_) | Err(CompileFailed::Refused(_) | CompileFailed::Crashed { .. })));
    }
    let honest = component("");
    compiler.component("honest", honest.clone().into(), Digest::of(&honest)).await.expect("it compiles");
}

#[tokio::test]
async fn a_child_that_needs_too_much_memory_ends_alone() {
    let limits = CompileLimits { memory: 96 << 20, ..CompileLimits::default() };
    let failed = compile(child(), limits, &large(1, 700_000)).await.map(drop).expect_err("a bomb");
    assert!(matches!(failed, CompileFailed::OutOfMemory { .. }), "{failed:?}");
    assert!(failed.to_string().contains("96MiB of memory"), "{failed}");
}

#[tokio::test]
async fn a_child_that_needs_too_much_cpu_time_ends_alone() {
    let limits = CompileLimits { cpu: Duration::from_secs(1), ..CompileLimits::default() };
    let failed = compile(child(), limits, &large(40, 50_000)).await.map(drop).expect_err("a bomb");
    assert!(matches!(failed, CompileFailed::OutOfTime { .. }), "{failed:?}");
}

#[tokio::test]
async fn a_child_that_takes_too_long_is_killed() {
    let limits = CompileLimits { wall: Duration::from_millis(1), ..CompileLimits::default() };
    let failed = compile(child(), limits, &large(1, 100_000)).await.map(drop).expect_err("too long");
    assert!(matches!(failed, CompileFailed::TimedOut { .. }), "{failed:?}");
}

#[tokio::test]
async fn a_child_that_writes_too_much_ends_alone() {
    let limits = CompileLimits { output: 1 << 10, ..CompileLimits::default() };
    let failed =
        compile(child(), limits, &component("(func (export \"f\"))")).await.map(drop).expect_err("too much");
    assert!(matches!(failed, CompileFailed::OutputTooLarge { .. }), "{failed:?}");
}

#[tokio::test]
async fn a_program_that_is_not_there_or_is_another_is_named() {
    let run = |program: &str, args: &[&str]| {
        let args = args.iter().map(OsString::from).collect();
        compile_here(CompileIn::Child { program: PathBuf::from(program), args })
    };
    let failed = run("/nonexistent/fleetgate", &[]).await;
    assert!(matches!(failed, CompileFailed::NotStarted { .. }), "{failed:?}");
    assert!(failed.to_string().contains("/nonexistent/fleetgate"), "{failed}");

    let failed = run("/bin/sh", &["-c", "printf 'no \\033[31mway\\n' >&2; exit 3"]).await;
    let CompileFailed::Crashed { status, said } = &failed else { panic!("{failed:?}") };
    assert_eq!((status.as_str(), said.as_str()), ("exit code 3", "no \\u{1b}[31mway"));

    // It claims to have compiled, and wrote something else.
    let failed = run("/bin/sh", &["-c", "echo machine code"]).await;
    assert!(matches!(failed, CompileFailed::Cache(_)), "{failed:?}");
}

async fn compile_here(how: CompileIn) -> CompileFailed {
    let (_state, compiler) = compiler(how, CompileLimits::default());
    let bytes = component("");
    compiler
        .component("test", bytes.clone().into(), Digest::of(&bytes))
        .await
        .map(drop)
        .expect_err("not ours")
}

#[tokio::test]
async fn a_child_of_another_engine_is_not_believed() {
    let state = TempDir::new().expect("a directory");
    let engine = Engine::new(code_config().epoch_interruption(false)).expect("an engine");
    let cache = Cache::open(state.path(), &engine).expect("a cache");
    let bytes = component("");
    let compiled =
        Compiler::new(child(), cache).component("test", bytes.clone().into(), Digest::of(&bytes)).await;
    let failed = compiled.map(drop).expect_err("another engine");
    assert!(failed.to_string().contains("restart"), "{failed}");
}

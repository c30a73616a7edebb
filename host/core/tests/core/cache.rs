//! The compiled cache: what this host wrote is mapped, and nothing else ever.

use std::fs::{self, File, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::time::{Duration, SystemTime};

use fleetgate_core::artifact::Digest;
use fleetgate_core::key_file::KeyFailed;
use fleetgate_core::sandbox::cache::{Cache, CacheFailed};
use fleetgate_core::sandbox::code_config;
use fleetgate_core::sandbox::compile::{CompileIn, Compiler};
use tempfile::TempDir;
use wasmtime::Engine;

const CODE: &str = r#"(component (core module $m (func (export "f") (result i32) (i32.const 42))) (core instance (instantiate $m)))"#;

struct Bench {
    state: TempDir,
    engine: Engine,
    code: Digest,
    bytes: Vec<u8>,
}

impl Bench {
    fn new() -> Self {
        let bytes = wat::parse_str(CODE).expect("a component");
        let state = TempDir::new().expect("a directory");
        Self {
            state,
            engine: Engine::new(&code_config()).expect("an engine"),
            code: Digest::of(&bytes),
            bytes,
        }
    }

    fn cache(&self) -> Cache {
        self.try_cache().expect("a cache")
    }

    fn try_cache(&self) -> Result<Cache, CacheFailed> {
        Cache::open(self.state.path(), &self.engine)
    }

    /// Compiles, and gives back the entry's content.
    async fn fill(&self) -> Vec<u8> {
        let compiler = Compiler::new(CompileIn::ThisProcess, self.cache());
        compiler.component("test", self.bytes.clone().into(), self.code).await.expect("it compiles");
        fs::read(self.cache().path_of(&self.code)).expect("the entry")
    }

    fn put(&self, content: &[u8]) {
        let path = self.cache().path_of(&self.code);
        let _ = fs::remove_file(&path);
        fs::write(&path, content).expect("an entry");
        fs::set_permissions(&path, Permissions::from_mode(0o400)).expect("its mode");
    }
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).expect("it is there").permissions().mode() & 0o777
}

#[tokio::test]
async fn what_was_compiled_is_found_again_by_another_host() {
    let bench = Bench::new();
    assert!(bench.cache().get(&bench.code).is_none());
    bench.fill().await;
    assert!(bench.cache().get(&bench.code).is_some());
    assert!(bench.cache().get(&Digest::of(b"another")).is_none());
}

#[tokio::test]
async fn cache_and_key_are_closed_to_others() {
    let bench = Bench::new();
    bench.fill().await;
    assert_eq!(mode(&bench.state.path().join("compiled")), 0o700);
    assert_eq!(mode(&bench.state.path().join("compiled.key")), 0o600);
    assert_eq!(mode(&bench.cache().path_of(&bench.code)), 0o400);
}

#[tokio::test]
async fn one_flipped_byte_anywhere_is_noticed_and_compiled_again() {
    let bench = Bench::new();
    let good = bench.fill().await;
    let compiler = Compiler::new(CompileIn::ThisProcess, bench.cache());
    // Spread over the whole file, its first and last bytes among them.
    let step = (good.len() - 1) as f64 / 999.0;
    let mut noticed = 0;
    for index in 0..1000 {
        let at = (f64::from(index) * step).round() as usize;
        let mut bad = good.clone();
        bad[at] ^= 1 << (index % 8);
        bench.put(&bad);
        noticed += usize::from(bench.cache().get(&bench.code).is_none());
        compiler.component("test", bench.bytes.clone().into(), bench.code).await.expect("it compiles");
        assert!(bench.cache().get(&bench.code).is_some(), "byte {at}");
    }
    assert_eq!(noticed, 1000);
}

#[tokio::test]
async fn an_entry_that_is_cut_extended_or_empty_is_not_used() {
    let bench = Bench::new();
    let good = bench.fill().await;
    let mut longer = good.clone();
    longer.push(0);
    for bad in [&good[..good.len() - 1], &good[..31], &good[..32], &[], &longer] {
        bench.put(bad);
        assert!(bench.cache().get(&bench.code).is_none(), "{} bytes", bad.len());
        assert!(!bench.cache().path_of(&bench.code).exists(), "it is deleted");
    }
    bench.put(&good);
    assert!(bench.cache().get(&bench.code).is_some());
}

#[tokio::test]
async fn machine_code_from_outside_is_never_used() {
    let bench = Bench::new();
    bench.cache();
    // Written by wasmtime itself, with the very settings of this host: only the seal is missing.
    let outside = bench.engine.precompile_component(&bench.bytes).expect("it compiles");
    bench.put(&outside);
    assert!(bench.cache().get(&bench.code).is_none());

    // Sealed by another host, with its own key.
    let other = Bench::new();
    bench.put(&other.fill().await);
    assert!(bench.cache().get(&bench.code).is_none());
}

#[tokio::test]
async fn an_entry_under_the_name_of_another_is_not_used() {
    let bench = Bench::new();
    let entry = bench.fill().await;
    let victim = Digest::of(b"another plugin");
    fs::write(bench.cache().path_of(&victim), entry).expect("an entry");
    assert!(bench.cache().get(&victim).is_none());
}

#[tokio::test]
async fn another_engine_looks_for_another_entry() {
    let bench = Bench::new();
    bench.fill().await;
    let other = Engine::new(code_config().epoch_interruption(false)).expect("an engine");
    let cache = Cache::open(bench.state.path(), &other).expect("a cache");
    assert_ne!(cache.path_of(&bench.code), bench.cache().path_of(&bench.code));
    assert!(cache.get(&bench.code).is_none());
}

#[tokio::test]
async fn a_link_in_the_cache_is_not_followed() {
    let bench = Bench::new();
    let entry = bench.fill().await;
    let elsewhere = bench.state.path().join("elsewhere");
    fs::write(&elsewhere, entry).expect("a copy");
    let path = bench.cache().path_of(&bench.code);
    fs::remove_file(&path).expect("it was there");
    symlink(&elsewhere, &path).expect("a link");
    assert!(bench.cache().get(&bench.code).is_none());
}

#[test]
fn a_cache_or_key_that_others_can_reach_is_refused() {
    let bench = Bench::new();
    bench.cache();
    for (name, bad, good) in [("compiled", 0o750, 0o700), ("compiled.key", 0o640, 0o600), ("", 0o722, 0o700)]
    {
        let path = bench.state.path().join(name);
        fs::set_permissions(&path, Permissions::from_mode(bad)).expect("its mode");
        let failed = bench.try_cache().map(drop).expect_err("others can reach it");
        assert!(
            matches!(failed, CacheFailed::NotPrivate { .. } | CacheFailed::Key(KeyFailed::NotPrivate { .. })),
            "{failed}"
        );
        assert!(failed.to_string().contains("chmod"), "{failed}");
        fs::set_permissions(&path, Permissions::from_mode(good)).expect("its mode");
    }
    bench.cache();
}

#[test]
fn a_key_that_is_none_is_refused() {
    let bench = Bench::new();
    bench.cache();
    let path = bench.state.path().join("compiled.key");
    fs::write(&path, b"short").expect("a key");
    assert!(matches!(bench.try_cache(), Err(CacheFailed::Key(KeyFailed::BadKey { length: 5, .. }))));
}

#[test]
fn hosts_that_start_at_once_share_one_key() {
    let bench = Bench::new();
    std::thread::scope(|threads| {
        for _ in 0..16 {
            threads.spawn(|| bench.cache());
        }
    });
    let names: Vec<_> = fs::read_dir(bench.state.path())
        .expect("a directory")
        .map(|entry| entry.expect("an entry").file_name().into_string().expect("text"))
        .collect();
    assert_eq!(names.len(), 2, "{names:?}");
}

#[tokio::test]
async fn entries_that_nobody_used_for_long_and_abandoned_drafts_are_deleted() {
    let bench = Bench::new();
    bench.fill().await;
    let cache = bench.cache();
    let old = |path: &Path, age: Duration| {
        let file = File::open(path).expect("it is there");
        file.set_modified(SystemTime::now() - age).expect("its time");
    };
    let day = Duration::from_secs(24 * 3600);
    let entry = cache.path_of(&bench.code);
    let draft = entry.with_file_name("draft-abc");
    fs::write(&draft, "half").expect("a draft");
    assert_eq!(cache.prune().expect("it is looked through"), 0);

    old(&draft, Duration::from_secs(2 * 3600));
    old(&entry, day * 29);
    assert_eq!(cache.prune().expect("it is looked through"), 1);
    assert!(!draft.exists() && entry.exists());

    // Use makes it young again.
    assert!(cache.get(&bench.code).is_some());
    assert_eq!(cache.prune().expect("it is looked through"), 0);
    old(&entry, day * 31);
    assert_eq!(cache.prune().expect("it is looked through"), 1);
    assert!(!entry.exists());
}

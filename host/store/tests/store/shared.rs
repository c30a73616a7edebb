//! One store for many hosts: who holds it, who asks, and what happens when the holder ends.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::MetadataExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use fleetgate_core::duty::Duty;
use fleetgate_core::store::{Batch, Condition, Key, Page, Space, Store, StoreError};
use fleetgate_store::{DutyLocks, StateStore};
use futures_util::future::join_all;
use tempfile::TempDir;

/// Names the directory to a child of this test.
const DIRECTORY: &str = "FLEETGATE_TEST_STATE";
const ROUND: &str = "FLEETGATE_TEST_ROUND";
/// How often a process is killed.
const ROUNDS: usize = 12;

fn space() -> Space {
    Space::new("test").expect("a name")
}

fn key(name: &str) -> Key {
    Key::new(name).expect("a key")
}

async fn put(store: &StateStore, name: &str) -> Result<Vec<u64>, StoreError> {
    store.write(&space(), Batch::new().put_when(key(name), Condition::Absent, "x", None)).await
}

async fn has(store: &StateStore, name: &str) -> bool {
    store.get(&space(), &key(name)).await.expect("it can be read").is_some()
}

/// One that holds the file, and one that asks it.
async fn two(directory: &Path) -> (StateStore, StateStore) {
    let (first, second) = (StateStore::new(directory), StateStore::new(directory));
    put(&first, "first").await.expect("written");
    assert!(has(&second, "first").await);
    assert!(first.holds().await && !second.holds().await);
    (first, second)
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_opened_before_it_is_needed() {
    let directory = TempDir::new().expect("a directory");
    let store = StateStore::new(&directory.path().join("store"));
    assert!(!store.exists() && !directory.path().join("store").exists());
    assert!(!has(&store, "k").await);
    assert!(store.exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_host_writes_another_reads_at_once() {
    let directory = TempDir::new().expect("a directory");
    let (first, second) = two(directory.path()).await;
    for number in 0..50 {
        let name = format!("k{number}");
        let (writes, reads) = if number % 2 == 0 { (&first, &second) } else { (&second, &first) };
        put(writes, &name).await.expect("written");
        assert!(has(reads, &name).await, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn when_the_holder_ends_another_takes_over() {
    let directory = TempDir::new().expect("a directory");
    let (first, second) = two(directory.path()).await;
    first.close().await;
    put(&second, "second").await.expect("written");
    assert!(second.holds().await);
    let refused = put(&first, "late").await.expect_err("it is closed");
    assert!(matches!(refused, StoreError::Unavailable { unknown: false, .. }), "{refused}");
    let third = StateStore::new(directory.path());
    assert!(has(&third, "first").await && has(&third, "second").await && !has(&third, "late").await);
}

#[tokio::test(flavor = "multi_thread")]
async fn writes_on_their_way_when_the_holder_ends_are_done_once() {
    let directory = TempDir::new().expect("a directory");
    for round in 0..20 {
        let (first, second) = (StateStore::new(directory.path()), StateStore::new(directory.path()));
        let begin = format!("{round}-begin");
        put(&first, &begin).await.expect("written");
        assert!(has(&second, &begin).await);
        // Each only if it is not there: done twice, it would be a conflict.
        let names: Vec<_> = (0..40).map(|number| format!("{round}-{number}")).collect();
        let writes = join_all(names.iter().map(|name| put(&second, name)));
        let close = async {
            tokio::time::sleep(Duration::from_micros(300 * round)).await;
            first.close().await;
        };
        let (written, ()) = tokio::join!(writes, close);
        for (name, written) in names.iter().zip(written) {
            written.unwrap_or_else(|error| panic!("{name}: {error}"));
            assert!(has(&second, name).await, "{name}");
        }
        second.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_socket_is_private_and_deep_directories_have_one_too() {
    let directory = TempDir::new().expect("a directory");
    let deep = directory.path().join("d".repeat(90)).join("e".repeat(90));
    for place in [directory.path().join("store"), deep] {
        let (_first, _second) = two(&place).await;
        for name in ["state.sock", "state.lock", "state.redb"] {
            let mode = std::fs::metadata(place.join(name)).expect("it is there").mode();
            assert_eq!(mode & 0o777, 0o600, "{name}");
        }
        assert_eq!(std::fs::metadata(&place).expect("it is there").mode() & 0o777, 0o700);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_said_at_the_socket_harms_nobody() {
    let directory = TempDir::new().expect("a directory");
    let (first, second) = two(directory.path()).await;
    let hello = [1, 0, 0, 0, 1];
    let long = [&hello[..], &[255; 4]].concat();
    let garbage = [&hello[..], &[5, 0, 0, 0, 9, 9, 9, 9, 9]].concat();
    let half = [&hello[..], &[200, 0, 0, 0, 1]].concat();
    let other_version = [1, 0, 0, 0, 99];
    for said in [&[][..], &[0xff; 100], &hello, &long, &garbage, &half, &other_version] {
        let mut stream = UnixStream::connect(directory.path().join("state.sock")).expect("somebody listens");
        stream.write_all(said).expect("sent");
        drop(stream);
    }
    // And many that say nothing and stay.
    let stay: Vec<_> = (0..20).map(|_| UnixStream::connect(directory.path().join("state.sock"))).collect();
    put(&second, "after").await.expect("written");
    assert!(has(&first, "after").await);
    drop(stay);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_in_the_sockets_place_is_left_alone() {
    let directory = TempDir::new().expect("a directory");
    let store = directory.path().join("store");
    std::fs::create_dir(&store).expect("a directory");
    std::fs::set_permissions(&store, std::os::unix::fs::PermissionsExt::from_mode(0o700)).expect("its mode");
    std::fs::write(store.join("state.sock"), "mine").expect("a file");
    let refused = put(&StateStore::new(&store), "k").await.expect_err("it cannot listen");
    assert!(refused.to_string().contains("is no socket"), "{refused}");
    assert_eq!(std::fs::read_to_string(store.join("state.sock")).expect("it is there"), "mine");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_directory_that_others_can_write_to_is_refused() {
    let directory = TempDir::new().expect("a directory");
    std::fs::set_permissions(directory.path(), std::os::unix::fs::PermissionsExt::from_mode(0o777))
        .expect("its mode");
    let refused = put(&StateStore::new(directory.path()), "k").await.expect_err("others could replace it");
    assert!(refused.to_string().contains("chmod 700"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_host_at_a_time_does_a_bindings_standing_work() {
    let directory = TempDir::new().expect("a directory");
    let (one, other) = (DutyLocks::new(directory.path()), DutyLocks::new(directory.path()));
    let mut first = one.of("lab");
    first.wait_for(|on| *on).await.expect("nobody else is there");
    assert!(*one.of("lab").borrow(), "the same host gets the same answer");
    let mut second = other.of("lab");
    let mut elsewhere = other.of("plant");
    elsewhere.wait_for(|on| *on).await.expect("bindings are apart");
    assert!(!*second.borrow());
    drop(first);
    let turn = tokio::time::timeout(Duration::from_secs(30), second.wait_for(|on| *on)).await;
    assert!(*turn.expect("its turn comes").expect("it goes on"));
}

/// Not a test by itself: the child that is killed. Each name that it prints was acknowledged.
#[test]
#[ignore = "the child of what_many_hosts_wrote_survives_when_they_are_killed"]
fn a_host_that_writes_until_it_is_killed() {
    let Ok(directory) = std::env::var(DIRECTORY) else { return };
    let round = std::env::var(ROUND).expect("a round");
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.expect("a runtime").block_on(async {
        let store = StateStore::new(Path::new(&directory));
        let write = async |writer: usize| {
            for number in 0.. {
                let name = format!("{round}-{writer}-{number}");
                // Only if it is not there: done twice, it would be a conflict, and this child would say so.
                match put(&store, &name).await {
                    Ok(_) => writeln!(std::io::stdout(), "{name}").expect("somebody reads"),
                    Err(error) => {
                        writeln!(std::io::stdout(), "FAILED {name}: {error}").expect("somebody reads");
                        return;
                    }
                }
            }
        };
        join_all((0..4).map(write)).await;
    });
}

struct Writer {
    child: Child,
    lines: std::io::Lines<BufReader<std::process::ChildStdout>>,
    acknowledged: Vec<String>,
}

impl Writer {
    fn start(directory: &PathBuf, round: usize) -> Self {
        let mut child = Command::new(std::env::current_exe().expect("this test"))
            .args(["--exact", "shared::a_host_that_writes_until_it_is_killed", "--ignored", "--nocapture"])
            .env(DIRECTORY, directory)
            .env(ROUND, round.to_string())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a child");
        let lines = BufReader::new(child.stdout.take().expect("its output")).lines();
        Self { child, lines, acknowledged: Vec::new() }
    }

    fn heard(&mut self, line: String) {
        assert!(!line.contains("FAILED"), "{line}");
        if line.split('-').count() == 3 && !line.contains(' ') {
            self.acknowledged.push(line);
        }
    }

    /// Until so many more are acknowledged.
    fn hear(&mut self, more: usize) {
        let until = self.acknowledged.len() + more;
        while self.acknowledged.len() < until {
            let line = self.lines.next().expect("it goes on").expect("text");
            self.heard(line);
        }
    }

    fn kill(mut self) -> Vec<String> {
        self.child.kill().expect("it runs");
        self.child.wait().expect("it ends");
        while let Some(Ok(line)) = self.lines.next() {
            self.heard(line);
        }
        self.acknowledged
    }
}

#[test]
fn what_many_hosts_wrote_survives_when_they_are_killed() {
    let directory = TempDir::new().expect("a directory");
    let place = directory.path().join("store");
    let mut acknowledged = Vec::new();
    let mut running = std::collections::VecDeque::new();
    for round in 0..ROUNDS {
        let mut writer = Writer::start(&place, round);
        writer.hear(1);
        running.push_back(writer);
        if running.len() == 3 {
            // The oldest is mostly the one that holds the file. The others go on.
            for writer in &mut running {
                writer.hear(3 + round * 5);
            }
            acknowledged.extend(running.pop_front().expect("three").kill());
            for writer in &mut running {
                writer.hear(10);
            }
        }
    }
    acknowledged.extend(running.into_iter().flat_map(Writer::kill));
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let store: Arc<dyn Store> = Arc::new(StateStore::new(&place));
        let mut names = std::collections::BTreeSet::new();
        let mut page = Page::of("");
        loop {
            let listed = store.list(&space(), page.clone()).await.expect("listed");
            page.after = listed.entries.last().map(|entry| entry.key.clone());
            names.extend(listed.entries.into_iter().map(|entry| entry.key.to_string()));
            if !listed.more {
                break;
            }
        }
        let lost: Vec<_> = acknowledged.iter().filter(|name| !names.contains(*name)).collect();
        assert!(lost.is_empty(), "acknowledged and lost: {lost:?}");
        let used = store.usage(&space(), "").await.expect("counted");
        assert_eq!(used.entries as usize, names.len());
        assert!(acknowledged.len() > ROUNDS * 10, "{}", acknowledged.len());
    });
}

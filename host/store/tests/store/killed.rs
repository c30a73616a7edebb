//! What was acknowledged survives `kill -9`, at any moment.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use fleetgate_core::store::{Batch, Key, Page, Space, Store};
use fleetgate_store::Embedded;
use futures_util::future::join_all;
use tempfile::TempDir;

/// Names the file to a child of this test.
const FILE: &str = "FLEETGATE_TEST_STORE";
/// Tells it which child it is, so that no two write the same.
const ROUND: &str = "FLEETGATE_TEST_ROUND";
/// How often it is killed.
const ROUNDS: usize = 12;
/// Writers at once: they share commits.
const WRITERS: usize = 4;

fn space() -> Space {
    Space::new("test").expect("a name")
}

/// Not a test by itself: the child that is killed. Each number that it prints was acknowledged.
#[test]
#[ignore = "the child of what_was_acknowledged_survives_a_kill"]
fn a_child_that_writes_until_it_is_killed() {
    let Ok(file) = std::env::var(FILE) else { return };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().expect("a runtime");
    runtime.block_on(async {
        let store = Embedded::open(Path::new(&file)).expect("a store");
        let round = std::env::var(ROUND).expect("a round");
        let round = round.as_str();
        let write = async |store: Arc<Embedded>, writer: usize| {
            for number in 0.. {
                let name = format!("{round}-{writer}-{number}");
                let value = name.repeat(1 + number % 500);
                // Two entries that belong together.
                let batch = Batch::new()
                    .put(Key::new(name.as_str()).expect("a key"), value.clone(), None)
                    .put(Key::new(format!("{name}+")).expect("a key"), value, None);
                store.write(&space(), batch).await.expect("written");
                writeln!(std::io::stdout(), "{name}").expect("somebody reads");
            }
        };
        join_all((0..WRITERS).map(|writer| write(store.clone(), writer))).await;
    });
}

#[test]
fn what_was_acknowledged_survives_a_kill() {
    let directory = TempDir::new().expect("a directory");
    let file = directory.path().join("store.redb");
    let mut acknowledged = Vec::new();
    for round in 0..ROUNDS {
        let mut child = Command::new(std::env::current_exe().expect("this test"))
            .args(["--exact", "killed::a_child_that_writes_until_it_is_killed", "--ignored", "--nocapture"])
            .env(FILE, &file)
            .env(ROUND, round.to_string())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a child");
        let mut lines = BufReader::new(child.stdout.take().expect("its output")).lines();
        // Killed at another moment each time; what it wrote before it died still comes through the pipe.
        let name = |line: &String| line.split('-').count() == 3 && !line.contains(' ');
        let mut heard = 0;
        while heard < 10 + round * 7 {
            let line = lines.next().expect("it goes on").expect("text");
            if name(&line) {
                acknowledged.push(line);
                heard += 1;
            }
        }
        child.kill().expect("it runs");
        child.wait().expect("it ends");
        acknowledged.extend(lines.map_while(Result::ok).filter(name));
    }
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let store = Embedded::open(&file).expect("it opens");
        for name in &acknowledged {
            for key in [name.clone(), format!("{name}+")] {
                let found =
                    store.get(&space(), &Key::new(key).expect("a key")).await.expect("it can be read");
                let found = found.unwrap_or_else(|| panic!("{name} was acknowledged and is lost"));
                assert!(found.value.starts_with(name.as_bytes()));
            }
        }
        let mut page = Page::of("");
        let mut names = std::collections::BTreeSet::new();
        loop {
            let listed = store.list(&space(), page.clone()).await.expect("listed");
            page.after = listed.entries.last().map(|entry| entry.key.clone());
            names.extend(listed.entries.iter().map(|entry| entry.key.to_string()));
            if !listed.more {
                break;
            }
        }
        // What was not acknowledged may be there, but never by half.
        assert!(names.iter().all(|name| names.contains(&format!("{}+", name.trim_end_matches('+')))));
        assert!(names.len() >= 2 * acknowledged.len() && acknowledged.len() >= ROUNDS * 10);
    });
}

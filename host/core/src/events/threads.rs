//! Threads of their own, on which everything about events runs: hearing, keeping, handling. The operating system lets
//! those of the calls go first, so that a fleet that talks takes what calls leave over. On the calls' own threads each
//! run of a handler would keep a call waiting that happened to stand behind it.

use std::io;

use tokio::runtime::{Builder, Handle, Runtime};

/// How far they stand behind the calls.
const NICER: i32 = 5;

/// At most half of the cores, and at least one.
pub(super) struct Threads(Option<Runtime>);

impl Threads {
    pub(super) fn start() -> io::Result<Self> {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let runtime = Builder::new_multi_thread()
            .worker_threads((cores / 2).max(1))
            .thread_name("events")
            .on_thread_start(|| {
                // On Linux it is said of this thread alone, elsewhere of the whole process. If it is refused, calls lose
                // no more than time.
                if cfg!(target_os = "linux") {
                    let _ = rustix::process::nice(NICER);
                }
            })
            .enable_all()
            .build()?;
        Ok(Self(Some(runtime)))
    }

    /// Where to spawn. What is spawned from there stays there.
    pub(super) fn handle(&self) -> &Handle {
        self.0.as_ref().expect("it is taken when this is dropped").handle()
    }
}

impl Drop for Threads {
    /// Waits for nobody, since this may be dropped where nobody may wait.
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

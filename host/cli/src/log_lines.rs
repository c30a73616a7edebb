//! The log lines of a host that serves leave by a thread of their own, and nobody waits for them.
//!
//! Whoever starts a host may hold its stderr and never read it, as some clients do that start servers over stdio. Once
//! the pipe is full a write to it does not return; so no call may be the one that writes. What cannot be written yet
//! waits, up to [`MOST_WAITING`]. What is more is dropped and counted, and the count is said when lines leave again.
//!
//! (tracing-appender does nearly this. When it cannot finish at the end it says so on stdout, which is the protocol's.)

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::Duration;

/// Bytes of lines that wait.
const MOST_WAITING: usize = 4 << 20;

/// How long the end of the program waits for lines that are still to leave.
const LAST_LINES: Duration = Duration::from_secs(1);

/// Takes lines. Cheap to clone, never blocks, never fails.
#[derive(Clone)]
pub struct LogLines {
    leaving: Sender<Leaving>,
    held: Arc<Held>,
}

enum Leaving {
    Line(Vec<u8>),
    /// All before it have left.
    Last(Sender<()>),
}

#[derive(Default)]
struct Held {
    bytes: AtomicUsize,
    dropped: AtomicU64,
}

impl LogLines {
    /// Lines leave to `output`. `dropped` says, as a line of its own, how many others were dropped.
    pub fn to<W>(output: W, dropped: impl Fn(u64) + Send + 'static) -> Self
    where
        W: Write + Send + 'static,
    {
        let (leaving, lines) = channel();
        let held = Arc::<Held>::default();
        let writing = Writing { output, lines, held: held.clone(), dropped };
        let thread = thread::Builder::new().name("log".to_owned());
        thread.spawn(|| writing.run()).expect("the system has a thread for the log");
        Self { leaving, held }
    }

    /// Waits until all that was said has left, or until it is clear that nobody reads.
    pub fn finish(&self) {
        let (last, left) = channel();
        if self.leaving.send(Leaving::Last(last)).is_ok() {
            let _ = left.recv_timeout(LAST_LINES);
        }
    }
}

impl Write for LogLines {
    /// Takes one whole line.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let before = self.held.bytes.fetch_add(line.len(), Ordering::Relaxed);
        if before + line.len() > MOST_WAITING || self.leaving.send(Leaving::Line(line.to_vec())).is_err() {
            self.held.bytes.fetch_sub(line.len(), Ordering::Relaxed);
            self.held.dropped.fetch_add(1, Ordering::Relaxed);
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

struct Writing<W, D> {
    output: W,
    lines: Receiver<Leaving>,
    held: Arc<Held>,
    dropped: D,
}

impl<W: Write, D: Fn(u64)> Writing<W, D> {
    fn run(mut self) {
        while let Ok(leaving) = self.lines.recv() {
            match leaving {
                Leaving::Line(line) => {
                    // Where stderr is closed there is nobody to tell.
                    let _ = self.output.write_all(&line);
                    self.held.bytes.fetch_sub(line.len(), Ordering::Relaxed);
                    match self.held.dropped.swap(0, Ordering::Relaxed) {
                        0 => {}
                        lines => (self.dropped)(lines),
                    }
                }
                Leaving::Last(last) => {
                    let _ = self.output.flush();
                    let _ = last.send(());
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{self, Write};
    use std::sync::atomic::Ordering;
    use std::sync::mpsc::{Receiver, Sender, channel};
    use std::sync::{Arc, Mutex};

    use super::{LogLines, MOST_WAITING};

    /// Each write returns when it was let.
    struct Gated {
        written: Arc<Mutex<Vec<u8>>>,
        gate: Receiver<()>,
    }

    impl Write for Gated {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.gate.recv().map_err(io::Error::other)?;
            self.written.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    struct World {
        lines: LogLines,
        written: Arc<Mutex<Vec<u8>>>,
        gate: Sender<()>,
        said: Receiver<u64>,
    }

    impl World {
        fn new() -> Self {
            let written = Arc::default();
            let (gate, open) = channel();
            let (say, said) = channel();
            let output = Gated { written: Arc::clone(&written), gate: open };
            let lines = LogLines::to(output, move |dropped| _ = say.send(dropped));
            Self { lines, written, gate, said }
        }

        fn text(&self) -> String {
            String::from_utf8(self.written.lock().unwrap().clone()).unwrap()
        }
    }

    #[test]
    fn the_end_waits_for_the_lines_which_leave_in_their_order() {
        let mut world = World::new();
        for number in 0..100 {
            writeln!(world.lines, "{number}").unwrap();
        }
        for _ in 0..1_000 {
            world.gate.send(()).unwrap();
        }
        world.lines.finish();
        let expected: String = (0..100).map(|number| format!("{number}\n")).collect();
        assert_eq!(world.text(), expected);
    }

    #[test]
    fn nobody_waits_for_a_reader_that_does_not_read_and_what_was_dropped_is_said() {
        let mut world = World::new();
        let line = [b'x'; 1 << 10];
        let taken = MOST_WAITING / line.len();
        for _ in 0..taken + 500 {
            world.lines.write_all(&line).unwrap();
        }
        // Nor at the end of the program.
        world.lines.finish();
        assert!(world.text().is_empty());
        // Now somebody reads.
        for _ in 0..taken {
            world.gate.send(()).unwrap();
        }
        world.lines.finish();
        assert_eq!(world.said.try_iter().sum::<u64>(), 500);
        assert_eq!(world.text().len(), MOST_WAITING);
    }

    #[test]
    fn an_output_that_fails_stops_nothing() {
        let World { mut lines, gate, .. } = World::new();
        drop(gate);
        for _ in 0..10_000 {
            lines.write_all(&[b'x'; 1 << 10]).unwrap();
        }
        lines.finish();
        assert_eq!(lines.held.bytes.load(Ordering::Relaxed), 0, "all were tried");
    }
}

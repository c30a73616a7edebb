//! Where it ran, and what else ran there.

use std::fs;

use serde::Serialize;

/// More than this share of one core before the bench starts, and the figures are not to be trusted.
const BUSY: f64 = 0.5;

/// The machine.
#[derive(Debug, Clone, Serialize)]
pub struct Machine {
    pub processor: String,
    pub cores: usize,
    pub kernel: String,
    /// Over one minute, when the bench began.
    pub load_before: f64,
    /// The same at its end. The bench itself loads the machine, so this says little.
    pub load_after: f64,
}

impl Machine {
    pub fn look() -> Self {
        let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let processor = info.lines().find_map(|line| line.strip_prefix("model name")?.split_once(':'));
        let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
        Self {
            processor: processor
                .map_or_else(|| std::env::consts::ARCH.into(), |(_, name)| name.trim().to_owned()),
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            kernel: format!("{} {}", std::env::consts::OS, kernel.trim()).trim().to_owned(),
            load_before: load(),
            load_after: 0.0,
        }
    }

    pub fn and_after(self) -> Self {
        Self { load_after: load(), ..self }
    }

    /// Says so if somebody else uses the machine.
    pub fn warn(&self) {
        if self.load_before > BUSY {
            eprintln!(
                "warning: the machine is busy (load {:.2}): these figures are not to be trusted",
                self.load_before
            );
        }
    }
}

/// The load average over one minute; 0 where it is not known.
fn load() -> f64 {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split_whitespace().next().and_then(|first| first.parse().ok()).unwrap_or(0.0)
}

//! A bar for each plugin that is being compiled, when stderr is a terminal. Log lines go above the bars.

use std::collections::HashMap;
use std::io::{self, IsTerminal, Write, stderr};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::Duration;

use fleetgate_core::sandbox::compile::{Progress, Step};
use fleetgate_core::units::format_size;
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

static BARS: LazyLock<MultiProgress> = LazyLock::new(MultiProgress::new);

/// Shows how far compiling is. None: nobody looks.
pub fn compiling() -> Option<Progress> {
    if !stderr().is_terminal() {
        return None;
    }
    let bars: Mutex<HashMap<String, ProgressBar>> = Mutex::default();
    Some(Arc::new(move |plugin: &str, step| {
        let mut bars = bars.lock().unwrap_or_else(PoisonError::into_inner);
        match step {
            Step::Waiting => {
                bars.insert(plugin.to_owned(), waiting(plugin));
            }
            Step::Compiling { bytes } => {
                if let Some(bar) = bars.get(plugin) {
                    bar.set_message(format!("compiling {plugin} ({})", rounded(bytes)));
                }
            }
            Step::Done { .. } | Step::Failed => {
                if let Some(bar) = bars.remove(plugin) {
                    bar.finish_and_clear();
                    BARS.remove(&bar);
                }
            }
        }
    }))
}

fn waiting(plugin: &str) -> ProgressBar {
    let style = ProgressStyle::with_template("{spinner} {msg} {elapsed}").expect("the template is right");
    let bar = BARS.add(ProgressBar::new_spinner().with_style(style));
    bar.set_message(format!("{plugin} waits to be compiled"));
    bar.enable_steady_tick(Duration::from_millis(100));
    bar
}

/// In whole KiB or MiB: nobody wants to read bytes here.
fn rounded(bytes: u64) -> String {
    let unit = if bytes >= 1 << 20 { 1 << 20 } else { 1 << 10 };
    format_size(bytes.div_ceil(unit) * unit)
}

/// stderr for log lines: the bars make room for each.
#[derive(Debug, Clone, Copy, Default)]
pub struct AboveTheBars;

impl Write for AboveTheBars {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        BARS.suspend(|| stderr().write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        stderr().flush()
    }
}

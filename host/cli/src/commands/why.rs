//! `fleetgate why`: what the caller was not told.

use std::time::{Duration, Instant};

use clap::Args;
use fleetgate_auth::audit::{self, CallRecord};
use serde_json::{Map, Value};

use crate::config_file::ConfigFile;
use crate::failure::Failure;
use crate::output::{self, bold, one_line};

/// How long a call's end is looked for.
const PATIENCE: Duration = Duration::from_secs(2);
/// Between two looks.
const PAUSE: Duration = Duration::from_millis(50);

/// Says why a call was refused or failed: the rule, and the line that would allow it.
#[derive(Debug, Args)]
pub struct Why {
    /// The reference that the caller was given.
    #[arg(value_name = "REF")]
    reference: String,
    #[command(flatten)]
    config: ConfigFile,
    /// Print the record as JSON.
    #[arg(long)]
    json: bool,
}

impl Why {
    pub fn run(self) -> Result<(), Failure> {
        let directory = audit::directory(&self.config.settings()?.serve.state);
        let Some(call) = patiently(|| audit::why(&directory, &self.reference))? else {
            let message = format!("the audit log in {} has no call {}", directory.display(), self.reference);
            return Err(Failure::failed(message)
                .help("give the reference as the caller got it; another host keeps its own log (--config)"));
        };
        if self.json {
            output::json(&call);
        } else {
            show(&call);
        }
        Ok(())
    }
}

/// A caller may have the reference before the host has written how the call ended: its writer may wait for the disk.
/// What had to be recorded before the call is there then, and says nothing of why.
fn patiently<E>(mut look: impl FnMut() -> Result<Option<CallRecord>, E>) -> Result<Option<CallRecord>, E> {
    let started = Instant::now();
    loop {
        let found = look()?;
        let has_ended = found.as_ref().is_some_and(|call| call.outcome.is_some());
        if has_ended || started.elapsed() >= PATIENCE {
            return Ok(found);
        }
        std::thread::sleep(PAUSE);
    }
}

fn show(call: &CallRecord) {
    let field = |name: &str, value: &str| {
        // Padded before it is made bold, since escapes have a width for `format`.
        output::line(format_args!("{} {}", bold(format!("{name:<10}")), one_line(value)));
    };
    let ended =
        call.duration_ms.map_or_else(String::new, |took| format!(" after {} ms", output::millis(took)));
    field("call", &call.call);
    field("at", &format!("{:.3}", call.started));
    field("who", &call.principal);
    field("what", &format!("{} of {}", call.tool, call.binding));
    if !call.arguments.is_empty() {
        field("arguments", &arguments(&call.arguments));
    }
    field("plugin", &call.plugin);
    if let Some(job) = &call.job {
        field("job", job);
    }
    field("outcome", &format!("{}{ended}", outcome(call)));
    if let Some(reason) = &call.reason {
        field("reason", reason);
    }
    for (index, used) in call.used.iter().enumerate() {
        field(if index == 0 { "used" } else { "" }, used);
    }
}

/// Recorded arguments, as they are typed for `audit find --arg`.
pub(super) fn arguments(recorded: &Map<String, Value>) -> String {
    let shown = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    recorded.iter().map(|(name, value)| format!("{name}={}", shown(value))).collect::<Vec<_>>().join(" ")
}

/// How it ended.
pub(super) fn outcome(call: &CallRecord) -> &str {
    call.outcome.as_deref().unwrap_or("none: it is still running, or the host stopped meanwhile")
}

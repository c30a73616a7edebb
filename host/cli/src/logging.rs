//! Log lines, on stderr alone: stdout belongs to what a command prints, and with `stdio` to the protocol.
//!
//! A plugin, a caller or an upstream may choose parts of a line. In the text format no value can begin a line of
//! its own or steer the terminal; JSON escapes by itself.

use std::fmt::Debug;
use std::io::{IsTerminal, stderr};

use clap::ValueEnum;
use tracing::field::Field;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::field::MakeExt;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::fmt::format::{Writer, debug_fn};

use crate::log_lines::LogLines;
use crate::output::one_line;
use crate::progress::AboveTheBars;

/// The variable that says what is logged.
const VARIABLE: &str = "FLEETGATE_LOG";

/// How a line looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// How much is logged when [`VARIABLE`] is not set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Talk {
    /// What happens.
    Server,
    /// What is wrong.
    Command,
}

/// Starts logging for the rest of the process. Where there are [`LogLines`], the end of the program waits for them.
pub fn start(format: Format, talk: Talk) -> Option<LogLines> {
    let default = match talk {
        Talk::Server => "info",
        Talk::Command => "error",
    };
    let wanted = std::env::var(VARIABLE).unwrap_or_else(|_| default.to_owned());
    let filter = EnvFilter::try_new(&wanted).unwrap_or_else(|wrong| {
        eprintln!("{VARIABLE} is not understood ({wrong}); logging {default}");
        EnvFilter::new(default)
    });
    // Whatever was wished for: the protocol library says three lines for each request, and at `debug` all of it,
    // arguments that are secret included.
    let filter = filter.add_directive(fleetgate_mcp::LOG_DIRECTIVE.parse().expect("a directive"));
    let coloured =
        stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let (lines, subscriber) = match talk {
        Talk::Server => {
            let lines = LogLines::to(AboveTheBars, say_dropped);
            let writer = lines.clone();
            (Some(lines), subscriber(format, filter, coloured, move || writer.clone()))
        }
        // Between what the command itself says there.
        Talk::Command => (None, subscriber(format, filter, coloured, AboveTheBars::default)),
    };
    // A second one would be a defect of this program, and is no reason not to serve.
    let _ = tracing::subscriber::set_global_default(subscriber);
    lines
}

fn say_dropped(lines: u64) {
    tracing::warn!(lines, "log lines were dropped, since stderr was not read");
}

fn subscriber<W>(
    format: Format,
    filter: EnvFilter,
    coloured: bool,
    to: W,
) -> Box<dyn tracing::Subscriber + Send + Sync>
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(to).with_ansi(coloured);
    match format {
        Format::Json => Box::new(lines.json().flatten_event(true).finish()),
        Format::Text => Box::new(lines.fmt_fields(debug_fn(field).delimited(" ")).finish()),
    }
}

fn field(writer: &mut Writer<'_>, field: &Field, value: &dyn Debug) -> std::fmt::Result {
    let value = format!("{value:?}");
    let value = one_line(&value);
    if field.name() == "message" { write!(writer, "{value}") } else { write!(writer, "{field}={value}") }
}

#[cfg(test)]
mod tests {
    use std::io::{self, Write};
    use std::sync::{Arc, Mutex};

    use tracing_subscriber::EnvFilter;

    use super::{Format, subscriber};

    #[derive(Clone, Default)]
    struct Kept(Arc<Mutex<Vec<u8>>>);

    impl Write for Kept {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn logged(format: Format, log: impl FnOnce()) -> String {
        let kept = Kept::default();
        let writer = kept.clone();
        let subscriber = subscriber(format, EnvFilter::new("info"), false, move || writer.clone());
        tracing::subscriber::with_default(subscriber, log);
        let bytes = kept.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap()
    }

    const HOSTILE: &str = "fine\r\n2026-01-01 ERROR forged\u{1b}[31m\u{202e}";

    #[test]
    fn no_value_can_forge_a_line_or_steer_the_terminal() {
        for format in [Format::Text, Format::Json] {
            let text = logged(format, || {
                tracing::info!(shown = %HOSTILE, debugged = ?HOSTILE, text = HOSTILE, "{HOSTILE}");
            });
            assert_eq!(text.lines().count(), 1, "{text}");
            assert!(!text.contains(['\u{1b}', '\r']), "{text}");
        }
    }

    #[test]
    fn a_line_of_text_shows_its_fields_after_its_message() {
        let text = logged(Format::Text, || tracing::info!(binding = %"nerveshub", "loaded"));
        assert!(text.trim_end().ends_with("loaded binding=nerveshub"), "{text}");
    }

    #[test]
    fn a_line_of_json_is_one_object() {
        let text = logged(Format::Json, || tracing::info!(binding = %"nerveshub", "loaded"));
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!((&value["message"], &value["binding"]), (&"loaded".into(), &"nerveshub".into()));
    }
}

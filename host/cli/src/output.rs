//! What goes to stdout: lines, tables and JSON. Names and texts of plugins, callers and upstreams pass
//! [`one_line`], since a terminal obeys what it is sent.

use std::borrow::Cow;
use std::fmt::Display;
use std::io::{self, IsTerminal, Write, stdout};

use comfy_table::{ContentArrangement, Table, presets};
use fleetgate_core::text::clean;
use jiff::Timestamp;
use owo_colors::{OwoColorize, Stream};
use serde::Serialize;

/// Narrower terminals get tables as wide as they are.
const NARROWEST: u16 = 40;

/// Writes to stdout.
pub fn write(text: impl Display) {
    bytes(text.to_string().as_bytes());
}

/// Writes to stdout, whatever it is. Whoever reads may stop reading (`| head`): that ends the program, quietly.
pub fn bytes(bytes: &[u8]) {
    let mut out = stdout().lock();
    let written = out.write_all(bytes).and_then(|()| out.flush());
    match written {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => std::process::exit(0),
        Err(error) => {
            eprintln!("error: cannot write to stdout: {error}");
            std::process::exit(1);
        }
    }
}

/// One line.
pub fn line(text: impl Display) {
    write(format_args!("{text}\n"));
}

/// A JSON document, for programs: on one line unless a person looks.
pub fn json(value: &impl Serialize) {
    let text = if stdout().is_terminal() {
        serde_json::to_string_pretty(value)
    } else {
        serde_json::to_string(value)
    };
    line(text.expect("what commands print is plain data with text keys"));
}

/// JSON on one line, for programs that read line by line.
pub fn json_line(value: &impl Serialize) {
    line(serde_json::to_string(value).expect("what commands print is plain data with text keys"));
}

/// A moment in Unix milliseconds, for people and programs. Empty: there is no such.
pub fn moment(ms: u64) -> String {
    let at = i64::try_from(ms).ok().and_then(|ms| Timestamp::from_millisecond(ms).ok());
    at.map_or_else(String::new, |at| format!("{at:.3}"))
}

/// A table: drawn on a terminal, and columns of blanks elsewhere.
pub fn table<const N: usize>(headers: [&str; N], rows: impl IntoIterator<Item = [String; N]>) {
    let mut table = Table::new();
    let drawn = stdout().is_terminal();
    // A terminal that does not know its width says something tiny.
    let fits = drawn && table.width().is_some_and(|width| width >= NARROWEST);
    table.load_style(if drawn { presets::UTF8_FULL_CONDENSED } else { presets::NOTHING });
    table.set_content_arrangement(if fits {
        ContentArrangement::Dynamic
    } else {
        ContentArrangement::Disabled
    });
    table.set_header(headers);
    table.add_rows(rows.into_iter().map(|row| row.map(|cell| one_line(&cell).into_owned())));
    if !drawn {
        for column in table.column_iter_mut() {
            column.set_padding((0, 2));
        }
    }
    line(table.lines().map(|line| line.trim_end().to_owned()).collect::<Vec<_>>().join("\n"));
}

/// A hostile text on one line: escapes for what moves the cursor or hides characters.
pub fn one_line(text: &str) -> Cow<'_, str> {
    match clean(text) {
        cleaned if cleaned.contains(['\n', '\t']) => {
            Cow::Owned(cleaned.replace('\n', "\\n").replace('\t', "\\t"))
        }
        cleaned => cleaned,
    }
}

/// Milliseconds, as exactly as a person wants to know.
pub fn millis(took: f64) -> String {
    if took < 10.0 { format!("{took:.1}") } else { format!("{took:.0}") }
}

/// Stands out.
pub fn bold(text: impl Display) -> String {
    text.if_supports_color(Stream::Stdout, |text| text.bold()).to_string()
}

/// All is well.
pub fn good(text: impl Display) -> String {
    text.if_supports_color(Stream::Stdout, |text| text.green()).to_string()
}

/// Somebody has to decide.
pub fn waits(text: impl Display) -> String {
    text.if_supports_color(Stream::Stdout, |text| text.yellow()).to_string()
}

/// Something is wrong.
pub fn bad(text: impl Display) -> String {
    text.if_supports_color(Stream::Stdout, |text| text.red()).to_string()
}

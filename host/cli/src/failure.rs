//! How a command ends when it does not end well: the exit code, and the sentences for the person who must act.

use std::fmt::Display;
use std::io::{IsTerminal, stderr};
use std::process::ExitCode;

use fleetgate_core::diagnostic::{Diagnostic, Diagnostics};
use fleetgate_core::text::clean;
use owo_colors::{OwoColorize, Stream};

/// What was checked or called has failed.
const FAILED: u8 = 1;
/// The command was used wrongly: something else has to be typed.
const USAGE: u8 = 2;

/// Why a command ends early.
#[derive(Debug)]
pub struct Failure {
    code: u8,
    what: What,
}

#[derive(Debug)]
enum What {
    Sentence {
        message: String,
        help: String,
    },
    Problems(Diagnostics),
    /// Everything was said already.
    Said,
}

impl Failure {
    /// What was checked or called has failed.
    pub fn failed(message: impl Display) -> Self {
        Self { code: FAILED, what: What::Sentence { message: message.to_string(), help: String::new() } }
    }

    /// Something else has to be typed.
    pub fn usage(message: impl Display) -> Self {
        Self { code: USAGE, what: What::Sentence { message: message.to_string(), help: String::new() } }
    }

    /// It failed, and the command has said how.
    pub fn said() -> Self {
        Self { code: FAILED, what: What::Said }
    }

    /// With what to do about it.
    pub fn help(mut self, advice: impl Display) -> Self {
        if let What::Sentence { help, .. } = &mut self.what {
            *help = advice.to_string();
        }
        self
    }

    /// Tells it on stderr.
    pub fn report(self) -> ExitCode {
        match &self.what {
            What::Sentence { message, help } => sentence(message, help),
            What::Problems(problems) => show(problems),
            What::Said => {}
        }
        ExitCode::from(self.code)
    }
}

impl From<Diagnostics> for Failure {
    fn from(problems: Diagnostics) -> Self {
        Self { code: FAILED, what: What::Problems(problems) }
    }
}

/// Any error of a library whose text is the sentence for the person.
macro_rules! fails {
    ($($error:ty),+ $(,)?) => {
        $(impl From<$error> for Failure {
            fn from(error: $error) -> Self {
                Self::failed(error)
            }
        })+
    };
}
fails!(fleetgate_auth::audit::AuditError, fleetgate_core::sandbox::SandboxFailed);

fn sentence(message: &str, help: &str) {
    let error = "error:".if_supports_color(Stream::Stderr, |text| text.red());
    eprintln!("{error} {}", clean(message));
    if !help.is_empty() {
        let label = "help:".if_supports_color(Stream::Stderr, |text| text.cyan());
        eprintln!("{label} {}", clean(help).replace('\n', "\n      "));
    }
}

/// Draws the problems into their file where a person looks; one line each where a program does.
fn show(problems: &Diagnostics) {
    if !stderr().is_terminal() {
        for problem in problems.iter() {
            eprintln!("error: {}", one_line(problem));
        }
        return;
    }
    for problem in problems.iter() {
        let mut drawn = String::new();
        let handler = miette::GraphicalReportHandler::new_themed(theme());
        match handler.render_report(&mut drawn, problem) {
            Ok(()) => eprintln!("{}", drawn.trim_end()),
            Err(_) => eprintln!("error: {}", one_line(problem)),
        }
    }
}

fn theme() -> miette::GraphicalTheme {
    let coloured = "x".if_supports_color(Stream::Stderr, |text| text.red()).to_string() != "x";
    if coloured { miette::GraphicalTheme::unicode() } else { miette::GraphicalTheme::unicode_nocolor() }
}

/// `file:line:column: key: message (help)`, without anything that a stranger's manifest could do to a terminal.
pub fn one_line(problem: &Diagnostic) -> String {
    clean(&problem.line()).into_owned()
}

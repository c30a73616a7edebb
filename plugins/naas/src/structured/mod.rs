//! Output of devices as tables.
//!
//! Templates say how a command's output is read. Those of the ntc-templates project for the ten platforms are packed
//! into the plugin when it is built ([`packed`]); the operator can add templates, which come first ([`own`]). Which
//! one is for a command is decided as Netmiko decides it ([`index`]), and what it makes of the output
//! ([`textfsm`]) has the names in lower case, as Netmiko's results have ([`table`]).
//!
//! Nothing here ends a call: where a template does not fit, the output is given as the device wrote it, and a
//! warning says why. All of it runs in the sandbox, and gives up before the sandbox's own limits are reached.

mod index;
mod own;
mod packed;
mod table;
mod textfsm;

use std::cell::RefCell;
use std::time::Duration;

use fleetgate_sdk::Value;
use serde_json::Map;

pub use packed::notices;

use own::OwnTemplates;
use textfsm::{Alphabet, Budget, Template};

/// What became of a command's output.
#[derive(Debug, Clone, PartialEq)]
pub enum Parsed {
    /// Rows, at least one; the keys are in lower case.
    Rows(Vec<Map<String, Value>>),
    /// No template for this command, or none of its lines was for the template: the output is given as it is.
    NoTemplate,
    /// A template that did not fit, and why: the output is given as it is, with a warning.
    Failed(String),
}

/// What all parsing of one call may take. A call has two seconds of processor time unless the operator gives less,
/// and does more than parsing.
const TIME: Duration = Duration::from_millis(1200);

/// The longest output that is parsed, in bytes.
const MAX_OUTPUT: usize = 8 << 20;

thread_local! {
    /// A call has a sandbox of its own, so this is the call's.
    static BUDGET: RefCell<Budget> = RefCell::new(Budget::new(TIME));
}

/// Parses what a command of a platform wrote, with the operator's templates and the packed ones.
#[must_use]
pub fn parse(platform: &str, command: &str, output: &str) -> Parsed {
    let own = match OwnTemplates::granted() {
        Ok(own) => own,
        Err(error) => return Parsed::Failed(error.to_string()),
    };
    BUDGET.with_borrow_mut(|budget| parse_with(&own, platform, command, output, budget))
}

fn parse_with(
    own: &OwnTemplates,
    platform: &str,
    command: &str,
    output: &str,
    budget: &mut Budget,
) -> Parsed {
    // Netmiko has two names for one platform, and the templates one.
    let platform = if platform == "cisco_xe" { "cisco_ios" } else { platform };
    if output.len() > MAX_OUTPUT {
        return Parsed::Failed(format!(
            "the output has {} bytes, and at most {MAX_OUTPUT} are parsed",
            output.len()
        ));
    }
    match rows(own, platform, command.trim(), output, budget) {
        Ok(Some(rows)) if !rows.is_empty() => Parsed::Rows(rows),
        Ok(_) => Parsed::NoTemplate,
        Err(error) => Parsed::Failed(error.to_string()),
    }
}

/// Why there is no table.
#[derive(Debug, thiserror::Error)]
enum ParseError {
    #[error(
        "this plugin was built without the ntc-templates, and no template of the setting `templates` is for this command"
    )]
    NotPacked,
    #[error("the packed templates of {0} cannot be read")]
    Packed(String),
    #[error(transparent)]
    Own(#[from] own::OwnError),
    #[error("template {name}: {error}")]
    Template { name: String, error: textfsm::TemplateError },
    #[error("template {name}: {error}")]
    Run { name: String, error: textfsm::RunError },
    #[error("{0}")]
    Join(#[from] table::JoinError),
}

/// The rows, which may be none; nothing where no template is for the command.
fn rows(
    own: &OwnTemplates,
    platform: &str,
    command: &str,
    output: &str,
    budget: &mut Budget,
) -> Result<Option<Vec<Map<String, Value>>>, ParseError> {
    let mut joined = table::Joined::default();
    if let Some((name, text)) = own.find(platform, command)? {
        read(&mut joined, &name, text, output, budget, true)?;
        return Ok(Some(joined.into_rows()));
    }
    let Some(library) = packed::library(platform)? else { return Ok(None) };
    let Some(names) = library.find(command) else { return Ok(None) };
    for name in names {
        let text = library.template(name)?;
        read(&mut joined, name, &text, output, budget, false)?;
    }
    Ok(Some(joined.into_rows()))
}

/// Reads the output with one template and joins it to what others made of it. One that nobody has tried yet is
/// compiled as a whole first, so that what is wrong with it shows with the first output and not with a rare one.
fn read(
    joined: &mut table::Joined,
    name: &str,
    text: &str,
    output: &str,
    budget: &mut Budget,
    untried: bool,
) -> Result<(), ParseError> {
    let template =
        Template::parse(text).map_err(|error| ParseError::Template { name: name.to_owned(), error })?;
    let failed = |error| ParseError::Run { name: name.to_owned(), error };
    if untried {
        template.compile(Alphabet::of(output)).map_err(failed)?;
    }
    let keys = template.keys();
    let table = template.read(output, budget).map_err(failed)?;
    joined.add(table, keys)?;
    Ok(())
}

#[cfg(test)]
mod tests;

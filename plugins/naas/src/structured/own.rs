//! Templates of the operator's own: the setting `templates`, a list of TextFSM templates. The first line of each is a
//! comment that says which platform and command it is for, written as in the index of ntc-templates:
//!
//! ```text
//! # cisco_ios, sh[[ow]] widgets
//! Value NAME (\S+)
//! ...
//! ```
//!
//! They come before the packed ones, in the order in which they are written.

use super::index::CommandPattern;

/// How many templates there may be.
const MAX_TEMPLATES: usize = 64;

/// All of them together, in bytes: each call reads them.
const MAX_BYTES: usize = 512 << 10;

/// The operator's templates, as they were written.
#[derive(Debug, Default)]
pub(super) struct OwnTemplates(Vec<String>);

/// What is wrong with the setting.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum OwnError {
    #[error("{0}")]
    Setting(String),
    #[error("the setting `templates` has {0} templates, and at most {MAX_TEMPLATES} are read")]
    TooMany(usize),
    #[error("the setting `templates` has {0} bytes, and at most {MAX_BYTES} are read")]
    TooLong(usize),
    #[error(
        "the setting `templates`, template {0}, line 1: a template begins with a comment `# platform, command`, \
         like `# cisco_ios, sh[[ow]] ver[[sion]]`"
    )]
    Heading(usize),
    #[error("the setting `templates`, template {number}, line 1: the command {reason}")]
    Command { number: usize, reason: String },
}

impl OwnTemplates {
    /// Those of the setting.
    pub(super) fn granted() -> Result<Self, OwnError> {
        let setting =
            fleetgate_sdk::config::json("templates").map_err(|fault| OwnError::Setting(fault.message));
        Self::new(setting?.unwrap_or_default())
    }

    /// Checks the bounds.
    pub(super) fn new(templates: Vec<String>) -> Result<Self, OwnError> {
        if templates.len() > MAX_TEMPLATES {
            return Err(OwnError::TooMany(templates.len()));
        }
        let bytes = templates.iter().map(String::len).sum();
        if bytes > MAX_BYTES {
            return Err(OwnError::TooLong(bytes));
        }
        Ok(Self(templates))
    }

    /// The first template for the command, and its name in messages. What is wrong with any heading before it is
    /// said, whatever the platform.
    pub(super) fn find(&self, platform: &str, command: &str) -> Result<Option<(String, &str)>, OwnError> {
        for (text, number) in self.0.iter().zip(1..) {
            let heading = heading(text).ok_or(OwnError::Heading(number))?;
            let wrong = |reason| OwnError::Command { number, reason };
            if CommandPattern::new(heading.1).matches(command).map_err(wrong)? && heading.0 == platform {
                return Ok(Some((format!("{number} of the setting `templates`"), text)));
            }
        }
        Ok(None)
    }
}

/// The platform and the command of the first line.
fn heading(template: &str) -> Option<(&str, &str)> {
    let (platform, command) = template.lines().next()?.strip_prefix('#')?.split_once(',')?;
    let (platform, command) = (platform.trim(), command.trim());
    (!platform.is_empty() && !command.is_empty()).then_some((platform, command))
}

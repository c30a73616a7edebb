//! send_command_structured without a server: texts become tables where there is a template.

use fleetgate_sdk::prelude::*;

use crate::job::JobResult;
use crate::structured::{self, Parsed};

/// Parses each command's output in its place. What cannot be parsed stays text.
pub(super) fn parse(result: &mut JobResult, platform: &str) {
    let platform = result.detected_platform.as_deref().unwrap_or(platform).to_owned();
    let Some(Value::Object(results)) = &mut result.results else { return };
    for (command, output) in results.iter_mut() {
        let Some(text) = output.as_str() else { continue };
        match structured::parse(&platform, command, text) {
            Parsed::Rows(rows) => *output = rows.into_iter().map(Value::Object).collect(),
            Parsed::NoTemplate => {}
            Parsed::Failed(why) => {
                result.warnings.push(format!("The output of `{command}` is given as text: {why}"));
            }
        }
    }
}

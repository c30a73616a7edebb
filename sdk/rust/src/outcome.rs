//! What a tool may return.

use serde::Serialize;
use serde_json::Value;

use crate::schema::{self, Direction};
use crate::{Fault, JsonSchema, Outcome, ToolResult};

/// A value that a tool can return. Implemented for every `Serialize + JsonSchema`, for [`ToolResult`] and for
/// [`Outcome`].
///
/// - A struct, or anything else that is an object in JSON, becomes the structured result, and its schema the tool's
///   output schema.
/// - `String` and `&str` become text as they are, `()` becomes the text `Done.`
/// - Anything else (numbers, flags, lists) becomes its JSON as text. Put it into a struct to give it a schema.
#[diagnostic::on_unimplemented(
    message = "a tool cannot return `Result<{Self}, Fault>`",
    note = "derive `Serialize` and `JsonSchema` for `{Self}`, or return text, `()`, `ToolResult` or `Outcome`"
)]
pub trait IntoOutcome {
    /// The schema of the structured result, when there always is one.
    fn output_schema() -> Option<Value>;

    /// The value as it goes to the host.
    ///
    /// # Errors
    /// `internal` when it cannot be written as JSON.
    fn into_outcome(self) -> Result<Outcome, Fault>;
}

impl<T: Serialize + JsonSchema> IntoOutcome for T {
    fn output_schema() -> Option<Value> {
        Some(schema::of::<T>(Direction::Output)).filter(schema::is_object)
    }

    fn into_outcome(self) -> Result<Outcome, Fault> {
        outcome_of(serde_json::to_value(self))
    }
}

/// Apart from the trait, which is compiled once for each type.
fn outcome_of(written: serde_json::Result<Value>) -> Result<Outcome, Fault> {
    let result = match written {
        Ok(value @ Value::Object(_)) => ToolResult { structured: Some(value), ..ToolResult::new() },
        Ok(Value::String(text)) => ToolResult::text(text),
        Ok(Value::Null) => ToolResult::text("Done."),
        Ok(other) => ToolResult::text(other.to_string()),
        Err(error) => return Err(Fault::internal(format!("The result cannot be written as JSON: {error}"))),
    };
    Ok(Outcome::Done(result))
}

impl IntoOutcome for ToolResult {
    fn output_schema() -> Option<Value> {
        None
    }

    fn into_outcome(self) -> Result<Outcome, Fault> {
        Ok(Outcome::Done(self))
    }
}

impl<T: IntoOutcome> IntoOutcome for Outcome<T> {
    fn output_schema() -> Option<Value> {
        T::output_schema()
    }

    fn into_outcome(self) -> Result<Outcome, Fault> {
        match self {
            Self::Done(result) => result.into_outcome(),
            Self::Ask(question) => Ok(Outcome::Ask(question)),
        }
    }
}

/// The return type of a tool's function: `Result<T, Fault>`, or another error that becomes a [`Fault`].
#[diagnostic::on_unimplemented(
    message = "a tool returns `Result<T, Fault>` and not `{Self}`",
    note = "wrap the value: `Ok(value)`"
)]
pub trait ToolReturn {
    /// What a successful call returns.
    type Ok: IntoOutcome;

    /// The function's answer.
    ///
    /// # Errors
    /// The function's own.
    fn into_result(self) -> Result<Self::Ok, Fault>;
}

impl<T: IntoOutcome, E: Into<Fault>> ToolReturn for Result<T, E> {
    type Ok = T;

    fn into_result(self) -> Result<T, Fault> {
        self.map_err(Into::into)
    }
}
